//! Random work, crashes at random calls of the disk, compared with the model: what was acknowledged is there, what was not is
//! there whole or not at all.

use super::world::*;
use crate::disk::{Chances, Fate, MemoryDisk, Rng};
use crate::log::*;

/// Lives of one node on one disk. `None` = the disk tore a page in the middle, which reads as damage.
fn lives(seed: u64, fates: &[Fate], chances: Chances) -> Option<u64> {
    let mut rng = Rng::new(seed);
    let mut disk = MemoryDisk::new(seed ^ 0xd15c);
    // What may be found: the acknowledged, or with what was under way.
    let mut may = vec![Model::default()];
    let mut acked = 0;
    for life in 0..12 {
        if rng.chance(3_000) {
            disk.die_at(disk.calls() + 1 + rng.below(60));
        }
        disk.set_chances(if life < 10 { chances } else { Chances::default() });
        let fate = fates[rng.below(fates.len() as u64) as usize];
        let (mut log, recovered) = match open(&disk) {
            Ok(opened) => opened,
            Err(OpenError::Io { .. }) => {
                disk = disk.crash(fate);
                continue;
            }
            Err(OpenError::Damaged(_)) if fates.contains(&Fate::Sectors) => return None,
            Err(error) => panic!("seed {seed}, life {life}: {error}"),
        };
        let found = Model { replicas: recovered.replicas };
        assert!(may.contains(&found), "seed {seed}, life {life}: found neither what was acknowledged nor the next");
        let mut model = found;
        if rng.chance(8_000) {
            disk.die_at(disk.calls() + 1 + rng.below(150));
        }
        may = loop {
            if rng.chance(100) {
                break vec![model];
            }
            if rng.chance(500) && log.seal_idle().is_err() {
                break vec![model];
            }
            let mut queue = Vec::new();
            let mut after = model.clone();
            for _ in 0..1 + rng.below(3) {
                let work = after.next_batch(&mut rng);
                after.apply(&work);
                queue.push(work);
            }
            match log.append_all(&queue) {
                Ok(()) => {
                    acked += 1;
                    model = after;
                }
                Err(LogError::TooLarge { .. }) => {}
                Err(LogError::Io { .. }) => {
                    assert!(log.is_dead() && matches!(log.append(&add(9, 1, 1, 1, 1)), Err(LogError::Dead { .. })));
                    break vec![model, after];
                }
                Err(error) => panic!("seed {seed}, life {life}: {error}"),
            }
        };
        drop(log);
        disk = disk.crash(fate);
    }
    Some(acked)
}

#[test]
fn acked_is_kept_and_unacked_is_whole_or_absent() {
    let acked: u64 =
        (0..400).filter_map(|seed| lives(seed, &[Fate::Kept, Fate::Lost, Fate::Pages], Chances::default())).sum();
    assert!(acked > 20_000, "only {acked} appends: the test tests little");
}

#[test]
fn a_disk_whose_writes_and_syncs_fail_loses_nothing_acked() {
    let chances = Chances { write_fails: 40, sync_fails: 80, ..Chances::default() };
    for seed in 1_000..1_300 {
        lives(seed, &[Fate::Kept, Fate::Kept, Fate::Lost, Fate::Pages], chances);
    }
}

#[test]
fn a_disk_that_tears_sectors_is_told_or_harmless() {
    let whole = (2_000..2_300).filter(|&seed| lives(seed, &[Fate::Sectors], Chances::default()).is_some()).count();
    assert!(whole > 20, "only {whole} seeds ended without a torn page");
}
