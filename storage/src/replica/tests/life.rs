//! Bootstrap, open, destroy, and the bytes of a state row.

use super::*;

#[test]
fn the_layout_of_a_state_row_does_not_change_by_accident() {
    let state = ReplicaState {
        generation: Generation(3),
        applied: Index(0x1122),
        applied_term: Term(7),
        conf_state: bytes("conf"),
    };
    let row = layout::live(&state);
    assert_eq!(
        row[..],
        *b"\x01\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x11\x22\x00\x00\x00\x00\x00\x00\x00\x07conf"
    );
    assert_eq!(layout::state(R1, row), Ok(Some(state)));
    assert_eq!(layout::state(R1, layout::destroyed()), Ok(None));
    assert_eq!(keys::state(R1), *b"\x01\0\0\0\0\0\0\x01\x02");
    assert_eq!(keys::rows_prefix(R1, Generation(3)), *b"\x02\0\0\0\0\0\0\x01\x02\0\0\0\x03");
}

#[test]
fn a_newer_state_row_is_refused_by_name() {
    let (_, engine) = memory();
    let row = Bytes::from_static(b"\x02whatever it means");
    engine
        .write(Batch { ops: vec![Op::Put { key: Bytes::copy_from_slice(&keys::state(R1)), value: row }] })
        .expect("written");
    let error = ReplicaStore::open(engine.clone(), R1).expect_err("refused");
    assert_eq!(error, Error::Newer { what: "the state row of replica r258".into(), version: 2, known: 1 });
    assert!(error.is_fatal());
    assert_eq!(replicas(&*engine), Err(error));
}

#[test]
fn a_short_state_row_is_refused() {
    let whole = layout::live(&start());
    for len in 0..22 {
        assert!(matches!(layout::state(R1, whole.slice(..len)), Err(Error::Malformed { .. })), "{len} bytes");
    }
    assert!(matches!(layout::state(R1, Bytes::from_static(&[1, 9])), Err(Error::Malformed { .. })));
    assert!(matches!(layout::state(R1, Bytes::from_static(&[0, 0])), Err(Error::Malformed { .. })));
}

#[test]
fn ranges_hold_one_generation_and_nothing_else() {
    for replica in [0, 1, 0xff, 0xffff_ffff_ffff_fffe, u64::MAX].map(ReplicaId) {
        for generation in [0, 1, 0xff, u32::MAX].map(Generation) {
            let key = keys::row(&keys::rows_prefix(replica, generation), &[0xff; 40]);
            assert!(keys::rows(replica, generation).contains(&key));
            assert!(keys::all_rows(replica).contains(&key));
            assert!(!keys::rows_before(replica, generation).contains(&key));
            assert!(!keys::rows_after(replica, generation).contains(&key));
            if let Some(next) = generation.0.checked_add(1).map(Generation) {
                assert!(keys::rows_before(replica, next).contains(&key));
                assert!(!keys::rows(replica, next).contains(&key));
                assert!(
                    keys::rows_after(replica, generation).contains(&keys::row(&keys::rows_prefix(replica, next), b""))
                );
            }
            for other in [replica.0.wrapping_sub(1), replica.0.wrapping_add(1)].map(ReplicaId) {
                assert!(!keys::all_rows(other).contains(&key));
            }
        }
    }
}

#[test]
fn bootstrap_is_durable_and_happens_once() {
    let (memory, engine) = memory();
    assert!(ReplicaStore::open(engine.clone(), R1).expect("opened").is_none());
    let store = bootstrapped(&engine, R1);
    assert_eq!(reopened(memory.crash(), R1).state(), start());
    assert_eq!(ReplicaStore::bootstrap(engine, R1, start()).expect_err("there already"), Error::Used(R1));
    assert_eq!(store.state(), start());
}

#[test]
fn a_destroyed_replica_stays_destroyed() {
    let (memory, engine) = memory();
    let (store, other) = (bootstrapped(&engine, R1), bootstrapped(&engine, R2));
    apply(&store, at(2, 1), [put("a", "1")]);
    apply(&other, at(2, 1), [put("a", "kept")]);
    let (reader, mut staging) = (store.clone(), store.stage().expect("staged"));
    let chunks = chunks_of(&other, CHUNK_BYTES);
    staging.feed(chunks[0].clone()).expect("taken");
    assert_eq!(ReplicaStore::is_destroyed(&*engine, R1), Ok(false));
    store.destroy().expect("destroyed");

    assert_eq!(reader.view(|_| Ok(())), Err(Error::Gone(R1)));
    assert_eq!(staging.feed(chunks[1].clone()).expect_err("over"), Error::Gone(R1));
    assert_eq!(reader.stage().expect_err("over"), Error::Gone(R1));
    for engine in [Arc::new(memory.crash()) as Arc<dyn Engine>, engine] {
        assert!(ReplicaStore::open(engine.clone(), R1).expect("opened").is_none());
        assert_eq!(ReplicaStore::is_destroyed(&*engine, R1), Ok(true));
        assert_eq!(ReplicaStore::bootstrap(engine.clone(), R1, start()).expect_err("used"), Error::Used(R1));
        assert_eq!(replicas(&*engine).expect("read").len(), 1);
        assert_eq!(strays(&*engine), [""; 0]);
        assert_eq!(line(&ReplicaStore::open(engine, R2).expect("opened").expect("there")), "a=kept");
    }
}

#[test]
fn a_damaged_state_row_is_found() {
    let (memory, engine) = memory();
    let store = bootstrapped(&engine, R1);
    memory.flip_row(&keys::state(R1), 77);
    let error = store.view(|_| Ok(())).expect_err("damaged");
    assert!(matches!(&error, Error::Engine(inner) if inner.is_damage()), "{error}");
    assert_eq!(ReplicaStore::open(engine, R1).expect_err("damaged"), error);
}
