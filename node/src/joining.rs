//! How an empty folder becomes a node of a cluster that is there: it asks the nodes it was told of until one says who it is.
//!
//! It never makes a cluster, whatever takes how long (P20); every wait says whom it waits for, since when, and what ends it.

use cluster::meta::Meta;
use cluster::meta::request::{Answer, Ask};
use cluster::transport::{self, Me};
use cluster::trust::Keyring;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;
use wire::ids::{ClusterId, Incarnation, NodeId};

const EVERY: Duration = Duration::from_millis(200);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Nobody at the addresses given is of this node's secret for so long: it is the wrong one.
const STRANGERS_FOR: Duration = Duration::from_secs(2);
const SAY_FIRST: Duration = Duration::from_secs(1);
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Who this node is from now on.
pub struct Joined {
    pub cluster: ClusterId,
    pub node: NodeId,
    pub meta: Meta,
    /// What callers show at every door of it.
    pub token: String,
}

/// It will never be let in like this.
#[derive(Debug, thiserror::Error)]
#[error("{by} refused: {why}")]
pub struct Refused {
    pub by: String,
    pub why: String,
}

/// Asks until it is answered.
pub async fn join(seeds: &[String], keyring: &Keyring) -> Result<Joined, Refused> {
    let body = wire::codec::encode(&Ask::Join).map(bytes::Bytes::from).unwrap_or_default();
    let started = Instant::now();
    // A node that was started at the same time answers soon.
    let mut say_at = started + SAY_FIRST;
    let mut addresses = seeds.to_vec();
    loop {
        let mut waits = Vec::new();
        let mut at = 0;
        while let Some(address) = addresses.get(at).cloned() {
            at += 1;
            match ask(&address, keyring, &body).await {
                Ok(Answer::Joined { cluster, node, meta, token }) => return Ok(Joined { cluster, node, meta, token }),
                Ok(Answer::Refused(why)) => return Err(Refused { by: address, why }),
                Ok(Answer::NotYet(why)) => waits.push(format!("{address}: {why}")),
                Ok(Answer::Elsewhere(Some((node, listen)))) => {
                    waits.push(format!("{address}: {node} at {listen} may know"));
                    if !addresses.contains(&listen) {
                        addresses.push(listen);
                    }
                }
                Ok(Answer::Elsewhere(None)) => waits.push(format!("{address}: its cluster has no leader just now")),
                Ok(other) => waits.push(format!("{address}: an answer that makes no sense here: {other:?}")),
                Err(why) => waits.push(format!("{address}: {why}")),
            }
        }
        let strangers = waits.iter().filter(|wait| wait.contains(transport::OTHER_SECRET)).count();
        if strangers == waits.len() && started.elapsed() >= STRANGERS_FOR {
            let why = "wrong secret: this node's is not that of the cluster there. Give it that one with --secret-file";
            return Err(Refused { by: seeds.join(", "), why: why.into() });
        }
        // A node that moved is looked for where it was told to be, first of all.
        addresses.truncate(seeds.len().max(4));
        if Instant::now() >= say_at {
            say_at = Instant::now() + SAY_EVERY;
            let since_s = started.elapsed().as_secs();
            tracing::warn!(
                since_s,
                waits = waits.join("; "),
                "waiting to be let into the cluster: start a node at one of these addresses, or give others with --join"
            );
        }
        sleep_until((Instant::now() + EVERY).into()).await;
    }
}

async fn ask(address: &str, keyring: &Keyring, body: &bytes::Bytes) -> Result<Answer, String> {
    let nobody = Me { cluster: None, node: NodeId(0), incarnation: Incarnation(0) };
    let deadline = Instant::now() + ANSWER_WITHIN;
    let answer = transport::ask(address, keyring, nobody, cluster::member::kind::META, body.clone(), deadline).await;
    let answer = answer.map_err(|error| error.to_string())?;
    wire::codec::decode(&answer).map_err(|why| format!("its answer does not decode: {why}"))
}
