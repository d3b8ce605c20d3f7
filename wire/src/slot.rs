//! Which slot an entity belongs to. Frozen: rows are where this function said they are.

use crate::ids::GroupId;
use xxhash_rust::xxh3::Xxh3Default;

/// Slots of a cluster; a group owns a range of them.
pub const SLOTS: u16 = 16_384;

/// The slot of an entity: XXH3-64 over the length-prefixed account, service and key, modulo [`SLOTS`].
///
/// The lengths (u32, little endian) keep `("ab", "c")` and `("a", "bc")` apart.
pub fn slot(account: &str, service: &str, key: &str) -> u16 {
    let mut hash = Xxh3Default::new();
    for part in [account, service, key] {
        hash.update(&(part.len() as u32).to_le_bytes());
        hash.update(part.as_bytes());
    }
    (hash.digest() % u64::from(SLOTS)) as u16
}

/// The group that owns an entity, of a cluster of so many groups (meta aside): each owns an even range of slots.
pub fn owner(groups: u16, account: &str, service: &str, key: &str) -> GroupId {
    GroupId(1 + u64::from(slot(account, service, key)) * u64::from(groups) / u64::from(SLOTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These may never change, or every cluster loses its rows. Computed with another implementation (Python's `xxhash` 3).
    #[test]
    fn the_hash_is_frozen() {
        let golden = [
            ("local", "cache", "k", 578),
            ("local", "wallet", "default", 10_486),
            ("", "", "", 9_456),
            ("a", "b", "c", 6_450),
            ("acct", "cache", "Ünïcödé ключ", 346),
        ];
        for (account, service, key, want) in golden {
            assert_eq!(slot(account, service, key), want, "{account}/{service}/{key}");
        }
    }

    #[test]
    fn groups_own_ranges_of_slots() {
        let owner = |groups, key| owner(groups, "local", "cache", key).0;
        // Its slot is 578.
        assert_eq!([1, 16, 28, 29, 1024].map(|groups| owner(groups, "k")), [1, 1, 1, 2, 37]);
    }

    #[test]
    fn neighbouring_parts_do_not_run_together() {
        assert_ne!(slot("ab", "c", ""), slot("a", "bc", ""));
    }

    #[test]
    fn slots_fill_evenly() {
        let mut count = vec![0_u32; usize::from(SLOTS)];
        (0..SLOTS as u32 * 64).for_each(|n| count[usize::from(slot("local", "cache", &format!("key-{n}")))] += 1);
        assert!(count.iter().all(|&n| (16..160).contains(&n)));
    }
}
