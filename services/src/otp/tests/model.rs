//! Random calls against the obvious model: for each id and purpose a code, its end and its tries.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::BTreeMap;

#[derive(Default)]
struct Model {
    now: Duration,
    alive: BTreeMap<(&'static str, &'static str), (String, Duration, u8)>,
    made: BTreeMap<&'static str, Vec<Duration>>,
    /// Codes that were good once and are not any more.
    old: Vec<String>,
}

impl Model {
    fn may_generate(&mut self, id: &'static str) -> bool {
        let now = self.now;
        let made = self.made.entry(id).or_default();
        made.retain(|at| *at + secs(60) > now);
        made.len() < 10
    }

    fn generated(&mut self, id: &'static str, purpose: &'static str, code: String, expiry: u64) {
        self.made.entry(id).or_default().push(self.now);
        let before = self.alive.insert((id, purpose), (code, self.now + secs(expiry), 0));
        self.old.extend(before.map(|(code, ..)| code));
    }

    fn validates(&mut self, id: &'static str, purpose: &'static str, code: &str) -> bool {
        let now = self.now;
        let Some((held, until, wrong)) = self.alive.get_mut(&(id, purpose)) else { return false };
        let fits = *until > now && held == code;
        *wrong += 1;
        if fits || *until <= now || *wrong == 5 {
            self.old.extend(self.alive.remove(&(id, purpose)).map(|(code, ..)| code));
        }
        fits
    }
}

#[test]
fn random_calls_answer_as_the_model_does() {
    let (mut good, mut refused, mut void) = (0, 0, 0);
    for seed in 0..200 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (otp, mut model) = (otp(), Model::default());
        for step in 0..200 {
            let why = format!("seed {seed}, step {step}");
            let id = ["a", "b"][random.random_range(0..2)];
            let purpose = ["", "login"][random.random_range(0..2)];
            if random.random_ratio(1, 3) {
                let expiry = [10, 30, 60, 90][random.random_range(0..4)];
                let request = GenerateRequest {
                    id: id.into(),
                    expiry: expiry as i64,
                    purpose: purpose.into(),
                    ..Default::default()
                };
                match otp.call(request) {
                    Ok(reply) => {
                        assert!(model.may_generate(id), "{why}");
                        model.generated(id, purpose, reply.code, expiry);
                    }
                    Err(error) => {
                        assert!(!model.may_generate(id) && error.is(&TOO_MANY), "{why}: {error:?}");
                        refused += 1;
                    }
                }
            } else {
                let held = model.alive.get(&(id, purpose)).map(|(code, ..)| code.clone());
                let code = match random.random_range(0..5) {
                    0 | 1 => held.unwrap_or("000000".into()),
                    2 if !model.old.is_empty() => model.old[random.random_range(0..model.old.len())].clone(),
                    _ => held.map_or("999999".into(), |code| other(&code)),
                };
                let had = model.alive.contains_key(&(id, purpose));
                let want = model.validates(id, purpose, &code);
                assert_eq!(validates_for(&otp, id, &code, purpose), want, "{why}");
                good += u32::from(want);
                void += u32::from(had && !want && !model.alive.contains_key(&(id, purpose)));
            }
            if random.random_ratio(1, 3) {
                let by = [NS, secs(1), secs(10) - NS, secs(10)][random.random_range(0..4)];
                otp.advance(by);
                model.now += by;
            }
            if random.random_ratio(1, 10) {
                otp.sweep().unwrap();
            }
        }
        otp.advance(secs(90));
        otp.sweep().unwrap();
        assert_eq!(otp.row_count(), 0, "seed {seed}");
    }
    // The model met every rule.
    assert!(good > 1000 && refused > 100 && void > 1000, "{good} {refused} {void}");
}
