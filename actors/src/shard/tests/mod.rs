//! The shard alone: what it proposes, what it answers when, and what it forgets.

mod ground;
mod once;
mod replies;
mod sweeps;
mod views;
