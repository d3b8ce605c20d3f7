//! Our node: `commons start` as anybody would run it, without a single option for speed.

use super::{Http, Rpc};
use crate::processes::{Place, Process, free_address};
use anyhow::{Context, Result};
use client::Client;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Commons {
    process: Process,
    http: SocketAddr,
    listen: SocketAddr,
    token: String,
}

impl Commons {
    pub async fn start(place: &Place, name: &str, binary: &Path, groups: Option<&str>) -> Result<Commons> {
        let data = place.folder(name)?;
        let (http, listen) = (free_address()?, free_address()?);
        let mut words: Vec<OsString> = vec![binary.into(), "start".into(), "--data".into(), data.clone().into()];
        words.extend(["--http".into(), http.to_string().into(), "--listen".into(), listen.to_string().into()]);
        words.extend(groups.into_iter().flat_map(|groups| ["--groups".into(), groups.into()]));
        let mut process = Process::start(place, name, &words).context("the node")?;
        process.listens(http).await.context("the node")?;
        let token = std::fs::read_to_string(data.join("token")).context("the node's token")?.trim().to_string();
        let node = Commons { process, http, listen, token };
        node.ready().await?;
        Ok(node)
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The doors listen before the groups are led: a first call waits for that.
    async fn ready(&self) -> Result<()> {
        let client = self.client().await?.with_deadline(Duration::from_secs(30));
        let begun = Instant::now();
        client.call_json("_", "Status", &serde_json::json!({})).await?;
        let set = services::cache::SetRequest { key: "ready".into(), value: "yes".into(), ..Default::default() };
        client.call(set).await.with_context(|| format!("the node took no write within {:?}", begun.elapsed()))?;
        Ok(())
    }

    async fn client(&self) -> Result<Client> {
        let builder = Client::builder().node(self.listen.to_string()).token(&self.token).agent("bench");
        Ok(builder.connect().await?)
    }

    /// Writers over the Rust client; they share `connections`, as the parts of one program do.
    pub async fn rpc(&self, writers: usize, connections: usize) -> Result<Vec<Rpc>> {
        let mut clients = Vec::new();
        for _ in 0..connections.min(writers) {
            clients.push(self.client().await?);
        }
        Ok((0..writers).map(|n| Rpc(clients[n % clients.len()].clone())).collect())
    }

    /// Writers over HTTP/1.1, each with a connection that is kept.
    pub async fn http(&self, writers: usize) -> Result<Vec<Http>> {
        let mut all = Vec::new();
        for _ in 0..writers {
            all.push(Http::connect(self.http, &self.token).await?);
        }
        Ok(all)
    }

    /// Fsyncs of the log so far, as the node counts them.
    pub async fn log_fsyncs(&self) -> Result<Option<u64>> {
        let status = self.client().await?.call_json("_", "Status", &serde_json::json!({})).await?;
        Ok(status["log"]["syncs"].as_u64())
    }
}

/// `COMMONS_BIN`, as `cargo xtask bench` gives it; else what lies beside this program.
pub fn binary() -> Result<PathBuf> {
    match std::env::var_os("COMMONS_BIN").filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => Ok(std::env::current_exe()?.with_file_name("commons")),
    }
}
