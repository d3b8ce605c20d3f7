//! A writer over our RPC door: the `client` crate, as any Rust program would use it.

use super::Writer;
use anyhow::{Result, ensure};
use client::Client;
use services::cache::{GetRequest, SetRequest};

pub struct Rpc(pub Client);

impl Writer for Rpc {
    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let reply = self.0.call(SetRequest { key: key.into(), value: value.into(), ..Default::default() }).await?;
        ensure!(reply.status == "ok", "cache.Set answered {reply:?}");
        Ok(())
    }

    async fn get(&mut self, key: &str) -> Result<String> {
        Ok(self.0.call(GetRequest { key: key.into() }).await?.value)
    }
}
