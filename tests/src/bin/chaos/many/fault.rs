//! What happens to a cluster, and when.

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt;
use std::time::{Duration, Instant};
use tests::cluster::Cluster;
use tests::faults::Cut;
use tests::wait;

/// Which node it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    Node(usize),
    /// Whoever leads this group just then.
    LeaderOf(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// kill -9.
    Kill,
    /// SIGSTOP, later SIGCONT.
    Pause,
    /// SIGTERM; it ends by itself.
    Restart,
    /// kill -9 of all nodes.
    KillAll,
    Cut(Cut),
}

/// Kinds of faults, as they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kill,
    Pause,
    Restart,
    Power,
    Cut,
}

impl Kind {
    const NAMES: [(&str, Kind); 5] = [
        ("kill", Kind::Kill),
        ("pause", Kind::Pause),
        ("restart", Kind::Restart),
        ("power", Kind::Power),
        ("cut", Kind::Cut),
    ];

    pub fn named(name: &str) -> Result<Kind> {
        let found = Kind::NAMES.iter().find(|(known, _)| *known == name);
        let names = || Kind::NAMES.map(|(name, _)| name).join(", ");
        found.map(|(_, kind)| *kind).with_context(|| format!("--only {name}: it is one of {}", names()))
    }

    pub fn name(self) -> &'static str {
        Kind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// With the weights of a mixed schedule: kills are what happens most.
    fn random(random: &mut StdRng, cuts: bool) -> Kind {
        match random.random_range(0..if cuts { 12 } else { 8 }) {
            0..4 => Kind::Kill,
            4..6 => Kind::Pause,
            6 => Kind::Restart,
            7 => Kind::Power,
            _ => Kind::Cut,
        }
    }
}

/// One round's.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub whom: Whom,
    pub what: What,
    /// Load before it.
    pub after: Duration,
    /// From then until it is undone.
    pub lasts: Duration,
}

impl Fault {
    pub fn random(random: &mut StdRng, nodes: usize, only: Option<Kind>, cuts: bool) -> Fault {
        let ms = |random: &mut StdRng, range| Duration::from_millis(random.random_range::<u64, _>(range));
        let whom = match random.random_range(0..3) {
            0 => Whom::LeaderOf(random.random_range(0..4)),
            _ => Whom::Node(random.random_range(0..nodes)),
        };
        let what = match only.unwrap_or_else(|| Kind::random(random, cuts)) {
            Kind::Kill => What::Kill,
            Kind::Pause => What::Pause,
            Kind::Restart => What::Restart,
            Kind::Power => What::KillAll,
            Kind::Cut => What::Cut([Cut::Full, Cut::In, Cut::Out, Cut::Lossy][random.random_range(0..4)]),
        };
        let after = ms(random, 50..1_500);
        let lasts = match (what, random.random_range(0..8)) {
            (What::Pause, 0) => ms(random, 8_000..40_000),
            (What::Pause, _) => ms(random, 1_000..8_000),
            (What::Restart | What::KillAll, _) => ms(random, 0..500),
            // Back before anybody has noticed, or well after.
            (_, 0..2) => ms(random, 0..300),
            _ => ms(random, 300..5_000),
        };
        Fault { whom, what, after, lasts }
    }

    /// The node it happens to now.
    pub async fn aim(&self, cluster: &Cluster) -> Result<usize> {
        let Whom::LeaderOf(group) = self.whom else {
            let Whom::Node(number) = self.whom else { unreachable!("there are two") };
            return Ok(number);
        };
        for number in 0..cluster.nodes.len() {
            if cluster.led_by(number).await?.contains(&group) {
                return Ok(number);
            }
        }
        // Between two leaders.
        Ok(0)
    }

    /// Begins it.
    pub async fn strike(&self, cluster: &mut Cluster, node: usize) -> Result<()> {
        match self.what {
            What::Kill => cluster.nodes[node].kill()?,
            What::KillAll => kill_all(cluster)?,
            What::Pause => cluster.nodes[node].signal("STOP")?,
            What::Restart => cluster.nodes[node].signal("TERM")?,
            What::Cut(cut) => cluster.network.as_ref().map_or(Ok(()), |network| network.cut(node, cut))?,
        }
        Ok(())
    }

    /// Ends it when it has lasted. The cluster may still be busy with it.
    pub async fn undo(&self, cluster: &mut Cluster, node: usize, since: Instant) -> Result<()> {
        if self.what == What::Restart {
            let exit = cluster.nodes[node].ended(Duration::from_secs(20)).await?;
            ensure!(exit.code() == Some(0), "node {} after SIGTERM: {}\n{}", node + 1, exit.status, exit.said);
        }
        wait::pass(self.lasts.saturating_sub(since.elapsed())).await;
        match self.what {
            What::Kill | What::Restart => cluster.nodes[node].spawn()?,
            What::KillAll => cluster.nodes.iter_mut().try_for_each(|node| node.spawn())?,
            What::Pause => cluster.nodes[node].signal("CONT")?,
            What::Cut(_) => cluster.network.as_ref().map_or(Ok(()), |network| network.heal())?,
        }
        Ok(())
    }

    /// Does it take leaders from their groups, so that it can be measured when others lead? What lasts too short may end
    /// before anybody has noticed.
    pub fn takes_leaders(&self) -> Option<&'static str> {
        match self.what {
            What::Kill => Some("kill -9"),
            What::Restart => Some("SIGTERM"),
            What::Pause => Some("SIGSTOP"),
            What::Cut(Cut::Full) => Some("a full cut"),
            What::Cut(Cut::In) => Some("a cut of what it hears"),
            What::Cut(Cut::Out) => Some("a cut of what it says"),
            What::Cut(Cut::Lossy) | What::KillAll => None,
        }
    }
}

/// As close to each other as signals go: power that fails.
fn kill_all(cluster: &mut Cluster) -> Result<()> {
    for node in &mut cluster.nodes {
        node.signal("KILL")?;
    }
    cluster.nodes.iter_mut().try_for_each(|node| node.kill())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = match (self.what, self.whom) {
            (What::KillAll, _) => "all".into(),
            (_, Whom::Node(number)) => format!("node {}", number + 1),
            (_, Whom::LeaderOf(group)) => format!("leader of g{group}"),
        };
        let what = match self.what {
            What::Kill | What::KillAll => "kill -9",
            What::Pause => "SIGSTOP",
            What::Restart => "restart",
            What::Cut(Cut::Full) => "cut off",
            What::Cut(Cut::In) => "cut off, hears none",
            What::Cut(Cut::Out) => "cut off, unheard",
            What::Cut(Cut::Lossy) => "lossy 20 %",
        };
        f.pad(&format!("{what}, {whom}, at {} for {} ms", self.after.as_millis(), self.lasts.as_millis()))
    }
}
