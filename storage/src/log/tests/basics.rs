use super::world::*;
use crate::disk::{Fate, MemoryDisk};
use crate::log::*;
use wire::ids::{ClusterId, NodeId, ReplicaId};

#[test]
fn what_was_appended_is_there_after_a_crash() {
    let disk = MemoryDisk::new(1);
    let (mut log, recovered) = open(&disk).unwrap();
    assert!(recovered.created && recovered.replicas.is_empty());
    let mut model = Model::default();
    let bootstrap = ReplicaAppend { reset: Some(at(1, 1)), hard_state: Some(hard(1, 0, 1)), ..of(5) };
    for work in [
        batch([bootstrap]),
        add(5, 2, 9, 1, 100),
        batch([ReplicaAppend { entries: entries(7, 8, 2, 10), hard_state: Some(hard(2, 5, 6)), ..of(5) }, of(9)]),
        batch([ReplicaAppend { purge: Some(at(4, 1)), ..of(5) }]),
    ] {
        log.append(&work).unwrap();
        model.apply(&work);
    }
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas, model.replicas);
    assert_eq!(recovered.replicas[&ReplicaId(5)].entries.len(), 4);
    assert!(recovered.torn.is_none() && recovered.marks.is_empty());
}

#[test]
fn a_drained_queue_is_one_sync() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    log.append(&add(1, 1, 1, 1, 10)).unwrap();
    let before = log.counters();
    let queue: Vec<LogBatch> = (2..34).map(|index| add(1, index, index, 1, 10)).collect();
    log.append_all(&queue).unwrap();
    let after = log.counters();
    assert_eq!((after.units - before.units, after.batches - before.batches), (1, 32));
    assert_eq!(after.syncs - before.syncs, 1);
    assert_eq!(after.entries - before.entries, 32);
}

#[test]
fn what_breaks_a_rule_is_refused_and_leaves_nothing() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    let begin = ReplicaAppend { reset: Some(at(10, 3)), entries: entries(11, 14, 3, 10), ..of(1) };
    let begin = batch([ReplicaAppend { hard_state: Some(hard(4, 2, 11)), ..begin }]);
    log.append(&begin).unwrap();
    let refused = [
        ("a hole", add(1, 16, 16, 3, 1)),
        ("behind the start", add(1, 10, 10, 3, 1)),
        ("a falling term", add(1, 15, 15, 2, 1)),
        ("a falling term after a cut", add(1, 12, 12, 2, 1)),
        ("indexes not dense", batch([ReplicaAppend { entries: vec![entry(15, 3, 1), entry(17, 3, 1)], ..of(1) }])),
        ("the hard state's term falls", batch([ReplicaAppend { hard_state: Some(hard(3, 2, 11)), ..of(1) }])),
        ("a second vote in a term", batch([ReplicaAppend { hard_state: Some(hard(4, 3, 11)), ..of(1) }])),
        ("purge beyond the end", batch([ReplicaAppend { purge: Some(at(15, 3)), ..of(1) }])),
        ("purge of another term", batch([ReplicaAppend { purge: Some(at(12, 4)), ..of(1) }])),
    ];
    for (what, work) in refused {
        let good = add(2, 1, 1, 1, 10);
        let error = log.append_all(&[good, work]).unwrap_err();
        assert!(matches!(error, LogError::Broken(_)), "{what}: {error}");
    }
    assert!(!log.is_dead());
    log.append(&add(1, 15, 15, 3, 1)).unwrap();
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Kept)).unwrap();
    assert_eq!(recovered.replicas.keys().copied().collect::<Vec<_>>(), [ReplicaId(1)]);
}

#[test]
fn a_folder_that_is_not_ours_is_refused_by_name() {
    let disk = MemoryDisk::new(1);
    let open = |options: Options| Log::open(std::sync::Arc::new(disk.clone()), &options).map(|_| ()).unwrap_err();
    assert!(matches!(open(Options::new(CLUSTER, NODE)), OpenError::NoLog));
    let held = super::world::open(&disk).unwrap();
    assert!(matches!(open(options()), OpenError::Locked));
    drop(held);
    assert!(matches!(open(Options::new(ClusterId([8; 16]), NODE)), OpenError::WrongCluster { .. }));
    assert!(matches!(open(Options::new(CLUSTER, NodeId(2))), OpenError::WrongNode { found: NODE, .. }));
}

#[test]
fn a_batch_larger_than_a_segment_is_refused() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    let max = log.batch_bytes_max();
    let error = log.append(&add(1, 1, 1, 1, max + 4096)).unwrap_err();
    assert!(matches!(error, LogError::TooLarge { .. }), "{error}");
    log.append(&add(1, 1, 1, 1, max - 200)).unwrap();
    // More than one segment in one call: several steps, each batch whole.
    let queue: Vec<LogBatch> = (2..9).map(|index| add(1, index, index, 1, max / 2)).collect();
    log.append_all(&queue).unwrap();
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas[&ReplicaId(1)].entries.len(), 8);
}
