//! Following a change of the cluster's secret, and, where meta is led, taking it from step to step (P19).

use super::{Inner, now_ns};
use crate::meta::Meta;
use crate::meta::request::{Answer, Ask};
use crate::trust::Keyring;
use crate::trust::rotation::{self, Begin, FollowError, Phase, Rotation};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use wire::ids::NodeId;

const BEAT: Duration = Duration::from_millis(500);

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
    let mut told = None;
    loop {
        beat.tick().await;
        let meta = inner.known();
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

fn nodes(meta: &Meta) -> BTreeSet<NodeId> {
    meta.nodes.iter().map(|row| row.node).collect()
}

fn now_s() -> u64 {
    u64::try_from(now_ns() / 1_000_000_000).unwrap_or_default()
}
