//! `commons secret rotate`: asks the cluster for a change of its secret, and tells how it goes.

use super::failure::Failure;
use super::output;
use bytes::Bytes;
use cluster::member::kind;
use cluster::meta::Meta;
use cluster::meta::request::{Answer, Ask};
use cluster::transport::{self, Me};
use cluster::trust::file::Secrets;
use cluster::trust::rotation::{Begin, Phase, Rotation};
use cluster::trust::{Keyring, Secret};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use wire::ids::{Incarnation, NodeId};

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Hints of who leads meta that are followed before giving up.
const HOPS: usize = 5;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Waiting is told again after this long.
const SAY_EVERY: Duration = Duration::from_secs(10);

pub async fn run(secrets: Secrets, address: String, window: Duration) -> Result<(), Failure> {
    let keyring = secrets.keyring().map_err(|why| Failure::Run(why.to_string()))?;
    let new = Secret::random();
    let mut cluster = Cluster { address, keyring };
    let begin = Begin::new(&cluster.keyring, &new, window);
    let begun = cluster.ask(&Ask::Rotate(begin)).await?;
    let number = begun.rotation.as_ref().map_or(0, |rotation| rotation.number);
    // Whatever the nodes use by the time they are asked: this program knows both.
    let both = cluster.keyring.clone().with_accepted(vec![new]);
    cluster.keyring = both.map_err(|why| Failure::Run(why.to_string()))?;
    let (mut look, mut said) = (tokio::time::interval(LOOK_EVERY), None::<(String, Instant)>);
    loop {
        look.tick().await;
        let meta = match cluster.ask(&Ask::Get { newer_than: 0 }).await {
            Ok(meta) => meta,
            // It is not the node that leads meta that is asked now: this one may just be busy with its new certificate.
            Err(failure) if said.is_none() => return Err(failure),
            Err(_) => continue,
        };
        let Some(rotation) = meta.rotation.as_ref().filter(|rotation| rotation.number >= number) else { continue };
        match state(rotation, &meta) {
            Ok(done) => {
                output::line(&done);
                return Ok(());
            }
            Err(waits) if said.as_ref().is_none_or(|(last, at)| *last != waits || at.elapsed() >= SAY_EVERY) => {
                output::remark(&waits);
                said = Some((waits, Instant::now()));
            }
            Err(_) => {}
        }
    }
}

/// How it stands: done, or what is waited for.
fn state(rotation: &Rotation, meta: &Meta) -> Result<String, String> {
    let nodes: BTreeSet<NodeId> = meta.nodes.iter().map(|row| row.node).collect();
    let waits: Vec<String> = rotation.waits_for(&nodes).iter().map(|node| node.to_string()).collect();
    let (waits, Rotation { from, to, .. }) = (waits.join(", "), rotation);
    match rotation.phase {
        Phase::Accept if waits.is_empty() => Err(format!("all nodes accept the new secret {to}")),
        Phase::Accept => Err(format!(
            "waiting for {waits} to accept the new secret {to}; whoever is down is waited for 10 minutes: start it. It goes on without this command"
        )),
        Phase::Use if !waits.is_empty() && rotation.window_s > 0 => Err(format!(
            "waiting for {waits} to use the new secret {to}. The old one is accepted for {} h, so this command may be ended",
            rotation.window_s / 3600
        )),
        Phase::Use | Phase::Closed if rotation.window_s == 0 => Ok(format!(
            "the cluster's secret is {to} now, and {from} is good for nothing any more. Clients need the new certificate: commons secret ca"
        )),
        Phase::Use | Phase::Closed => Ok(format!(
            "the cluster's secret is {to} now; {from} and its CA certificate are good for {} h from the change on. Give clients the new one: commons secret ca",
            rotation.window_s / 3600
        )),
    }
}

/// A node of it, and what is shown to it.
struct Cluster {
    address: String,
    keyring: Keyring,
}

impl Cluster {
    /// Meta, as whoever may answer has it. Follows hints of who leads it.
    async fn ask(&mut self, ask: &Ask) -> Result<Meta, Failure> {
        let body = wire::codec::encode(ask).map(Bytes::from).map_err(|why| Failure::Run(why.to_string()))?;
        let mut address = self.address.clone();
        for _ in 0..HOPS {
            let nobody = Me { cluster: None, node: NodeId(0), incarnation: Incarnation(0) };
            let deadline = Instant::now() + ANSWER_WITHIN;
            let answer = transport::ask(&address, &self.keyring, nobody, kind::META, body.clone(), deadline).await;
            let answer = answer.map_err(|why| Failure::Run(format!("{address}: {why}; --node names another node")))?;
            let answer: Answer =
                wire::codec::decode(&answer).map_err(|why| Failure::Run(format!("{address} answers oddly: {why}")))?;
            match answer {
                Answer::Meta(Some(meta)) => return Ok(meta),
                Answer::Elsewhere(Some((_, hint))) => address = hint,
                Answer::Refused(why) | Answer::NotYet(why) => return Err(Failure::Run(why)),
                _ => return Err(Failure::Run("nobody leads the cluster's registry just now: try again".into())),
            }
        }
        Err(Failure::Run("nobody leads the cluster's registry for long enough to answer: try again".into()))
    }
}
