//! The leader's side of snapshots: build on demand, stream, hold the log meanwhile, give up by deadline (§3, P16).

use super::convert::conf_to_raft;
use super::effect::Effect;
use super::input::{SnapshotHandle, SnapshotId};
use super::mutants::Mutant;
use super::replica::Replica;
use super::settings::Settings;
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb as pb;
use raft::{ProgressState, SnapshotStatus, StateRole};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ids::ReplicaId;

/// The one snapshot kept for whoever needs it.
#[derive(Default)]
pub(super) struct Shelf {
    built: Option<SnapshotHandle>,
    /// Someone asked and nothing on the shelf fitted.
    wanted: bool,
    retired: Vec<SnapshotId>,
}

impl Shelf {
    /// A snapshot for `to` that reaches `needed`; it must contain `to`, else the receiver would ignore it (§3).
    pub(super) fn take_for(&mut self, to: ReplicaId, needed: u64) -> Option<pb::Snapshot> {
        let fits = |handle: &&SnapshotHandle| handle.index.0 >= needed && handle.conf.contains(to);
        let Some(handle) = self.built.as_ref().filter(fits) else {
            self.wanted = true;
            return None;
        };
        let mut snapshot = pb::Snapshot::default();
        let metadata = snapshot.mut_metadata();
        metadata.index = handle.index.0;
        metadata.term = handle.term.0;
        metadata.set_conf_state(conf_to_raft(&handle.conf));
        // Travels inside this process only: it names the snapshot to stream and is cut out before sending.
        snapshot.data = Bytes::copy_from_slice(&handle.id.0.to_be_bytes());
        Some(snapshot)
    }

    fn retire(&mut self) {
        self.retired.extend(self.built.take().map(|handle| handle.id));
    }
}

/// A snapshot on its way to one peer.
struct Stream {
    index: u64,
    deadline: Duration,
}

/// A replica's snapshots on their way out.
#[derive(Default)]
pub(super) struct Outgoing {
    /// A build is under way until then.
    building: Option<Duration>,
    /// When the snapshot on the shelf came.
    built_at: Duration,
    streams: BTreeMap<ReplicaId, Stream>,
}

impl Outgoing {
    /// The log must not be purged beyond this while a stream needs what follows it.
    pub(super) fn hold(&self) -> Option<u64> {
        self.streams.values().map(|stream| stream.index).min()
    }
}

impl Replica {
    /// The library's message becomes a stream: its data is the name of the snapshot, which stays here.
    pub(super) fn stream(
        &mut self,
        mut message: pb::Message,
        now: Duration,
        settings: &Settings,
        out: &mut Vec<Effect>,
    ) {
        let to = ReplicaId(message.to);
        let snapshot = message.mut_snapshot();
        let index = snapshot.get_metadata().index;
        let name = std::mem::take(&mut snapshot.data);
        let Ok(name) = <[u8; 8]>::try_from(name.as_ref()) else { return };
        let stream = Stream { index, deadline: now + settings.snapshot_max };
        self.outgoing.streams.insert(to, stream);
        let message = Bytes::from(message.write_to_bytes().expect("a message encodes"));
        out.push(Effect::Stream { group: self.group, to, snapshot: SnapshotId(u64::from_be_bytes(name)), message });
    }

    /// Asks for a build if the library wished for one.
    pub(super) fn ask_for_snapshot(&mut self, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        let mut shelf = self.node.store().shelf.borrow_mut();
        if std::mem::take(&mut shelf.wanted) && self.outgoing.building.is_none() {
            self.outgoing.building = Some(now + settings.snapshot_max);
            out.push(Effect::Build { group: self.group });
        }
        let group = self.group;
        out.extend(shelf.retired.drain(..).map(|snapshot| Effect::Release { group, snapshot }));
    }

    pub(super) fn snapshot_built(&mut self, handle: SnapshotHandle, now: Duration) {
        self.outgoing.building = None;
        self.outgoing.built_at = now;
        let mut shelf = self.node.store().shelf.borrow_mut();
        shelf.retire();
        shelf.built = Some(handle);
    }

    /// The stream ended. Delivered is not installed: the peer's own acknowledgement ends it, or a new deadline.
    pub(super) fn snapshot_sent(&mut self, to: ReplicaId, ok: bool, now: Duration, settings: &Settings) {
        if !ok {
            self.outgoing.streams.remove(&to);
            self.node.report_snapshot(to.0, SnapshotStatus::Failure);
        } else if let Some(stream) = self.outgoing.streams.get_mut(&to) {
            stream.deadline = now + settings.snapshot_max;
        }
    }

    /// §3: the library never leaves `Snapshot` by itself if the message is lost, so a deadline is mandatory.
    pub(super) fn expire_snapshots(&mut self, now: Duration, settings: &Settings) {
        if self.outgoing.building.is_some_and(|deadline| now >= deadline) {
            self.outgoing.building = None;
        }
        let leads = self.node.raft.state == StateRole::Leader;
        let mut late = Vec::new();
        let progress = self.node.raft.prs();
        self.outgoing.streams.retain(|to, stream| {
            let waits = progress.get(to.0).is_some_and(|peer| peer.state == ProgressState::Snapshot);
            let over = now >= stream.deadline;
            if leads && waits && over {
                late.push(*to);
            }
            leads && waits && !over
        });
        for to in late {
            if !settings.mutants.has(Mutant::NoSnapshotDeadline) {
                self.node.report_snapshot(to.0, SnapshotStatus::Failure);
            }
        }
        let idle = self.outgoing.streams.is_empty() && now >= self.outgoing.built_at + settings.snapshot_max;
        if !leads || idle {
            self.node.store().shelf.borrow_mut().retire();
        }
    }

    /// The replica is gone: so are its snapshots.
    pub(super) fn release_snapshots(&mut self, out: &mut Vec<Effect>) {
        let group = self.group;
        let mut shelf = self.node.store().shelf.borrow_mut();
        shelf.retire();
        out.extend(shelf.retired.drain(..).map(|snapshot| Effect::Release { group, snapshot }));
    }
}
