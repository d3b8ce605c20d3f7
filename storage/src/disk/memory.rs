//! A disk in memory that breaks as told: deterministic by seed, no clock, no threads.

use super::faults::{Chances, Fault, Op, Rule};
use super::inode::{Inode, PAGE};
use super::{Disk, EIO, Fate, File, Lock, Rng};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle on a disk in memory. Clones share the disk; [`MemoryDisk::crash`] ends all of them and hands out the next.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
    life: u64,
}

#[derive(Clone, Debug)]
struct State {
    rng: Rng,
    life: u64,
    stopped: bool,
    locked: bool,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    unsynced: Vec<NameChange>,
    rules: Vec<Rule>,
    chances: Chances,
    capacity: Option<u64>,
    calls: u64,
    dies_at: Option<u64>,
    delay: Duration,
}

/// What changed in the folder and is not durable yet.
#[derive(Clone, Debug)]
struct NameChange {
    gone: Option<String>,
    there: Option<(String, u64)>,
}

#[derive(Debug)]
struct MemoryFile {
    disk: MemoryDisk,
    inode: u64,
    name: String,
}

struct Held(MemoryDisk);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.lock_state();
        if state.life == self.0.life {
            state.locked = false;
        }
    }
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

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call begins: is the machine up, and does a fault wait for it?
    fn call(&self, op: Op, name: &str) -> io::Result<(MutexGuard<'_, State>, Option<Fault>)> {
        let mut guard = self.lock_state();
        let state = &mut *guard;
        if state.stopped || state.life != self.life {
            return Err(io::Error::other("the machine has stopped"));
        }
        state.calls += 1;
        if state.dies_at.is_some_and(|call| state.calls >= call) {
            state.stopped = true;
            return Ok((guard, Some(Fault::Die)));
        }
        let mut fault = state.due(op, name);
        match fault {
            Some(Fault::Slow(time)) => {
                state.delay += time;
                fault = None;
            }
            Some(Fault::Die) => state.stopped = true,
            _ => {}
        }
        Ok((guard, fault))
    }

    /// A change of the folder; in force at once, durable with `sync_dir`.
    fn change(&self, op: Op, name: &str, change: impl FnOnce(&mut State) -> io::Result<NameChange>) -> io::Result<()> {
        let (mut state, fault) = self.call(op, name)?;
        match fault {
            Some(Fault::Full) => return Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Die) if state.rng.chance(5_000) => return Err(died()),
            None | Some(Fault::Die) => {}
            Some(_) => return Err(io::Error::from_raw_os_error(EIO)),
        }
        let change = change(&mut state)?;
        change.apply(&mut state.names);
        state.unsynced.push(change);
        state.forget_nameless();
        if state.stopped { Err(died()) } else { Ok(()) }
    }
}

fn died() -> io::Error {
    io::Error::other("the machine stopped in this call")
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, inode)) = &self.there {
            names.insert(name.clone(), *inode);
        }
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().filter_map(|inode| self.inodes.get(inode)).map(Inode::len).sum()
    }

    fn due(&mut self, op: Op, name: &str) -> Option<Fault> {
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

    fn forget_nameless(&mut self) {
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

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.lock_state();
        if state.stopped || state.life != self.life {
            return Err(died());
        }
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let inode = self.lock_state().names.get(name).copied().ok_or_else(not_found)?;
        Ok(Box::new(MemoryFile { disk: self.clone(), inode, name: name.to_owned() }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.change(Op::Create, name, |state| {
            if state.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let inode = state.next_inode;
            state.next_inode += 1;
            state.inodes.insert(inode, Inode::default());
            Ok(NameChange { gone: None, there: Some((name.to_owned(), inode)) })
        })?;
        self.open(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change(Op::Remove, name, |state| {
            state.names.get(name).ok_or_else(not_found)?;
            Ok(NameChange { gone: Some(name.to_owned()), there: None })
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(Op::Rename, from, |state| {
            let inode = *state.names.get(from).ok_or_else(not_found)?;
            Ok(NameChange { gone: Some(from.to_owned()), there: Some((to.to_owned(), inode)) })
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        let (mut state, fault) = self.call(Op::SyncDir, "")?;
        match fault {
            Some(Fault::Die) if state.rng.chance(5_000) => return Err(died()),
            None | Some(Fault::Die) => {}
            Some(_) => return Err(io::Error::from_raw_os_error(EIO)),
        }
        state.durable_names = state.names.clone();
        state.unsynced.clear();
        state.forget_nameless();
        if state.stopped { Err(died()) } else { Ok(()) }
    }

    fn lock(&self) -> io::Result<Lock> {
        let mut state = self.lock_state();
        if state.stopped || state.life != self.life {
            return Err(died());
        }
        if state.locked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.locked = true;
        Ok(Lock(Box::new(Held(self.clone()))))
    }
}

impl File for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let (mut state, fault) = self.disk.call(Op::Read, &self.name)?;
        let from = match fault {
            Some(Fault::Misdirect { pages }) => offset + pages * PAGE,
            Some(Fault::Eio | Fault::Die) => return Err(io::Error::from_raw_os_error(EIO)),
            _ => offset,
        };
        state.inodes.get(&self.inode).ok_or_else(not_found)?.read(buffer, from)?;
        if fault == Some(Fault::FlipBit) && !buffer.is_empty() {
            let bit = state.rng.below(buffer.len() as u64 * 8);
            buffer[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut guard, fault) = self.disk.call(Op::Write, &self.name)?;
        let state = &mut *guard;
        let used = state.used();
        let inode = state.inodes.get_mut(&self.inode).ok_or_else(not_found)?;
        let end = offset + bytes.len() as u64;
        let room = state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used));
        let too_much = end.saturating_sub(inode.len()).saturating_sub(room);
        // As a real one: what fits is written, then it fails.
        let fits = (bytes.len() as u64).saturating_sub(too_much) as usize;
        match fault {
            None if too_much > 0 => {
                inode.write(&bytes[..fits], offset);
                return Err(io::ErrorKind::StorageFull.into());
            }
            None | Some(Fault::Slow(_)) => inode.write(bytes, offset),
            Some(Fault::LoseWrite) => {}
            Some(Fault::Misdirect { pages }) => inode.write(bytes, offset + pages * PAGE),
            Some(Fault::FlipBit) => {
                let mut bytes = bytes.to_vec();
                let bit = state.rng.below(bytes.len() as u64 * 8);
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
                inode.write(&bytes, offset);
            }
            Some(fault @ (Fault::Eio | Fault::Full | Fault::Die)) => {
                // Any part may have been written; the kernel copies page by page.
                let part = (state.rng.below(bytes.len() as u64 / PAGE + 1) * PAGE) as usize;
                inode.write(&bytes[..part.min(fits)], offset);
                return Err(match fault {
                    Fault::Full => io::ErrorKind::StorageFull.into(),
                    Fault::Die => died(),
                    _ => io::Error::from_raw_os_error(EIO),
                });
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let (mut guard, fault) = self.disk.call(Op::SetLen, &self.name)?;
        let state = &mut *guard;
        let used = state.used();
        let inode = state.inodes.get_mut(&self.inode).ok_or_else(not_found)?;
        match fault {
            None if state.capacity.is_some_and(|capacity| used - inode.len() + len > capacity.max(used)) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            None => {
                inode.set_len(len);
                Ok(())
            }
            Some(Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(_) => Err(io::Error::from_raw_os_error(EIO)),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let (mut guard, fault) = self.disk.call(Op::Sync, &self.name)?;
        let state = &mut *guard;
        let inode = state.inodes.get_mut(&self.inode).ok_or_else(not_found)?;
        match fault {
            None => inode.sync(),
            Some(Fault::Die) => {
                if state.rng.chance(5_000) {
                    inode.sync();
                }
                return Err(died());
            }
            Some(_) => {
                inode.sync_fails(&mut state.rng);
                return Err(io::Error::from_raw_os_error(EIO));
            }
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.lock_state();
        state.inodes.get(&self.inode).map(Inode::len).ok_or_else(not_found)
    }
}
