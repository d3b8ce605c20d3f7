//! A group as writers and readers hold it: asks go to the loop, leadership is read on the spot.

use super::leading::Leading;
use super::looper::Ask;
use crate::entry::Entry;
use crate::group::{Done, Group, NotLeading, ReadDone, Settled};
use std::sync::Arc;
use wire::ids::{GroupId, ReplicaId, Term};

/// Where asks go: the loop's inbox. It gives the ask back if the node is stopping.
pub type SendAsk = Arc<dyn Fn(Ask) -> Option<Ask> + Send + Sync>;

#[derive(Clone)]
pub struct Handle {
    id: GroupId,
    leading: Arc<Leading>,
    send: SendAsk,
}

impl Handle {
    pub(super) fn new(id: GroupId, leading: Arc<Leading>, send: SendAsk) -> Handle {
        Handle { id, leading, send }
    }
}

impl Group for Handle {
    fn id(&self) -> GroupId {
        self.id
    }

    fn leading(&self) -> Option<Term> {
        self.leading.term()
    }

    fn leader(&self) -> Option<ReplicaId> {
        self.leading.leader()
    }

    fn sole(&self) -> Option<Term> {
        self.leading.sole_term()
    }

    fn propose(&self, term: Term, entry: Entry, done: Done) {
        let ask = Ask::Propose { group: self.id, term, entry: entry.encode(), done };
        if let Some(Ask::Propose { done, .. }) = (self.send)(ask) {
            done(Settled::NotRun);
        }
    }

    fn read(&self, done: ReadDone) {
        if let Some(Ask::Read { done, .. }) = (self.send)(Ask::Read { group: self.id, done }) {
            done(Err(NotLeading));
        }
    }
}
