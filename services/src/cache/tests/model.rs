//! Random calls against the obvious model: a map from key to value and due moment.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::BTreeMap;

#[derive(Default)]
struct Model {
    now_ns: u128,
    kept: BTreeMap<String, (String, Option<u128>)>,
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
            Call::Set(key, value, ttl) => {
                let due = (*ttl > 0).then(|| now_ns + *ttl as u128 * 1_000_000_000);
                self.kept.insert(key.clone(), (value.clone(), due));
                Some(json!("ok"))
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

fn any_call(random: &mut SmallRng) -> Call {
    let key = ["a", "b", "\0", "ab"][random.random_range(0..4)].to_string();
    let by = *[0, 1, -1, 7, i64::MAX, i64::MIN].get(random.random_range(0..6)).expect("six");
    match random.random_range(0..5) {
        0 => Call::Get(key),
        1 => {
            let value = ["", "5", "-3", "word", "9223372036854775807"][random.random_range(0..5)];
            Call::Set(key, value.into(), random.random_range(-1..4))
        }
        2 => Call::Delete(key),
        3 => Call::Increment(key, by),
        _ => Call::Decrement(key, by),
    }
}

#[test]
fn random_calls_answer_as_the_model_does() {
    for seed in 0..200 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (cache, mut model) = (cache(), Model::default());
        for step in 0..200 {
            let call = any_call(&mut random);
            let answer = call.clone().on(&cache).ok();
            assert_eq!(answer, model.call(&call), "seed {seed}, step {step}: {call:?}");
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
        model.call(&Call::Get(String::new()));
        assert_eq!(keys(&cache), model.kept.keys().cloned().collect::<Vec<_>>(), "seed {seed}");
        cache.advance(secs(10));
        cache.sweep().unwrap();
        let for_good = model.kept.values().filter(|(_, due)| due.is_none()).count();
        assert_eq!(cache.row_count(), for_good, "seed {seed}: an index row is left behind");
    }
}
