//! Consensus: the Raft state machines of all replicas of one node, as one pure [`Core`].
//!
//! No I/O, no clock, no threads, no randomness but a seed. The driver (and the simulation) hands it [`Input`]s and the
//! time, and carries out the [`Effect`]s it returns. Every rule of `RAFT.md` is a line in here, cited by its paragraph;
//! nothing outside this module names the library underneath (`raft` 0.7.0). A panic in here must end the process: the
//! library panics rather than going on with a state it does not understand.
//!
//! What a driver owes the core, in one place:
//! - `turn` gets the inputs first and the clock read after them (§1.1).
//! - [`Effect`]s of one kind are carried out in order. `Append`s go through one queue for all groups; `Synced(id)` is
//!   said in that order and only after the batch (and all before it) is on disk.
//! - `Apply` of a group is carried out in order, rows together with applied index, its term and the [`Conf`] an entry
//!   brings; then `Applied`. `Flushed` only when that state is on disk.
//! - `Flip` waits for the group's applies before it, makes the generation the live one, syncs, then `Flipped`.

mod convert;
mod core;
mod effect;
mod input;
mod install;
mod logger;
mod membership;
mod memory;
mod mutants;
mod proposals;
mod reads;
mod ready;
mod replica;
mod restart;
mod seed;
mod settings;
mod snapshot;
mod step;
#[cfg(test)]
mod tests;
mod unsynced;
mod view;

pub use self::core::Core;
pub use effect::{BatchId, Committed, Effect, Happening, Outcome, Refusal, Sync};
pub use input::{Change, Generation, Input, SnapshotHandle, SnapshotId, StagedSnapshot, Ticket};
pub use mutants::{Mutant, Mutants};
pub use seed::{Conf, Damage, Health, LogSeed, ReplicaSeed, StateSeed};
pub use settings::Settings;
pub use view::{GroupView, PeerState, PeerView, Role};
