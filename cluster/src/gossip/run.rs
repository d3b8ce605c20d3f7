//! The gossip thread: chitchat, and a look at what it knows every tick.

use super::counters::{Refusal, Tally};
use super::judge::{Heard, Judge, LifeId, Twin};
use super::member::{Health, Member, Seen, TOPOLOGY};
use super::seeds::{Seeds, Turns, keep_resolving};
use super::session::{Identity, Keys, Session};
use super::socket::{Bound, Sealed};
use super::{Options, Tuning};
use chitchat::{Chitchat, ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, spawn_chitchat};
use rand::{TryRngCore, rngs::OsRng};
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use wire::ids::{ClusterId, Incarnation, NodeId};

/// The living that are greeted in one round.
const GREETED: usize = 3;

/// All that a thread starts with.
pub struct Start {
    pub cluster: ClusterId,
    pub member: Member,
    pub advertise: SocketAddr,
    pub socket: UdpSocket,
    pub keys: Keys,
    pub seeds: Seeds,
    pub tuning: Tuning,
    pub tally: Arc<Tally>,
    pub topology: watch::Receiver<u64>,
    pub told: watch::Sender<Told>,
    pub seen: watch::Sender<Vec<Seen>>,
}

impl Start {
    pub fn new(options: Options, socket: UdpSocket, advertise: SocketAddr, outlets: Outlets) -> Start {
        let keyring = options.keyring;
        let keys: Keys = Arc::new(move || keyring.gossip_keys().into_iter().map(|(id, key)| (id.0, key)).collect());
        let Outlets { tuning, tally, topology, told, seen } = outlets;
        let Options { cluster, member, seeds, .. } = options;
        Start { cluster, member, advertise, socket, keys, seeds, tuning, tally, topology, told, seen }
    }
}

/// What connects the thread with its owner.
pub struct Outlets {
    pub tuning: Tuning,
    pub tally: Arc<Tally>,
    pub topology: watch::Receiver<u64>,
    pub told: watch::Sender<Told>,
    pub seen: watch::Sender<Vec<Seen>>,
}

/// What the thread last knew, with the moment, so that ages can be told at any time.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Instant,
    pub seen: Vec<Seen>,
    pub twin: Option<Twin>,
}

/// How a thread ends. To be dropped without a word is to be killed.
pub struct Leave;

/// Runs until it is told to leave, or chitchat fails: then why.
pub async fn run(start: Start, leave: oneshot::Receiver<Leave>) -> Result<(), String> {
    let Start { cluster, member, advertise, socket, keys, seeds, tuning, tally, topology, told, seen } = start;
    let token = OsRng.try_next_u64().map_err(|error| error.to_string())?.max(1);
    let identity = Identity { cluster, node: member.node, incarnation: member.incarnation, token };
    let socket = tokio::net::UdpSocket::from_std(socket).map_err(|error| error.to_string())?;
    let sealed = Sealed::new(socket, Session::new(identity, keys), tally.clone()).map_err(|error| error.to_string())?;
    let (config, bound) = (config(cluster, &member, advertise, &tuning), Bound(sealed.clone()));
    let chitchat = spawn_chitchat(config, member.state(), &bound).await.map_err(|error| error.to_string())?;
    let (found, contacts) = watch::channel(BTreeSet::new());
    tokio::spawn(keep_resolving(seeds, tuning.resolve, tally.clone(), found));
    let me = LifeId { node: member.node, incarnation: member.incarnation, address: advertise };
    let judge = Judge::new(me, tuning);
    let rounds = Turns::default();
    let live = Vec::new();
    let looking = Looking {
        chitchat,
        sealed,
        judge,
        rounds,
        contacts,
        topology,
        member,
        advertise,
        live,
        tuning,
        tally,
        told,
        seen,
    };
    looking.run(leave).await
}

fn config(cluster: ClusterId, member: &Member, advertise: SocketAddr, tuning: &Tuning) -> ChitchatConfig {
    ChitchatConfig {
        chitchat_id: ChitchatId::new(member.node.0.to_string(), member.incarnation.0, advertise),
        cluster_id: cluster.to_string(),
        gossip_interval: tuning.round,
        listen_addr: advertise,
        seed_nodes: Vec::new(),
        // Decides whom chitchat talks to and when it drops an entry. Who is dead is `judge`'s.
        failure_detector_config: FailureDetectorConfig {
            phi_threshold: 50.0,
            sampling_window_size: 100,
            max_interval: tuning.suspect * 4,
            initial_interval: tuning.round,
            dead_node_grace_period: tuning.drop,
        },
        marked_for_deletion_grace_period: tuning.forget,
        catchup_callback: None,
        extra_liveness_predicate: None,
    }
}

struct Looking {
    chitchat: ChitchatHandle,
    sealed: Arc<Sealed>,
    judge: Judge,
    rounds: Turns,
    contacts: watch::Receiver<BTreeSet<SocketAddr>>,
    topology: watch::Receiver<u64>,
    member: Member,
    advertise: SocketAddr,
    /// Whom chitchat talks to by itself. It needs a heartbeat more than the judge to count somebody in: until then we greet.
    live: Vec<SocketAddr>,
    tuning: Tuning,
    tally: Arc<Tally>,
    told: watch::Sender<Told>,
    seen: watch::Sender<Vec<Seen>>,
}

impl Looking {
    async fn run(mut self, mut leave: oneshot::Receiver<Leave>) -> Result<(), String> {
        let ended = self.chitchat.termination_watcher();
        tokio::pin!(ended);
        let mut tick = interval(self.tuning.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut ticks) = (Instant::now(), 0u32);
        loop {
            tokio::select! { biased;
                left = &mut leave => {
                    if left.is_ok() {
                        self.sealed.bye();
                    }
                    self.chitchat.abort();
                    return Ok(());
                }
                end = &mut ended => {
                    return Err(end.err().map_or_else(|| "chitchat ended by itself".into(), |error| error.to_string()));
                }
                now = tick.tick() => {
                    // `now` is when the tick was due, not when it came.
                    let _ = now;
                    let now = Instant::now();
                    self.look(now.saturating_duration_since(last)).await;
                    last = now;
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(2) {
                        self.greet()?;
                    }
                }
            }
        }
    }

    async fn look(&mut self, after: std::time::Duration) {
        let version = *self.topology.borrow_and_update();
        for (node, incarnation) in self.sealed.farewells() {
            self.judge.left(node, incarnation);
        }
        let tally = self.tally.clone();
        let (heard, live, entries) = self
            .chitchat
            .with_chitchat(|chitchat| {
                chitchat.self_node_state().set(TOPOLOGY, version);
                let live = chitchat.live_nodes().map(|id| id.gossip_advertise_addr);
                (heard(chitchat, &tally), live.collect(), chitchat.node_states().len() as u64)
            })
            .await;
        self.live = live;
        self.live.retain(|address| *address != self.advertise);
        let late = self.judge.look(after, heard);
        {
            let mut counters = self.tally.count();
            counters.entries = entries;
            counters.late += u64::from(late);
            counters.longest_gap = counters.longest_gap.max(after);
            counters.longest_silence = self.judge.longest_silence();
        }
        self.tell(version);
    }

    fn tell(&self, topology_version: u64) {
        let me =
            Seen { member: self.member.clone(), health: Health::Alive, since: self.judge.awake(), topology_version };
        let mut seen = self.judge.others();
        let at = seen.partition_point(|other| other.member.node < me.member.node);
        seen.insert(at, me);
        let twin = self.judge.twin();
        let had_twin = self.told.borrow().twin.is_some();
        if let (Some(twin), false) = (&twin, had_twin) {
            let (node, mine) = (self.member.node, self.member.incarnation);
            tracing::error!(
                %node, at = %twin.address, listen = twin.listen,
                "another process is {node} too, in its life {} (this one is {mine}): a copied data folder; stop one of them", twin.incarnation
            );
        }
        self.seen.send_if_modified(|before| {
            log_changes(before, &seen);
            let changed = before.len() != seen.len() || !before.iter().zip(&seen).all(|(a, b)| a.same(b));
            if changed {
                before.clone_from(&seen);
            }
            changed
        });
        self.told.send_replace(Told { at: Instant::now(), seen, twin });
    }

    /// Seeds and the dead are talked to by us: chitchat knows neither. So are the living until chitchat counts them in.
    fn greet(&mut self) -> Result<(), String> {
        let mut contacts = self.contacts.borrow_and_update().clone();
        contacts.extend(self.judge.addresses(Health::Dead));
        contacts.remove(&self.advertise);
        let fresh = self.judge.addresses(Health::Alive).into_iter().filter(|address| !self.live.contains(address));
        let fresh: BTreeSet<_> = fresh.take(GREETED).collect();
        let rounds_a_second = 1000 / self.tuning.round.as_millis().max(1) as u64;
        let chosen = self.rounds.round(&contacts, &self.live, rounds_a_second);
        for address in fresh.into_iter().chain(chosen) {
            self.chitchat.gossip(address).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn log_changes(before: &[Seen], now: &[Seen]) {
    for Seen { member, health, .. } in now {
        let is = |seen: &&Seen| (seen.member.node, seen.member.incarnation) == (member.node, member.incarnation);
        if before.iter().find(is).map(|seen| seen.health) != Some(*health) {
            tracing::info!(node = %member.node, life = %member.incarnation, listen = member.listen, "seems {health:?}");
        }
    }
}

/// Everybody but ourselves, whose state has come in whole.
fn heard(chitchat: &Chitchat, tally: &Tally) -> Vec<Heard> {
    let me = chitchat.self_chitchat_id();
    let others = chitchat.node_states().iter().filter(|(id, _)| *id != me);
    others
        .filter_map(|(id, state)| {
            let address = id.gossip_advertise_addr;
            let incarnation = Incarnation(id.generation_id);
            let read = id.node_id.parse().ok().map(|node| Member::read(NodeId(node), incarnation, state.key_values()));
            let Some(Ok(read)) = read else {
                tally.refuse(Refusal::BadState, address.ip());
                return None;
            };
            let (member, topology_version) = read?;
            let id = LifeId { node: member.node, incarnation, address };
            Some(Heard { id, heartbeat: state.heartbeat().into(), member, topology_version })
        })
        .collect()
}
