//! What happens when this node's disks hold what they should not, while others have the same whole: its engines are set
//! aside, and the cluster gives it new replicas. The old ones never vote again (P17).

use crate::kept::{self, Kept};
use crate::start::{Start, StartError};
use cluster::member::kind;
use cluster::meta::request::{Answer, Ask};
use cluster::node::Fatal;
use cluster::transport::{self, Me};
use cluster::trust::Keyring;
use std::path::Path;
use std::time::{Duration, Instant};
use storage::folder::Folder;
use tokio::time::sleep_until;
use wire::ids::{Incarnation, NodeId};

/// Says for the next start why this one ended.
const NOTE: &str = "damaged";
const EVERY: Duration = Duration::from_millis(300);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Leaves a note if it was damage that ended the node: it may show only when the damaged part is read.
pub fn note(data: &Path, fatal: &Fatal) {
    let damaged = match fatal {
        Fatal::State(error) => error.is_damage(),
        Fatal::Replica(error) => error.is_damage(),
        _ => false,
    };
    if damaged && let Err(error) = std::fs::write(data.join(NOTE), format!("{fatal}\n")) {
        tracing::error!(%error, "and that cannot be noted for the next start");
    }
}

/// The note of the life before.
pub fn noted(data: &Path) -> Option<String> {
    std::fs::read_to_string(data.join(NOTE)).ok().map(|note| note.trim().to_string())
}

/// What was noted is over: the node has opened what it holds.
pub fn forget(data: &Path) {
    // None there, mostly. One that stays says at the next start what was true at this one.
    let _ = std::fs::remove_file(data.join(NOTE));
}

/// Sets the engines aside and has the cluster replace what was in them; waits for a quorum to say so.
pub async fn replace(folder: &mut Folder, before: &Kept, start: &Start, keyring: &Keyring) -> Result<Kept, StartError> {
    let keep = |kept: &Kept| {
        kept::save(&start.data, keyring, kept).map_err(|e| StartError::File("what is known of the cluster", e))
    };
    // From here on the old replicas are never opened again, however often this is interrupted.
    keep(before)?;
    let aside = folder.set_aside()?;
    let identity = folder.identity().expect("it was settled").clone();
    let places: Vec<String> = aside.iter().map(|path| path.display().to_string()).collect();
    tracing::warn!(aside = places.join(", "), "damaged engines are set aside; delete them once you need the room");
    let ask = Ask::Lost(identity.node);
    let body = wire::codec::encode(&ask).map(bytes::Bytes::from).unwrap_or_default();
    let others: Vec<String> =
        before.meta.nodes.iter().filter(|row| row.node != identity.node).map(|row| row.listen.clone()).collect();
    let addresses: Vec<String> = others.into_iter().chain(start.join.iter().cloned()).collect();
    let (started, mut said) = (Instant::now(), None::<Instant>);
    loop {
        let mut waits = Vec::new();
        for address in &addresses {
            let nobody = Me { cluster: Some(identity.cluster), node: NodeId(0), incarnation: Incarnation(0) };
            let deadline = Instant::now() + ANSWER_WITHIN;
            let asked = transport::ask(address, keyring, nobody, kind::META, body.clone(), deadline).await;
            match asked.map_err(|e| e.to_string()).and_then(|answer| {
                wire::codec::decode(&answer).map_err(|why| format!("its answer does not decode: {why}"))
            }) {
                Ok(Answer::Lost { floor, meta }) => {
                    let kept = Kept { floor, lost: false, meta };
                    keep(&kept)?;
                    return Ok(kept);
                }
                Ok(answer) => waits.push(format!("{address}: {}", shown(&answer))),
                Err(why) => waits.push(format!("{address}: {why}")),
            }
        }
        if said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            said = Some(Instant::now());
            tracing::warn!(
                since_s = started.elapsed().as_secs(),
                waits = waits.join("; "),
                "waiting for a quorum of the others to replace what this node has lost: start them"
            );
        }
        sleep_until((Instant::now() + EVERY).into()).await;
    }
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Elsewhere(Some((node, listen))) => format!("{node} at {listen} may lead meta"),
        Answer::Elsewhere(None) => "no leader of meta just now".into(),
        Answer::NotYet(why) | Answer::Refused(why) => why.clone(),
        other => format!("an answer that makes no sense here: {other:?}"),
    }
}
