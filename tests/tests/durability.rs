//! What an answer is worth, seen from outside: fsyncs counted by strace, and how many commands share one.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use services::wallet::CreditRequest;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::faults::Failing;
use tests::{Node, Setup, Verb, binary};

const CALLS: usize = 200;

/// A sync of a log file, in seconds since 1970: when it was called and when it had returned 0.
#[derive(Clone, Copy, Debug)]
struct Sync {
    called: f64,
    returned: f64,
}

/// 200 answers one after another: at least 200 syncs, and between each request and its answer a whole one.
#[tokio::test]
async fn each_of_200_answers_in_a_row_has_a_sync_of_its_own() -> Result<()> {
    if !binary::on_path("strace") {
        eprintln!("not tested: strace is not installed (cargo xtask setup installs it)");
        return Ok(());
    }
    let setup = Setup::new(Verb::Start)?;
    let trace = setup.folder().join("trace");
    // -D: the tracer is a grandchild, so the node keeps its pid and its parent.
    let words =
        ["strace", "-D", "-f", "-qq", "-y", "-ttt", "-T", "-e", "trace=fdatasync,fsync,sync_file_range,msync", "-o"];
    let mut node = setup.under(words).under([&trace]).start().await?;
    let http = node.caller();
    let before = syncs(&node).await?;
    let mut calls = vec![];
    for n in 1..=CALLS {
        let asked = now();
        let reply = http.call("/v1/wallet/Credit", &json!({"amount": 1, "reference": "x"})).await?.done()?;
        calls.push((asked, now()));
        ensure!(reply == json!({"balance": n.to_string()}), "{reply}");
    }
    let counted = syncs(&node).await? - before;
    node.stop().await?;
    let seen = parse(&trace)?;
    let (first, last) = (calls[0].0, calls[CALLS - 1].1);
    let within = seen.iter().filter(|sync| sync.called >= first && sync.returned <= last).count();
    println!("{CALLS} answers in a row: strace saw {within} syncs of the log, the node counted {counted}");
    ensure!(within >= CALLS, "{within} syncs for {CALLS} answers");
    ensure!(counted as usize >= CALLS, "the node counted {counted}");
    for (n, (asked, answered)) in calls.iter().enumerate() {
        let own = seen.iter().any(|sync| sync.called >= *asked && sync.returned <= *answered);
        ensure!(own, "answer {n} came without a sync between request and answer");
    }
    Ok(())
}

/// 64 writers: at least 20 commands share an fsync. The disk is made as slow as a real one (4 ms a sync), so that the
/// machine's own does not decide; what its own gives is printed beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_share_their_syncs() -> Result<()> {
    let own = writers(Setup::new(Verb::Start)?.start().await?).await?;
    let slow = writers(Failing::slow(Setup::new(Verb::Start)?, "log", 4_000)?.start().await?).await?;
    println!("commands an fsync at 64 writers: {slow:.1} with 4 ms a sync, {own:.1} with this machine's own");
    ensure!(slow >= 20.0, "{slow:.1} commands an fsync at 64 writers");
    ensure!(own > 1.0, "{own:.1} commands an fsync on this machine's own disk");
    Ok(())
}

/// Answered calls over the syncs they took.
async fn writers(node: Node) -> Result<f64> {
    const WRITERS: usize = 64;
    const EACH: usize = 60;
    let client = node.client().await?;
    for n in 0..WRITERS {
        let request = services::wallet::CreateRequest { id: format!("w{n}"), ..Default::default() };
        client.call(request).await?;
    }
    let before = syncs(&node).await?;
    let writers = (0..WRITERS).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..EACH {
                let (id, reference) = (format!("w{n}"), "x".into());
                client.call(CreditRequest { id, amount: 1, reference, ..Default::default() }).await?;
            }
            anyhow::Ok(())
        })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        writer.await.context("a writer")??;
    }
    let taken = syncs(&node).await? - before;
    ensure!(taken > 0, "answers without a sync");
    Ok((WRITERS * EACH) as f64 / taken as f64)
}

async fn syncs(node: &Node) -> Result<u64> {
    node.status().await?["log"]["syncs"].as_u64().context("log.syncs")
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

/// `PID TIME fdatasync(12</…/log/…>) = 0 <0.000123>`, or the same in two lines when threads take turns.
fn parse(trace: &Path) -> Result<Vec<Sync>> {
    let text = std::fs::read_to_string(trace)?;
    let mut open = std::collections::BTreeMap::new();
    let mut seen = vec![];
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(pid), Some(time)) = (words.next(), words.next().and_then(|time| time.parse::<f64>().ok())) else {
            continue;
        };
        let of_log = line.contains("/log/");
        let done = line.contains("= 0 <");
        if line.contains("unfinished") {
            open.insert(pid.to_string(), (time, of_log));
        } else if line.contains("resumed>") {
            if let Some((called, true)) = open.remove(pid)
                && done
            {
                seen.push(Sync { called, returned: time });
            }
        } else if of_log && done {
            let took = line.rsplit_once('<').and_then(|(_, took)| took.trim_end_matches('>').parse::<f64>().ok());
            seen.push(Sync { called: time, returned: time + took.context("a duration")? });
        }
    }
    Ok(seen)
}
