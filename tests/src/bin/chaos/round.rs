//! Rounds: load, kill, start again, compare.

use crate::kill::{Kill, Moment};
use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::load::check::{self, Kept};
use tests::load::{Doors, Entry, Fate, Record, Until, WALLETS, collect, start};
use tests::{Node, Setup, Verb, place, wait};

/// Rounds with the same wallets: lists stay short enough to be read whole each time.
pub const ERA: u64 = 5;
/// Answers of earlier rounds that are asked for again in each round.
pub const ASKED_AGAIN: usize = 12;

/// A node, its clients, and what they were told.
pub struct Chaos {
    random: StdRng,
    node: Node,
    /// One for each client.
    doors: Vec<Doors>,
    records: Vec<Record>,
    before: [Vec<Entry>; WALLETS],
    kept: Vec<Kept>,
    seed: u64,
    sabotage: bool,
}

/// How many operations ended how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    done: u64,
    refused: u64,
    not_run: u64,
    unknown: u64,
    faults: u64,
}

impl Chaos {
    pub async fn begin(seed: u64, clients: usize, sabotage: bool) -> Result<Chaos> {
        let node = Setup::new(Verb::Start)?.arg("--groups").arg("4").start().await?;
        let mut doors = vec![];
        for _ in 0..clients {
            doors.push(Doors::of(&node).await?);
        }
        let random = StdRng::seed_from_u64(seed);
        Ok(Chaos { random, node, doors, records: vec![], before: Default::default(), kept: vec![], seed, sabotage })
    }

    pub async fn round(&mut self, round: u64) -> Result<(Kill, Counts)> {
        let era = (round - 1) / ERA;
        if (round - 1).is_multiple_of(ERA) {
            self.begin_era(era).await?;
        }
        let kill = Kill::random(&mut self.random);
        let mut told = self.load(round, &kill).await?;
        let counts = Counts::of(&told, 1 + kill.stillborn.len() as u64);
        self.records.append(&mut told);
        let kept = check::era(&self.doors[0], &self.records, &mut self.before).await?;
        self.ask_again().await?;
        if round.is_multiple_of(ERA) {
            self.kept.extend(kept);
        }
        if !self.kept.is_empty() {
            let one = &self.kept[self.random.random_range(0..self.kept.len())];
            check::kept(&self.doors[0].client, one).await?;
        }
        self.node.check_no_panic()?;
        Ok((kill, counts))
    }

    async fn begin_era(&mut self, era: u64) -> Result<()> {
        self.records.clear();
        self.before = Default::default();
        for doors in &mut self.doors {
            doors.era = era;
        }
        check::create(&self.doors[0]).await
    }

    /// Clients at work, the kill, the node back, and every client's last answer.
    async fn load(&mut self, round: u64, kill: &Kill) -> Result<Vec<Record>> {
        let before = self.node.setup.folder().join("before");
        if self.sabotage {
            let _ = std::fs::remove_dir_all(&before);
            place::copy(&self.node.data(), &before)?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let until = match kill.moment {
            Moment::UnderLoad(_) => Until::Told(stop.clone()),
            Moment::BehindBurst(each) | Moment::AtRest(each, _) => Until::Done(each),
        };
        let clients = start(&format!("r{round}"), &self.doors, &mut self.random, &until);
        let (clients, told) = match kill.moment {
            Moment::UnderLoad(after) => {
                wait::pass(after).await;
                (Some(clients), vec![])
            }
            Moment::BehindBurst(_) => (None, collect(clients).await?),
            Moment::AtRest(_, rest) => {
                let told = collect(clients).await?;
                wait::pass(rest).await;
                (None, told)
            }
        };
        self.node.kill()?;
        stop.store(true, Ordering::Relaxed);
        if self.sabotage {
            std::fs::remove_dir_all(self.node.data())?;
            place::copy(&before, &self.node.data())?;
        }
        kill.revive(&mut self.node).await?;
        match clients {
            Some(clients) => collect(clients).await,
            None => Ok(told),
        }
    }

    async fn ask_again(&mut self) -> Result<()> {
        let answered: Vec<&Record> = self.records.iter().filter(|record| record.op.has_id()).collect();
        for _ in 0..ASKED_AGAIN.min(answered.len()) {
            let record = answered[self.random.random_range(0..answered.len())];
            let client = self.random.random_range(0..self.doors.len());
            check::asked_again(&self.doors[client], record).await?;
        }
        Ok(())
    }

    /// Everything that was ever left is still there.
    pub async fn end(&mut self) -> Result<String> {
        for one in &self.kept {
            check::kept(&self.doors[0].client, one).await?;
        }
        let entries: usize = self.kept.iter().filter_map(|kept| kept.entries).sum();
        let exit = self.node.stop().await?;
        ensure!(exit.code() == Some(0), "SIGTERM: {}\n{}", exit.status, exit.said);
        let log = self.node.path("log");
        let segments = std::fs::read_dir(&log)?
            .filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().ends_with(".seg")));
        Ok(format!(
            "{} wallets and counters of past eras hold ({entries} transactions), {} log segments",
            self.kept.len(),
            segments.count()
        ))
    }

    /// Puts the node's folder where the next run does not remove it.
    pub fn keep(&mut self) -> Result<PathBuf> {
        self.node.kill()?;
        let path = std::env::temp_dir().join(format!("commons-chaos-{}", self.seed));
        place::copy(self.node.setup.folder(), &path)?;
        Ok(path)
    }
}

impl Counts {
    pub fn of(told: &[Record], faults: u64) -> Counts {
        let mut counts = Counts { faults, ..Counts::default() };
        for record in told {
            *match record.fate {
                Fate::Done(_) => &mut counts.done,
                Fate::Refused(_) => &mut counts.refused,
                Fate::NotRun => &mut counts.not_run,
                Fate::Unknown => &mut counts.unknown,
            } += 1;
        }
        counts
    }

    pub fn add(&mut self, other: &Counts) {
        self.done += other.done;
        self.refused += other.refused;
        self.not_run += other.not_run;
        self.unknown += other.unknown;
        self.faults += other.faults;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { done, refused, not_run, unknown, faults } = self;
        write!(
            f,
            "done {done:>5}  refused {refused:>4}  not run {not_run:>3}  unanswered {unknown:>3}  faults {faults}"
        )
    }
}
