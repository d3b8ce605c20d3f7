//! How services run: supervised actors over consensus groups, and the one way a call takes to reach them.

pub mod call;
pub mod shard;
