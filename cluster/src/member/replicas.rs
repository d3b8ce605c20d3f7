//! The replicas this node is to have, and those it is not: made, opened and destroyed as meta says.

use super::Inner;
use crate::meta::Meta;
use crate::meta::warden::has_dropped;
use crate::node;
use crate::topology::Stage;
use storage::replica::Error;
use wire::ids::{GroupId, ReplicaId};

impl Inner {
    /// One look at what meta says; done again until it is so.
    pub(super) async fn place(&self, meta: &Meta) {
        for group in meta.topology.all() {
            let here = self.slots.get(&group).and_then(|slot| slot.get()).map(|store| store.replica());
            let mine = meta.topology.of(group).filter(|placed| placed.node == self.me());
            match here {
                Some(replica) if has_dropped(meta, group, replica) => self.destroy(group, replica),
                Some(_) => {}
                None => {
                    let mut coming = mine.filter(|placed| placed.stage == Stage::Here);
                    if let Some(placed) = coming.find(|placed| placed.replica >= self.parts.floor) {
                        self.open(group, placed.replica).await;
                    }
                }
            }
        }
    }

    async fn open(&self, group: GroupId, replica: ReplicaId) {
        let engine = self.parts.engine.clone();
        let made = tokio::task::spawn_blocking(move || node::join(&engine, group, replica)).await;
        match made {
            Ok(Ok((seed, store))) => {
                tracing::info!(%group, %replica, "a replica comes to this node");
                // Given back only if the node is stopping.
                let _ = (self.ask)(node::Ask::Open { seed, store });
            }
            // Made by an earlier round, which the loop has not come to yet; or it was here once and is gone for good.
            Ok(Err(Error::Used(_))) => {}
            Ok(Err(error)) => tracing::error!(%group, %replica, %error, "a replica cannot be made"),
            Err(panic) => tracing::error!(%group, %replica, %panic, "a replica cannot be made"),
        }
    }

    fn destroy(&self, group: GroupId, replica: ReplicaId) {
        tracing::info!(%group, %replica, "a replica has left its group and is deleted");
        let _ = (self.ask)(node::Ask::Destroy { group, replica });
    }
}
