//! RocksDB under the suite: a folder of its own, crashes by copying what is on disk at that moment.

use super::{Presence, Rocks, Settings};
use crate::state::Engine;
use crate::state::suite::Rig;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that goes with its owner.
pub struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new() -> Temporary {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("commons-rocks-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct OnDisk {
    rocks: Option<Rocks>,
    folder: Temporary,
}

impl OnDisk {
    pub fn new() -> OnDisk {
        let folder = Temporary::new();
        OnDisk { rocks: Some(open(&folder.0, Presence::MayCreate)), folder }
    }

    fn rocks(&self) -> &Rocks {
        self.rocks.as_ref().expect("open")
    }

    fn put_stored(&self, key: &[u8], stored: &[u8]) {
        self.rocks().db.put_opt(key, stored, &self.rocks().unlogged).expect("written");
    }

    fn stored(&self, key: &[u8]) -> Vec<u8> {
        self.rocks().db.get(key).expect("read").expect("there")
    }
}

impl Rig for OnDisk {
    fn engine(&self) -> &dyn Engine {
        self.rocks()
    }

    fn reopen(&mut self) {
        self.rocks = None;
        self.rocks = Some(open(&self.folder.0, Presence::MustExist));
    }

    fn crash(&mut self) {
        // What kill -9 leaves is what the files hold now. A compaction that runs may take files from under the copy: again then.
        let copied = (0..20).find_map(|_| {
            let copy = Temporary::new();
            copy_files(&self.folder.0, &copy.0).ok()?;
            let rocks = Rocks::open(&copy.0, Presence::MustExist, &Settings::default()).ok()?;
            Some((rocks, copy))
        });
        let (rocks, copy) = copied.expect("a copy of one moment");
        self.rocks = Some(rocks);
        self.folder = copy;
    }

    fn flip(&mut self, key: &[u8], bit: u64) {
        let mut stored = self.stored(key);
        stored[(bit / 8) as usize] ^= 1 << (bit % 8);
        self.put_stored(key, &stored);
    }

    fn misdirect(&mut self, key: &[u8], other: &[u8]) {
        self.put_stored(key, &self.stored(other));
    }
}

pub fn open(folder: &Path, presence: Presence) -> Rocks {
    Rocks::open(folder, presence, &Settings::default()).expect("opened")
}

pub fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "LOCK" {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
