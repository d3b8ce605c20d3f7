//! Rounds: several replicas, one batch; rows and positions come and go together.

use super::*;
use crate::state::Fault;

#[test]
fn a_round_of_several_replicas_is_one_batch() {
    let (memory, engine) = memory();
    let (one, two) = (bootstrapped(&engine, R1), bootstrapped(&engine, R2));
    let mut round = Round::new();
    assert!(round.is_empty());
    round.apply(&two, at(2, 1), [put("a", "two")]);
    round.apply(&one, at(2, 1), [put("a", "one"), put("b", "one")]);
    round.apply(&one, Applied { conf_state: Some(bytes("voters 1 2")), ..at(3, 2) }, []);
    round.apply(&one, at(5, 2), [Op::Delete { key: bytes("b") }]);
    assert!(!round.is_empty() && round.bytes() > 0);
    assert_eq!(line(&one), "", "nothing shows before the round is written");
    round.write().expect("written");
    assert_eq!(memory.unflushed(), 1);
    assert_eq!((line(&one), line(&two)), ("a=one".into(), "a=two".into()));
    let expected =
        ReplicaState { applied: Index(5), applied_term: Term(2), conf_state: bytes("voters 1 2"), ..start() };
    assert_eq!(one.state(), expected);
    assert_eq!(one.view(|rows| Ok(rows.state().clone())), Ok(expected.clone()));
    assert_eq!(
        replicas(&*engine).expect("read"),
        [(R1, expected), (R2, ReplicaState { applied: Index(2), ..start() })]
    );
}

#[test]
fn an_empty_round_writes_nothing() {
    let (memory, engine) = memory();
    bootstrapped(&engine, R1);
    Round::new().write().expect("nothing to do");
    assert_eq!(memory.unflushed(), 0);
}

#[test]
fn an_entry_without_rows_moves_the_position() {
    let (memory, engine) = memory();
    let store = bootstrapped(&engine, R1);
    apply(&store, at(2, 4), []);
    assert_eq!((store.state().applied, store.state().applied_term), (Index(2), Term(4)));
    assert_eq!(reopened(memory.crash_keeping(1), R1).state(), store.state());
}

#[test]
fn p18_rows_position_and_membership_roll_back_together() {
    let watched = Arc::new(Watched::default());
    let engine: Arc<dyn Engine> = watched.clone();
    let store = bootstrapped(&engine, R1);
    watched.images();
    for index in 2..30u64 {
        let conf_state = (index % 3 == 0).then(|| bytes(&format!("conf {index}")));
        let ops = [put(&format!("row {}", index % 4), &index.to_string()), put("last", &index.to_string())];
        apply(&store, Applied { conf_state, ..at(index, index / 5 + 1) }, ops);
        if index % 7 == 0 {
            engine.flush().expect("flushed");
        }
    }
    let images = watched.images();
    assert!(images.len() > 100);
    for image in images {
        let store = reopened(image, R1);
        let ReplicaState { applied, applied_term, conf_state, .. } = store.state();
        let conf = applied.0 - applied.0 % 3;
        assert_eq!(applied_term.0, if applied.0 < 2 { 1 } else { applied.0 / 5 + 1 });
        assert_eq!(conf_state, if conf < 2 { bytes("voters 1") } else { bytes(&format!("conf {conf}")) });
        let last = store.view(|rows| Ok(rows.get(b"last")?)).expect("read");
        assert_eq!(last, (applied.0 >= 2).then(|| bytes(&applied.0.to_string())));
    }
}

#[test]
fn p18_what_a_flush_reports_survives_a_crash() {
    let (memory, engine) = memory();
    let store = bootstrapped(&engine, R1);
    for index in 2..20 {
        apply(&store, at(index, 1), [put("last", &index.to_string())]);
        if index % 5 == 0 {
            let flushed = flush(&*engine).expect("flushed");
            assert_eq!(flushed, [(R1, store.state())]);
        }
        for kept in 0..=memory.unflushed() {
            let applied = reopened(memory.crash_keeping(kept), R1).state().applied;
            assert!(applied.0 >= index - index % 5 || index < 5, "{applied} after a flush at {}", index - index % 5);
        }
    }
}

/// Applies one more entry the moment a flush has ended, as the applier beside it may.
struct Busy {
    memory: Memory,
    next: Mutex<Option<Batch>>,
}

impl Engine for Busy {
    fn write(&self, batch: Batch) -> Result<(), crate::state::Error> {
        self.memory.write(batch)
    }
    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        self.memory.view(read);
    }
    fn flush(&self) -> Result<(), crate::state::Error> {
        self.memory.flush()?;
        self.next.lock().expect("one thread").take().map_or(Ok(()), |batch| self.memory.write(batch))
    }
    fn stats(&self) -> Stats {
        self.memory.stats()
    }
}

#[test]
fn p18_what_is_applied_during_a_flush_is_not_reported_as_flushed() {
    let busy = Arc::new(Busy { memory: Memory::new(), next: Mutex::default() });
    let engine: Arc<dyn Engine> = busy.clone();
    bootstrapped(&engine, R1);
    let newer = ReplicaState { applied: Index(2), ..start() };
    let ops = vec![Op::Put { key: Bytes::copy_from_slice(&keys::state(R1)), value: layout::live(&newer) }];
    *busy.next.lock().expect("one thread") = Some(Batch { ops });
    assert_eq!(flush(&*engine).expect("flushed"), [(R1, start())]);
    assert_eq!(replicas(&*engine).expect("read"), [(R1, newer)]);
    assert_eq!(replicas(&busy.memory.crash()).expect("read"), [(R1, start())]);
}

#[test]
fn p4_a_view_reads_one_moment() {
    let (_, engine) = memory();
    let store = bootstrapped(&engine, R1);
    apply(&store, at(2, 1), [put("a", "1"), put("b", "1")]);
    store
        .view(|rows| {
            apply(&store, at(3, 1), [put("a", "2"), Op::DeleteRange { from: bytes("b"), to: bytes("c") }]);
            assert_eq!(
                (rows.state().applied, rows.get(b"a")?, rows.get(b"b")?),
                (Index(2), Some(bytes("1")), Some(bytes("1")))
            );
            Ok(())
        })
        .expect("read");
    assert_eq!(line(&store), "a=2");
}

#[test]
fn keys_stay_inside_their_replica() {
    let (_, engine) = memory();
    let (one, two) = (bootstrapped(&engine, R1), bootstrapped(&engine, R2));
    apply(&two, at(2, 1), [put("", "two"), put("\u{7f}", "two")]);
    let everything = Op::DeleteRange { from: bytes(""), to: Bytes::from_static(&[0xff; 20]) };
    apply(&one, at(2, 1), [put("", "one"), Op::Put { key: Bytes::from_static(&[0xff; 8]), value: bytes("one") }]);
    assert_eq!(line(&one), r"=one \xff\xff\xff\xff\xff\xff\xff\xff=one");
    apply(&one, at(3, 1), [everything]);
    assert_eq!(line(&one), "");
    assert_eq!(line(&two), "=two \\x7f=two");
    let backwards = two.view(|rows| Ok(rows.scan(b""..&[0xff], Order::Descending, 1)?)).expect("read");
    assert_eq!(backwards, [(bytes("\u{7f}"), bytes("two"))]);
}

#[test]
fn after_a_full_disk_the_same_entries_apply_again() {
    let (memory, engine) = memory();
    let store = bootstrapped(&engine, R1);
    memory.inject(Fault::Full, 0);
    let mut round = Round::new();
    round.apply(&store, at(2, 1), [put("a", "1")]);
    assert!(!round.write().expect_err("full").is_fatal());
    assert_eq!((store.state(), line(&store)), (start(), String::new()));
    memory.free();
    apply(&store, at(2, 1), [put("a", "1")]);
    assert_eq!(line(&store), "a=1");
}

#[test]
fn an_entry_is_never_applied_twice() {
    let (_, engine) = memory();
    let store = bootstrapped(&engine, R1);
    apply(&store, at(2, 2), []);
    for again in [at(2, 2), at(1, 2), at(3, 1)] {
        let applied = std::panic::AssertUnwindSafe(|| Round::new().apply(&store, again.clone(), []));
        assert!(std::panic::catch_unwind(applied).is_err(), "{again:?}");
    }
    assert_eq!(store.state().applied, Index(2));
}

#[test]
fn equal_rows_have_equal_hashes_wherever_they_lie() {
    let (_, engine) = memory();
    let (one, two) = (bootstrapped(&engine, R1), bootstrapped(&engine, R2));
    apply(&one, at(2, 1), [put("a", "1"), put("b", "2")]);
    apply(&two, at(2, 1), [put("b", "2"), put("c", "3"), put("a", "1"), Op::Delete { key: bytes("c") }]);
    assert_eq!(one.hash().expect("read"), two.hash().expect("read"));
    assert_eq!(one.hash().expect("read").rows, 2);
    let table: [&[Op]; 4] = [
        &[put("a", "2")],
        &[put("c", "")],
        &[Op::Delete { key: bytes("a") }],
        &[put("a1", ""), Op::Delete { key: bytes("a") }],
    ];
    for (n, ops) in table.into_iter().enumerate() {
        apply(&two, at(3 + n as u64, 1), ops.iter().cloned());
        assert_ne!(one.hash().expect("read").hash, two.hash().expect("read").hash, "{ops:?}");
    }
}
