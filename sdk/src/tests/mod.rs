//! The kit against models: random operations, with the seed in every message.

mod builder;
mod delta;
mod due;
mod keys;
mod listing;
mod scan;
mod streams;
mod tx;

use crate::runtime::{Delta, Rows, Scope};
use crate::sandbox::Memory;
use crate::{Tx, View};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use wire::Rfc3339;

fn random(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

fn pick<T: Copy>(random: &mut SmallRng, from: &[T]) -> T {
    from[random.random_range(0..from.len())]
}

fn scope(tables: &[&'static str], now_ns: i64) -> Scope {
    let (account, entity, tables) = ("a".into(), "e".into(), tables.into());
    Scope { account, service: "demo", entity, now: Rfc3339(now_ns), key: [0; 32], tables }
}

/// Runs a command on `rows` and applies what it did.
fn run<T>(rows: &mut Memory, scope: Scope, command: impl FnOnce(&mut Tx) -> T) -> T {
    let mut tx = Tx::new(scope, rows, [0; 32]);
    let answer = command(&mut tx);
    let ops = Delta::into_ops(tx.into_delta());
    rows.apply(ops);
    answer
}

fn view<'a>(rows: &'a dyn Rows, scope: Scope) -> View<'a> {
    View::new(scope, rows)
}
