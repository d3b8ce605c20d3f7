//! A connection another node has dialled: who it is, then its lane.

use super::hello::{self, Hello, Lane, NoLink};
use super::hold::{Hold, Secrets, Side};
use super::link::Link;
use super::refusal::Refusal;
use super::shared::Shared;
use super::socket::{Socket, rehome, tune};
use super::{calls, control, snapshots};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// For the other side to hear why it is refused.
const PART_WITHIN: Duration = Duration::from_secs(1);

/// Serves it until it ends. An error is a connection that never was one.
pub async fn serve(shared: &Arc<Shared>, mut stream: Box<dyn Socket>, address: SocketAddr) -> Result<(), String> {
    // Its port is new with every connection.
    let host = address.ip().to_string();
    if let Some(tcp) = stream.tcp() {
        tune(tcp).map_err(|error| error.to_string())?;
    }
    let (mut link, secrets) = (Link::new(stream), shared.secrets());
    let said = hello::accepted(&mut link, |lane| shared.hello(lane), |theirs| judge(shared, theirs));
    let mut stopped = shared.stopped.subscribe();
    let said = tokio::select! {
        biased;
        _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        said = timeout(shared.limits.hello_within, said) => said,
    };
    let within = shared.limits.hello_within;
    let said = said.unwrap_or_else(|_| Err(NoLink::Failed(format!("no hello within {within:?}"))));
    let theirs = match said {
        Ok(theirs) => theirs,
        Err(why) => {
            shared.failed(&host, &why);
            if matches!(why, NoLink::Refused(_)) {
                let _ = timeout(PART_WITHIN, link.part()).await;
            }
            return Err(why.to_string());
        }
    };
    let ended = run(shared, link, &theirs, secrets).await?;
    tracing::debug!(node = %theirs.node, lane = ?theirs.lane, "a connection ended: {ended}");
    Ok(())
}

fn judge(shared: &Arc<Shared>, theirs: &Hello) -> Result<(), Refusal> {
    shared.judge(theirs)?;
    match theirs.lane {
        Lane::Ask if shared.asking.available_permits() == 0 => Err(Refusal::Busy),
        Lane::Ask => Ok(()),
        _ => shared.known(theirs.node).map_or(Ok(()), |peer| peer.lives.check(theirs)),
    }
}

async fn run(shared: &Arc<Shared>, mut link: Link, theirs: &Hello, secrets: Secrets) -> Result<String, String> {
    if theirs.lane == Lane::Ask {
        let Ok(_asking) = shared.asking.try_acquire() else { return Err(Refusal::Busy.to_string()) };
        let (hold, idle) = (Hold::asking(shared.stopped.subscribe(), secrets), shared.limits.asking_idle);
        return Ok(calls::serve(shared, theirs.node, link, hold, Some(idle)).await);
    }
    let Some(peer) = shared.peer(theirs.node) else { return Ok("this node stops".into()) };
    let hold = peer.lives.admit(theirs, theirs.lane, Side::Accepted, secrets).map_err(|refusal| refusal.to_string())?;
    match theirs.lane {
        Lane::Raft => {
            let shared = shared.clone();
            let lane = shared.peers_runtime.clone().spawn(async move {
                if let Err(error) = rehome(link.stream()) {
                    tracing::warn!(%error, "lane 1 stays among user work");
                }
                control::serve(&shared, &peer, link, hold).await
            });
            let mut lane = Ending(lane);
            Ok((&mut lane.0).await.unwrap_or_else(|_| "this node stops".into()))
        }
        Lane::Calls => Ok(calls::serve(shared, theirs.node, link, hold, None).await),
        Lane::Snapshot | Lane::Ask => Ok(snapshots::serve(shared, theirs.node, link, hold).await),
    }
}

/// Whoever drops the serving of a connection ends it.
struct Ending(JoinHandle<String>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}
