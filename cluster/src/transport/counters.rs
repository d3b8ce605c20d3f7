//! What went over the connections, and what did not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Since the start.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
            /// By [`Refusal::word`](super::Refusal::word).
            pub refused: BTreeMap<&'static str, u64>,
        }

        #[derive(Default)]
        pub(super) struct Counting {
            $(pub $name: AtomicU64,)*
        }

        impl Counting {
            pub fn now(&self, refused: BTreeMap<&'static str, u64>) -> Counters {
                Counters { $($name: self.$name.load(Relaxed),)* refused }
            }
        }
    };
}

counters! {
    /// Consensus frames sent; all that wait for a peer leave together.
    raft_sent,
    raft_received,
    /// Dropped: 8 MiB wait for the peer already.
    raft_dropped_full,
    /// Dropped: there is no connection.
    raft_dropped_unreachable,
    /// Dropped: longer than any frame may be.
    raft_dropped_too_long,
    /// Connections of lane 1 that opened.
    opened,
    /// Of those, ended since nothing came for too long.
    silent,
    /// Tries to connect that came to nothing.
    failed,
    /// Calls to others that had no room.
    calls_overloaded,
    /// Calls from others that had none.
    calls_refused,
    snapshots_sent,
    snapshots_received,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
