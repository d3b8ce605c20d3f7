//! One life of a node, from open to crash: production's parts, and the queues between them.

use super::member::Membership;
use super::mutants::Mutant;
use super::plan::Plan;
use super::serving::Amending;
use super::snapshots::Held;
use crate::node::Bag;
use cluster::consensus::{GroupView, Settings, SnapshotId};
use cluster::group::Settled;
use cluster::node::{
    Applier, ApplyJob, Ask, Handle, LogJob, Loop, OpenError, Origin, Parts, Receiver, SendAsk, Slot, Writer,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::disk::MemoryDisk;
use storage::log::{Log, Options};
use storage::state::Memory;
use wire::ids::{ClusterId, GroupId, NodeId};

/// What an entry of a client is known by: group, writer, epoch, n.
pub type EntryId = (GroupId, String, u64, u64);

pub struct Life {
    pub turning: Loop,
    pub writer: Writer,
    pub applier: Applier,
    pub receiver: Receiver,
    pub slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    pub handles: BTreeMap<GroupId, Handle>,
    pub asks: Arc<Bag<Ask>>,
    pub looks: Arc<Bag<(bool, Vec<GroupView>)>>,
    pub settled: Arc<Bag<(EntryId, Settled)>>,
    /// A read of a client, what it must show at least, and whether the round held.
    pub reads: Arc<Bag<(usize, u64, bool)>>,
    pub log_queue: Vec<LogJob>,
    pub writing: Option<Vec<LogJob>>,
    pub apply_queue: Vec<ApplyJob>,
    pub applying: Option<Vec<ApplyJob>>,
    pub turn_planned: bool,
    pub flushing: bool,
    pub held: BTreeMap<SnapshotId, Held>,
    pub built: u64,
    pub member: Membership,
    pub amends: Vec<Amending>,
}

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    #[error("log: {0}")]
    Log(#[from] storage::log::OpenError),
    #[error("parts: {0}")]
    Parts(#[from] OpenError),
}

impl Life {
    pub fn open(
        plan: &Plan,
        node: NodeId,
        number: u64,
        founds: bool,
        (disk, engine): (&MemoryDisk, &Arc<Memory>),
        now: Duration,
    ) -> Result<Life, Unopened> {
        let options = Options::new(ClusterId([7; 16]), node).create(0xC0FFEE + node.0);
        let options = options.segment_bytes(plan.segment_bytes).segments_max(3);
        let (log, recovered) = Log::open(Arc::new(disk.clone()), &options)?;
        let settings = Settings {
            boot: node.0 << 32 | number,
            seed: plan.seed,
            window_bytes_max: plan.window_bytes_max,
            uncommitted_bytes_max: 16 << 10,
            apply_bytes_max: 4 << 10,
            message_bytes_max: 4 << 10,
            snapshot_max: Duration::from_millis(plan.snapshot_max_ms),
            mutants: Mutant::of_core(plan.mutant),
            ..Settings::default()
        };
        let origin = if founds { Origin::Founded(plan.groups) } else { Origin::Joined(plan.groups) };
        let parts = Parts::open_as(origin, engine.clone(), log, recovered, settings, now)?;
        let asks: Arc<Bag<Ask>> = Arc::default();
        let to_loop = asks.clone();
        let send: SendAsk = Arc::new(move |ask| {
            to_loop.put(ask);
            None
        });
        let (handles, receiver) = (parts.handles(send.clone()), parts.receiver(send));
        let Parts { turning, writer, applier, slots, .. } = parts;
        Ok(Life {
            turning,
            writer,
            applier,
            receiver,
            slots,
            handles,
            asks,
            looks: Arc::default(),
            settled: Arc::default(),
            reads: Arc::default(),
            log_queue: Vec::new(),
            writing: None,
            apply_queue: Vec::new(),
            applying: None,
            turn_planned: false,
            flushing: false,
            held: BTreeMap::new(),
            built: 0,
            member: Membership::default(),
            amends: Vec::new(),
        })
    }
}
