//! Random batches against a model.

use super::*;
use crate::disk::Rng;
use std::collections::BTreeMap;

type Model = BTreeMap<Bytes, Bytes>;

/// Few keys, so that batches hit each other; some of them prefixes of others, with bytes at both ends of the range.
fn key(rng: &mut Rng) -> Bytes {
    let len = rng.below(4);
    (0..len).map(|_| [0x00, 0x01, 0x7f, 0xfe, 0xff][rng.below(5) as usize]).collect()
}

fn op(rng: &mut Rng) -> Op {
    match rng.below(10) {
        0..6 => {
            Op::Put { key: key(rng), value: rng.below(u64::MAX).to_be_bytes()[..rng.below(9) as usize].to_vec().into() }
        }
        6..8 => Op::Delete { key: key(rng) },
        _ => Op::DeleteRange { from: key(rng), to: key(rng) },
    }
}

fn apply(model: &mut Model, op: Op) {
    match op {
        Op::Put { key, value } => drop(model.insert(key, value)),
        Op::Delete { key } => drop(model.remove(&key)),
        Op::DeleteRange { from, to } => model.retain(|key, _| *key < from || *key >= to),
    }
}

fn compare(view: &dyn View, model: &Model, rng: &mut Rng, what: &str) {
    let (from, to, limit) = (key(rng), key(rng), rng.below(12) as usize);
    let inside =
        || model.iter().filter(|(key, _)| **key >= from && **key < to).map(|(key, value)| (key.clone(), value.clone()));
    let (ascending, descending): (Vec<_>, Vec<_>) =
        (inside().take(limit).collect(), inside().rev().take(limit).collect());
    assert_eq!(view.scan(&from..&to, Order::Ascending, limit), Ok(ascending), "{what}");
    assert_eq!(view.scan(&from..&to, Order::Descending, limit), Ok(descending), "{what}");
    let one = key(rng);
    assert_eq!(view.get(&one), Ok(model.get(&one).cloned()), "{what}");
}

pub fn random_batches_agree_with_a_map(rig: &mut impl Rig) {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("SEED={seed}");
    let mut rng = Rng::new(seed);
    let (mut now, mut flushed) = (Model::new(), Model::new());
    for round in 0..2_000 {
        let what = format!("seed {seed}, round {round}");
        match rng.below(200) {
            0 => {
                rig.crash();
                now = flushed.clone();
            }
            1 => {
                rig.reopen();
                flushed = now.clone();
            }
            2..6 => {
                rig.engine().flush().expect(&what);
                flushed = now.clone();
            }
            _ => {
                let ops: Vec<Op> = (0..rng.below(9)).map(|_| op(&mut rng)).collect();
                ops.iter().for_each(|op| apply(&mut now, op.clone()));
                rig.engine().write(Batch { ops }).expect(&what);
            }
        }
        rig.engine().view(&mut |view| compare(view, &now, &mut rng, &what));
    }
    rig.engine().view(&mut |view| {
        let end = [0xff; 5];
        assert_eq!(
            view.scan(b""..&end, Order::Ascending, usize::MAX),
            Ok(now.clone().into_iter().collect()),
            "seed {seed}"
        );
    });
}
