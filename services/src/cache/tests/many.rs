//! Several keys in one call: each stands for itself.

use super::*;

fn entry(key: &str, value: &str) -> SetRequest {
    SetRequest { key: key.into(), value: value.into(), ..Default::default() }
}

fn set_many(cache: &Sandbox, entries: Vec<SetRequest>) -> sdk::Result<Vec<Kept>> {
    cache.call(SetManyRequest { entries }).map(|r| r.results)
}

fn get_many(cache: &Sandbox, keys: &[&str]) -> sdk::Result<Vec<Found>> {
    let keys = keys.iter().map(|key| key.to_string()).collect();
    cache.call(GetManyRequest { keys }).map(|r| r.results)
}

#[test]
fn results_come_in_the_order_asked() {
    let cache = cache();
    let kept = set_many(&cache, vec![entry("b", "2"), SetRequest { ttl: 5, ..entry("a", "1") }]).unwrap();
    assert!(kept.iter().map(|kept| kept.key.as_str()).eq(["b", "a"]) && kept.iter().all(|kept| kept.error.is_none()));
    let found = get_many(&cache, &["a", "none", "b", "a"]).unwrap();
    let told: Vec<_> = found.iter().map(|f| (f.key.as_str(), f.value.as_str(), f.ttl, f.version)).collect();
    let (a, b) = (kept[1].version, kept[0].version);
    assert_eq!(told, [("a", "1", 5, a), ("none", "", 0, 0), ("b", "2", 0, b), ("a", "1", 5, a)]);
    assert!(a > 0 && b > 0 && found.iter().all(|found| found.error.is_none()));
}

#[test]
fn one_refusal_leaves_the_others() {
    let cache = cache();
    set("there", "old", 0).on(&cache).unwrap();
    let only_new = SetRequest { if_absent: true, ..entry("there", "new") };
    let kept = set_many(&cache, vec![entry("a", "1"), only_new, entry("b", "2")]).unwrap();
    let failed = kept[1].error.clone().unwrap();
    assert_eq!((failed.code, failed.reason.as_str(), failed.outcome.as_str()), (409, "not_absent", "ran"));
    assert_eq!((failed.detail.as_str(), kept[1].version), ("the key has a value", 0));
    assert!(kept[0].error.is_none() && kept[2].error.is_none());
    assert_eq!(keys(&cache), ["a", "b", "there"]);
    assert_eq!(get("there").on(&cache).unwrap(), json!(["old", 0]));
}

/// In order: the list, its entries field by field, a key twice. Nothing is kept then.
#[test]
fn each_error_of_the_whole_call() {
    let many = |n: usize| (0..n).map(|n| entry(&n.to_string(), "v")).collect::<Vec<_>>();
    let cache = cache();
    let rows = [
        (vec![], BAD_FIELD, "entries: is required"),
        (many(101), BAD_FIELD, "entries: must have 1 to 100 items, it has 101"),
        (vec![entry("a", "v"), entry("", "v")], MISSING_KEY, "missing key"),
        (
            vec![SetRequest { ttl: i64::MAX, ..entry("a", "v") }],
            BAD_FIELD,
            "entries[0].ttl: must be at most 315,619,200, it is 9,223,372,036,854,775,807",
        ),
        (vec![entry("a", "v"), entry("b", "v"), entry("a", "w")], KEY_TWICE, "entries[2].key: it is there twice"),
    ];
    for (entries, reason, detail) in rows {
        let error = set_many(&cache, entries).unwrap_err();
        assert!(error.is(&reason) && error.id == "cache.setmany" && error.detail == detail, "{error:?}");
    }
    assert_eq!(cache.row_count(), 0);
    for (keys, detail) in
        [(vec![], "keys: is required"), (vec!["k"; 101], "keys: must have 1 to 100 items, it has 101")]
    {
        assert_eq!(get_many(&cache, &keys).unwrap_err().detail, detail);
    }
    assert!(get_many(&cache, &["a", ""]).unwrap_err().is(&MISSING_KEY));
    assert_eq!((set_many(&cache, many(100)).unwrap().len(), get_many(&cache, &["1"; 100]).unwrap().len()), (100, 100));
}
