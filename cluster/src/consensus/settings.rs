//! The numbers the core runs on.

use super::mutants::Mutants;
use std::time::Duration;

/// Settings of a node's core. The defaults are RAFT.md §1's; tests make them smaller.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which life of the node this is; never the same twice (its incarnation). Makes read contexts unique (P26).
    pub boot: u64,
    /// Spreads election time-outs; replicas differ under the same seed.
    pub seed: u64,
    pub tick: Duration,
    /// Shortest election time-out, in ticks; the longest is twice that.
    pub election_ticks: usize,
    pub heartbeat_ticks: usize,
    /// A ReadIndex round that has not answered by then is asked again under a new context (§5).
    pub read_round_max: Duration,
    /// A read that found no index by then is answered `NotRun`.
    pub read_max: Duration,
    /// A snapshot that was not built, streamed or installed by then is reported as failed (§3).
    pub snapshot_max: Duration,
    /// Whether a leader may propose its own removal. Never in the product (§4); the simulation hunts what follows.
    pub leader_may_leave: bool,
    /// How far behind a learner may be and still be promoted, in entries (§4).
    pub promote_lag_max: u64,
    /// Log bytes kept in memory for one replica before it asks to purge; it keeps half.
    pub window_bytes_max: usize,
    /// Entry bytes in one message to a peer.
    pub message_bytes_max: u64,
    pub messages_in_flight_max: usize,
    /// Entry bytes handed to one `Apply` (finite, §1).
    pub apply_bytes_max: u64,
    /// Proposed and not committed bytes; beyond them a proposal is `NotRun`.
    pub uncommitted_bytes_max: u64,
    /// `Some(drift over one lease)` answers [`super::Core::lease`]; `None` (the default) never does on a group of
    /// several voters: leases stay off until the directed hunts run in CI (§6).
    pub lease_drift: Option<Duration>,
    /// Wrong turns, for the harness alone.
    pub mutants: Mutants,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            boot: 0,
            seed: 0,
            tick: Duration::from_millis(50),
            election_ticks: 12,
            heartbeat_ticks: 5,
            read_round_max: Duration::from_millis(700),
            read_max: Duration::from_secs(5),
            snapshot_max: Duration::from_secs(60),
            leader_may_leave: false,
            promote_lag_max: 256,
            window_bytes_max: 16 << 20,
            message_bytes_max: 1 << 20,
            messages_in_flight_max: 64,
            apply_bytes_max: 1 << 20,
            uncommitted_bytes_max: 32 << 20,
            lease_drift: None,
            mutants: Mutants::default(),
        }
    }
}

impl Settings {
    /// The longest election time-out: how long votes are refused after a start (P25).
    pub fn election_max(&self) -> Duration {
        self.tick * (2 * self.election_ticks as u32)
    }
}
