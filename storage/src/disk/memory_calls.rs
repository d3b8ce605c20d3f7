//! The calls of [`MemoryDisk`]: each asks first whether the machine is up, and whether a fault waits for it.

use super::faults::{Fault, Op};
use super::inode::{Inode, PAGE};
use super::memory::{MemoryDisk, NameChange, State};
use super::{Disk, EIO, File, Lock};
use std::io;
use std::sync::MutexGuard;

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
