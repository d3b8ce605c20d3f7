//! The library's logger: its warnings go to `tracing`, the rest (a line for each election step) nowhere.

use slog::{Drain, Level, Logger, OwnedKVList, Record};

struct ToTracing;

impl Drain for ToTracing {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), slog::Never> {
        match record.level() {
            Level::Critical | Level::Error => tracing::error!(target: "raft", "{}", record.msg()),
            Level::Warning => tracing::debug!(target: "raft", "{}", record.msg()),
            _ => {}
        }
        Ok(())
    }
}

pub(super) fn logger() -> Logger {
    Logger::root(ToTracing, slog::o!())
}
