//! Looks after shards nobody calls: due rows go, idle actors rest (P15).

use super::Inner;
use crate::actor::Msg;
use crate::rows::Committed;
use crate::supervisor::StartShard;
use sdk::runtime::expiry;
use std::sync::{Arc, Weak};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);

/// Runs until the router is gone.
pub(super) fn start(inner: &Arc<Inner>) {
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut every = tokio::time::interval(EVERY);
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
                None if inner.has_due_rows(seat.service.name(), *group) => {
                    drop(seat.supervisor.cast(StartShard(*group)))
                }
                None => {}
            }
        }
    }
}

impl Inner {
    fn has_due_rows(&self, service: &str, group: wire::ids::GroupId) -> bool {
        let Some(seat) = self.groups.get(&group).filter(|seat| seat.handle.leading().is_some()) else { return false };
        let next = seat.store.view(|rows| Ok(expiry::next_due(&Committed(rows), service)));
        matches!(next, Ok(Ok(Some(due))) if due <= self.clock.now().0)
    }
}
