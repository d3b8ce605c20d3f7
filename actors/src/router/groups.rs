//! Questions to all groups at once: here where they have a replica, one message for each other node.

use super::aim::{Aim, Needs, Spot};
use super::entity::{READ_TRY, of};
use super::message::{self, AskedGroups, Part, Parts, Remote};
use super::mixed::Codec;
use super::tries::{Miss, Tries};
use super::{Router, ServiceSeat};
use crate::call::Call;
use crate::peers::PeerError;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::{join, join_all};
use futures::stream;
use sdk::Error;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wire::error::reasons;
use wire::ids::{GroupId, NodeId};

/// Groups of this node that are asked at the same time.
const AT_ONCE: usize = 64;

/// A fence is a write, and waits behind others.
const FENCE_TRY: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// A page's lines; of this service.
    Lines(&'a ServiceSeat),
    /// What is kept under the id that the call asks for.
    Kept,
    /// No call under that id may run any more.
    Fence,
}

/// One group's part, and whether its rows may be behind.
pub(super) type Said = Result<(Part, bool), Miss>;

/// What the groups said, and whether any said it of rows that may be behind.
#[derive(Default)]
pub(super) struct Found {
    pub(super) parts: Vec<Part>,
    pub(super) stale: bool,
}

impl Router {
    /// Asks every group; an error unless each answered.
    pub(super) async fn ask_groups(&self, question: Question<'_>, call: &Call) -> Result<Found, Error> {
        let inner = &*self.inner;
        inner.budget.earn();
        let needs = if matches!(question, Question::Fence) { Needs::Leader } else { Needs::Replica };
        // To lay a tombstone twice is to lay it once.
        let mut tries = Tries::new(inner, call.deadline, true, needs == Needs::Replica);
        let owners = inner.founded.topology.owners();
        let mut open: BTreeMap<GroupId, Aim> = owners.map(|group| (group, Aim::at(group, needs))).collect();
        let mut found = Found::default();
        while !open.is_empty() {
            let (here, there) = self.spread(&open);
            if !call.stale_ok || (here.is_empty() && there.is_empty()) {
                open.keys().try_for_each(|group| tries.check_quorum(*group))?;
            }
            let there: Vec<_> = there.into_iter().filter(|_| tries.affords()).collect();
            if here.is_empty() && there.is_empty() {
                tries.pause().await?;
                open.values_mut().for_each(Aim::again);
                continue;
            }
            let until = tries.until(if needs == Needs::Leader { FENCE_TRY } else { READ_TRY });
            let own = self.groups_here(question, call, here, until);
            let others = there.into_iter().map(|(node, groups)| self.groups_there(question, call, node, groups, until));
            let (own, others) = join(own, join_all(others)).await;
            let own = own.into_iter().map(|(group, said)| (inner.me, group, said));
            for (node, group, said) in own.chain(others.into_iter().flatten()) {
                match said {
                    Ok((part, stale)) => {
                        open.remove(&group);
                        found.parts.push(part);
                        found.stale |= stale;
                    }
                    Err(miss) => {
                        let hint = miss.hint;
                        tries.missed(miss)?;
                        if let Some(aim) = open.get_mut(&group) {
                            aim.missed(node, hint);
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// Where to ask each, in this round.
    fn spread(&self, open: &BTreeMap<GroupId, Aim>) -> (Vec<GroupId>, BTreeMap<NodeId, Vec<GroupId>>) {
        let (mut here, mut there) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (group, aim) in open {
            match aim.next(&self.inner) {
                Spot::Here => here.push(*group),
                Spot::There(node) => there.entry(node).or_default().push(*group),
                Spot::Nowhere => {}
            }
        }
        (here, there)
    }

    /// Asks groups of this node.
    pub(super) async fn groups_here(
        &self,
        question: Question<'_>,
        call: &Call,
        groups: Vec<GroupId>,
        until: Instant,
    ) -> Vec<(GroupId, Said)> {
        let asked = groups.into_iter().map(|group| async move {
            let said = match question {
                Question::Lines(seat) => self.lines(seat, group, call, until).await,
                Question::Kept => self.kept_in(group, call, until).await,
                Question::Fence => self.fence_in(group, call).await.map(|()| (Part::Fenced, false)),
            };
            let hint = || self.inner.leader_of(group).filter(|node| *node != self.inner.me);
            (group, said.map_err(|error| Miss::said(error, hint(), true)))
        });
        stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
    }

    async fn groups_there(
        &self,
        question: Question<'_>,
        call: &Call,
        node: NodeId,
        groups: Vec<GroupId>,
        until: Instant,
    ) -> Vec<(NodeId, GroupId, Said)> {
        let said = self.parts_of(question, call, node, groups.clone(), until).await;
        let mut parts = match said {
            Ok(parts) => parts.groups.into_iter().collect::<BTreeMap<_, _>>(),
            Err(error) => {
                let early = Instant::now() < call.deadline;
                let miss = |group| (node, group, Err(Miss::silent(error.clone(), node, early)));
                return groups.into_iter().map(miss).collect();
            }
        };
        let told = groups.into_iter().map(|group| match parts.remove(&group) {
            Some(told) => {
                if told.what.is_err() {
                    self.inner.learn(group, node, told.leader);
                }
                (node, group, told.what.map_err(|error| Miss::said(error, told.leader, false)))
            }
            None => {
                let error = reasons::NO_LEADER.refuse(format!("node {node} says nothing of group {group}"));
                (node, group, Err(Miss::said(error, None, false)))
            }
        });
        told.collect()
    }

    /// One message to `node`, and what it says; again as JSON where its types differ.
    pub(super) async fn parts_of(
        &self,
        question: Question<'_>,
        call: &Call,
        node: NodeId,
        groups: Vec<GroupId>,
        until: Instant,
    ) -> Result<Parts, PeerError> {
        let mut codec = Codec::Binary;
        loop {
            let message = self.question(question, call, groups.clone(), codec).map_err(PeerError::Refused)?;
            let bytes = self.inner.peers.call(node, message, until).await?;
            let mut parts: Parts = wire::endpoint::decode(&bytes).map_err(PeerError::Refused)?;
            let is_foreign = |error: &Error| error.is(&reasons::OTHER_SCHEMA);
            if codec == Codec::Binary && parts.groups.iter().any(|(_, told)| told.what.as_ref().is_err_and(is_foreign))
            {
                codec = Codec::Json;
                continue;
            }
            if let Question::Lines(seat) = question {
                for (_, told) in &mut parts.groups {
                    if let Ok((Part::Lines(lines), _)) = &mut told.what {
                        seat.items_in(&call.endpoint, lines, codec).map_err(PeerError::Refused)?;
                    }
                }
            }
            return Ok(parts);
        }
    }

    fn question(
        &self,
        question: Question<'_>,
        call: &Call,
        groups: Vec<GroupId>,
        codec: Codec,
    ) -> Result<Bytes, Error> {
        let body = match question {
            Question::Lines(seat) => seat.request_out(&call.endpoint, &call.body, codec)?,
            // The runtime's own, of the message's version.
            Question::Kept | Question::Fence => {
                wire::rpc::Body::Binary { schema: 0, bytes: wire::Bytes(call.body.to_vec()) }
            }
        };
        let asked = AskedGroups { of: of(call, body), groups };
        message::encode(&match question {
            Question::Lines(_) => Remote::Gather(asked),
            Question::Kept => Remote::Kept(asked),
            Question::Fence => Remote::Fence(asked),
        })
    }
}
