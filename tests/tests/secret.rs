//! A cluster changes its secret while it works, and whoever missed that is told what to do.

use anyhow::{Context, Result, ensure};
use client::Client;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::cli::{Ran, commons, commons_reading};
use tests::{Node, Setup, Verb, wait};

const SOON: Duration = Duration::from_secs(60);
const TOKEN: &str = "cmn_0123456789abcdef0123456789abcdef";

/// Three nodes, each with a file of its own that holds the secret.
async fn three() -> Result<Vec<Node>> {
    let mut nodes: Vec<Node> = vec![];
    for _ in 0..3 {
        let mut setup = Setup::new(Verb::Start)?.token(TOKEN)?.arg("--groups").arg("2");
        if let Some(first) = nodes.first() {
            fs::copy(first.path("secret"), setup.folder().join("data").join("secret"))?;
            setup = setup.arg("--join").arg(first.listen().to_string());
        }
        nodes.push(setup.start().await?);
    }
    whole(&nodes).await?;
    Ok(nodes)
}

async fn whole(nodes: &[Node]) -> Result<()> {
    let tolerates = || async {
        let status = nodes[0].status().await?;
        Ok((status["tolerates_failures"] == 1).then_some(()))
    };
    wait::until("a cluster that tolerates a failure", SOON, tolerates).await
}

async fn secret(command: &'static str, node: &Node, more: &[&str]) -> Result<Ran> {
    let data = node.data().display().to_string();
    let args: Vec<String> =
        ["secret", command, "--data", &data].iter().chain(more).map(|word| word.to_string()).collect();
    let ran = tokio::task::spawn_blocking(move || commons(args.iter().map(String::as_str))).await??;
    ensure!(ran.code == Some(0), "secret {command}: {ran:?}");
    Ok(ran)
}

async fn trusting(node: &Node, ca: &str) -> Result<Client, client::Error> {
    let client = Client::builder().node(node.listen().to_string()).token(TOKEN).deadline(SOON);
    client.ca(ca).connect().await
}

/// Adds one until told to stop; every answer counts.
async fn count(client: Client, stop: Arc<AtomicBool>) -> Result<u64> {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        client.call_json("cache", "Increment", &json!({"key": "n", "value": 1})).await?;
        done += 1;
    }
    Ok(done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_changes_under_load_and_every_answer_holds() -> Result<()> {
    let mut nodes = three().await?;
    let before = secret("show", &nodes[0], &[]).await?.out;
    let ca = secret("ca", &nodes[0], &[]).await?.out;
    let stop = Arc::new(AtomicBool::new(false));
    let mut counting = tokio::task::JoinSet::new();
    for node in &nodes {
        counting.spawn(count(trusting(node, &ca).await?, stop.clone()));
    }
    let asked = nodes[1].listen().to_string();
    let told = secret("rotate", &nodes[0], &["--node", &asked]).await?;
    stop.store(true, Ordering::Relaxed);
    let mut counted = 0;
    while let Some(done) = counting.join_next().await {
        counted += done??;
    }
    let after = secret("show", &nodes[0], &[]).await?.out;
    ensure!(before != after && told.out.contains("the cluster's secret is"), "{told:?}");
    for node in &nodes[1..] {
        ensure!(secret("show", node, &[]).await?.out == after, "{} has another secret", node.listen());
    }
    // In the window a client with the old certificate still comes in; the command prints both for it.
    ensure!(secret("ca", &nodes[2], &[]).await?.out.matches("BEGIN").count() == 2);
    let late = trusting(&nodes[2], &ca).await?;
    let read = late.call_json("cache", "Get", &json!({"key": "n"})).await?;
    let counted = counted.to_string();
    ensure!(counted != "0" && read["value"] == *counted, "{read}, and {counted} were answered");
    // All of it is there after a restart of everything.
    for node in &mut nodes {
        node.kill()?;
    }
    for node in &mut nodes {
        node.spawn()?;
    }
    for node in &mut nodes {
        node.ready().await?;
    }
    whole(&nodes).await?;
    let read = trusting(&nodes[1], &ca).await?.call_json("cache", "Get", &json!({"key": "n"})).await?;
    ensure!(read["value"] == *counted, "{read}, and {counted} were answered");
    nodes.iter().try_for_each(Node::check_no_panic)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_missed_it_says_so_and_comes_back_with_the_command() -> Result<()> {
    let mut nodes = three().await?;
    let ca = secret("ca", &nodes[0], &[]).await?.out;
    let (old_secret, old_meta) = (fs::read(nodes[2].path("secret"))?, fs::read(nodes[2].path("meta"))?);
    let asked = nodes[0].listen().to_string();
    secret("rotate", &nodes[0], &["--node", &asked, "--window", "0"]).await?;
    let closed = || async {
        let held: Vec<String> =
            nodes.iter().map(|node| fs::read_to_string(node.path("secret"))).collect::<Result<_, _>>()?;
        Ok(held.iter().all(|held| held.lines().count() == 1 && *held == held_by(&nodes[0])).then_some(()))
    };
    wait::until("one secret on all nodes", SOON, closed).await?;
    let refused = trusting(&nodes[0], &ca).await.err().context("the old certificate is still good")?;
    ensure!(matches!(refused, client::Error::Untrusted { .. }), "{refused:?}");
    // As if the third node had been down all the while: it has what it had.
    nodes[2].stop().await?;
    fs::write(nodes[2].path("secret"), old_secret)?;
    fs::write(nodes[2].path("meta"), old_meta)?;
    nodes[2].spawn()?;
    let node = &nodes[2];
    let told = || async { Ok(node.said().contains("commons secret set").then_some(())) };
    wait::until("a word on what to do", Duration::from_secs(20), told).await?;
    nodes[2].stop().await?;
    let text = secret("show", &nodes[0], &[]).await?.out;
    let data = nodes[2].data().display().to_string();
    let set = tokio::task::spawn_blocking(move || commons_reading(["secret", "set", "--data", &data], &text)).await??;
    ensure!(set.code == Some(0), "{set:?}");
    nodes[2].restart().await?;
    whole(&nodes).await?;
    wait::until("one secret on all nodes", SOON, || async {
        Ok((fs::read_to_string(nodes[2].path("secret"))? == held_by(&nodes[0])).then_some(()))
    })
    .await?;
    nodes.iter().try_for_each(Node::check_no_panic)
}

fn held_by(node: &Node) -> String {
    fs::read_to_string(node.path("secret")).unwrap_or_default()
}
