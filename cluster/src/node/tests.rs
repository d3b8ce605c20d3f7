//! The three parts stepped by hand.

use super::{ApplyJob, Ask, Job, LogJob, Parts};
use crate::consensus::{Input, Settings};
use crate::group::Group;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::disk::MemoryDisk;
use storage::log::{Log, Options};
use storage::state::Memory;
use wire::ids::{ClusterId, GroupId, NodeId};

/// A new node of one.
fn founded() -> Parts {
    let options = Options::new(ClusterId([7; 16]), NodeId(1)).create(5);
    let (log, recovered) = Log::open(Arc::new(MemoryDisk::new(1)), &options).expect("a new log");
    Parts::open(Arc::new(Memory::new()), log, recovered, 1, Settings::default(), Duration::ZERO).expect("founded")
}

/// Whoever's read is answered goes on at once, on another thread, and proposes in the term it leads in.
#[test]
fn a_read_is_answered_after_leadership_shows() {
    let mut parts = founded();
    let handle = parts.handles(Arc::new(Some))[&GroupId::META].clone();
    let seen = Arc::new(Mutex::new(None));
    let done = {
        let (handle, seen) = (handle.clone(), seen.clone());
        Box::new(move |read: Result<_, _>| *seen.lock().unwrap() = Some((read.is_ok(), handle.leading().is_some())))
    };
    let mut asks = vec![Ask::Read { group: GroupId::META, done }];
    for _ in 0..1000 {
        let now = parts.turning.core().next_tick();
        asks.push(Ask::Input(Input::Tick));
        let (mut log, mut apply): (Vec<LogJob>, Vec<ApplyJob>) = Default::default();
        for job in parts.turning.turn(std::mem::take(&mut asks), now) {
            match job {
                Job::Log(job) => log.push(job),
                Job::Apply(job) => apply.push(job),
                Job::Flush(_) | Job::Send { .. } | Job::Snapshot(_) => {}
            }
        }
        asks.extend(parts.writer.write(log).expect("written").into_iter().map(|id| Ask::Input(Input::Synced(id))));
        asks.extend(parts.applier.apply(apply).expect("applied").into_iter().map(Ask::Input));
        if let Some(seen) = *seen.lock().unwrap() {
            assert_eq!(seen, (true, true), "answered, and leads by then");
            return;
        }
    }
    panic!("the read was never answered");
}
