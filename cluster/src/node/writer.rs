//! Makes the loop's batches durable: everything that waits goes with one write and one fsync.

use super::Fatal;
use crate::consensus::{BatchId, Sync};
use storage::log::{Log, LogBatch};

/// One turn's batch.
pub struct LogJob {
    pub id: BatchId,
    pub batch: LogBatch,
    pub sync: Sync,
}

pub struct Writer {
    log: Log,
    /// Batches that need no fsync of their own. They go in front of the next that does; a crash may take them, as it
    /// might have taken an unsynced write.
    held: Vec<LogBatch>,
}

impl Writer {
    pub fn new(log: Log) -> Writer {
        Writer { log, held: Vec::new() }
    }

    /// Writes `jobs` in order; when it returns they may all be reported as synced. An error ends the node: nothing may
    /// be reported ever after.
    pub fn write(&mut self, jobs: Vec<LogJob>) -> Result<Vec<BatchId>, Fatal> {
        let mut ids = Vec::with_capacity(jobs.len());
        let mut durable = false;
        for job in jobs {
            ids.push(job.id);
            durable |= job.sync == Sync::Disk;
            self.held.push(job.batch);
        }
        if durable {
            self.flush()?;
        }
        Ok(ids)
    }

    /// Writes what is held, for a quiet moment or the end.
    pub fn flush(&mut self) -> Result<(), Fatal> {
        if !self.held.is_empty() {
            self.log.append_all(&std::mem::take(&mut self.held))?;
        }
        Ok(())
    }

    /// A quiet moment: writes what is held, and seals, so that the last batch is told from a torn one.
    pub fn rest(&mut self) -> Result<(), Fatal> {
        self.flush()?;
        Ok(self.log.seal_idle()?)
    }

    pub fn log(&self) -> &Log {
        &self.log
    }
}
