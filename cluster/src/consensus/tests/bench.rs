//! Cores side by side. Nothing moves unless a test says so.

use crate::consensus::*;
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Message, MessageType};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use storage::log::{LogBatch, ReplicaAppend};
use wire::ids::{GroupId, Index, ReplicaId, Term};

pub const GROUP: GroupId = GroupId(0);

/// One core, its disk, and what it wants.
pub struct Stand {
    pub core: Core,
    /// Written and not synced.
    pub written: Vec<(BatchId, LogBatch, Sync)>,
    pub disk: LogSeed,
    /// Applied and flushed at once, unless `holds_applies`.
    pub state: StateSeed,
    pub to_apply: Vec<Committed>,
    pub outbox: Vec<(ReplicaId, Bytes)>,
    pub effects: Vec<Effect>,
    pub holds_syncs: bool,
    pub holds_applies: bool,
}

/// All of them.
pub struct Bench {
    pub now: Duration,
    pub settings: Settings,
    pub stands: BTreeMap<u64, Stand>,
    pub answers: BTreeMap<Ticket, Outcome>,
    pub applied: Vec<(u64, Committed)>,
    /// Nobody delivers to or from these.
    pub cut: BTreeSet<u64>,
    tickets: u64,
}

impl Bench {
    /// Founders of one group: replica ids are 1 to `voters`.
    pub fn of(voters: u64) -> Bench {
        Bench::with(voters, Settings::default())
    }

    pub fn with(voters: u64, settings: Settings) -> Bench {
        let now = Duration::from_secs(100);
        let mut bench = Bench {
            now,
            settings,
            stands: BTreeMap::new(),
            answers: BTreeMap::new(),
            applied: Vec::new(),
            cut: BTreeSet::new(),
            tickets: 0,
        };
        for id in 1..=voters {
            bench.open(ReplicaSeed::founder(GROUP, ReplicaId(id), (1..=voters).map(ReplicaId)));
        }
        bench
    }

    pub fn open(&mut self, seed: ReplicaSeed) {
        let id = seed.replica.0;
        let (disk, state) = (seed.log.clone(), seed.state.clone());
        let core = Core::open(self.settings.clone(), vec![seed], self.now).expect("a whole seed");
        let stand = Stand {
            core,
            written: Vec::new(),
            disk,
            state,
            to_apply: Vec::new(),
            outbox: Vec::new(),
            effects: Vec::new(),
            holds_syncs: false,
            holds_applies: false,
        };
        self.stands.insert(id, stand);
        self.turn(id, Vec::new());
    }

    /// A crash: unsynced batches and undelivered messages are gone; then the node starts again.
    pub fn restart(&mut self, id: u64) {
        let stand = self.stands.remove(&id).expect("a stand");
        self.settings.boot += 1;
        let (log, state) = (stand.disk, stand.state);
        self.open(ReplicaSeed { group: GROUP, replica: ReplicaId(id), log, state, health: Health::Whole });
    }

    pub fn at(&mut self, id: u64) -> &mut Stand {
        self.stands.get_mut(&id).expect("a stand")
    }

    pub fn view(&self, id: u64) -> GroupView {
        self.stands[&id].core.view(GROUP).expect("a replica")
    }

    pub fn turn(&mut self, id: u64, inputs: Vec<Input>) {
        let now = self.now;
        let stand = self.stands.get_mut(&id).expect("a stand");
        let mut out = Vec::new();
        stand.core.turn(inputs, now, &mut out);
        for effect in out {
            match effect {
                Effect::Send { to, bytes, .. } => stand.outbox.push((to, bytes)),
                Effect::Append { id, batch, sync } => stand.written.push((id, batch, sync)),
                Effect::Apply { entries, .. } => stand.to_apply.extend(entries),
                Effect::Answer { ticket, outcome } => assert_eq!(self.answers.insert(ticket, outcome), None),
                other => stand.effects.push(other),
            }
        }
    }

    pub fn give(&mut self, id: u64, input: Input) {
        self.turn(id, vec![input]);
    }

    /// Everything written is on disk now.
    pub fn sync(&mut self, id: u64) {
        let stand = self.at(id);
        let Some(last) = stand.written.last().map(|(id, ..)| *id) else { return };
        for (_, batch, _) in std::mem::take(&mut stand.written) {
            batch.appends.into_iter().for_each(|append| write(&mut stand.disk, append));
        }
        self.give(id, Input::Synced(last));
    }

    /// Everything handed out is applied and flushed now.
    pub fn apply(&mut self, id: u64) {
        let entries = std::mem::take(&mut self.at(id).to_apply);
        let Some(last) = entries.last().map(|entry| entry.index) else { return };
        for entry in entries {
            let state = &mut self.at(id).state;
            (state.applied, state.applied_term) = (entry.index, entry.term);
            if let Happening::Members(conf) = &entry.what {
                state.conf = conf.clone();
            }
            self.applied.push((id, entry));
        }
        self.turn(id, vec![Input::Applied { group: GROUP, index: last }, Input::Flushed { group: GROUP, index: last }]);
    }

    /// Delivers, syncs and applies until nothing moves.
    pub fn run(&mut self) {
        for _ in 0..1000 {
            let mut moved = false;
            for id in self.stands.keys().copied().collect::<Vec<_>>() {
                if !self.at(id).holds_syncs && !self.at(id).written.is_empty() {
                    self.sync(id);
                    moved = true;
                }
                if !self.at(id).holds_applies && !self.at(id).to_apply.is_empty() {
                    self.apply(id);
                    moved = true;
                }
                moved |= self.deliver_from(id);
            }
            if !moved {
                return;
            }
        }
        panic!("the bench does not come to rest");
    }

    fn deliver_from(&mut self, id: u64) -> bool {
        let messages = std::mem::take(&mut self.at(id).outbox);
        let mut moved = false;
        for (to, bytes) in messages {
            if self.stands.contains_key(&to.0) && !self.cut.contains(&to.0) && !self.cut.contains(&id) {
                self.give(to.0, Input::Message { group: GROUP, to, bytes });
                moved = true;
            }
        }
        moved
    }

    /// One tick for everyone, and what follows from it.
    pub fn tick(&mut self) {
        self.now += self.settings.tick;
        for id in self.stands.keys().copied().collect::<Vec<_>>() {
            self.give(id, Input::Tick);
        }
        self.run();
    }

    pub fn ticks(&mut self, count: usize) {
        (0..count).for_each(|_| self.tick());
    }

    /// One tick for one, and nothing else.
    pub fn tick_alone(&mut self, id: u64) {
        self.now += self.settings.tick;
        self.give(id, Input::Tick);
    }

    /// Time passes in which nobody ticks: vote refusals end.
    pub fn wait_out_refusals(&mut self) {
        self.now += self.settings.election_max();
    }

    /// Makes `id` the leader by its own time-out, the others hearing it.
    pub fn elect(&mut self, id: u64) {
        self.wait_out_refusals();
        // The others forget whom they followed; what they say meanwhile is lost.
        for _ in 0..self.settings.election_ticks {
            self.now += self.settings.tick;
            for other in self.stands.keys().copied().filter(|other| *other != id).collect::<Vec<_>>() {
                self.give(other, Input::Tick);
                self.at(other).outbox.clear();
            }
        }
        for _ in 0..100 {
            if self.view(id).serving {
                return;
            }
            self.tick_alone(id);
            self.run();
        }
        panic!("{id} does not get elected");
    }

    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Asks for an entry, in the term the replica is in.
    pub fn propose(&mut self, id: u64, text: &'static str) -> Ticket {
        let (ticket, term) = (self.ticket(), self.view(id).term);
        self.give(id, Input::Propose { group: GROUP, ticket, entry: Bytes::from_static(text.as_bytes()), term });
        ticket
    }

    pub fn read(&mut self, id: u64) -> Ticket {
        let ticket = self.ticket();
        self.give(id, Input::Read { group: GROUP, ticket });
        ticket
    }

    pub fn change(&mut self, id: u64, change: Change) -> Ticket {
        let ticket = self.ticket();
        self.give(id, Input::Change { group: GROUP, ticket, change });
        ticket
    }

    pub fn answer(&self, ticket: Ticket) -> Option<&Outcome> {
        self.answers.get(&ticket)
    }

    /// Kinds of what waits in an outbox.
    pub fn kinds(&self, id: u64) -> Vec<MessageType> {
        let kind = |(_, bytes): &(ReplicaId, Bytes)| decode(bytes).get_msg_type();
        self.stands[&id].outbox.iter().map(kind).collect()
    }

    /// A replica that joins, adds itself as learner and catches up by snapshot.
    pub fn add_learner(&mut self, leader: u64, id: u64) {
        self.open(ReplicaSeed::joiner(GROUP, ReplicaId(id)));
        self.change(leader, Change::AddLearner(ReplicaId(id)));
        self.run();
        for _ in 0..40 {
            self.tick();
            self.carry_snapshots();
            if self.view(leader).peers.iter().any(|peer| peer.replica.0 == id && peer.matched == self.view(leader).last)
            {
                return;
            }
        }
        panic!("{id} does not catch up: {:?}", self.view(leader));
    }

    /// Builds, streams, stages and flips whatever is asked for.
    pub fn carry_snapshots(&mut self) {
        for id in self.stands.keys().copied().collect::<Vec<_>>() {
            for effect in std::mem::take(&mut self.at(id).effects) {
                self.carry(id, effect);
            }
        }
        self.run();
    }

    fn carry(&mut self, id: u64, effect: Effect) {
        match effect {
            Effect::Build { group } => {
                let StateSeed { applied, applied_term, conf } = self.at(id).state.clone();
                let handle =
                    SnapshotHandle { group, id: SnapshotId(applied.0), index: applied, term: applied_term, conf };
                self.give(id, Input::SnapshotBuilt(handle));
            }
            Effect::Stream { group, to, message, .. } => {
                let generation = Generation(self.now.as_millis() as u64);
                self.give(to.0, Input::Staged(StagedSnapshot { group, replica: to, generation, message }));
                self.give(id, Input::SnapshotSent { group, to, ok: true });
                self.carry_snapshots();
            }
            Effect::Flip { group, generation, applied, conf, .. } => {
                self.at(id).state = StateSeed { applied: applied.index, applied_term: applied.term, conf };
                self.give(id, Input::Flipped { group, generation });
            }
            _ => {}
        }
    }
}

pub fn decode(bytes: &Bytes) -> Message {
    Message::parse_from_carllerche_bytes(bytes).expect("a message")
}

pub fn encode(message: &Message) -> Bytes {
    Bytes::from(message.write_to_bytes().expect("a message encodes"))
}

/// A message of a kind, in a term.
pub fn message(kind: MessageType, from: u64, to: u64, term: u64) -> Message {
    let mut message = Message::default();
    message.set_msg_type(kind);
    (message.from, message.to, message.term) = (from, to, term);
    message
}

fn write(log: &mut LogSeed, append: ReplicaAppend) {
    if let Some(start) = append.reset {
        *log = LogSeed { start, entries: Vec::new(), hard_state: log.hard_state };
    }
    if let Some(first) = append.entries.first() {
        log.entries.retain(|entry| entry.index < first.index);
        log.entries.extend(append.entries);
    }
    log.hard_state = append.hard_state.unwrap_or(log.hard_state);
    if let Some(purge) = append.purge {
        log.entries.retain(|entry| entry.index > purge.index);
        log.start = purge;
    }
}

/// An index and a term, for short.
pub fn at(index: u64, term: u64) -> (Index, Term) {
    (Index(index), Term(term))
}
