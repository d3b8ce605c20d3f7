//! Reads, order, batches, views.

use super::*;

pub fn an_empty_engine_holds_nothing(rig: &mut impl Rig) {
    assert_eq!(get(rig, "a"), Ok(None));
    assert_eq!(all(rig), "");
    write(rig, []);
    rig.engine().flush().expect("flushed");
    assert_eq!(all(rig), "");
}

pub fn reads_find_what_was_written(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "")]);
    assert_eq!(get(rig, "a"), Ok(Some("1".into())));
    assert_eq!(get(rig, "b"), Ok(Some("".into())), "an empty value is a value");
    write(rig, [put("a", "2"), delete("b"), delete("never there")]);
    assert_eq!(all(rig), "a=2");
}

pub fn scans_go_both_ways_within_bounds_and_limits(rig: &mut impl Rig) {
    write(rig, ["a", "b", "ba", "c", "d"].map(|key| put(key, key)));
    // Half of it in a file, half in memory, must not show.
    rig.engine().flush().expect("flushed");
    write(rig, [put("bb", "bb"), delete("c"), put("e", "e")]);
    rig.engine().view(&mut |view| {
        let table = [
            ("a".."e", Order::Ascending, 9, "a=a b=b ba=ba bb=bb d=d"),
            ("a".."e", Order::Descending, 9, "d=d bb=bb ba=ba b=b a=a"),
            ("b".."bb", Order::Ascending, 9, "b=b ba=ba"),
            ("b".."bb", Order::Descending, 9, "ba=ba b=b"),
            ("aa".."dd", Order::Ascending, 2, "b=b ba=ba"),
            ("aa".."dd", Order::Descending, 2, "d=d bb=bb"),
            ("a".."e", Order::Ascending, 0, ""),
            ("c".."d", Order::Ascending, 9, ""),
            ("c".."d", Order::Descending, 9, ""),
            ("".."a", Order::Descending, 9, ""),
            ("e".."z", Order::Descending, 9, "e=e"),
            ("f".."z", Order::Ascending, 9, ""),
        ];
        for (range, order, limit, expected) in table {
            assert_eq!(line(view, range.clone(), order, limit), expected, "{range:?} {order:?} {limit}");
        }
    });
}

pub fn visits_stop_when_told(rig: &mut impl Rig) {
    write(rig, ["a", "b", "c"].map(|key| put(key, key)));
    let mut seen = Vec::new();
    rig.engine().view(&mut |view| {
        let mut row = |key, _| {
            seen.push(key);
            if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        view.visit(b"a"..b"z", Order::Ascending, &mut row).expect("visited");
    });
    assert_eq!(seen, ["a", "b"].map(bytes));
}

pub fn empty_and_inverted_ranges_hold_nothing(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "2"), delete_range("a", "a"), delete_range("b", "a"), delete_range("b", "")]);
    assert_eq!(all(rig), "a=1 b=2");
    rig.engine().view(&mut |view| {
        for range in ["a".."a", "b".."a", "".."", "a"..""] {
            for order in [Order::Ascending, Order::Descending] {
                assert_eq!(line(view, range.clone(), order, 9), "", "{range:?}");
            }
        }
    });
}

pub fn a_batch_applies_in_order(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("a", "2"), put("b", "1"), delete("b"), delete("c"), put("c", "1")]);
    assert_eq!(all(rig), "a=2 c=1");
}

pub fn a_range_delete_spares_what_comes_after_it(rig: &mut impl Rig) {
    write(rig, ["a", "b", "c", "d"].map(|key| put(key, "old")));
    rig.engine().flush().expect("flushed");
    write(rig, [put("ca", "same batch, before"), delete_range("b", "d"), put("c", "same batch, after")]);
    assert_eq!(all(rig), "a=old c=same batch, after d=old");
    write(rig, [put("b", "later")]);
    rig.engine().flush().expect("flushed");
    assert_eq!(all(rig), "a=old b=later c=same batch, after d=old");
    rig.reopen();
    assert_eq!(all(rig), "a=old b=later c=same batch, after d=old");
}

pub fn views_do_not_move_while_others_write(rig: &mut impl Rig) {
    write(rig, [put("a", "1"), put("b", "1")]);
    let engine = rig.engine();
    engine.view(&mut |view| {
        assert_eq!(line(view, "".."~", Order::Ascending, 9), "a=1 b=1");
        let ops = vec![put("a", "2"), delete_range("b", "c"), put("c", "2")];
        engine.write(Batch { ops }).expect("a writer does not wait for readers");
        engine.flush().expect("nor does a flush");
        assert_eq!(line(view, "".."~", Order::Ascending, 9), "a=1 b=1");
        assert_eq!(view.get(b"c"), Ok(None));
        engine.view(&mut |newer| assert_eq!(line(newer, "".."~", Order::Ascending, 9), "a=2 c=2"));
    });
    assert_eq!(all(rig), "a=2 c=2");
}
