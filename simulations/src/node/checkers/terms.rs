//! Leadership as writers see it.

use std::collections::BTreeMap;

#[derive(Default)]
pub struct Terms {
    led: BTreeMap<u64, u64>,
}

impl Terms {
    /// Whether it is not as it was.
    pub fn note(&mut self, leading: &[(u64, u64)]) -> bool {
        let mut changed = false;
        for (group, term) in leading {
            changed |= self.led.insert(*group, *term) != Some(*term);
        }
        changed
    }
}
