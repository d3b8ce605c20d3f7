//! The shard alone: what it proposes, what it answers when, and what it forgets.

mod ground;
mod once;
mod replies;
mod sealed;
mod sweeps;
mod views;
