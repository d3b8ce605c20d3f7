//! Random calls against the obvious model, and the layouts of the rows.

use super::holds::{authorize, capture, void};
use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::BTreeMap;
use std::time::Duration;

/// A changed layout needs a new version of the row; see `Row::version`.
#[test]
fn the_layouts_of_rows_are_frozen() {
    let wallets = wallets();
    keyed_credit(&wallets, "", 300, "in", "k").unwrap();
    keyed_debit(&wallets, "", 1, "out", "").unwrap();
    authorize(&wallets, "", 2, 1).unwrap();
    // Ids are random, 36 characters each.
    let ids = entries(&wallets, "default").into_iter().map(|entry| entry.id);
    let ids: Vec<String> = ids.map(|id| id.bytes().map(|byte| format!("{byte:02x}")).collect()).collect();
    let (head, default) = ("016c6f63616c000177616c6c657400", "0064656661756c740001");
    let never_due = "0101000000000000000001";
    let key = format!("{head}6b657973{default}63726564697400016b0001");
    let hold = wallets.call(HoldsRequest::default()).unwrap().holds.remove(0).id;
    let hold: String = hold.bytes().map(|byte| format!("{byte:02x}")).collect();
    let held = format!("{head}686f6c6473{default}{hold}0001");
    let golden = [
        // hidden 1: id, created, amount -1, reference, no metadata, balance 299, credited 300
        format!("{head}68696464656e{default}0000000000000001 {never_due}24{}0001036f757400fb5602fb2c01", ids[1]),
        // hold, due in a second: amount 2, reference, visible, no metadata, created, expires
        format!("{held} 0101000000003b9aca00010404686f6c64010000fc00943577"),
        // keys (credit, k), due in 7 days: amount 300, reference, no ttl, no metadata; answered 300, no hold
        format!("{key} 01010002260ff929000001fb580202696e0000fb580200"),
        // shown 0: id, created, amount 300, reference, no metadata, balance 300, credited 300
        format!("{head}73686f776e{default}0000000000000000 {never_due}24{}00fb580202696e00fb5802fb2c01", ids[0]),
        // wallet: name, no description, currency or overdraft, balance 299, credited 300, 2 entries, holds until a second
        format!(
            "{head}77616c6c6574{default} {never_due}0f44656661756c74206163636f756e74000000fb5602fb2c0102fc00943577"
        ),
        // the hold's and the key's places in the due index
        format!("0277616c6c657400000000003b9aca00{held} "),
        format!("0277616c6c6574000002260ff9290000{key} "),
    ];
    assert_eq!(wallets.dump(), golden);
}

/// A wallet as the page says it is.
#[derive(Clone, Default)]
struct Model {
    balance: i64,
    overdraft: i64,
    /// Amount and end, by id.
    holds: BTreeMap<String, (i64, u64)>,
}

impl Model {
    fn available(&self, now: u64) -> i128 {
        let held: i128 = self.holds.values().filter(|(_, end)| *end > now).map(|(amount, _)| i128::from(*amount)).sum();
        i128::from(self.balance) + i128::from(self.overdraft) - held
    }
}

#[test]
fn random_calls_add_up_as_the_model_does() {
    for seed in 0..100 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (wallets, mut now) = (wallets(), 0_u64);
        let mut model: BTreeMap<&str, Model> = BTreeMap::from([("default", Model::default())]);
        for step in 0..250 {
            let id = ["default", "a", "b"][random.random_range(0..3)];
            let amount = [1, 2, 50, i64::MAX - 3, 0, -1][random.random_range(0..6)];
            let mut held = model.get(id).cloned();
            let why = format!("seed {seed}, step {step}: {id} {amount}");
            let hold = held.as_ref().and_then(|held| held.holds.keys().nth(random.random_range(0..3)).cloned());
            match random.random_range(0..12) {
                0 => {
                    let overdraft = [0, 60, i64::MAX][random.random_range(0..3)];
                    assert_eq!(overdrawn(&wallets, id, overdraft).is_ok(), held.is_none(), "{why}");
                    held.get_or_insert(Model { overdraft, ..Model::default() });
                }
                1 if random.random_ratio(1, 3) => {
                    let open = held.as_ref().is_some_and(|held| held.holds.values().any(|(_, end)| *end > now));
                    assert_eq!(delete(&wallets, id).is_ok(), !open, "{why}");
                    if !open {
                        held = (id == "default").then(Model::default);
                    }
                }
                2..=4 => {
                    let fits = |held: &&mut Model| {
                        let sum = i128::from(held.balance) + i128::from(amount) + i128::from(held.overdraft);
                        amount > 0 && sum <= i128::from(i64::MAX)
                    };
                    let want = held.as_mut().filter(fits).map(|held| {
                        held.balance += amount;
                        held.balance
                    });
                    assert_eq!(credit(&wallets, id, amount).ok(), want, "{why}");
                }
                5..=6 => {
                    let fits = |held: &&mut Model| amount > 0 && held.available(now) >= i128::from(amount);
                    let want = held.as_mut().filter(fits).map(|held| {
                        held.balance -= amount;
                        held.balance
                    });
                    assert_eq!(debit(&wallets, id, amount).ok(), want, "{why}");
                }
                7..=8 => {
                    let ttl = random.random_range(1..5);
                    let fits =
                        held.as_ref().is_some_and(|held| amount > 0 && held.available(now) >= i128::from(amount));
                    let made = authorize(&wallets, id, amount, ttl);
                    assert_eq!(made.is_ok(), fits, "{why}");
                    if let (Ok(made), Some(held)) = (made, &mut held) {
                        held.holds.insert(made.hold.id, (amount, now + ttl as u64));
                        assert_eq!(i128::from(made.available), held.available(now), "{why}");
                    }
                }
                9..=10 => {
                    let (Some(held), Some(hold)) = (&mut held, hold) else { continue };
                    let (most, end) = held.holds[&hold];
                    let open = end > now;
                    if random.random() {
                        let part = [0, 1, most, most.saturating_add(1)][random.random_range(0..4)];
                        let taken = if part == 0 { most } else { part };
                        let want = (open && taken <= most).then(|| held.balance - taken);
                        assert_eq!(capture(&wallets, id, &hold, part).ok(), want, "{why}");
                        if let Some(balance) = want {
                            held.balance = balance;
                            held.holds.remove(&hold);
                        }
                    } else {
                        assert_eq!(void(&wallets, id, &hold).is_ok(), open, "{why}");
                        held.holds.remove(&hold);
                    }
                }
                _ => {
                    let secs = random.random_range(0..3);
                    wallets.advance(Duration::from_secs(secs));
                    now += secs;
                    if random.random() {
                        wallets.sweep().unwrap();
                    }
                }
            }
            match held {
                Some(held) => drop(model.insert(id, held)),
                None => drop(model.remove(id)),
            }
        }
        let want: Vec<_> = model.iter().map(|(id, held)| (id.to_string(), held.balance)).collect();
        assert_eq!(list(&wallets), want, "seed {seed}");
        for (id, held) in &model {
            adds_up(&wallets, id);
            let told = wallets.call(BalanceRequest { id: id.to_string() }).unwrap();
            assert_eq!(i128::from(told.available), held.available(now), "seed {seed}: {id}");
        }
        wallets.advance(Duration::from_secs(10));
        model.keys().for_each(|id| delete(&wallets, id).unwrap());
        wallets.sweep().unwrap();
        assert_eq!(wallets.row_count(), 0, "seed {seed}");
    }
}
