//! Following a change of the cluster's secret, and, where meta is led, taking it from step to step (P19).

use super::{Inner, now_ns};
use crate::meta::Meta;
use crate::meta::request::{Answer, Ask};
use crate::transport::Refused;
use crate::trust::Keyring;
use crate::trust::rotation::{self, Begin, FollowError, Phase, Rotation};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use wire::ids::NodeId;

const BEAT: Duration = Duration::from_millis(500);
/// A refusal older than this may be over.
const LATELY: Duration = Duration::from_secs(10);

/// Why a node stays where it is.
#[derive(Debug, thiserror::Error)]
enum Behind {
    #[error("{0}")]
    Follow(#[from] FollowError),
    #[error("keeping what is known of the cluster, sealed anew: {0}")]
    Kept(#[from] io::Error),
}

/// Lives as long as the member. Without a keyring (simulations) there is nothing to follow.
pub(super) async fn follow(inner: Arc<Inner>) {
    let Some(keyring) = inner.network.keyring().cloned() else { return };
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut outside) = (None, false);
    loop {
        beat.tick().await;
        let meta = inner.known();
        let apart = is_apart(inner.others(&meta).len(), &inner.network.refusals());
        if apart && !outside {
            let current = keyring.current().key_id();
            tracing::error!(
                %current,
                "no other node holds this node's secret: the cluster changed it while this node was down. Stop it, give it the secret of a node that works (`commons secret show` there, piped into `commons secret set --data DIR` here), and start it"
            );
        }
        outside = apart;
        let Some(rotation) = &meta.rotation else { continue };
        let at = Some((rotation.number, rotation.phase));
        match inner.step(&keyring, rotation, &meta) {
            Ok(true) => {
                let (phase, current) = (rotation.phase, keyring.current().key_id());
                tracing::info!(?phase, %current, "the cluster's secret changes");
            }
            Ok(false) => {}
            Err(why) => {
                if told != at {
                    tracing::error!(%why, "this node does not follow the change of the cluster's secret");
                }
                told = at;
                continue;
            }
        }
        inner.tell(rotation).await;
        inner.advance(&meta).await;
    }
}

impl Inner {
    /// True: something changed.
    fn step(&self, keyring: &Keyring, rotation: &Rotation, meta: &Meta) -> Result<bool, Behind> {
        let mut changed = false;
        while keyring.is_behind(rotation)? {
            // Before and after: what is sealed under a secret is never left behind with it.
            (self.parts.save)(meta)?;
            changed |= keyring.follow(rotation)?;
            (self.parts.save)(meta)?;
        }
        Ok(changed)
    }

    /// Tells meta that this node holds what is asked for, until it knows.
    async fn tell(&self, rotation: &Rotation) {
        let (node, number, phase) = (self.me(), rotation.number, rotation.phase);
        if phase == Phase::Closed || rotation.done.contains(&node) || self.registered.borrow().is_err() {
            return;
        }
        // Said again at the next beat, for as long as meta does not show it.
        let answer = self.ask_leader(&Ask::Followed { node, number, phase }).await;
        if let Ok(Answer::Refused(why)) | Err(why) = answer {
            tracing::debug!(why, "meta does not hear yet that this node follows the change of the secret");
        }
    }

    /// The next step, if this node leads meta and it is time.
    async fn advance(&self, meta: &Meta) {
        let (nodes, now_s) = (nodes(meta), now_s());
        let mut looked = meta.rotation.clone();
        rotation::advance(&mut looked, &nodes, now_s);
        // Looked at a copy first: most of the time there is nothing to write.
        if !self.leads_meta() || looked == meta.rotation {
            return;
        }
        let done = self.amend(move |meta| {
            let nodes = self::nodes(meta);
            rotation::advance(&mut meta.rotation, &nodes, now_s);
            Ok(())
        });
        if let Err(answer) = done.await {
            tracing::debug!(?answer, "the change of the secret could not go on just now");
        }
    }

    pub(super) async fn begin_rotation(&self, asked: Begin) -> Answer {
        let Some(keyring) = self.network.keyring() else {
            return Answer::Refused("this node works without a secret".into());
        };
        let begun = self.amend(move |meta| rotation::begin(&mut meta.rotation, asked, keyring, now_s()));
        begun.await.map_or_else(|answer| answer, |((), meta)| Answer::Meta(Some(meta)))
    }

    pub(super) async fn confirm_rotation(&self, node: NodeId, number: u64, phase: Phase) -> Answer {
        let confirmed = self.amend(move |meta| {
            rotation::confirm(&mut meta.rotation, node, number, phase);
            Ok(())
        });
        confirmed.await.map_or_else(|answer| answer, |((), _)| Answer::Meta(None))
    }
}

/// All others are reached, and none is trusted: it is this node that was left behind.
fn is_apart(others: usize, refusals: &[Refused]) -> bool {
    let lately = |refused: &&Refused| refused.ago < LATELY && refused.times > 1;
    let dialled: Vec<&Refused> =
        refusals.iter().filter(lately).filter(|refused| refused.address.contains(':')).collect();
    others > 0 && dialled.len() >= others && dialled.iter().all(|refused| refused.refusal.word() == "trust")
}

fn nodes(meta: &Meta) -> BTreeSet<NodeId> {
    meta.nodes.iter().map(|row| row.node).collect()
}

fn now_s() -> u64 {
    u64::try_from(now_ns() / 1_000_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Refusal;

    #[test]
    fn a_node_is_apart_when_all_others_are_strangers_to_it() {
        let refused = |address: &str, refusal, ago| Refused {
            address: address.into(),
            refusal,
            ago: Duration::from_secs(ago),
            times: 2,
        };
        let stranger = |at| refused(at, Refusal::Trust("UnknownIssuer".into()), 1);
        let (one, two) = (stranger("n1:7070"), stranger("n2:7070"));
        assert!(is_apart(2, &[one.clone(), two.clone()]));
        assert!(!is_apart(0, &[]));
        // One of them still trusts this node, or is only down; or it is a stranger that dials.
        assert!(!is_apart(2, std::slice::from_ref(&one)));
        assert!(!is_apart(2, &[one.clone(), stranger("10.0.0.1")]));
        assert!(!is_apart(2, &[one.clone(), refused("n2:7070", Refusal::Joining, 1)]));
        assert!(!is_apart(2, &[one.clone(), refused("n2:7070", Refusal::Trust(String::new()), 60)]));
        assert!(!is_apart(2, &[one, Refused { times: 1, ..two }]));
    }
}
