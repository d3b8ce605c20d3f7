//! A disk in memory that breaks as told: deterministic by seed, no clock, no threads.

use super::faults::{Chances, Fault, Op, Rule};
use super::inode::{Inode, PAGE};
use super::{Fate, Rng};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle on a disk in memory. Clones share the disk; [`MemoryDisk::crash`] ends all of them and hands out the next.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
    pub(super) life: u64,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) life: u64,
    pub(super) stopped: bool,
    pub(super) locked: bool,
    pub(super) inodes: BTreeMap<u64, Inode>,
    pub(super) next_inode: u64,
    pub(super) names: BTreeMap<String, u64>,
    pub(super) durable_names: BTreeMap<String, u64>,
    pub(super) unsynced: Vec<NameChange>,
    pub(super) rules: Vec<Rule>,
    pub(super) chances: Chances,
    pub(super) capacity: Option<u64>,
    pub(super) calls: u64,
    pub(super) dies_at: Option<u64>,
    pub(super) delay: Duration,
}

/// What changed in the folder and is not durable yet.
#[derive(Clone, Debug)]
pub(super) struct NameChange {
    pub(super) gone: Option<String>,
    pub(super) there: Option<(String, u64)>,
}

impl MemoryDisk {
    pub fn new(seed: u64) -> MemoryDisk {
        let state = State {
            rng: Rng::new(seed),
            life: 0,
            stopped: false,
            locked: false,
            inodes: BTreeMap::new(),
            next_inode: 1,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            rules: Vec::new(),
            chances: Chances::default(),
            capacity: None,
            calls: 0,
            dies_at: None,
            delay: Duration::ZERO,
        };
        MemoryDisk { state: Arc::new(Mutex::new(state)), life: 0 }
    }

    /// Another disk with the same bytes, to damage one and keep the other. Nobody holds its lock.
    pub fn copy(&self) -> MemoryDisk {
        let mut state = self.lock_state().clone();
        state.locked = false;
        MemoryDisk { life: state.life, state: Arc::new(Mutex::new(state)) }
    }

    /// The machine stops. What of the unsynced lives is up to `fate`; every handle from before is dead.
    pub fn crash(&self, fate: Fate) -> MemoryDisk {
        let mut guard = self.lock_state();
        let state = &mut *guard;
        for inode in state.inodes.values_mut() {
            inode.crash(fate, &mut state.rng);
        }
        // A killed process leaves names as unsynced as they were.
        if fate != Fate::Kept {
            for change in std::mem::take(&mut state.unsynced) {
                if fate != Fate::Lost && state.rng.chance(5_000) {
                    change.apply(&mut state.durable_names);
                }
            }
            state.names = state.durable_names.clone();
        }
        self.begin_again(guard)
    }

    /// A crash in which exactly the unsynced pages the caller names live: `keep(file, page)`. Names all live.
    pub fn crash_keeping(&self, keep: impl Fn(&str, u64) -> bool) -> MemoryDisk {
        let mut guard = self.lock_state();
        let state = &mut *guard;
        for (name, inode) in &state.names {
            if let Some(inode) = state.inodes.get_mut(inode) {
                inode.crash_keeping(true, |page| keep(name, page));
            }
        }
        for change in std::mem::take(&mut state.unsynced) {
            change.apply(&mut state.durable_names);
        }
        state.names = state.durable_names.clone();
        self.begin_again(guard)
    }

    fn begin_again(&self, mut guard: MutexGuard<'_, State>) -> MemoryDisk {
        let state = &mut *guard;
        state.forget_nameless();
        state.life += 1;
        state.locked = false;
        state.stopped = false;
        state.dies_at = None;
        state.rules.clear();
        MemoryDisk { state: self.state.clone(), life: state.life }
    }

    /// The unsynced pages of a file, in order.
    pub fn unsynced_pages(&self, name: &str) -> Vec<u64> {
        let state = self.lock_state();
        state.names.get(name).and_then(|inode| state.inodes.get(inode)).map(Inode::dirty_pages).unwrap_or_default()
    }

    /// Adds a fault that happens once. A crash clears what did not happen.
    pub fn plan(&self, rule: Rule) {
        self.lock_state().rules.push(rule);
    }

    pub fn set_chances(&self, chances: Chances) {
        self.lock_state().chances = chances;
    }

    /// How many bytes all files together may have.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock_state().capacity = bytes;
    }

    /// Bytes of all files together.
    pub fn used(&self) -> u64 {
        self.lock_state().used()
    }

    /// How many calls the disk has had.
    pub fn calls(&self) -> u64 {
        self.lock_state().calls
    }

    /// The machine stops at that call (counted as [`MemoryDisk::calls`] does), which may or may not have worked.
    pub fn die_at(&self, call: u64) {
        self.lock_state().dies_at = Some(call);
    }

    /// How long the calls since the last question took: the simulation lets that much virtual time pass.
    pub fn take_delay(&self) -> Duration {
        std::mem::take(&mut self.lock_state().delay)
    }

    /// Damages a file at rest: `change` gets all its bytes, durable at once. For tests that play the failing medium.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock_state();
        let Some(inode) = state.names.get(name).copied() else { panic!("no file {name}") };
        if let Some(inode) = state.inodes.get_mut(&inode) {
            let mut bytes = vec![0; inode.len() as usize];
            if inode.read(&mut bytes, 0).is_ok() {
                change(&mut bytes);
                *inode = Inode::default();
                inode.write(&bytes, 0);
                inode.sync();
            }
        }
    }

    pub fn flip_bit(&self, name: &str, bit: u64) {
        self.damage(name, |bytes| bytes[(bit / 8) as usize] ^= 1 << (bit % 8));
    }

    pub fn zero_page(&self, name: &str, page: u64) {
        self.damage(name, |bytes| bytes[(page * PAGE) as usize..((page + 1) * PAGE) as usize].fill(0));
    }

    /// Deletes a file at rest, durably.
    pub fn lose_file(&self, name: &str) {
        let mut state = self.lock_state();
        state.names.remove(name);
        state.durable_names.remove(name);
        state.forget_nameless();
    }

    /// The bytes a file has now.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.lock_state();
        let Some(inode) = state.names.get(name).and_then(|inode| state.inodes.get(inode)) else { return Vec::new() };
        let mut bytes = vec![0; inode.len() as usize];
        inode.read(&mut bytes, 0).map(|()| bytes).unwrap_or_default()
    }

    pub(super) fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut BTreeMap<String, u64>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, inode)) = &self.there {
            names.insert(name.clone(), *inode);
        }
    }
}

impl State {
    pub(super) fn used(&self) -> u64 {
        self.names.values().filter_map(|inode| self.inodes.get(inode)).map(Inode::len).sum()
    }

    pub(super) fn due(&mut self, op: Op, name: &str) -> Option<Fault> {
        let chances = self.chances;
        for (at, rule) in self.rules.iter_mut().enumerate() {
            if rule.on == op && name.starts_with(rule.file) {
                if rule.skip == 0 {
                    return Some(self.rules.remove(at).fault);
                }
                rule.skip -= 1;
            }
        }
        match op {
            Op::Read if chances.read_flips > 0 && self.rng.chance(chances.read_flips) => Some(Fault::FlipBit),
            Op::Write if chances.write_fails > 0 && self.rng.chance(chances.write_fails) => Some(Fault::Eio),
            Op::Sync if chances.sync_fails > 0 && self.rng.chance(chances.sync_fails) => Some(Fault::Eio),
            Op::Sync if chances.sync_is_slow > 0 && self.rng.chance(chances.sync_is_slow) => {
                let micros = self.rng.below(chances.slow_max.as_micros() as u64 + 1);
                Some(Fault::Slow(Duration::from_micros(micros)))
            }
            _ => None,
        }
    }

    pub(super) fn forget_nameless(&mut self) {
        let named: std::collections::BTreeSet<u64> = self
            .names
            .values()
            .chain(self.durable_names.values())
            .chain(self.unsynced.iter().filter_map(|change| change.there.as_ref().map(|(_, inode)| inode)))
            .copied()
            .collect();
        self.inodes.retain(|inode, _| named.contains(inode));
    }
}
