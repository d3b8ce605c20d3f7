//! Versions grow for ever, so that one of them can stand for a lock.

use super::*;

fn set_at(cache: &Sandbox, key: &str) -> i64 {
    cache.call(SetRequest { key: key.into(), ..Default::default() }).unwrap().version
}

#[test]
fn every_change_has_a_greater_version_and_reading_has_none() {
    let cache = cache();
    let first = set_at(&cache, "k");
    assert_eq!((first, version(&cache, "k"), version(&cache, "absent")), (1, 1, 0));
    set("k", "5", 0).on(&cache).unwrap();
    increment("k", 1).on(&cache).unwrap();
    decrement("k", 1).on(&cache).unwrap();
    assert_eq!(version(&cache, "k"), 4);
    increment("k", 0).on(&cache).unwrap();
    touch("k", 9).on(&cache).unwrap();
    let _ = set_if("k", "v", 0, true).on(&cache).unwrap_err();
    assert_eq!(version(&cache, "k"), 4);
    cache.advance(secs(3));
    assert_eq!(set_at(&cache, "k"), 3_000_000_000, "the clock is what grows");
}

#[test]
fn also_over_deletion_and_expiry() {
    for (gone, swept) in [("delete", false), ("take", false), ("expire", false), ("expire", true), ("delete", true)] {
        for step in [Duration::ZERO, Duration::from_nanos(1), Duration::from_nanos(3)] {
            let cache = cache();
            (0..3).for_each(|_| set("k", "v", 1).on(&cache).map(drop).unwrap());
            let last = version(&cache, "k");
            match gone {
                "delete" => drop(delete("k").on(&cache).unwrap()),
                "take" => drop(get_delete("k").on(&cache).unwrap()),
                _ => cache.advance(secs(1)),
            }
            cache.advance(step);
            if swept {
                cache.sweep().unwrap();
            }
            assert_eq!(version(&cache, "k"), 0);
            assert!(set_at(&cache, "k") > last, "{gone}, swept: {swept}, after {step:?}");
        }
    }
}

/// Found by the model: a counter keeps its end, and may change right before it.
#[test]
fn also_when_it_changes_right_before_it_expires() {
    for swept in [false, true] {
        let cache = cache();
        set("n", "1", 1).on(&cache).unwrap();
        cache.advance(secs(1) - Duration::from_nanos(1));
        (0..3).for_each(|_| increment("n", 1).on(&cache).map(drop).unwrap());
        let last = version(&cache, "n");
        assert_eq!(last, 1_000_000_001, "ahead of the clock");
        cache.advance(Duration::from_nanos(1));
        if swept {
            cache.sweep().unwrap();
        }
        assert!(set_at(&cache, "n") > last);
    }
}

#[test]
fn what_remembers_a_version_goes_once_the_clock_does() {
    let cache = cache();
    set_at(&cache, "k");
    delete("k").on(&cache).unwrap();
    assert_eq!(cache.row_count(), 2, "the floor and its place in the due index");
    cache.advance(Duration::from_nanos(2));
    cache.sweep().unwrap();
    assert_eq!(cache.row_count(), 0);
    set_at(&cache, "k");
    cache.advance(Duration::from_nanos(1));
    delete("k").on(&cache).unwrap();
    assert_eq!(cache.row_count(), 0, "the clock has passed it: nothing is to be remembered");
}

/// The recipe in the docs of Set.
#[test]
fn a_lock_with_fencing() {
    let cache = cache();
    let take = |owner: &str| {
        let (key, value) = ("lock".into(), owner.into());
        cache.call(SetRequest { key, value, ttl: 10, if_absent: true, ..Default::default() }).map(|r| r.version)
    };
    let prolong = |token: i64| {
        let (key, value) = ("lock".into(), "ann".into());
        cache.call(SetRequest { key, value, ttl: 10, if_version: token, ..Default::default() }).map(|r| r.version)
    };
    let first = take("ann").unwrap();
    assert!(take("bob").unwrap_err().is(&NOT_ABSENT));
    cache.advance(secs(9));
    let prolonged = prolong(first).unwrap();
    assert!(prolonged > first && prolong(first).unwrap_err().is(&OTHER_VERSION));
    cache.advance(secs(10));
    let second = take("bob").unwrap();
    assert!(second > prolonged, "a newer holder has a greater token");
    assert!(prolong(prolonged).unwrap_err().is(&OTHER_VERSION), "the older one is told");
}
