//! Looks after shards nobody calls: due rows go, idle actors rest (P15).

use super::Inner;
use crate::actor::Msg;
use crate::host::has_work;
use crate::supervisor::StartShard;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Runs until the router is gone.
pub(super) fn start(inner: &Arc<Inner>, every: Duration) {
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut every = tokio::time::interval(every);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            let Some(inner) = Weak::upgrade(&inner) else { return };
            look_round(&inner);
        }
    });
}

fn look_round(inner: &Inner) {
    for seat in inner.services.values() {
        for (group, mailbox) in &seat.mailboxes {
            match mailbox.actor() {
                // Whoever does not take it is stopping.
                Some(actor) => drop(actor.cast(Msg::Tick)),
                None if inner.has_work(seat.service.name(), *group) => drop(seat.supervisor.cast(StartShard(*group))),
                None => {}
            }
        }
    }
}

impl Inner {
    fn has_work(&self, service: &str, group: wire::ids::GroupId) -> bool {
        let seat = self.groups.get(&group).filter(|seat| seat.handle.leading().is_some());
        let store = seat.and_then(|seat| seat.rows.get());
        store.is_some_and(|store| has_work(&store, service, self.clock.now()))
    }
}
