//! The disk both stores write to: which it is, how often it was flushed, and how long one durable write takes at best.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The device under a folder.
#[derive(Clone, Debug)]
pub struct Device {
    numbers: (u64, u64),
    pub filesystem: String,
}

impl Device {
    pub fn of(folder: &Path) -> Result<Device> {
        let dev = fs::metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?.dev();
        // As glibc's gnu_dev_major and gnu_dev_minor.
        let major = (dev >> 8 & 0xfff) | (dev >> 32 & !0xfff);
        let minor = (dev & 0xff) | (dev >> 12 & !0xff);
        let filesystem = filesystem(&folder.canonicalize()?)?;
        if matches!(filesystem.as_str(), "tmpfs" | "ramfs") {
            bail!("{} is in memory ({filesystem}): name a folder on a disk with --data", folder.display());
        }
        Ok(Device { numbers: (major, minor), filesystem })
    }

    /// Flushes that reached the device since the machine started; `None` if the kernel does not count them.
    ///
    /// Neither store has to be asked: both are counted by the same means, one at a time.
    pub fn flushes(&self) -> Option<u64> {
        let text = fs::read_to_string("/proc/diskstats").ok()?;
        text.lines().find_map(|line| flushes_in(line, self.numbers))
    }
}

/// In a line of /proc/diskstats: major, minor, name, then 17 counters, the 16th of which are flushes.
fn flushes_in(line: &str, numbers: (u64, u64)) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let at = |n: usize| fields.get(n)?.parse::<u64>().ok();
    ((at(0)?, at(1)?) == numbers).then(|| at(18)).flatten()
}

/// The type of the mount with the longest path above the folder.
fn filesystem(folder: &Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/mounts").context("this benchmark needs Linux's /proc")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((PathBuf::from(fields.next()?), fields.next()?.to_string()))
    });
    let above = mounts.filter(|(path, _)| folder.starts_with(path));
    Ok(above.max_by_key(|(path, _)| path.as_os_str().len()).map(|(_, kind)| kind).unwrap_or_default())
}

/// The median time of `write` and `fdatasync` of 4 KiB, into a file that grows and into one that was there.
pub fn probe(folder: &Path) -> Result<(Duration, Duration)> {
    let path = folder.join("probe");
    let file = File::create(&path)?;
    let times = 200;
    let pass = || -> Result<Duration> {
        let mut taken = Vec::new();
        for n in 0..times {
            let begun = Instant::now();
            file.write_all_at(&[n as u8; 4096], n * 4096)?;
            file.sync_data()?;
            taken.push(begun.elapsed());
        }
        taken.sort_unstable();
        Ok(taken[taken.len() / 2])
    };
    let found = (pass()?, pass()?);
    fs::remove_file(path)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flushes_are_the_devices_own() {
        let line = " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 1581852 174842";
        assert_eq!(flushes_in(line, (254, 0)), Some(1_581_852));
        assert_eq!(flushes_in(line, (254, 1)), None);
        assert_eq!(flushes_in("254 0 vda 1 2 3", (254, 0)), None, "kernels before 5.5 do not count them");
    }
}
