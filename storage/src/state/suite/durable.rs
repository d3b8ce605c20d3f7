//! Flushes, crashes, damage.

use super::*;

pub fn a_flush_survives_a_crash(rig: &mut impl Rig) {
    write(rig, [put("a", "1")]);
    write(rig, [put("b", "1")]);
    rig.engine().flush().expect("flushed");
    rig.crash();
    assert_eq!(all(rig), "a=1 b=1");
}

pub fn a_crash_takes_only_what_was_not_flushed(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "1")]);
    rig.engine().flush().expect("flushed");
    write(rig, [put("a", "2"), delete("b"), put("c", "2")]);
    assert_eq!(all(rig), "a=2 c=2");
    rig.crash();
    assert_eq!(all(rig), "a=1 b=1");
    write(rig, [put("c", "3")]);
    rig.engine().flush().expect("flushed");
    rig.crash();
    assert_eq!(all(rig), "a=1 b=1 c=3");
}

pub fn a_clean_stop_keeps_everything(rig: &mut impl Rig) {
    write(rig, [put("a", "1")]);
    rig.engine().flush().expect("flushed");
    write(rig, [put("b", "2")]);
    rig.reopen();
    assert_eq!(all(rig), "a=1 b=2");
}

pub fn a_crash_forgets_range_deletes_whole(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "1"), put("c", "1")]);
    rig.engine().flush().expect("flushed");
    write(rig, [delete_range("a", "c"), put("b", "2")]);
    rig.crash();
    assert_eq!(all(rig), "a=1 b=1 c=1");
}

fn damaged(key: &str) -> Error {
    Error::Damaged { key: key.into() }
}

pub fn a_flipped_bit_is_found_and_named(rig: &mut impl Rig) {
    let (value, stored_bits) = ("twelve cents", ("twelve cents".len() as u64 + 4) * 8);
    for bit in 0..stored_bits {
        write(rig, [put("wallet\n1", value), put("z", "1")]);
        rig.flip(b"wallet\n1", bit);
        assert_eq!(get(rig, "wallet\n1"), Err(damaged(r"wallet\n1")), "bit {bit}");
    }
    rig.engine().view(&mut |view| {
        for order in [Order::Ascending, Order::Descending] {
            assert_eq!(view.scan(b"a"..b"~", order, 9), Err(damaged(r"wallet\n1")));
        }
    });
}

pub fn a_misdirected_read_is_found(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "1")]);
    rig.misdirect(b"a", b"b");
    assert_eq!(get(rig, "a"), Err(damaged("a")));
}

pub fn a_damaged_row_harms_no_other(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "2"), put("c", "3")]);
    rig.flip(b"b", 3);
    assert_eq!(get(rig, "a"), Ok(Some("1".into())));
    assert_eq!(get(rig, "c"), Ok(Some("3".into())));
    write(rig, [put("b", "new")]);
    assert_eq!(all(rig), "a=1 b=new c=3");
}
