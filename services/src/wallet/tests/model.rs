//! Random calls against the obvious model, and the layouts of the rows.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::BTreeMap;

/// A changed layout needs a new version of the row; see `Row::version`.
#[test]
fn the_layouts_of_rows_are_frozen() {
    let wallets = wallets();
    keyed_credit(&wallets, "", 300, "in", "k").unwrap();
    keyed_debit(&wallets, "", 1, "out", "").unwrap();
    // Ids are random, 36 characters each.
    let ids = entries(&wallets, "default").into_iter().map(|entry| entry.id);
    let ids: Vec<String> = ids.map(|id| id.bytes().map(|byte| format!("{byte:02x}")).collect()).collect();
    let (head, default) = ("016c6f63616c000177616c6c657400", "0064656661756c740001");
    let never_due = "0101000000000000000001";
    let key = format!("{head}6b657973{default}63726564697400016b0001");
    let golden = [
        // hidden 1: id, created, amount -1, reference, no metadata
        format!("{head}68696464656e{default}0000000000000001 {never_due}24{}0001036f757400", ids[1]),
        // keys (credit, k), due in 7 days: amount 300, reference, balance 300
        format!("{key} 01010002260ff929000001fb580202696efb5802"),
        // shown 0: id, created, amount 300, reference, no metadata
        format!("{head}73686f776e{default}0000000000000000 {never_due}24{}00fb580202696e00", ids[0]),
        // wallet: name, description, balance 299, 2 entries
        format!("{head}77616c6c6574{default} {never_due}0f44656661756c74206163636f756e7400fb560202"),
        // the key's place in the due index
        format!("0277616c6c6574000002260ff9290000{key} "),
    ];
    assert_eq!(wallets.dump(), golden);
}

#[test]
fn random_calls_add_up_as_the_model_does() {
    for seed in 0..100 {
        let mut random = SmallRng::seed_from_u64(seed);
        let wallets = wallets();
        let mut model: BTreeMap<&str, i64> = BTreeMap::from([("default", 0)]);
        for step in 0..200 {
            let id = ["default", "a", "b"][random.random_range(0..3)];
            let amount = [1, 2, 50, i64::MAX - 3, 0, -1][random.random_range(0..6)];
            let held = model.get(id).copied();
            let why = format!("seed {seed}, step {step}: {id} {amount}");
            match random.random_range(0..8) {
                0 => {
                    assert_eq!(create(&wallets, id).is_ok(), held.is_none(), "{why}");
                    model.entry(id).or_insert(0);
                }
                1 if random.random_ratio(1, 3) => {
                    delete(&wallets, id).unwrap();
                    model.remove(id);
                    model.entry("default").or_insert(0);
                }
                2..=4 => {
                    let want = held.filter(|_| amount > 0).and_then(|held| held.checked_add(amount));
                    assert_eq!(credit(&wallets, id, amount).ok(), want, "{why}");
                    want.map(|balance| model.insert(id, balance));
                }
                _ => {
                    let want = held.filter(|held| amount > 0 && *held >= amount).map(|held| held - amount);
                    assert_eq!(debit(&wallets, id, amount).ok(), want, "{why}");
                    want.map(|balance| model.insert(id, balance));
                }
            }
        }
        let want: Vec<_> = model.iter().map(|(id, balance)| (id.to_string(), *balance)).collect();
        assert_eq!(list(&wallets), want, "seed {seed}");
        model.keys().for_each(|id| adds_up(&wallets, id));
        model.keys().for_each(|id| delete(&wallets, id).unwrap());
        assert_eq!(wallets.row_count(), 0, "seed {seed}");
    }
}
