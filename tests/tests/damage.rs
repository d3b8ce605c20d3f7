//! Damage at rest, on real files: the node refuses by name, says what to do, changes nothing, and never serves a wrong row.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use services::{cache, wallet};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tests::cli::commons;
use tests::faults::{Namespace, can_mount, crc32, cut, flip, last_written_page, segments};
use tests::{Exit, Node, Setup, Verb, place, wait};

const SOON: Duration = Duration::from_secs(30);

/// What a node was told and holds.
const CREDITS: i64 = 40;
const KEYS: i64 = 200;

/// A node with money and keys in it.
async fn node() -> Result<Node> {
    let node = Setup::new(Verb::Start)?.arg("--groups").arg("2").start().await?;
    let client = node.client().await?;
    for n in 1..=CREDITS {
        let request =
            wallet::CreditRequest { amount: n, reference: format!("c{n}"), visible: true, ..Default::default() };
        client.call(request).await?;
    }
    for n in 0..KEYS {
        client
            .call(cache::SetRequest {
                key: format!("key {n}"),
                value: format!("value {n} {}", "x".repeat(200)),
                ..Default::default()
            })
            .await?;
    }
    Ok(node)
}

fn balance() -> i64 {
    (1..=CREDITS).sum()
}

/// The node must not start: how it ends.
async fn refuses(node: &mut Node) -> Result<Exit> {
    let before = place::contents(&node.data())?;
    node.spawn()?;
    let exit = node.ended(SOON).await.context("a damaged node must not run")?;
    ensure!(exit.code() == Some(1), "{}: {}", exit.status, exit.said);
    ensure!(!exit.said.contains("panicked"), "{}", exit.said);
    for (path, bytes) in before {
        // The log, which cannot be had again, and the key. RocksDB moves rows between its files whenever it is open.
        let name = path.file_name().context("a name")?;
        let watched = name == "token" || name != "LOCK" && path.parent().is_some_and(|parent| parent.ends_with("log"));
        let same = !watched || fs::read(&path).ok().as_ref() == Some(&bytes);
        ensure!(same, "the refusal changed {}", path.display());
    }
    Ok(exit)
}

fn says(exit: &Exit, words: &[&str]) -> Result<()> {
    words.iter().try_for_each(|word| {
        ensure!(exit.said.contains(word), "it does not say {word:?}:\n{}", exit.said);
        Ok(())
    })
}

/// After `commons repair` the node starts, and holds a beginning of what it was told.
async fn repaired(node: &mut Node) -> Result<()> {
    let data = node.data();
    let repair = commons(["repair", "--data", data.to_str().context("a path")?])?;
    ensure!(repair.code == Some(0), "{repair:?}");
    node.restart().await?;
    let listed = node
        .client()
        .await?
        .call(wallet::TransactionsRequest { limit: 1000, ..Default::default() })
        .await?
        .transactions;
    for (n, transaction) in (1..).zip(&listed) {
        ensure!((transaction.amount, &transaction.reference) == (n, &format!("c{n}")), "{transaction:?}");
    }
    let balance = node.client().await?.call(wallet::BalanceRequest::default()).await?.balance;
    ensure!(balance == listed.iter().map(|transaction| transaction.amount).sum::<i64>(), "its balance is {balance}");
    node.client()
        .await?
        .call(wallet::CreditRequest { amount: 1, reference: "after".into(), ..Default::default() })
        .await?;
    node.check_no_panic()
}

#[tokio::test]
async fn a_bit_in_the_log() -> Result<()> {
    let mut node = node().await?;
    node.kill()?;
    let segment = segments(&node.data())?.pop().context("a segment")?;
    let last = last_written_page(&segment)?;
    // Somewhere in the middle, in the header of a page, and in what was acknowledged last.
    for (page, offset) in [(last / 2, 100), (last / 3, 9), (last, 50), (last, 2)] {
        let bit = (page * 4096 + offset) * 8 + 3;
        flip(&segment, bit)?;
        let exit = refuses(&mut node).await?;
        says(&exit, &["the log is damaged at segment 1, page", "must not vote again", "commons repair --data"])?;
        flip(&segment, bit)?;
    }
    node.restart().await?;
    assert_eq!(node.client().await?.call(wallet::BalanceRequest::default()).await?.balance, balance(), "whole again");
    node.kill()?;
    let segment = segments(&node.data())?.pop().context("a segment")?;
    flip(&segment, (last / 2 * 4096 + 100) * 8)?;
    refuses(&mut node).await?;
    repaired(&mut node).await
}

/// A quiet log has an idle mark behind its last batch: that batch is damage when it goes, never a torn tail.
#[tokio::test]
async fn the_last_acknowledged_batch_lost_whole() -> Result<()> {
    let mut node = node().await?;
    let segment = segments(&node.data())?.pop().context("a segment")?;
    let marked = async |behind: u64| {
        wait::until("idle mark at the end of the log", SOON, || async {
            let last = last_written_page(&segment)?;
            Ok((last > behind && kind(&segment, last)? == IDLE).then_some(last))
        })
        .await
    };
    let before = marked(0).await?;
    let request = wallet::CreditRequest { amount: 5, reference: "last".into(), visible: true, ..Default::default() };
    node.client().await?.call(request).await?;
    let after = marked(before).await?;
    node.kill()?;
    assert!(after > before + 1, "something lies between the marks");
    let file = fs::OpenOptions::new().write(true).open(&segment)?;
    for page in before + 1..after {
        std::os::unix::fs::FileExt::write_all_at(&file, &[0; 4096], page * 4096)?;
    }
    let exit = refuses(&mut node).await?;
    says(&exit, &["the log is damaged at segment 1, page", "commons repair --data"])?;
    repaired(&mut node).await
}

const IDLE: u8 = 3;

/// The byte of a page that tells what it is.
fn kind(segment: &Path, page: u64) -> Result<u8> {
    let mut byte = [0];
    std::os::unix::fs::FileExt::read_exact_at(&fs::File::open(segment)?, &mut byte, page * 4096 + 4)?;
    Ok(byte[0])
}

#[tokio::test]
async fn files_missing_and_cut() -> Result<()> {
    let mut node = node().await?;
    node.kill()?;
    let data = node.data();
    let segment = segments(&data)?.pop().context("a segment")?;
    let whole = fs::read(&segment)?;
    let last = last_written_page(&segment)?;
    let away = node.setup.folder().join("away");

    fs::rename(&segment, &away)?;
    says(&refuses(&mut node).await?, &["the segment's file is missing", "commons repair --data"])?;
    fs::rename(&away, &segment)?;

    cut(&segment, last / 2 * 4096)?;
    says(&refuses(&mut node).await?, &["of 16777216 bytes", "commons repair --data"])?;
    fs::write(&segment, &whole)?;

    let manifest = data.join("log/MANIFEST");
    let good = fs::read(&manifest)?;
    flip(&manifest, 8 * 40)?;
    node.restart().await.context("the manifest has a twin")?;
    node.kill()?;
    fs::write(&manifest, &good)?;
    flip(&manifest, 8 * 40)?;
    flip(&manifest, 8 * (4096 + 40))?;
    says(&refuses(&mut node).await?, &["the manifest cannot be used"])?;
    fs::write(&manifest, &good)?;

    for (name, words) in
        [("log", "has lost its log/ folder"), ("state", "has lost its state/ folder"), ("identity", "identity is gone")]
    {
        fs::rename(data.join(name), &away)?;
        says(&refuses(&mut node).await?, &[words, "put"])?;
        let _ = fs::remove_dir_all(data.join(name));
        fs::rename(&away, data.join(name))?;
    }
    node.restart().await?;
    assert_eq!(node.client().await?.call(wallet::BalanceRequest::default()).await?.balance, balance(), "whole again");
    node.check_no_panic()
}

#[tokio::test]
async fn another_nodes_files() -> Result<()> {
    let (mut node, mut other) = (node().await?, node().await?);
    let (own, foreign) = (node.status().await?["cluster_id"].clone(), other.status().await?["cluster_id"].clone());
    let (own, foreign) = (own.as_str().context("an id")?, foreign.as_str().context("an id")?);
    node.kill()?;
    // A clean end flushes: its rows are in its files, and further along than this node's log begins.
    other.stop().await?;
    let away = node.setup.folder().join("away");

    fs::rename(node.path("identity"), &away)?;
    fs::copy(other.path("identity"), node.path("identity"))?;
    says(&refuses(&mut node).await?, &[own, foreign, "data folder"])?;
    fs::rename(&away, node.path("identity"))?;

    fs::rename(node.path("log"), &away)?;
    place::copy(&other.path("log"), &node.path("log"))?;
    says(&refuses(&mut node).await?, &[own, foreign, "data folder"])?;
    fs::remove_dir_all(node.path("log"))?;
    fs::rename(&away, node.path("log"))?;

    // Its own log over another node's state: rows nobody here was told of.
    fs::rename(node.path("state"), &away)?;
    place::copy(&other.path("state"), &node.path("state"))?;
    says(&refuses(&mut node).await.context("another node's state")?, &[own, foreign, "data folder"])?;
    fs::remove_dir_all(node.path("state"))?;
    fs::rename(&away, node.path("state"))?;

    node.restart().await?;
    assert_eq!(node.client().await?.call(wallet::BalanceRequest::default()).await?.balance, balance(), "whole again");
    node.check_no_panic()
}

#[tokio::test]
async fn newer_formats() -> Result<()> {
    let mut node = node().await?;
    node.kill()?;
    let identity = fs::read_to_string(node.path("identity"))?;
    let lines = identity.split("crc ").next().context("lines")?.replace("format 1", "format 2");
    fs::write(node.path("identity"), format!("{lines}crc {:08x}\n", crc32(lines.as_bytes())))?;
    says(&refuses(&mut node).await?, &["has format 2", "start the newer binary again"])?;
    fs::write(node.path("identity"), &identity)?;

    let manifest = node.path("log/MANIFEST");
    let good = fs::read(&manifest)?;
    let mut newer = good.clone();
    for page in newer.chunks_mut(4096) {
        page[4..6].copy_from_slice(&9_u16.to_le_bytes());
        let sum = crc32(&page[4..]);
        page[..4].copy_from_slice(&sum.to_le_bytes());
    }
    fs::write(&manifest, &newer)?;
    says(&refuses(&mut node).await?, &["written by a newer version", "format 9"])?;
    fs::write(&manifest, &good)?;
    node.restart().await
}

#[tokio::test]
async fn a_folder_that_cannot_be_written() -> Result<()> {
    let mut node = node().await?;
    node.kill()?;
    if !can_mount() {
        eprintln!("not tested: a read-only folder needs a mount namespace, which needs root");
        return Ok(());
    }
    let disk = Namespace::read_only(&node.data())?;
    node.setup.plain();
    node.setup.add_under(disk.enter());
    says(&refuses(&mut node).await?, &["is not writable for this user", "--data"])?;
    node.setup.plain();
    node.restart().await?;
    assert_eq!(node.client().await?.call(wallet::BalanceRequest::default()).await?.balance, balance());
    Ok(())
}

/// Bits of the state engine's files, everywhere in them: the node refuses, or answers an error, or what is true.
#[tokio::test]
async fn a_bit_in_applied_rows() -> Result<()> {
    let mut node = node().await?;
    // A clean end flushes: the rows are in files and nowhere else.
    assert_eq!(node.stop().await?.code(), Some(0));
    let mut tables: Vec<_> = place::contents(&node.path("state"))?
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "sst"))
        .collect();
    tables.sort_by_key(|(_, bytes)| bytes.len());
    let (largest, bytes) = tables.pop().context("a table")?;
    assert!(bytes.len() > 2_000, "{} bytes", bytes.len());
    let good = node.setup.folder().join("good");
    place::copy(&node.data(), &good)?;
    let (mut refused, mut named, mut true_all_the_same) = (0, 0, 0);
    for part in 0..16 {
        fs::remove_dir_all(node.data())?;
        place::copy(&good, &node.data())?;
        flip(&largest, (bytes.len() as u64 * part / 16 + 11) * 8 + part % 8)?;
        node.spawn()?;
        if let Err(why) = node.ready().await {
            let why = format!("{why:#}");
            ensure!(why.contains("exit status: 1") && !why.contains("panicked"), "{why}");
            ensure!(
                why.contains("damaged") && why.contains("put back a copy"),
                "it must name the damage and what to do: {why}"
            );
            refused += 1;
            continue;
        }
        match reads(&node).await? {
            0 => true_all_the_same += 1,
            _ => named += 1,
        }
        node.kill()?;
    }
    node.check_no_panic()?;
    println!(
        "16 flipped bits: {refused} refused at start, {named} answered by an error, {true_all_the_same} met nothing that was read"
    );
    ensure!(refused + named > 8, "most bits of a table matter: {refused} refused, {named} named");
    Ok(())
}

/// Reads everything: what is answered is true. How many were errors; those name what is wrong.
async fn reads(node: &Node) -> Result<u32> {
    let mut errors = 0;
    let http = node.caller();
    let mut ask = async |path: &str, body: serde_json::Value, right: &dyn Fn(&serde_json::Value) -> bool| {
        let Ok(reply) = http.call(path, &body).await else {
            // A node may stop at damage rather than answer.
            errors += 1;
            return anyhow::Ok(());
        };
        let value = reply.json()?;
        if reply.code == 200 {
            ensure!(right(&value), "{path} {body} was answered {value}");
        } else {
            ensure!(
                reply.code >= 500 && value["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
                "{path}: {value}"
            );
            errors += 1;
        }
        Ok(())
    };
    let held = json!(balance().to_string());
    ask("/v1/wallet/Balance", json!({}), &|value| value["balance"] == held).await?;
    ask("/v1/wallet/Transactions", json!({"limit": 1000}), &|value| {
        value["transactions"].as_array().is_some_and(|all| all.len() == CREDITS as usize)
    })
    .await?;
    ask("/v1/cache/ListKeys", json!({}), &|value| {
        value["keys"].as_array().is_some_and(|all| all.len() == KEYS as usize)
    })
    .await?;
    for n in 0..KEYS {
        let want = format!("value {n} {}", "x".repeat(200));
        ask("/v1/cache/Get", json!({"key": format!("key {n}")}), &|value| value["value"] == want).await?;
    }
    Ok(errors)
}

/// What ended an earlier life counts once: it must not cost a healthy node its replicas when it has peers one day.
#[tokio::test]
async fn a_note_of_damage_is_over_once_the_node_opens() -> Result<()> {
    let mut node = node().await?;
    node.kill()?;
    let note = node.path("damaged");
    fs::write(&note, "a row was damaged\n")?;
    node.restart().await?;
    ensure!(!note.exists(), "the note is still there");
    assert_eq!(node.client().await?.call(wallet::BalanceRequest::default()).await?.balance, balance());
    node.check_no_panic()
}
