use super::*;

fn write(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Box<dyn File> {
    let file = disk.open(name).or_else(|_| disk.create(name)).unwrap();
    file.write_at(bytes, 0).unwrap();
    file
}

fn read(disk: &dyn Disk, name: &str) -> Vec<u8> {
    let file = disk.open(name).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// The same for both disks: what callers may build on.
fn suite(disk: &dyn Disk) {
    assert!(disk.list().unwrap().is_empty());
    let file = write(disk, "a", b"hello");
    assert_eq!(disk.create("a").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(disk.open("b").unwrap_err().kind(), io::ErrorKind::NotFound);
    file.write_at(b"world", 3).unwrap();
    assert_eq!(read(disk, "a"), b"helworld");
    file.zero(1, 4).unwrap();
    assert_eq!(read(disk, "a"), b"h\0\0\0orld");
    file.set_len(2).unwrap();
    file.set_len(6).unwrap();
    assert_eq!(read(disk, "a"), b"h\0\0\0\0\0", "what was cut does not come back");
    assert_eq!(file.read_at(&mut [0; 7], 0).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    file.write_at(b"far", 5000).unwrap();
    assert_eq!(file.len().unwrap(), 5003);
    file.sync().unwrap();
    write(disk, "b", b"b");
    disk.rename("a", "b").unwrap();
    disk.sync_dir().unwrap();
    assert_eq!(read(disk, "b").len(), 5003);
    write(disk, "c", b"");
    disk.remove("b").unwrap();
    assert!(disk.remove("b").is_err() && disk.rename("b", "x").is_err());
    let held = disk.lock().unwrap();
    assert_eq!(disk.lock().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(held);
    drop(disk.lock().unwrap());
    assert!(disk.list().unwrap().contains(&"c".to_owned()));
}

#[test]
fn both_disks_keep_the_same_promises() {
    suite(&MemoryDisk::new(1));
    let folder = std::env::temp_dir().join(format!("commons-disk-{}", std::process::id()));
    let disk = RealDisk::open(&folder).unwrap();
    suite(&disk);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_crash_keeps_what_was_synced_and_nothing_else_for_sure() {
    let old = vec![1u8; 4 * 4096];
    let new = vec![2u8; 4 * 4096];
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = MemoryDisk::new(seed);
        write(&disk, "a", &old).sync().unwrap();
        disk.sync_dir().unwrap();
        write(&disk, "a", &new);
        write(&disk, "b", &new).sync().unwrap();
        assert_eq!(read(&disk.copy().crash(Fate::Kept), "a"), new);
        let lost = disk.copy().crash(Fate::Lost);
        assert_eq!((read(&lost, "a"), lost.list().unwrap()), (old.clone(), vec!["a".to_owned()]));
        let torn = disk.crash(Fate::Pages);
        let bytes = read(&torn, "a");
        assert!(bytes.chunks(4096).all(|page| page.iter().all(|byte| *byte == page[0])), "pages are whole");
        seen.insert((bytes.chunks(4096).map(|page| page[0]).collect::<Vec<_>>(), torn.list().unwrap().len()));
    }
    assert_eq!(seen.len(), 32, "every subset of four pages, with and without the unsynced name");
}

#[test]
fn a_kill_makes_nothing_durable() {
    let disk = MemoryDisk::new(1);
    write(&disk, "a", b"old").sync().unwrap();
    disk.sync_dir().unwrap();
    write(&disk, "a", b"new");
    write(&disk, "b", b"b");
    let disk = disk.crash(Fate::Kept);
    assert_eq!((read(&disk, "a"), disk.list().unwrap().len()), (b"new".to_vec(), 2));
    let disk = disk.crash(Fate::Lost);
    assert_eq!((read(&disk, "a"), disk.list().unwrap().len()), (b"old".to_vec(), 1));
}

#[test]
fn sectors_tear_within_a_page_and_in_any_version() {
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let disk = MemoryDisk::new(seed);
        write(&disk, "a", &[1; 4096]).sync().unwrap();
        disk.sync_dir().unwrap();
        write(&disk, "a", &[2; 4096]);
        write(&disk, "a", &[3; 4096]);
        let bytes = read(&disk.crash(Fate::Sectors), "a");
        assert!(bytes.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        kinds.extend(bytes.chunks(512).map(|sector| sector[0]));
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

/// What Linux does: the pages of a failed fsync are clean afterwards, readable, and not on disk.
#[test]
fn a_failed_sync_forgets() {
    let mut lost = 0;
    for seed in 0..40 {
        let disk = MemoryDisk::new(seed);
        let file = write(&disk, "a", b"old");
        file.sync().unwrap();
        disk.sync_dir().unwrap();
        file.write_at(b"new", 0).unwrap();
        disk.plan(Rule { on: Op::Sync, file: "a", skip: 0, fault: Fault::Eio });
        assert!(file.sync().is_err());
        assert_eq!(read(&disk, "a"), b"new");
        file.sync().unwrap();
        let after = disk.copy().crash(Fate::Lost);
        lost += usize::from(read(&after, "a") == b"old");
        file.write_at(b"new", 0).unwrap();
        file.sync().unwrap();
        assert_eq!(read(&disk.crash(Fate::Lost), "a"), b"new", "written again, it is");
    }
    assert!((5..35).contains(&lost), "{lost}");
}

#[test]
fn faults_strike_once_and_where_they_should() {
    let disk = MemoryDisk::new(1);
    write(&disk, "x", &[0; 3 * 4096]);
    let file = write(&disk, "a", &[0; 3 * 4096]);
    disk.plan(Rule { on: Op::Write, file: "a", skip: 1, fault: Fault::Misdirect { pages: 1 } });
    write(&disk, "x", b"x");
    file.write_at(b"1", 0).unwrap();
    file.write_at(b"2", 0).unwrap();
    let bytes = read(&disk, "a");
    assert_eq!((bytes[0], bytes[4096]), (b'1', b'2'));
    disk.plan(Rule { on: Op::Write, file: "", skip: 0, fault: Fault::LoseWrite });
    file.write_at(b"3", 0).unwrap();
    assert_eq!(read(&disk, "a")[0], b'1');
    disk.plan(Rule { on: Op::Sync, file: "", skip: 0, fault: Fault::Slow(std::time::Duration::from_millis(7)) });
    file.sync().unwrap();
    assert_eq!(disk.take_delay().as_millis(), 7);
    assert_eq!(disk.take_delay().as_millis(), 0);
    disk.set_capacity(Some(disk.used() + 10));
    assert_eq!(file.write_at(&[1; 20], 3 * 4096).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 3 * 4096 + 10, "what fits is written");
    file.write_at(&[1; 20], 0).unwrap();
}

#[test]
fn after_the_machine_stopped_old_handles_are_dead() {
    let disk = MemoryDisk::new(1);
    let file = write(&disk, "a", b"a");
    let held = disk.lock().unwrap();
    disk.die_at(disk.calls() + 1);
    assert!(file.write_at(b"b", 0).is_err() && file.sync().is_err() && disk.list().is_err());
    let next = disk.crash(Fate::Kept);
    assert!(file.sync().is_err() && disk.lock().is_err());
    let now = next.lock().unwrap();
    drop(held);
    assert!(next.lock().is_err(), "the dead process's guard frees nothing");
    drop(now);
}

#[test]
fn one_seed_is_one_history() {
    let run = |seed| {
        let disk = MemoryDisk::new(seed);
        disk.set_chances(Chances {
            sync_fails: 3_000,
            sync_is_slow: 3_000,
            slow_max: std::time::Duration::from_secs(1),
            ..Chances::default()
        });
        let file = write(&disk, "a", &[7; 9000]);
        let results: Vec<bool> =
            (0..20).map(|step| file.write_at(&[step; 5000], 100).and_then(|()| file.sync()).is_ok()).collect();
        disk.sync_dir().unwrap();
        file.write_at(&[9; 9000], 0).unwrap();
        let delay = disk.take_delay();
        (results, delay, read(&disk.crash(Fate::Sectors), "a"))
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}
