//! How much one account may have under way, so that it cannot take the whole node. Beyond it calls are refused at once, never
//! parked. What the node takes in over all accounts is its doors' business (`node::door::gate`).

use sdk::Error;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use wire::error::reasons;

const ACCOUNT: Budget = Budget { calls: 16_384, bytes: 128 << 20 };

/// Calls and bytes of their bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Budget {
    calls: usize,
    bytes: usize,
}

#[derive(Default)]
pub(super) struct Admission {
    used: Mutex<BTreeMap<Arc<str>, Budget>>,
}

/// Held while a call is under way.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    account: Arc<str>,
    bytes: usize,
}

impl Admission {
    pub(super) fn admit(self: &Arc<Admission>, account: &Arc<str>, bytes: usize) -> Result<Admitted, Error> {
        let mut used = self.lock();
        let theirs = used.get(account).copied().unwrap_or_default();
        let more = theirs.with(bytes, ACCOUNT).ok_or_else(|| {
            reasons::OVERLOADED.refuse("the account has too many calls under way").retry_after_ms(100)
        })?;
        used.insert(account.clone(), more);
        Ok(Admitted { admission: self.clone(), account: account.clone(), bytes })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Budget>> {
        self.used.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Budget {
    /// With one more call of `bytes`, if it stays within `most`.
    fn with(self, bytes: usize, most: Budget) -> Option<Budget> {
        let more = Budget { calls: self.calls + 1, bytes: self.bytes + bytes };
        (more.calls <= most.calls && more.bytes <= most.bytes).then_some(more)
    }

    fn without(self, bytes: usize) -> Budget {
        Budget { calls: self.calls - 1, bytes: self.bytes - bytes }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut used = self.admission.lock();
        let theirs = used[&self.account].without(self.bytes);
        if theirs == Budget::default() {
            used.remove(&self.account);
        } else {
            used.insert(self.account.clone(), theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_cannot_take_the_node_and_what_ends_is_given_back() {
        let admission = Arc::new(Admission::default());
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let held: Vec<_> =
            (0..ACCOUNT.calls).map(|_| admission.admit(&a, 1).unwrap_or_else(|e| panic!("{e}"))).collect();
        assert!(admission.admit(&a, 1).err().is_some_and(|e| e.is(&reasons::OVERLOADED)));
        assert!(admission.admit(&b, 1).is_ok());
        assert!(admission.admit(&b, ACCOUNT.bytes + 1).is_err());
        drop(held);
        assert!(admission.lock().is_empty());
    }
}
