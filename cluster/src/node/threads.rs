//! The parts of a node on threads of their own, so that no async task and no read ever holds up consensus.
//!
//! Inboxes are unbounded on purpose: what goes in is bounded where it is admitted (shards, doors), and a part that
//! blocked on another's full inbox could stop the clock of every group.

use super::open::Parts;
use super::outbox::Outbox;
use super::snapshots::Snapshots;
use super::{
    ApplyJob, Ask, Fatal, Handle, Job, LogJob, Loop, Receiver as SnapshotReceiver, SendAsk, Slot, SnapshotJob, Way,
};
use crate::consensus::Input;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use storage::replica::ReplicaStore;
use storage::state::Engine;
use wire::ids::{GroupId, Index, ReplicaId};

/// Most asks taken in one turn: more would make everybody wait for the last.
const ASKS_A_TURN: usize = 4096;
/// No more are taken once they have so many bytes: a turn is one batch of the log, which must fit into a segment.
const ASK_BYTES_A_TURN: usize = 4 << 20;
/// A quiet log writes what it holds after this long, and ends its last batch with a seal.
const LOG_QUIET: Duration = Duration::from_millis(200);
/// State that nobody asked to flush is flushed after this long, so that a restart has little to replay.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// What goes in the inbox of the loop.
#[expect(clippy::large_enum_variant, reason = "nearly every mail is an ask, and a box for each would cost more")]
enum Mail {
    Ask(Ask),
    Stop,
}

/// Called once, when a part cannot go on; must end the process.
pub type OnFatal = Arc<dyn Fn(Fatal) + Send + Sync>;

/// A running node.
pub struct Running {
    pub handles: BTreeMap<GroupId, Handle>,
    /// The replicas that were here at the start.
    pub stores: BTreeMap<GroupId, ReplicaStore>,
    /// Where replicas are now, one place a group.
    pub slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    /// The way to other nodes: set once there is one.
    pub way: Way,
    /// Takes snapshots of other nodes in.
    pub receiver: SnapshotReceiver,
    /// What the loop is asked: replicas, memberships, how it goes.
    pub ask: SendAsk,
    /// The log's disk is too slow to lead.
    pub slow: Arc<std::sync::atomic::AtomicBool>,
    /// Counted by the log writer.
    pub log_counters: Arc<std::sync::Mutex<storage::log::Counters>>,
    inbox: Sender<Mail>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the threads.
pub fn start(parts: Parts, engine: Arc<dyn Engine>, started: Instant, on_fatal: OnFatal) -> Running {
    let (inbox, mail) = unbounded::<Mail>();
    let to_loop = inbox.clone();
    let ask: SendAsk = Arc::new(move |ask| match to_loop.send(Mail::Ask(ask)).err()?.into_inner() {
        Mail::Ask(ask) => Some(ask),
        Mail::Stop => None,
    });
    let (handles, receiver) = (parts.handles(ask.clone()), parts.receiver(ask.clone()));
    let (way, slow) = (Way::default(), parts.turning.slow());
    let (log_jobs, log_inbox) = unbounded();
    let (apply_jobs, apply_inbox) = unbounded();
    let (flushes, flush_inbox) = unbounded();
    let (snapshot_jobs, snapshot_inbox) = unbounded();
    let (stores, slots) = (parts.stores.clone(), parts.slots.clone());
    let log_counters = Arc::new(std::sync::Mutex::new(parts.writer.log().counters()));
    let Parts { turning, mut writer, mut applier, .. } = parts;
    let threads = vec![
        spawn("consensus", &on_fatal, {
            let way = way.clone();
            move || {
                let outlets = Outlets { log_jobs, apply_jobs, flushes, snapshot_jobs, way };
                turn(turning, &mail, started, &outlets);
                Ok(())
            }
        }),
        spawn("log", &on_fatal, {
            let (inbox, counters) = (inbox.clone(), log_counters.clone());
            move || write(&mut writer, &log_inbox, &inbox, &counters)
        }),
        spawn("apply", &on_fatal, {
            let inbox = inbox.clone();
            move || {
                while let Ok(job) = apply_inbox.recv() {
                    let jobs = std::iter::once(job).chain(apply_inbox.try_iter()).collect();
                    tell(&inbox, applier.apply(jobs)?);
                }
                Ok(())
            }
        }),
        spawn("flush", &on_fatal, {
            let (inbox, slots) = (inbox.clone(), slots.clone());
            move || flush(&*engine, &slots, &flush_inbox, &inbox)
        }),
        spawn("snapshots", &on_fatal, {
            let mut snapshots = Snapshots::new(slots.clone(), ask.clone(), way.clone());
            move || {
                snapshot_inbox.iter().for_each(|job| snapshots.carry_out(job));
                Ok(())
            }
        }),
    ];
    Running { handles, stores, slots, way, receiver, ask, slow, log_counters, inbox, threads }
}

impl Running {
    /// Lets every part finish what it has, and waits for it.
    pub fn stop(self) {
        // An error means it stopped already.
        let _ = self.inbox.send(Mail::Stop);
        drop((self.handles, self.ask, self.receiver));
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// A part that fails or panics ends the node: half a node would answer from the past, or never.
fn spawn(
    name: &'static str,
    on_fatal: &OnFatal,
    body: impl FnOnce() -> Result<(), Fatal> + Send + 'static,
) -> JoinHandle<()> {
    let on_fatal = on_fatal.clone();
    let run = move || match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => {}
        Ok(Err(fatal)) => on_fatal(fatal),
        Err(_) => on_fatal(Fatal::Panicked(name)),
    };
    thread::Builder::new().name(name.into()).spawn(run).expect("the system has a thread to spare at start")
}

/// Where the loop's jobs go.
struct Outlets {
    log_jobs: Sender<LogJob>,
    apply_jobs: Sender<ApplyJob>,
    flushes: Sender<GroupId>,
    snapshot_jobs: Sender<SnapshotJob>,
    way: Way,
}

impl Outlets {
    fn hand_on(&self, jobs: Vec<Job>) {
        let (outward, mut outbox) = (self.way.get(), Outbox::default());
        for job in jobs {
            // A part that is gone has told why it went; the process is ending.
            let _ = match job {
                Job::Log(job) => self.log_jobs.send(job).is_ok(),
                Job::Apply(job) => self.apply_jobs.send(job).is_ok(),
                Job::Flush(group) => self.flushes.send(group).is_ok(),
                Job::Snapshot(job) => self.snapshot_jobs.send(job).is_ok(),
                Job::Send { group, to, bytes } => {
                    outward.map(|outward| outbox.put(outward, group, to, &bytes)).is_some()
                }
            };
        }
        if let Some(outward) = outward {
            outbox.send(outward);
        }
    }
}

fn turn(mut turning: Loop, mail: &Receiver<Mail>, started: Instant, outlets: &Outlets) {
    loop {
        let next_tick = turning.core().next_tick();
        let mut asks = Vec::new();
        let mut stopping = false;
        match mail.recv_timeout(next_tick.saturating_sub(started.elapsed())) {
            Ok(Mail::Ask(ask)) => asks.push(ask),
            Ok(Mail::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut bytes: usize = asks.iter().map(Ask::size_bytes).sum();
        while asks.len() < ASKS_A_TURN && bytes < ASK_BYTES_A_TURN {
            match mail.try_recv() {
                Ok(Mail::Ask(ask)) => {
                    bytes += ask.size_bytes();
                    asks.push(ask);
                }
                Ok(Mail::Stop) => {
                    stopping = true;
                    break;
                }
                Err(_) => break,
            }
        }
        let now = started.elapsed();
        if now >= next_tick {
            asks.push(Ask::Input(Input::Tick));
        }
        outlets.hand_on(turning.turn(asks, now));
        if stopping {
            return;
        }
    }
}

fn write(
    writer: &mut super::Writer,
    jobs: &Receiver<LogJob>,
    inbox: &Sender<Mail>,
    counters: &std::sync::Mutex<storage::log::Counters>,
) -> Result<(), Fatal> {
    let mut sealed = true;
    loop {
        let first = match jobs.recv_timeout(if sealed { FLUSH_EVERY } else { LOG_QUIET }) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                if !sealed {
                    writer.rest()?;
                    sealed = true;
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return writer.rest(),
        };
        let batch = std::iter::once(first).chain(jobs.try_iter()).collect();
        let synced = writer.write(batch)?;
        sealed = false;
        *counters.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = writer.log().counters();
        tell(inbox, synced.into_iter().map(Input::Synced));
    }
}

fn flush(
    engine: &dyn Engine,
    slots: &BTreeMap<GroupId, Arc<Slot>>,
    asked: &Receiver<GroupId>,
    inbox: &Sender<Mail>,
) -> Result<(), Fatal> {
    let applied = || -> BTreeMap<GroupId, (ReplicaId, Index)> {
        let here = slots.iter().filter_map(|(group, slot)| Some((*group, slot.get()?)));
        here.map(|(group, store)| (group, (store.replica(), store.state().applied))).collect()
    };
    let mut last = BTreeMap::new();
    loop {
        let gone = match asked.recv_timeout(FLUSH_EVERY) {
            Ok(_) => {
                // One flush serves everybody who asked meanwhile.
                asked.try_iter().for_each(drop);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        let before = applied();
        if before != last {
            match engine.flush() {
                Ok(()) => {
                    let still = |(group, (replica, _)): &(&GroupId, &(ReplicaId, Index))| {
                        slots.get(group).and_then(|slot| slot.get()).is_some_and(|store| store.replica() == *replica)
                    };
                    let flushed = before.iter().filter(still);
                    tell(inbox, flushed.map(|(group, (_, index))| Input::Flushed { group: *group, index: *index }));
                    last = before;
                }
                Err(error) if error.is_fatal() => return Err(error.into()),
                // Nothing is lost: the log keeps what the state could not take, and the next round tries again.
                Err(error) => tracing::error!(%error, "the state cannot be flushed; the log grows until it can"),
            }
        }
        if gone {
            return Ok(());
        }
    }
}

fn tell(inbox: &Sender<Mail>, inputs: impl IntoIterator<Item = Input>) {
    for input in inputs {
        // The loop is gone: the node is stopping.
        let _ = inbox.send(Mail::Ask(Ask::Input(input)));
    }
}
