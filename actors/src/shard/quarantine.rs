//! Entities whose commands panic are left alone for a while: per account and entity, never a service for everybody (P2).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Panics in a row before an entity rests.
const PANICS_ALLOWED: u32 = 3;
const REST_MIN: Duration = Duration::from_millis(100);
const REST_MAX: Duration = Duration::from_secs(10);
/// The most entities remembered; the rest panic at their own pace.
const ENTITIES_MAX: usize = 1024;

#[derive(Default)]
pub(super) struct Quarantine {
    entities: BTreeMap<(Arc<str>, Arc<str>), (u32, Instant)>,
}

impl Quarantine {
    /// How long the entity still rests.
    pub(super) fn rests(&self, account: &Arc<str>, entity: &Arc<str>, now: Instant) -> Option<Duration> {
        if self.entities.is_empty() {
            return None;
        }
        let (panics, until) = self.entities.get(&(account.clone(), entity.clone()))?;
        (*panics >= PANICS_ALLOWED && *until > now).then(|| *until - now)
    }

    pub(super) fn panicked(&mut self, account: Arc<str>, entity: Arc<str>, now: Instant) {
        if self.entities.len() >= ENTITIES_MAX {
            self.entities.retain(|_, (_, until)| *until > now);
            if self.entities.len() >= ENTITIES_MAX {
                return;
            }
        }
        let (panics, until) = self.entities.entry((account, entity)).or_insert((0, now));
        *panics += 1;
        let doubled = REST_MIN * 2_u32.pow(panics.saturating_sub(PANICS_ALLOWED).min(10));
        *until = now + doubled.min(REST_MAX);
    }

    pub(super) fn ran_well(&mut self, account: &Arc<str>, entity: &Arc<str>) {
        if !self.entities.is_empty() {
            self.entities.remove(&(account.clone(), entity.clone()));
        }
    }
}
