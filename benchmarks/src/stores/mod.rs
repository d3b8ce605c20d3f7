//! What is measured: two ways into our node, and Redis.

mod commons;
mod exchange;
mod http;
mod redis;
mod rpc;

pub use commons::{Commons, binary};
pub use http::Http;
pub use redis::Redis;
pub use rpc::Rpc;

use anyhow::Result;

/// One writer's way to a store; it has one command in flight.
pub trait Writer {
    /// Returns once the store says that it is on disk; any other reply is an error.
    async fn set(&mut self, key: &str, value: &str) -> Result<()>;

    /// What the store holds under a key it was given.
    async fn get(&mut self, key: &str) -> Result<String>;
}
