//! Staged writes over rows that catch up: at any moment the two together are all that was staged, in order.

use super::{pick, random};
use crate::runtime::{Delta, Layered, Op, Order, Rows};
use crate::sandbox::Memory;
use bytes::Bytes;
use rand::{Rng, rngs::SmallRng};

const KEYS: &[&[u8]] = &[b"a", b"a\0", b"aa", b"ab", b"b", b"c", b"c\0\0", b"d", b"e", b"f"];

fn any_key(random: &mut SmallRng) -> Bytes {
    Bytes::from_static(pick(random, KEYS))
}

fn any_op(random: &mut SmallRng) -> Op {
    match random.random_range(0..6) {
        0..=2 => Op::Put { key: any_key(random), value: random.random::<u16>().to_string().into() },
        3 | 4 => Op::Delete { key: any_key(random) },
        // Empty and inverted ranges too: they are nothing.
        _ => Op::DeleteRange { from: any_key(random), to: any_key(random) },
    }
}

/// Everything that can be asked of two sets of rows.
fn same(rows: &dyn Rows, model: &Memory, random: &mut SmallRng, why: &str) {
    for key in KEYS {
        assert_eq!(rows.get(key).unwrap(), model.get(key).unwrap(), "{why}: {key:?}");
    }
    for _ in 0..10 {
        let (from, to) = (any_key(random), pick(random, &[&b"a"[..], b"b", b"c\0", b"g"]));
        let order = pick(random, &[Order::Ascending, Order::Descending]);
        let limit = pick(random, &[0, 1, 2, 3, 100]);
        let (got, want) = (rows.scan(&from, to, order, limit).unwrap(), model.scan(&from, to, order, limit).unwrap());
        assert_eq!(got, want, "{why}: {from:?}..{to:?} {order:?} limit {limit}");
    }
}

#[test]
fn layers_show_all_that_was_staged_however_far_it_is_applied_and_settled() {
    for seed in 0..400 {
        let random = &mut random(seed);
        let (mut base, mut model, mut delta) = (Memory::default(), Memory::default(), Delta::default());
        // Proposals: staged up to `staged`, in the rows beneath up to `applied`, forgotten up to `settled`.
        let (mut proposals, mut applied, mut settled) = (Vec::<Vec<Op>>::new(), 0, 0);
        for step in 0..60 {
            match random.random_range(0..4) {
                0 | 1 => {
                    let ops: Vec<Op> = (0..random.random_range(0..4)).map(|_| any_op(random)).collect();
                    let stamp = proposals.len() as u64 + 1;
                    ops.iter().for_each(|op| delta.stage(stamp, op.clone()));
                    model.apply(ops.clone());
                    proposals.push(ops);
                }
                2 if applied < proposals.len() => {
                    base.apply(proposals[applied].clone());
                    applied += 1;
                }
                _ => {
                    settled = random.random_range(settled..=applied);
                    delta.settle(settled as u64);
                }
            }
            let why =
                format!("seed {seed}, step {step}: staged {}, applied {applied}, settled {settled}", proposals.len());
            same(&Layered { base: &base, delta: &delta }, &model, random, &why);
        }
        proposals.drain(applied..).for_each(|ops| base.apply(ops));
        delta.settle(u64::MAX);
        assert!(delta.is_empty(), "seed {seed}");
        assert_eq!(base, model, "seed {seed}");
    }
}

#[test]
fn what_a_command_staged_is_what_is_applied() {
    for seed in 0..400 {
        let random = &mut random(seed);
        let mut before = Memory::default();
        before.apply((0..8).map(|_| any_op(random)).collect());
        let ops: Vec<Op> = (0..random.random_range(0..12)).map(|_| any_op(random)).collect();
        let mut delta = Delta::default();
        ops.iter().for_each(|op| delta.stage(0, op.clone()));
        let (mut one_by_one, mut at_once) = (before.clone(), before);
        one_by_one.apply(ops);
        at_once.apply(delta.into_ops());
        assert_eq!(at_once, one_by_one, "seed {seed}");
    }
}

#[test]
fn layers_stack() {
    for seed in 0..100 {
        let random = &mut random(seed);
        let (mut base, mut lower, mut upper) = (Memory::default(), Delta::default(), Delta::default());
        base.apply((0..8).map(|_| any_op(random)).collect());
        let mut model = base.clone();
        for layer in [&mut lower, &mut upper] {
            let ops: Vec<Op> = (0..6).map(|_| any_op(random)).collect();
            ops.iter().for_each(|op| layer.stage(1, op.clone()));
            model.apply(ops);
        }
        let beneath = Layered { base: &base, delta: &lower };
        same(&Layered { base: &beneath, delta: &upper }, &model, random, &format!("seed {seed}"));
    }
}
