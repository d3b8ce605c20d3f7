//! Answering what other nodes ask about meta.

use super::{Inner, Member, decode, encode, epoch, now_ns};
use crate::group::Group;
use crate::meta::request::{Answer, Ask};
use crate::meta::{Meta, MetaError, amend, steward};
use bytes::Bytes;
use std::time::Duration;
use wire::ids::{GroupId, NodeId};

/// A node heard of within this time lives.
const LIVES: Duration = Duration::from_secs(2);

impl Member {
    /// What a node answers to a call of kind META.
    pub async fn answer(&self, body: &[u8]) -> Result<Bytes, wire::Error> {
        match decode(body) {
            Ok(ask) => Ok(encode(&self.inner.serve(ask).await)),
            Err(why) => Err(wire::error::reasons::BAD_BODY.refuse(format!("a question about meta: {why}"))),
        }
    }
}

impl Inner {
    pub(super) async fn serve(&self, ask: Ask) -> Answer {
        match ask {
            Ask::Get { newer_than } => {
                let meta = self.known();
                Answer::Meta((meta.version() > newer_than).then(|| (*meta).clone()))
            }
            Ask::Lives(node) => Answer::Lives(self.lives(node)),
            Ask::Report(report) if self.leads_meta() => {
                let meta = self.known();
                Answer::Reported(self.lock_steward().hear(report, &meta, self.started.elapsed()))
            }
            Ask::Join => match self.amend(steward::join).await {
                Ok((node, meta)) => {
                    Answer::Joined { cluster: self.parts.cluster, node, meta, token: self.parts.token.clone() }
                }
                Err(answer) => answer,
            },
            Ask::Register(row) => {
                let registered = self.amend(move |meta| {
                    steward::register(meta, row)?;
                    steward::plan(meta)
                });
                registered.await.map_or_else(|answer| answer, |((), meta)| Answer::Registered(meta))
            }
            Ask::Lost(node) => {
                let lost = self.amend(move |meta| {
                    let floor = meta.topology.next_replica;
                    steward::lost(meta, node).map(|()| floor)
                });
                lost.await.map_or_else(|answer| answer, |(floor, meta)| Answer::Lost { floor, meta })
            }
            Ask::Rotate(asked) => self.begin_rotation(asked).await,
            Ask::Followed { node, number, phase } => self.confirm_rotation(node, number, phase).await,
            Ask::Report(_) => self.elsewhere(),
        }
    }

    /// Changes meta, if it is led here.
    pub(super) async fn amend<T>(
        &self,
        change: impl FnOnce(&mut Meta) -> Result<T, String>,
    ) -> Result<(T, Meta), Answer> {
        let Some((handle, store)) = self.seat().filter(|(handle, _)| handle.leading().is_some()) else {
            return Err(self.elsewhere());
        };
        match amend(handle, &store, epoch(), now_ns(), change).await {
            Ok((answer, meta)) => {
                self.learn(&meta);
                Ok((answer, meta))
            }
            Err(MetaError::Refused(why)) => Err(Answer::Refused(why)),
            Err(MetaError::NotLeading) => Err(self.elsewhere()),
            Err(error) => Err(Answer::NotYet(error.to_string())),
        }
    }

    fn elsewhere(&self) -> Answer {
        let meta = self.known();
        let leader = self.handles.get(&GroupId::META).and_then(|handle| handle.leader());
        let node =
            leader.and_then(|replica| meta.topology.node_of(GroupId::META, replica)).filter(|node| *node != self.me());
        Answer::Elsewhere(node.and_then(|node| Some((node, meta.node(node)?.listen.clone()))))
    }

    /// Where a node lives that was heard of just now.
    fn lives(&self, node: NodeId) -> Option<String> {
        let heard = node == self.me() || self.network.heard(node).is_some_and(|silent| silent < LIVES);
        self.known().node(node).filter(|_| heard).map(|row| row.listen.clone())
    }
}
