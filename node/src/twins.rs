//! One node, one life: a copied data folder must not answer beside the one it was copied from.

use crate::kept::Kept;
use crate::start::{Start, StartError};
use cluster::gossip::Gossip;
use cluster::member::kind;
use cluster::meta::request::{Answer, Ask};
use cluster::transport::{self, Me};
use cluster::trust::Keyring;
use futures::future::join_all;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use storage::folder::Identity;
use tokio::time::sleep_until;
use wire::ids::{Incarnation, NodeId};

/// Others that do not answer within this time know nothing of a twin that matters now.
const ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// A node that was killed is taken for alive this long: one that comes back elsewhere waits it out.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(3500);
const EVERY: Duration = Duration::from_millis(300);

/// Refuses if another process lives as this node: before anything of it votes.
pub async fn refuse(identity: &Identity, kept: Option<&Kept>, here: &str, keyring: &Keyring) -> Result<(), StartError> {
    let Some(kept) = kept else { return Ok(()) };
    let others: Vec<&str> =
        kept.meta.nodes.iter().filter(|row| row.node != identity.node).map(|row| row.listen.as_str()).collect();
    let deadline = Instant::now() + FORGOTTEN_AFTER;
    loop {
        let answers = join_all(others.iter().map(|address| ask(address, identity, keyring))).await;
        let Some(elsewhere) = answers.into_iter().flatten().find(|lives| lives != here) else { return Ok(()) };
        if Instant::now() >= deadline {
            return Err(StartError::Twin { node: identity.node, elsewhere });
        }
        sleep_until((Instant::now() + EVERY).into()).await;
    }
}

/// Where this node lives, as another sees it.
async fn ask(address: &str, identity: &Identity, keyring: &Keyring) -> Option<String> {
    let body = wire::codec::encode(&Ask::Lives(identity.node)).ok()?;
    let nobody = Me { cluster: Some(identity.cluster), node: NodeId(0), incarnation: Incarnation(0) };
    let deadline = Instant::now() + ANSWER_WITHIN;
    let answer = transport::ask(address, keyring, nobody, kind::META, body.into(), deadline).await.ok()?;
    match wire::codec::decode(&answer).ok()? {
        Answer::Lives(lives) => lives,
        _ => None,
    }
}

/// Ends this process once gossip shows another that lives under the same id: both were started while nobody was there to ask.
pub async fn watch(start: Start, gossip: Arc<OnceLock<Gossip>>) {
    let mut looks = tokio::time::interval(EVERY);
    loop {
        looks.tick().await;
        if let Some(twin) = gossip.get().and_then(Gossip::twin) {
            let (folder, elsewhere) = (start.data.display(), twin.listen);
            tracing::error!(
                "this node also runs at {elsewhere}: {folder} is a copy of its folder, or it of this. This process stops; \
                 delete the copy, and join with an empty folder as a new node"
            );
            std::process::exit(1);
        }
    }
}
