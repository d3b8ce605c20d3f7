//! `writes`: the stores take turns, for each number of writers.

use crate::args::Wanted;
use crate::disk::{self, Device};
use crate::load::{self, Round};
use crate::processes::Place;
use crate::report::{Measured, Report};
use crate::stores::{self, Commons, Redis};
use crate::{machine, report};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// A round in which others used more of the machine than this is run again, at most `TRIES` times.
const OTHERS_MAX: f64 = 0.08;
const TRIES: usize = 3;
/// A round begins once the machine does nothing else, or after so long.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(150);

pub async fn run(wanted: &Wanted) -> Result<()> {
    let place = Place::new(&wanted.data)?;
    let device = Device::of(place.path())?;
    let fsync = disk::probe(place.path()).context("cannot measure the disk")?;
    let machine = machine::described(&wanted.data, &device.filesystem, fsync);
    let groups = wanted.groups.as_deref();
    let commons = Commons::start(&place, "commons", &stores::binary()?, groups).await?;
    let before = match &wanted.before {
        Some(binary) => Some(Commons::start(&place, "before", binary, groups).await?),
        None => None,
    };
    let redis = match wanted.stores.iter().any(|store| store == "redis") {
        true => Some(Redis::start(&place).await?),
        false => None,
    };
    let stores = Stores { commons, before, redis, device, wanted };
    let version = stores.redis.as_ref().map(|redis| redis.version.clone()).unwrap_or_default();
    let mut report = Report::new(machine, version);
    for &writers in &wanted.writers {
        let mut measured: Vec<Measured> =
            wanted.stores.iter().map(|store| Measured::new(store, writers, wanted.rounds)).collect();
        for round in 0..wanted.rounds {
            let stores_there = measured.len();
            for turn in 0..stores_there {
                // None is always the first: whatever the one before left behind hits each.
                let of = &mut measured[(round + turn) % stores_there];
                of.rounds.push(stores.round(&of.store, writers).await?);
            }
        }
        report.add(measured);
    }
    report.fsyncs_of_our_log = stores.commons.log_fsyncs().await?;
    report::print(&report);
    if let Some(path) = &wanted.json {
        std::fs::write(path, format!("{:#}\n", report.json())).with_context(|| path.display().to_string())?;
        eprintln!("written: {}", path.display());
    }
    Ok(())
}

struct Stores<'a> {
    commons: Commons,
    before: Option<Commons>,
    redis: Option<Redis>,
    device: Device,
    wanted: &'a Wanted,
}

impl Stores<'_> {
    /// A round of one store while the machine is left to it; if it is not, the quietest of some.
    async fn round(&self, store: &str, writers: usize) -> Result<Round> {
        let mut best: Option<Round> = None;
        for _ in 0..if self.wanted.busy { 1 } else { TRIES } {
            if !self.wanted.busy {
                quiet().await?;
            }
            let round = self.once(store, writers).await.with_context(|| format!("{store}, {writers} writers"))?;
            report::progress(store, writers, &round);
            if best.is_none_or(|best| round.others < best.others) {
                best = Some(round);
            }
            if round.others <= OTHERS_MAX {
                break;
            }
        }
        best.context("no round was run")
    }

    async fn once(&self, store: &str, writers: usize) -> Result<Round> {
        // Values of different rounds must not be taken for each other.
        let tag = machine::user_time()?.as_millis() as u64;
        let (length, device) = (self.wanted.round, &self.device);
        match store {
            "rpc" | "before" => {
                let before = self.before.as_ref().filter(|_| store == "before");
                let node = before.unwrap_or(&self.commons);
                let all = node.rpc(writers, self.wanted.connections).await?;
                load::round(all, length, tag, node.pid(), device).await
            }
            "http" => load::round(self.commons.http(writers).await?, length, tag, self.commons.pid(), device).await,
            _ => {
                let redis = self.redis.as_ref().context("Redis was not started")?;
                load::round(redis.writers(writers).await?, length, tag, redis.pid(), device).await
            }
        }
    }
}

/// Waits until the machine has nothing to do: no one else's work, and none that a round before left.
async fn quiet() -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < QUIET_WITHIN {
        let before = machine::user_time()?;
        load::wait(LOOK).await;
        if machine::user_time()?.saturating_sub(before) <= LOOK / 5 {
            break;
        }
    }
    Ok(())
}
