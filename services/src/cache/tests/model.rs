//! Random calls against the obvious model: a map from key to value and due moment.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::BTreeMap;

#[derive(Default)]
struct Model {
    now_ns: u128,
    kept: BTreeMap<String, (String, Option<u128>)>,
    /// The last version of each key, gone or not.
    versions: BTreeMap<String, i64>,
}

impl Model {
    /// What the page says the call answers; `None` = refused.
    fn call(&mut self, call: &Call) -> Option<Value> {
        let now_ns = self.now_ns;
        self.kept.retain(|_, (_, due)| due.is_none_or(|due| now_ns < due));
        match call {
            Call::Get(key) => {
                let (value, due) = self.kept.get(key).cloned().unwrap_or_default();
                Some(json!([value, due.map_or(0, |due| (due - now_ns).div_ceil(1_000_000_000) as u64)]))
            }
            Call::Set(SetRequest { key, value, ttl, if_version, if_absent }) => {
                let there = self.kept.contains_key(key);
                let same = there && self.versions.get(key) == Some(if_version);
                if *if_absent && (there || *if_version > 0) || *if_version > 0 && !same {
                    return None;
                }
                self.kept.insert(key.clone(), (value.clone(), due(now_ns, *ttl)));
                Some(json!("ok"))
            }
            Call::Touch(key, ttl) => {
                let there = self.kept.get_mut(key).map(|(_, end)| *end = due(now_ns, *ttl)).is_some();
                Some(json!(there))
            }
            Call::GetDelete(key) => {
                let gone = self.kept.remove(key);
                Some(json!([gone.as_ref().map(|(value, _)| value.as_str()).unwrap_or_default(), gone.is_some()]))
            }
            Call::Delete(key) => {
                self.kept.remove(key);
                Some(json!("ok"))
            }
            Call::Increment(key, by) => self.count(key, i128::from(*by)),
            Call::Decrement(key, by) => self.count(key, -i128::from(*by)),
        }
    }

    fn count(&mut self, key: &str, by: i128) -> Option<Value> {
        let (held, due) = self.kept.get(key).cloned().unwrap_or(("0".into(), None));
        let value = i64::try_from(i128::from(held.parse::<i64>().ok()?) + by).ok()?;
        if by != 0 {
            self.kept.insert(key.into(), (value.to_string(), due));
        }
        Some(json!(value))
    }
}

fn due(now_ns: u128, ttl: i64) -> Option<u128> {
    (ttl > 0).then(|| now_ns + ttl as u128 * 1_000_000_000)
}

fn any_call(random: &mut SmallRng, model: &Model) -> Call {
    let key = ["a", "b", "\0", "ab"][random.random_range(0..4)].to_string();
    let by = *[0, 1, -1, 7, i64::MAX, i64::MIN].get(random.random_range(0..6)).expect("six");
    match random.random_range(0..8) {
        0 => Call::Get(key),
        1 => {
            let value = ["", "5", "-3", "word", "9223372036854775807"][random.random_range(0..5)];
            let ttl = random.random_range(-1..4);
            let if_version = match random.random_range(0..4) {
                0 => model.versions.get(&key).copied().unwrap_or(9),
                1 => model.versions.get(&key).copied().unwrap_or(1) - 1,
                _ => 0,
            };
            Call::Set(SetRequest { key, value: value.into(), ttl, if_version, if_absent: random.random_ratio(1, 4) })
        }
        5 => Call::Touch(key, random.random_range(-1..4)),
        6 => Call::GetDelete(key),
        2 => Call::Delete(key),
        3 => Call::Increment(key, by),
        _ => Call::Decrement(key, by),
    }
}

/// It may write the same value again: a change all the same.
fn sets(call: &Call, wanted: &str) -> bool {
    matches!(call, Call::Set(SetRequest { key, .. }) if key == wanted)
}

#[test]
fn random_calls_answer_as_the_model_does() {
    for seed in 0..200 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (cache, mut model) = (cache(), Model::default());
        for step in 0..200 {
            let call = any_call(&mut random, &model);
            let mut before = model.kept.clone();
            before.retain(|_, (_, due)| due.is_none_or(|due| model.now_ns < due));
            let answer = call.clone().on(&cache).ok();
            assert_eq!(answer, model.call(&call), "seed {seed}, step {step}: {call:?}");
            for (key, (value, _)) in &model.kept {
                let (now, last) = (version(&cache, key), model.versions.insert(key.clone(), version(&cache, key)));
                let same =
                    before.get(key).is_some_and(|(old, _)| old == value) && !(answer.is_some() && sets(&call, key));
                let grew = now > last.unwrap_or(0);
                assert!(
                    if same { last == Some(now) } else { grew },
                    "seed {seed}, step {step}: {call:?} {answer:?} {key:?} {last:?} {now} before {before:?} after {:?} at {}",
                    model.kept,
                    model.now_ns
                );
            }
            if random.random_ratio(1, 4) {
                let by =
                    [Duration::from_nanos(1), secs(1) - Duration::from_nanos(1), secs(1)][random.random_range(0..3)];
                cache.advance(by);
                model.now_ns += by.as_nanos();
            }
            if random.random_ratio(1, 10) {
                cache.sweep().unwrap();
            }
        }
        model.call(&get(""));
        assert_eq!(keys(&cache), model.kept.keys().cloned().collect::<Vec<_>>(), "seed {seed}");
        cache.advance(secs(10));
        cache.sweep().unwrap();
        let for_good = model.kept.values().filter(|(_, due)| due.is_none()).count();
        assert_eq!(cache.row_count(), for_good, "seed {seed}: an index row is left behind");
    }
}
