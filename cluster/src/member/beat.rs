//! The loop of a member, and what it does each time.

use super::{Inner, Member, Waits};
use crate::consensus::{GroupView, Input, Role};
use crate::group::Group;
use crate::meta::request::{Answer, Ask, GroupReport, Report};
use crate::meta::warden::{self, Act};
use crate::meta::{self, Meta};
use crate::node;
use crate::topology::{Placed, Stage};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use wire::ids::{GroupId, NodeId};

/// How often a member looks after everything.
const BEAT: Duration = Duration::from_millis(100);
/// How often rows are flushed for the sake of replicas that leave.
const FLUSH: Duration = Duration::from_secs(1);
/// How often it says how it is.
const REPORT: Duration = Duration::from_millis(500);
/// How often it asks for a newer meta, without a replica of it.
const FETCH: Duration = Duration::from_millis(500);
/// How often it tries to register.
const REGISTER: Duration = Duration::from_millis(300);

impl Member {
    /// Lives until dropped.
    pub async fn run(self) {
        let inner = self.inner;
        let followed = follow(inner.clone());
        let looked_after = look_after(inner.clone());
        let registered = register(inner.clone());
        let stewarded = super::stewarding::steward(inner.clone());
        let trusted = super::secrets::follow(inner.clone());
        let reported = report(inner);
        tokio::join!(followed, looked_after, registered, stewarded, trusted, reported);
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut every = tokio::time::interval(period);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every
}

/// Keeps meta as new as can be: from the replica here, else from those who have one.
async fn follow(inner: Arc<Inner>) {
    let (mut beat, mut applied, mut fetched) = (every(BEAT), None, Instant::now());
    loop {
        beat.tick().await;
        if let Some((_, store)) = inner.seat() {
            let state = store.state();
            let now = Some((store.replica(), state.generation, state.applied));
            if now != applied {
                applied = now;
                match meta::read(&store) {
                    Ok(meta) => inner.learn(&meta),
                    // A replica that has just come has nothing yet.
                    Err(error) => tracing::debug!(%error, "the replica of meta here has no answer yet"),
                }
            }
        } else if fetched.elapsed() >= FETCH {
            fetched = Instant::now();
            inner.fetch().await;
        }
    }
}

impl Inner {
    /// Takes a newer meta in: on disk first, since replicas are made by it.
    pub(super) fn learn(&self, meta: &Meta) {
        let _held = self.learning.lock().unwrap_or_else(PoisonError::into_inner);
        if meta.version() <= self.known().version() {
            return;
        }
        if let Err(error) = (self.parts.save)(meta) {
            tracing::error!(%error, "the cluster's topology cannot be kept for the next start");
            return;
        }
        self.meta.send_replace(Arc::new(meta.clone()));
        self.network.know(self.others(meta));
    }

    pub(super) fn others(&self, meta: &Meta) -> Vec<NodeId> {
        meta.nodes.iter().map(|row| row.node).filter(|node| *node != self.me()).collect()
    }

    /// Asks somebody who has a replica of meta, or anybody.
    async fn fetch(&self) {
        self.fetch_from(1).await;
    }

    /// Asks one after the other until somebody knows something newer: those who have a replica of meta by what is known
    /// here may all have left it, and then none of them hears of it any more.
    async fn search(&self) {
        self.fetch_from(usize::MAX).await;
    }

    async fn fetch_from(&self, most: usize) {
        let meta = self.known();
        let ask = Ask::Get { newer_than: meta.version() };
        let Ok(body) = wire::codec::encode(&ask).map(Bytes::from) else { return };
        let holders = meta.topology.of(GroupId::META).map(|placed| placed.node);
        let heard = |node: &NodeId| self.network.heard(*node).is_some_and(|silent| silent < FETCH * 2);
        let mut asked = BTreeSet::from([self.me()]);
        let nodes: Vec<NodeId> = holders.chain(self.others(&meta)).filter(|node| asked.insert(*node)).collect();
        for node in nodes.into_iter().filter(heard).take(most) {
            if let Ok(Answer::Meta(Some(newer))) = self.call(node, &body).await {
                return self.learn(&newer);
            }
        }
    }
}

/// Replicas come and go; groups led here are taken towards what meta has placed.
async fn look_after(inner: Arc<Inner>) {
    let (mut beat, mut flushed) = (every(BEAT), Instant::now());
    loop {
        beat.tick().await;
        let meta = inner.known();
        inner.place(&meta).await;
        if flushed.elapsed() >= FLUSH {
            flushed = Instant::now();
            inner.hurry(&meta);
        }
        if !inner.handles.values().any(|handle| handle.leading().is_some()) {
            continue;
        }
        for view in inner.look().await.into_iter().filter(|view| view.role == Role::Leader) {
            inner.tend(&meta, &view);
        }
    }
}

impl Inner {
    /// A replica that leaves goes only once a quorum has that on disk: no need to wait for the next regular flush.
    fn hurry(&self, meta: &Meta) {
        let leaving = meta.topology.placed.iter().filter(|placed| placed.stage == Stage::Leaving);
        let here = |group: &GroupId| self.slots.get(group).is_some_and(|slot| slot.get().is_some());
        let groups: BTreeSet<GroupId> = leaving.map(|placed| placed.group).filter(here).collect();
        // Given back only if the node is stopping. One flush serves all of them.
        groups.into_iter().for_each(|group| drop((self.ask)(node::Ask::Flush(group))));
    }

    fn tend(&self, meta: &Meta, view: &GroupView) {
        let placed: Vec<Placed> = meta.topology.of(view.group).copied().collect();
        let wanted = self.lock_orders().get(&view.group).copied();
        let group = view.group;
        let ask = match warden::next(view, &placed, wanted) {
            None => return,
            Some(Act::HandOver(to)) => {
                tracing::info!(%group, %to, "leadership is handed over");
                self.lock_orders().remove(&group);
                node::Ask::Input(Input::Transfer { group, to })
            }
            Some(Act::Change(change)) => {
                tracing::info!(%group, ?change, "the group's membership changes");
                let done = Box::new(move |outcome| tracing::debug!(%group, ?outcome, "a change of membership ended"));
                node::Ask::Change { group, change, done }
            }
        };
        // Given back only if the node is stopping.
        let _ = (self.ask)(ask);
    }
}

/// Says how this node's groups are, and hears what the steward wants.
async fn report(inner: Arc<Inner>) {
    let mut beat = every(REPORT);
    loop {
        beat.tick().await;
        if inner.registered.borrow().is_err() {
            continue;
        }
        let groups = inner.look().await.into_iter().map(reported).collect();
        let (node, slow) = (inner.me(), inner.slow.load(Ordering::Relaxed));
        let answer = inner.ask_leader(&Ask::Report(Report { node, slow, groups })).await;
        let Ok(Answer::Reported(orders)) = answer else {
            inner.search().await;
            continue;
        };
        *inner.lock_orders() = orders.hand_over.into_iter().collect();
        // With a replica of meta here too: one that has left its group hears of nothing any more, not even that it may go.
        if orders.version > inner.known().version() {
            inner.search().await;
        }
    }
}

fn reported(view: GroupView) -> GroupReport {
    let GroupView { group, replica, term, applied, flushed, .. } = view;
    let leads = (view.role == Role::Leader && view.serving).then_some(view.conf);
    GroupReport { group, replica, term, applied, flushed, leads }
}

/// Tells meta that this node lives again, until it knows.
async fn register(inner: Arc<Inner>) {
    let mut beat = every(REGISTER);
    loop {
        beat.tick().await;
        let state = match inner.ask_leader(&Ask::Register(inner.parts.me.clone())).await {
            Ok(Answer::Registered(meta)) => {
                inner.learn(&meta);
                Ok(())
            }
            Ok(Answer::Refused(why)) => Err(Waits::Refused(why)),
            Ok(Answer::NotYet(why)) => Err(Waits::For(why)),
            Err(why) => {
                inner.search().await;
                Err(Waits::For(why))
            }
            Ok(other) => Err(Waits::For(format!("an answer that makes sense; it was {other:?}"))),
        };
        let (done, refused) = (state.is_ok(), matches!(state, Err(Waits::Refused(_))));
        let _before = inner.registered.send_replace(state);
        if done || refused {
            return;
        }
    }
}
