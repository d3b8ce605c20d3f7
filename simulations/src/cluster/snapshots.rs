//! Snapshots between nodes: a moment of the rows is cut into chunks, each comes by itself, and production's receiver
//! stages them as they come. It blocks, so it has a thread, which runs only while the world waits for it.

use super::world::{Event, World};
use bytes::Bytes;
use cluster::consensus::{Input, SnapshotHandle, SnapshotId};
use cluster::node::{Ask, Receiver, SnapshotHead, SnapshotJob, members};
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread::JoinHandle;
use wire::codec;
use wire::ids::{GroupId, ReplicaId};

/// A moment of a group's rows.
pub type Held = Vec<Bytes>;

/// A snapshot on its way.
pub struct Stream {
    from: (usize, u64),
    to: (usize, u64),
    group: GroupId,
    replica: ReplicaId,
    head: Bytes,
    chunks: std::vec::IntoIter<Bytes>,
    incoming: Option<Incoming>,
}

enum Said {
    Wants,
    Ended(Result<(), String>),
}

/// The receiver's side, in lockstep.
struct Incoming {
    feed: Option<mpsc::Sender<Bytes>>,
    said: mpsc::Receiver<Said>,
    thread: Option<JoinHandle<()>>,
}

impl Incoming {
    fn begin(receiver: Receiver, head: Bytes) -> Incoming {
        let ((feed, chunks), (say, said)) = (mpsc::channel(), mpsc::channel());
        let thread = std::thread::spawn(move || {
            let wants = say.clone();
            let next = || {
                // The world waits for this, or is gone.
                wants.send(Said::Wants).ok()?;
                chunks.recv().ok()
            };
            let ended = receiver.receive(&head, next).map_err(|error| error.to_string());
            let _ = say.send(Said::Ended(ended));
        });
        Incoming { feed: Some(feed), said, thread: Some(thread) }
    }

    /// What it ended with, if it did not ask for another chunk.
    fn wait(&self) -> Option<Result<(), String>> {
        match self.said.recv() {
            Ok(Said::Wants) => None,
            Ok(Said::Ended(ended)) => Some(ended),
            Err(_) => Some(Err("the receiver panicked".into())),
        }
    }
}

impl Drop for Incoming {
    /// Without a sender it ends, and before anything else happens.
    fn drop(&mut self) {
        self.feed = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl World {
    pub(super) fn snapshot_job(&mut self, machine: usize, job: SnapshotJob) -> Result<(), String> {
        let chunk_bytes = self.plan.chunk_bytes;
        let life = self.living(machine);
        match job {
            SnapshotJob::Build { group } => {
                let Some(store) = life.slots.get(&group).and_then(|slot| slot.get()) else { return Ok(()) };
                life.built += 1;
                let id = SnapshotId(life.built);
                let mut chunks = Vec::new();
                let built = store.view(|rows| {
                    rows.snapshot(chunk_bytes, &mut |chunk| {
                        chunks.push(chunk);
                        ControlFlow::Continue(())
                    })?;
                    Ok(rows.state().clone())
                });
                let state = built.map_err(|error| error.to_string())?;
                let (_, conf) = members(&state).map_err(|error| error.to_string())?;
                life.held.insert(id, chunks);
                let handle = SnapshotHandle { group, id, index: state.applied, term: state.applied_term, conf };
                life.asks.put(Ask::Input(Input::SnapshotBuilt(handle)));
            }
            SnapshotJob::Release { snapshot } => drop(life.held.remove(&snapshot)),
            SnapshotJob::Stream { group, to, snapshot, message } => {
                let chunks = life.held.get(&snapshot).cloned();
                let head = SnapshotHead { group, to, message: wire::Bytes(message.to_vec()) };
                let head = codec::encode(&head).map_err(|error| error.to_string())?.into();
                let node = self.machines[machine].node_of(group, to).and_then(|node| self.book.get(&node).copied());
                let (Some(chunks), Some(there)) = (chunks, node) else {
                    let ended = Input::SnapshotSent { group, to, ok: false };
                    self.living(machine).asks.put(Ask::Input(ended));
                    return Ok(());
                };
                let from = (machine, self.machines[machine].lives);
                let stream = Stream {
                    from,
                    to: (there, self.machines[there].lives),
                    group,
                    replica: to,
                    head,
                    chunks: chunks.into_iter(),
                    incoming: None,
                };
                self.streams_made += 1;
                self.streams.insert(self.streams_made, stream);
                self.counts.snapshots += 1;
                self.trace.line(self.now, format_args!("machine {machine} sends a snapshot of {group} to {to}"));
                self.at(self.plan.chunk_us.0, Event::Chunk(self.streams_made));
            }
        }
        Ok(())
    }

    pub(super) fn chunk(&mut self, number: u64) -> Result<(), String> {
        let Some(mut stream) = self.streams.remove(&number) else { return Ok(()) };
        let lives = |(machine, life): (usize, u64)| {
            let at = &self.machines[machine];
            at.life.is_some() && at.lives == life
        };
        let ((from, _), (to, _)) = (stream.from, stream.to);
        let cut = self.wires.is_cut(from, to, self.now) || self.wires.is_cut(to, from, self.now);
        let broken = self.faulty && self.rng.chance(self.plan.break_chunk_pm);
        if !lives(stream.from) || !lives(stream.to) || cut || broken {
            self.counts.broken_snapshots += 1;
            return self.end_stream(stream, Err("broken off".into()));
        }
        let again = self.delay(self.plan.chunk_us);
        if self.machines[from].paused || self.machines[to].paused {
            self.streams.insert(number, stream);
            self.at(again.max(20_000), Event::Chunk(number));
            return Ok(());
        }
        let receiver = self.living(to).receiver.clone();
        let head = stream.head.clone();
        let ended = match &stream.incoming {
            None => stream.incoming.insert(Incoming::begin(receiver, head)).wait(),
            Some(incoming) => {
                let Some(chunk) = stream.chunks.next() else {
                    return self.end_stream(stream, Err("no chunk is left and the receiver wants more".into()));
                };
                // It waits for it: it said so.
                let _ = incoming.feed.as_ref().map(|feed| feed.send(chunk));
                incoming.wait()
            }
        };
        match ended {
            Some(ended) => self.end_stream(stream, ended)?,
            None => {
                self.streams.insert(number, stream);
                self.at(again, Event::Chunk(number));
            }
        }
        self.pick_up(to)
    }

    fn end_stream(&mut self, mut stream: Stream, ended: Result<(), String>) -> Result<(), String> {
        stream.incoming = None;
        let Stream { from: (from, life), group, replica: to, .. } = stream;
        self.trace.line(self.now, format_args!("a snapshot of {group} for {to} ends: {ended:?}"));
        if self.machines[from].lives == life
            && let Some(life) = &self.machines[from].life
        {
            life.asks.put(Ask::Input(Input::SnapshotSent { group, to, ok: ended.is_ok() }));
            self.plan_parts(from);
        }
        Ok(())
    }
}
