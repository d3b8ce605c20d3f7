//! Rounds: load, a fault, the cluster whole again, compare.

use super::fault::Fault;
use crate::Wanted;
use crate::round::{ASKED_AGAIN, Counts, ERA};
use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand::rngs::StdRng;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::cluster::{Cluster, Gaps, Leaders, Probe, Size};
use tests::faults::Network;
use tests::history::{self, Checked, Recorder};
use tests::load::check::{self, Kept};
use tests::load::{Doors, Entry, Keys, Record, Until, WALLETS, collect, read_all, start};
use tests::{place, wait};

/// Meta aside. Enough that each node leads some.
const GROUPS: u16 = 8;
/// After a fault's end. A node that was away for long gets snapshots.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);
/// Load goes on for so long when the cluster is whole again.
const TAIL: Duration = Duration::from_millis(300);

pub struct Many {
    random: StdRng,
    cluster: Cluster,
    /// One for each client, at all nodes in turn.
    doors: Vec<Doors>,
    leaders: Leaders,
    recorder: Recorder,
    records: Vec<Record>,
    before: [Vec<Entry>; WALLETS],
    kept: Vec<Kept>,
    checked: Checked,
    counts: Counts,
    gaps: Gaps,
    seed: u64,
    sabotage: bool,
}

impl Many {
    pub async fn begin(wanted: &Wanted, network: Option<Network>, random: StdRng) -> Result<Many> {
        let cluster = Cluster::start(Size { nodes: wanted.nodes, groups: GROUPS }, network).await?;
        if let Err(why) = cluster.settled(WHOLE_WITHIN).await {
            let mut cluster = cluster;
            let kept = cluster.keep(&format!("commons-chaos-{}-{}", wanted.nodes, wanted.seed))?;
            return Err(why.context(format!("the nodes' folders: {}", kept.display())));
        }
        let mut doors = vec![];
        for client in 0..wanted.clients {
            doors.push(cluster.doors(client).await?);
        }
        let leaders = Leaders::watch(cluster.https(0));
        Ok(Many {
            random,
            cluster,
            doors,
            leaders,
            recorder: Recorder::default(),
            records: vec![],
            before: Default::default(),
            kept: vec![],
            checked: Checked::default(),
            counts: Counts::default(),
            gaps: Gaps::default(),
            seed: wanted.seed,
            sabotage: wanted.sabotage,
        })
    }

    pub async fn round(&mut self, round: u64, fault: &Fault) -> Result<Counts> {
        if (round - 1).is_multiple_of(ERA) {
            self.begin_era((round - 1) / ERA).await?;
        }
        let counts = self.load(round, fault).await?;
        self.counts.add(&counts);
        let kept = check::era(&self.doors[0], &self.records, &mut self.before).await?;
        self.ask_again().await?;
        if round.is_multiple_of(ERA) {
            self.kept.extend(kept);
        }
        if !self.kept.is_empty() {
            let one = &self.kept[self.random.random_range(0..self.kept.len())];
            check::kept(&self.doors[0].client, one).await?;
        }
        self.leaders.check()?;
        self.cluster.check_no_panic()?;
        Ok(counts)
    }

    async fn begin_era(&mut self, era: u64) -> Result<()> {
        self.records.clear();
        self.before = Default::default();
        for doors in &mut self.doors {
            doors.era = era;
        }
        check::create(&self.doors[0]).await
    }

    /// Clients at work, the fault and its end, the cluster whole again, and every client's last answer.
    async fn load(&mut self, round: u64, fault: &Fault) -> Result<Counts> {
        self.before_sabotage()?;
        let stop = Arc::new(AtomicBool::new(false));
        let until = Until::Told(stop.clone());
        let name = format!("r{round}");
        let money = start(&name, &self.doors, &mut self.random, &until);
        let keys = Keys::new(&name, self.recorder.clone());
        let readers = keys.start(&self.doors, &mut self.random, &until);
        wait::pass(fault.after).await;
        let node = fault.aim(&self.cluster).await.context("aiming")?;
        let hit = self.cluster.led_by(node).await.context("who leads what")?;
        let since = Instant::now();
        match self.sabotage {
            true => self.sabotage()?,
            false => fault.strike(&mut self.cluster, node).await?,
        }
        let others: Vec<_> =
            (0..self.cluster.nodes.len()).filter(|n| *n != node).map(|n| self.cluster.http(n)).collect();
        let probe = fault
            .takes_leaders()
            .filter(|_| !others.is_empty())
            .map(|kind| (kind, Probe::start(&hit, GROUPS, &others, since)));
        if !self.sabotage {
            fault.undo(&mut self.cluster, node, since).await?;
        }
        self.cluster.settled(WHOLE_WITHIN).await?;
        if let Some((kind, probe)) = probe {
            self.gaps.add(kind, probe.gaps().await?);
        }
        wait::pass(TAIL).await;
        stop.store(true, Ordering::Relaxed);
        let mut told = collect(money).await?;
        let mut events = collect(readers).await?;
        let reads = read_all(&self.doors, &self.recorder, &events).await?;
        events.extend(reads);
        // A search may take a while; the nodes go on meanwhile.
        let checked = tokio::task::spawn_blocking(move || history::check(&events)).await??;
        self.checked.add(checked);
        let counts = Counts::of(&told, 1);
        self.records.append(&mut told);
        Ok(counts)
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

    /// Everything that was ever left is still there, and all nodes stop when told.
    pub async fn end(&mut self) -> Result<String> {
        for one in &self.kept {
            check::kept(&self.doors[0].client, one).await?;
        }
        let terms = self.leaders.check()?;
        for node in &mut self.cluster.nodes {
            let exit = node.stop().await?;
            ensure!(exit.code() == Some(0), "SIGTERM: {}\n{}", exit.status, exit.said);
        }
        let led = match terms {
            0 => "who leads in which term was told by no node: NOT CHECKED".into(),
            n => format!("{n} terms of groups, each led by one node at most"),
        };
        let kept = self.kept.len();
        Ok(format!("{}\n{led}\n{kept} wallets and counters of past eras hold", self.checked))
    }

    pub fn total(&self) -> &Counts {
        &self.counts
    }

    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub fn keep(&mut self) -> Result<PathBuf> {
        self.cluster.keep(&format!("commons-chaos-{}-{}", self.cluster.nodes.len(), self.seed))
    }

    /// Copies all folders, to be put back by [`Many::sabotage`].
    fn before_sabotage(&self) -> Result<()> {
        for node in self.cluster.nodes.iter().filter(|_| self.sabotage) {
            let copy = node.setup.folder().join("before");
            let _ = std::fs::remove_dir_all(&copy);
            place::copy(&node.data(), &copy)?;
        }
        Ok(())
    }

    /// All nodes die and wake in the past.
    fn sabotage(&mut self) -> Result<()> {
        for node in &mut self.cluster.nodes {
            node.kill()?;
        }
        for node in &mut self.cluster.nodes {
            std::fs::remove_dir_all(node.data())?;
            place::copy(&node.setup.folder().join("before"), &node.data())?;
            node.spawn()?;
        }
        Ok(())
    }
}
