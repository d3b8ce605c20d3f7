//! What the machine is, and who used its cores.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// /proc counts time in these, whatever the kernel ticks at.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of a process so far: its own code, and the kernel's for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub user: Duration,
    pub system: Duration,
}

impl Used {
    pub fn of(pid: u32) -> Result<Used> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
        // The name, in brackets, may hold anything; fields 14 and 15 follow it as the 12th and 13th.
        let behind = text.rsplit_once(')').context("/proc/PID/stat")?.1;
        let mut ticks = behind.split_whitespace().skip(11).map(|field| field.parse::<u32>());
        let mut next = || Ok::<_, anyhow::Error>(TICK * ticks.next().context("/proc/PID/stat ends early")??);
        Ok(Used { user: next()?, system: next()? })
    }

    pub fn own() -> Result<Used> {
        Used::of(std::process::id())
    }

    pub fn since(self, before: Used) -> Used {
        Used { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }

    pub fn all(self) -> Duration {
        self.user + self.system
    }
}

/// Time that code outside the kernel ran on all cores together so far, whoever's.
pub fn user_time() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat")?;
    let mut ticks = line.split_whitespace().skip(1).map(|field| field.parse::<u32>());
    let mut next = || Ok::<_, anyhow::Error>(ticks.next().context("/proc/stat")??);
    Ok(TICK * (next()? + next()?))
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// For the report: where these numbers are from.
pub fn described(folder: &Path, filesystem: &str, fsync: (Duration, Duration)) -> Value {
    let line = |path: &str, starts: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let found = text.lines().find(|line| line.starts_with(starts)).unwrap_or_default();
        found.rsplit(':').next().unwrap_or_default().trim().to_string()
    };
    let kernel = line("/proc/sys/kernel/osrelease", "");
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    json!({
        "cpu": line("/proc/cpuinfo", "model name"),
        "cores": cores(),
        "memory": line("/proc/meminfo", "MemTotal"),
        "kernel": kernel,
        "load_before": line("/proc/loadavg", ""),
        "filesystem": filesystem,
        "folder": folder.display().to_string(),
        "write_and_fdatasync_4k_ms": { "growing": ms(fsync.0), "in_place": ms(fsync.1) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_used() {
        let before = Used::own().unwrap();
        let mut n = 1_u64;
        while Used::own().unwrap().since(before).all() < TICK * 3 {
            (0..100_000).for_each(|_| n = std::hint::black_box(n.wrapping_mul(3)));
        }
        assert!(user_time().unwrap() >= Used::own().unwrap().user);
    }
}
