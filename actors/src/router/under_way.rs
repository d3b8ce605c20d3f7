//! Which request ids have a call under way on this node: from its arrival until its answer is certain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::rpc::RequestId;

type Ids = BTreeMap<(Arc<str>, String), usize>;

#[derive(Default)]
pub(super) struct UnderWay {
    ids: Mutex<Ids>,
}

/// Held while a call is under way: by whoever waits for its answer, and by the command until it is decided.
#[derive(Clone)]
pub struct Running {
    _held: Arc<Held>,
}

struct Held {
    of: Arc<UnderWay>,
    key: (Arc<str>, String),
}

impl UnderWay {
    /// `None` for calls without an id of their caller's.
    pub(super) fn begin(self: &Arc<UnderWay>, account: &Arc<str>, id: &RequestId) -> Option<Running> {
        let RequestId::Caller(id) = id else { return None };
        let key = (account.clone(), id.clone());
        *self.lock().entry(key.clone()).or_default() += 1;
        Some(Running { _held: Arc::new(Held { of: self.clone(), key }) })
    }

    /// Is a call of this id under way?
    pub(super) fn has(&self, account: &Arc<str>, id: &str) -> bool {
        let ids = self.lock();
        // Also what a handler called under it: theirs are the id, a space, and a number.
        let inner = (account.clone(), format!("{id} "));
        let calls = ids.range(inner.clone()..).next();
        ids.contains_key(&(account.clone(), id.to_string()))
            || calls.is_some_and(|((owner, of), _)| owner == account && of.starts_with(&inner.1))
    }

    fn lock(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut ids = self.of.lock();
        if let Some(count) = ids.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                ids.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_under_way_until_the_last_of_its_calls_is_answered() {
        let (ids, alice): (Arc<UnderWay>, Arc<str>) = (Arc::default(), "alice".into());
        let id = RequestId::Caller("k".into());
        let (first, second) = (ids.begin(&alice, &id), ids.begin(&alice, &id));
        let kept_by_the_command = first.clone();
        drop(first);
        drop(second);
        assert!(ids.has(&alice, "k") && !ids.has(&"bob".into(), "k") && !ids.has(&alice, "l"));
        drop(kept_by_the_command);
        assert!(!ids.has(&alice, "k") && ids.lock().is_empty());
        assert!(ids.begin(&alice, &RequestId::None).is_none());
        let _inner = ids.begin(&alice, &RequestId::Caller("k 0".into()));
        assert!(ids.has(&alice, "k") && !ids.has(&alice, "j") && !ids.has(&alice, ""));
    }
}
