//! Group commit: what comes while a disk syncs goes with the next sync.

use super::rig::{Rig, bump};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const WRITERS: usize = 64;
const ROUNDS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_share_their_fsyncs() {
    let rig = Arc::new(Rig::start().await);
    for writer in 0..WRITERS {
        rig.call(bump(&format!("e{writer}"), 1)).await.unwrap();
    }
    rig.syncs.slow_ms.store(3, Ordering::SeqCst);
    let before = rig.log();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let rig = rig.clone();
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let count = rig.call(bump(&format!("e{writer}"), 1)).await.unwrap().count;
                    assert_eq!(count, round as i64 + 2);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let after = rig.log();
    let (commands, syncs) = ((WRITERS * ROUNDS) as u64, after.syncs - before.syncs);
    assert!(commands >= 20 * syncs, "{commands} commands took {syncs} fsyncs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_another_each_has_its_fsync() {
    let rig = Rig::start().await;
    let before = rig.log();
    for _ in 0..200 {
        rig.call(bump("e", 1)).await.unwrap();
    }
    assert!(rig.log().syncs - before.syncs >= 200);
}
