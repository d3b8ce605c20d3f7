//! The disk as the log sees it: a flat folder of files, injected so that a simulation can break it.
//!
//! Two of them: [`RealDisk`] over `std::fs`, and [`MemoryDisk`], deterministic by seed, which loses unsynced writes at a
//! crash, tears, flips, misdirects and fails. What neither promises is what a real disk does not promise: a write is on
//! disk only after `sync`, a name only after `sync_dir`, and unsynced pages land in any order or not at all.

mod fate;
mod faults;
mod inode;
mod memory;
mod memory_calls;
mod real;
mod rng;
#[cfg(test)]
mod tests;

pub use fate::Fate;
pub use faults::{Chances, Fault, Op, Rule};
pub use memory::MemoryDisk;
pub use real::RealDisk;
pub use rng::Rng;

use std::any::Any;
use std::fmt;
use std::io;

/// One flat folder.
pub trait Disk: Send + Sync + fmt::Debug {
    /// The names in the folder, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;
    /// Makes a file that does not exist yet; `AlreadyExists` if it does. The name lasts only after `sync_dir`.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Takes the place of `to` if there is one.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes names (created, removed, renamed) durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// Keeps other processes out until the guard is dropped; `WouldBlock` if one is in already.
    fn lock(&self) -> io::Result<Lock>;
}

/// One file of a [`Disk`].
pub trait File: Send + Sync + fmt::Debug {
    /// Fills the whole buffer or fails.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of it or fails, in which case any part may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the bytes and the length durable. After an error nobody knows which of them are (the kernel forgets).
    fn sync(&self) -> io::Result<()>;
    fn len(&self) -> io::Result<u64>;

    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Overwrites `from..to` with zeros: real blocks, so that a later write into them needs no new ones.
    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        static ZEROS: [u8; 256 << 10] = [0; 256 << 10];
        let mut at = from;
        while at < to {
            let len = (to - at).min(ZEROS.len() as u64);
            self.write_at(&ZEROS[..len as usize], at)?;
            at += len;
        }
        Ok(())
    }
}

/// Held while the folder is ours.
pub struct Lock(#[allow(dead_code, reason = "dropping it is its use")] pub(crate) Box<dyn Any + Send + Sync>);

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// The kernel's word for a failing device.
const EIO: i32 = 5;
