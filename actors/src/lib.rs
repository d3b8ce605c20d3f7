//! How services run: supervised actors over consensus groups, and the one way a call takes to reach them.

mod actor;
pub mod call;
pub mod clock;
pub mod host;
#[cfg(test)]
mod kit;
pub mod machine;
mod mailbox;
pub mod outcome;
pub mod peers;
pub mod router;
mod rows;
pub mod shard;
mod supervisor;
