//! Disks that fail under load: the node stops by name, or refuses, and never answers "done" for what it could not sync. After
//! each fault the node starts on the same folder without it, and everything is compared with what clients were told.
//!
//! Write and fsync errors come from a preloaded library; a full disk is a small memory disk in a mount namespace, which needs
//! root: without it that test says so and passes.

use anyhow::{Context, Result, ensure};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use services::cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::faults::{Call, Failing, Namespace, Which, can_mount};
use tests::load::{Doors, Until, check, collect, start};
use tests::{Exit, Setup, Verb, wait};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// A fault is met at once under load, and at the next flush (30 s) by the state engine.
const STOPS_WITHIN: Duration = Duration::from_secs(60);

fn setup() -> Result<Setup> {
    Ok(Setup::new(Verb::Start)?.arg("--groups").arg("2"))
}

/// Load, then the fault: how the node ended. Then it starts without the fault and is held against every answer.
async fn fault(setup: Setup, failing: &Failing, name: &str) -> Result<Exit> {
    let mut node = setup.start().await?;
    let mut doors = vec![];
    for _ in 0..8 {
        doors.push(Doors::of(&node).await?);
    }
    check::create(&doors[0]).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let clients = start(name, &doors, &mut StdRng::seed_from_u64(3), &Until::Told(stop.clone()));
    wait::pass(Duration::from_millis(200)).await;
    failing.arm()?;
    let exit = node.ended(STOPS_WITHIN).await.with_context(|| format!("{name}: the node goes on"))?;
    stop.store(true, Ordering::Relaxed);
    ensure!(exit.code() == Some(1), "{name}: {}: {}", exit.status, exit.said);
    node.setup.plain();
    node.restart().await?;
    let told = collect(clients).await?;
    ensure!(told.len() > 20, "{name}: there was load");
    check::era(&doors[0], &told, &mut Default::default()).await.with_context(|| name.to_string())?;
    for record in told.iter().filter(|record| record.op.has_id()).take(20) {
        check::asked_again(&doors[0], record).await.with_context(|| name.to_string())?;
    }
    node.check_no_panic()?;
    Ok(exit)
}

async fn on_log(call: Call, which: Which, errno: i32) -> Result<()> {
    let name = format!("{call:?} {which:?} error {errno}").replace(['(', ')', ' '], "-");
    let (setup, failing) = Failing::on(setup()?, "log", call, which, errno)?;
    let exit = fault(setup, &failing, &name).await?;
    let words = if errno == ENOSPC { ["the disk is full", "start again"] } else { ["could not", "check the disk"] };
    for word in words {
        ensure!(exit.said.contains(word), "{name}: it does not say {word:?}: {}", exit.said);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_fsync_of_the_log_that_fails_once_ends_the_node() -> Result<()> {
    for nth in [1, 2, 17] {
        on_log(Call::Sync, Which::Only(nth), EIO).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_syncs_no_more() -> Result<()> {
    on_log(Call::Sync, Which::From(5), EIO).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_to_the_log_that_fails_half_way() -> Result<()> {
    for nth in [1, 8] {
        on_log(Call::Write, Which::Only(nth), EIO).await?;
    }
    on_log(Call::Write, Which::From(3), ENOSPC).await
}

/// What cannot be flushed is not purged from the log: after the fault all of it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_of_the_state_that_fails() -> Result<()> {
    for (call, errno) in [(Call::Sync, EIO), (Call::Write, EIO)] {
        let name = format!("state-{call:?}-{errno}");
        let (setup, failing) = Failing::on(setup()?, "state", call, Which::From(1), errno)?;
        let mut node = setup.start().await?;
        let doors = vec![Doors::of(&node).await?, Doors::of(&node).await?];
        check::create(&doors[0]).await?;
        let told = collect(start(&name, &doors, &mut StdRng::seed_from_u64(4), &Until::Done(100))).await?;
        failing.arm()?;
        // A clean end flushes; one that cannot is no clean end.
        let exit = node.stop().await?;
        ensure!(exit.code() == Some(1), "{name}: {}: {}", exit.status, exit.said);
        ensure!(exit.said.contains("the state can no longer be written"), "{name}: {}", exit.said);
        node.setup.plain();
        node.restart().await?;
        check::era(&doors[0], &told, &mut Default::default()).await.context(name)?;
        node.check_no_panic()?;
    }
    Ok(())
}

/// A disk with no room for the next segment: every "done" is there once there is room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk() -> Result<()> {
    if !can_mount() {
        eprintln!("not tested: a full disk needs a mount namespace, which needs root");
        return Ok(());
    }
    let setup = setup()?;
    let at = setup.folder().join("disk");
    std::fs::create_dir_all(&at)?;
    let disk = Namespace::small_disk(&at, 96 << 20)?;
    let ballast = at.join("ballast");
    let data = at.join("data");
    // The node knows its folder by its own name, the test sees it through the holder's root.
    let mut node = setup.data(disk.path(&data)).seen_as(&data).under(disk.enter()).start().await?;
    let doors = vec![Doors::of(&node).await?, Doors::of(&node).await?];
    check::create(&doors[0]).await?;
    let told = collect(start("before", &doors, &mut StdRng::seed_from_u64(5), &Until::Done(50))).await?;
    let client = node.client().await?.with_deadline(Duration::from_secs(10));
    let mut done: Vec<i64> = vec![];
    let mut kept = vec![];
    let mut refusal = None;
    for n in 0..4_000 {
        if n == 50 {
            disk.fill(&ballast, 0)?;
        }
        let key = format!("blob {}", n % 40);
        let request = cache::SetRequest {
            key: key.clone(),
            value: format!("{n} {}", "x".repeat(60 << 10)),
            ..Default::default()
        };
        match client.call(request).await {
            Ok(_) => {
                kept.retain(|(held, _)| *held != key);
                kept.push((key, n));
                done.push(n);
            }
            Err(error) => {
                refusal = Some((error, key));
                break;
            }
        }
    }
    let (error, unsure) = refusal.context("a full disk must be noticed")?;
    println!("{} values of 60 KiB were kept, 50 of them before the disk was full; then: {error}", done.len());
    if node.is_running() {
        // It may refuse and live; then whatever it says "done" to from here on is held as well.
        let _ = client.call(cache::SetRequest { key: "late".into(), value: "v".into(), ..Default::default() }).await;
        node.kill()?;
    } else {
        let exit = node.ended(STOPS_WITHIN).await?;
        ensure!(exit.code() == Some(1), "{}: {}", exit.status, exit.said);
        ensure!(
            exit.said.contains("full") || exit.said.contains("No space left"),
            "it must name a full disk: {}",
            exit.said
        );
    }
    // Still full: whether it starts or not, it says why and loses nothing.
    node.spawn()?;
    if node.ready().await.is_ok() {
        node.kill()?;
    }
    disk.empty(&ballast)?;
    node.restart().await?;
    let doors = Doors::of(&node).await?;
    check::era(&doors, &told, &mut Default::default()).await?;
    for (key, n) in kept.iter().filter(|(key, _)| *key != unsure) {
        let held = doors.client.call(cache::GetRequest { key: key.clone() }).await?.value;
        ensure!(
            held.starts_with(&format!("{n} ")),
            "{key} was answered with {n} and holds {:?}",
            &held[..held.len().min(20)]
        );
    }
    let unsure_now = doors.http.call("/v1/cache/Get", &json!({"key": unsure})).await?.done()?;
    ensure!(
        unsure_now["value"].as_str().is_some_and(|value| value.is_empty() || value.ends_with('x')),
        "whole or absent"
    );
    node.check_no_panic()
}
