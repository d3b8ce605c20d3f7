//! Several real nodes that are one cluster.

mod gaps;
mod leaders;

pub use gaps::{Gaps, Probe};
pub use leaders::Leaders;

use crate::faults::Network;
use crate::http::Http;
use crate::load::Doors;
use crate::{Node, Setup, Verb, binary, wait};
use anyhow::{Context, Result, bail, ensure};
use client::Client;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A node with nothing in the way tells its status within this.
const STATUS_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at the cluster.
const LOOK: Duration = Duration::from_millis(50);

/// How many nodes, of what kind.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub nodes: usize,
    pub groups: u16,
}

/// Nodes that know each other. Dropped, all of them go.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub size: Size,
    /// Each node in a network namespace of its own, if they can be cut off from each other.
    pub network: Option<Network>,
    token: String,
    /// What clients trust; without it they are on the nodes' own machine.
    ca: Option<String>,
}

impl Cluster {
    /// Starts the first node, then the others, which join it. Returns once all of them answer.
    pub async fn start(size: Size, network: Option<Network>) -> Result<Cluster> {
        let token = format!("cmn_{:032x}", rand::random::<u128>());
        let mut nodes: Vec<Node> = vec![];
        for number in 0..size.nodes {
            let mut setup = Setup::new(Verb::Start)?.token(&token)?.arg("--groups").arg(size.groups.to_string());
            if let Some(network) = &network {
                setup = setup.on(network.ip(number)).under(network.enter(number));
            }
            if let Some(first) = nodes.first() {
                setup = setup.arg("--join").arg(first.listen().to_string());
                setup = setup.arg("--secret-file").arg(first.path("secret"));
            }
            nodes.push(setup.start().await.with_context(|| format!("node {}", number + 1))?);
        }
        let ca = network.is_some().then(|| ca(&nodes[0])).transpose()?;
        Ok(Cluster { nodes, size, network, token, ca })
    }

    /// Replicas that each group has when nothing is wrong.
    fn replicas(&self) -> usize {
        self.size.nodes.min(3)
    }

    /// The HTTP door of a node.
    pub fn http(&self, number: usize) -> Http {
        Http::new(self.nodes[number].http(), Some(self.token.clone()))
    }

    /// All of them, that of `first` at the front.
    pub fn https(&self, first: usize) -> Vec<Http> {
        (0..self.nodes.len()).map(|n| self.http((first + n) % self.nodes.len())).collect()
    }

    /// A Rust client that knows all nodes and begins with `first`.
    pub async fn client(&self, first: usize) -> Result<Client> {
        let mut builder = Client::builder().token(&self.token).deadline(Duration::from_secs(30));
        for n in 0..self.nodes.len() {
            builder = builder.node(self.nodes[(first + n) % self.nodes.len()].listen().to_string());
        }
        if let Some(ca) = &self.ca {
            builder = builder.ca(ca);
        }
        Ok(builder.connect().await?)
    }

    /// Doors of a client, which begins with node `first`.
    pub async fn doors(&self, first: usize) -> Result<Doors> {
        let first = first % self.nodes.len();
        let mut https = self.https(first);
        let http = https.remove(0);
        Ok(Doors { client: self.client(first).await?, http, others: https, era: 0 })
    }

    /// What a node says of the cluster.
    pub async fn status(&self, number: usize) -> Result<Value> {
        let http = self.http(number);
        let reply = timeout(STATUS_WITHIN, http.get("/status")).await.context("no status in time")??;
        reply.done()
    }

    /// Waits until nothing is left to do: every node is ready and sees a leader for each group, and each group has all its
    /// voters and nothing else.
    pub async fn settled(&self, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            match self.look().await {
                Ok(()) => return Ok(()),
                Err(why) if Instant::now() > deadline => bail!("the cluster did not settle within {within:?}: {why:#}"),
                Err(_) => wait::pass(LOOK).await,
            }
        }
    }

    async fn look(&self) -> Result<()> {
        for number in 0..self.nodes.len() {
            let node = format!("node {}", number + 1);
            let ready =
                timeout(STATUS_WITHIN, self.http(number).get("/readyz")).await.context("no answer in time")??;
            ensure!(ready.code == 200, "{node} is not ready: {}", ready.text());
            let status = self.status(number).await.with_context(|| node.clone())?;
            // Of groups it does not hold a node need not know anything; a replica that has been moved away may linger on it.
            let holds = |group: &&Value| group["nodes"].as_array().is_none_or(|on| on.contains(&status["node"]));
            for group in status["groups"].as_array().context("groups in the status")?.iter().filter(holds) {
                let of = || format!("{node} (topology {}) about group {}", status["topology_version"], group["id"]);
                self.whole(group).with_context(of)?;
            }
        }
        Ok(())
    }

    fn whole(&self, group: &Value) -> Result<()> {
        let count = |name: &str| group[name].as_array().map(Vec::len);
        ensure!(!group["leader"].is_null(), "no leader");
        ensure!(count("nodes") == Some(self.replicas()), "placed on {}", group["nodes"]);
        ensure!(count("voters") == Some(self.replicas()), "voters {}", group["voters"]);
        ensure!(count("learners") == Some(0), "learners {}", group["learners"]);
        Ok(())
    }

    /// Groups that a node leads, as it says itself.
    pub async fn led_by(&self, number: usize) -> Result<Vec<u64>> {
        let status = self.status(number).await?;
        let groups = status["groups"].as_array().context("groups in the status")?;
        let led = groups.iter().filter(|group| !group["leads_in_term"].is_null());
        Ok(led.filter_map(|group| group["id"].as_u64()).collect())
    }

    pub fn check_no_panic(&self) -> Result<()> {
        self.nodes.iter().try_for_each(Node::check_no_panic)
    }

    /// Copies all folders, what the nodes said included, to where the next run does not remove them.
    pub fn keep(&mut self, name: &str) -> Result<PathBuf> {
        let path = std::env::temp_dir().join(name);
        for (number, node) in self.nodes.iter_mut().enumerate() {
            node.kill()?;
            crate::place::copy(node.setup.folder(), &path.join(format!("node-{}", number + 1)))?;
        }
        Ok(path)
    }
}

/// The certificate that clients of this node's cluster trust.
fn ca(node: &Node) -> Result<String> {
    let output = Command::new(binary::commons()?).args(["secret", "ca", "--data"]).arg(node.data()).output()?;
    ensure!(output.status.success(), "secret ca: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
