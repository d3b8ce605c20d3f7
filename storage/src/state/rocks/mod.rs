//! The state engine of a real node: RocksDB, one column family, no write-ahead log of its own.
//!
//! The Raft log in front replays what a crash takes (P18), so a write goes to memory only and [`Engine::flush`] is the one
//! thing that waits for a disk. With a single column family memtables reach the disk in order, so what a crash leaves is a
//! prefix of the batches written.
//!
//! A failed write or flush is believed for good: RocksDB would resume by itself after some errors, we stop (DESIGN §4.12).
//! Calls block on the disk, and writes wait when compaction is far behind: never on an async thread.

mod error;
mod opening;
mod options;
#[cfg(test)]
pub(in crate::state) mod rig;
#[cfg(test)]
mod tests;

pub use opening::{OpenError, Presence};
pub use options::Settings;

use super::checksum::{self, Checked};
use super::{Batch, Engine, Error, Op, Order, Stats, View};
use bytes::Bytes;
use error::classified;
use rocksdb::properties;
use rocksdb::{DB, FlushOptions, ReadOptions, Snapshot, WriteBatch, WriteOptions};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// After a full disk RocksDB looks every 5 s whether there is room again, one write buffer at least, and goes on by itself.
/// It never gets there while flushes keep failing in between (seen: none of 12, one a second), so none is asked for.
const REST_WHEN_FULL: Duration = Duration::from_secs(11);

/// RocksDB in one folder. Dropping it flushes and closes.
pub struct Rocks {
    db: DB,
    unlogged: WriteOptions,
    /// The failure after which nothing is believed any more.
    dead: OnceLock<Error>,
    /// When a flush last found the disk full, and its words.
    full: Mutex<Option<(Instant, Error)>>,
}

impl Rocks {
    /// Opens `folder`, or refuses and leaves the rows in it as they were.
    pub fn open(folder: &Path, presence: Presence, settings: &Settings) -> Result<Rocks, OpenError> {
        opening::check(folder, presence)?;
        let db =
            DB::open(&options::of(settings, presence), folder).map_err(|error| OpenError::Engine(classified(error)))?;
        let mut unlogged = WriteOptions::default();
        unlogged.disable_wal(true);
        Ok(Rocks { db, unlogged, dead: OnceLock::new(), full: Mutex::default() })
    }

    fn alive(&self) -> Result<(), Error> {
        self.dead.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Remembers a failure that must not be forgotten, and hands it on.
    fn believed(&self, error: rocksdb::Error) -> Error {
        let error = classified(error);
        if error.is_fatal() {
            return self.dead.get_or_init(|| error).clone();
        }
        error
    }

    fn number(&self, property: &properties::PropName) -> u64 {
        // Unknown to this version of RocksDB, or no number: as good as none.
        self.db.property_int_value(property).ok().flatten().unwrap_or(0)
    }
}

impl Engine for Rocks {
    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.alive()?;
        let mut ops = WriteBatch::default();
        let mut stored = Vec::new();
        for op in batch.ops {
            match op {
                Op::Put { key, value } => {
                    checksum::seal_into(&key, &value, &mut stored);
                    ops.put(&key, &stored);
                }
                Op::Delete { key } => ops.delete(&key),
                Op::DeleteRange { from, to } if from < to => ops.delete_range(&from[..], &to[..]),
                Op::DeleteRange { .. } => {}
            }
        }
        self.db.write_opt(ops, &self.unlogged).map_err(|error| self.believed(error))
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        read(&Checked(Moment { snapshot: self.db.snapshot() }));
    }

    fn flush(&self) -> Result<(), Error> {
        self.alive()?;
        if let Some((since, error)) = &*self.full.lock().unwrap_or_else(PoisonError::into_inner)
            && since.elapsed() < REST_WHEN_FULL
        {
            return Err(error.clone());
        }
        // Waits by default, for a background flush that runs as well.
        let flushed = self.db.flush_opt(&FlushOptions::default()).map_err(|error| self.believed(error));
        let full = flushed.as_ref().err().filter(|error| !error.is_fatal());
        let full = full.map(|error| (Instant::now(), error.clone()));
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = full;
        flushed
    }

    fn stats(&self) -> Stats {
        let write_rate = self.number(properties::ACTUAL_DELAYED_WRITE_RATE);
        Stats {
            rows: self.number(properties::ESTIMATE_NUM_KEYS),
            live_bytes: self.number(properties::LIVE_SST_FILES_SIZE),
            unflushed_bytes: self.number(properties::CUR_SIZE_ALL_MEM_TABLES),
            cache_bytes: self.number(properties::BLOCK_CACHE_USAGE)
                + self.number(properties::ESTIMATE_TABLE_READERS_MEM),
            level0_files: self.number(&properties::num_files_at_level(0)),
            compaction_backlog_bytes: self.number(properties::ESTIMATE_PENDING_COMPACTION_BYTES),
            write_rate_limit: (write_rate > 0).then_some(write_rate),
            writes_stopped: self.number(properties::IS_WRITE_STOPPED) > 0,
            views: self.number(properties::NUM_SNAPSHOTS),
        }
    }
}

/// Stored rows at one moment.
struct Moment<'a> {
    snapshot: Snapshot<'a>,
}

impl View for Moment<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.snapshot.get(key).map_err(classified)?.map(Bytes::from))
    }

    fn visit(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(range.start);
        options.set_iterate_upper_bound(range.end);
        let mut rows = self.snapshot.raw_iterator_opt(options);
        match order {
            Order::Ascending => rows.seek_to_first(),
            Order::Descending => rows.seek_to_last(),
        }
        while let Some((key, stored)) = rows.item() {
            if row(Bytes::copy_from_slice(key), Bytes::copy_from_slice(stored)).is_break() {
                return Ok(());
            }
            match order {
                Order::Ascending => rows.next(),
                Order::Descending => rows.prev(),
            }
        }
        // An iterator ends at an error as it ends at the end: only its status tells which it was.
        rows.status().map_err(classified)
    }
}
