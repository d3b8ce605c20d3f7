//! One round: writers in a closed loop, what they saw, and what it took.

mod book;

use crate::disk::Device;
use crate::machine::{self, Used};
use crate::stores::Writer;
use anyhow::{Context, Result, ensure};
use book::Book;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// Different keys all writers of a round choose from, together.
pub const KEYS: u64 = 100_000;
/// Bytes of a value.
pub const VALUE_BYTES: usize = 128;
/// Connections are warm and batches have their size after this long.
const BEGINNING: Duration = Duration::from_millis(300);
/// Keys each writer reads back when the round is over; at least so many in all, if so many were written.
const READ_BACK: usize = 200;

/// What a round measured.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub commands_per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// The device's, all of them; `None` if nobody counts them.
    pub flushes_per_second: Option<f64>,
    /// CPU time a command: the store's and the writers'.
    pub store: Duration,
    pub writers: Duration,
    /// The part of the machine that others used meanwhile.
    pub others: f64,
    pub read_back: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Beginning,
    Measured,
    Over,
}

/// Runs `writers` against the store with this `pid`. `tag` tells the values of rounds apart.
pub async fn round<W: Writer + 'static>(
    writers: Vec<W>,
    length: Duration,
    tag: u64,
    pid: u32,
    device: &Device,
) -> Result<Round> {
    let phase = Rc::new(Cell::new(Phase::Beginning));
    let all = writers.len();
    let local = LocalSet::new();
    let running: Vec<_> = writers
        .into_iter()
        .enumerate()
        .map(|(n, writer)| local.spawn_local(write(writer, Book::new(n, all, tag), phase.clone())))
        .collect();
    let measured = local.run_until(async {
        wait(BEGINNING).await;
        phase.set(Phase::Measured);
        let before = Moment::now(pid, device)?;
        wait(length).await;
        let after = Moment::now(pid, device)?;
        phase.set(Phase::Over);
        Ok::<_, anyhow::Error>((before, after))
    });
    let (before, after) = measured.await?;
    let mut latencies = Vec::new();
    let mut read_back = 0;
    for (n, writer) in running.into_iter().enumerate() {
        let done = local.run_until(writer).await.context("a writer panicked")?;
        let (seen, read) = done.with_context(|| format!("writer {n} of {all}"))?;
        latencies.extend(seen);
        read_back += read;
    }
    summary(latencies, read_back, before, after)
}

/// Writes until the phase is over, then reads back a sample of what it wrote.
async fn write<W: Writer>(mut writer: W, mut book: Book, phase: Rc<Cell<Phase>>) -> Result<(Vec<u32>, usize)> {
    let mut random = SmallRng::seed_from_u64(book.seed());
    let mut latencies = Vec::with_capacity(1 << 12);
    loop {
        let (key, value) = book.next(random.random());
        let begun = Instant::now();
        writer.set(key, value).await?;
        match phase.get() {
            Phase::Beginning => {}
            Phase::Measured => latencies.push(u32::try_from(begun.elapsed().as_nanos()).unwrap_or(u32::MAX)),
            Phase::Over => break,
        }
    }
    let sample = book.sample(READ_BACK.div_ceil(book.writers()), &mut random);
    let read = sample.len();
    for (key, value) in sample {
        let found = writer.get(&key).await?;
        ensure!(found == value, "LOST: {key} was acknowledged as {value:?} and holds {found:?}");
    }
    Ok((latencies, read))
}

/// The counters at a moment.
struct Moment {
    at: Instant,
    flushes: Option<u64>,
    store: Used,
    own: Used,
    machine: Duration,
}

impl Moment {
    fn now(pid: u32, device: &Device) -> Result<Moment> {
        Ok(Moment {
            at: Instant::now(),
            flushes: device.flushes(),
            store: Used::of(pid)?,
            own: Used::own()?,
            machine: machine::user_time()?,
        })
    }
}

fn summary(mut latencies: Vec<u32>, read_back: usize, before: Moment, after: Moment) -> Result<Round> {
    let commands = latencies.len();
    ensure!(commands > 0, "no command was answered in the whole round");
    latencies.sort_unstable();
    let percentile = |part: usize| Duration::from_nanos(latencies[(commands * part / 100).min(commands - 1)].into());
    let took = after.at - before.at;
    let (store, own) = (after.store.since(before.store), after.own.since(before.own));
    let machine = after.machine.saturating_sub(before.machine);
    let others = machine.saturating_sub(store.user + own.user);
    let flushes = before.flushes.zip(after.flushes).map(|(before, after)| after - before);
    Ok(Round {
        commands_per_second: commands as f64 / took.as_secs_f64(),
        p50: percentile(50),
        p99: percentile(99),
        flushes_per_second: flushes.map(|flushes| flushes as f64 / took.as_secs_f64()),
        store: store.all() / commands as u32,
        writers: own.all() / commands as u32,
        others: others.as_secs_f64() / took.as_secs_f64() / machine::cores() as f64,
        read_back,
    })
}

/// Lets a round run.
pub async fn wait(time: Duration) {
    // tidy: sleep because the time that passes is what is measured, nothing is waited for
    tokio::time::sleep(time).await;
}
