//! Several nodes from the outside: they form, replicate, survive any of them, and refuse by name what must not be.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use tests::cluster::{Cluster, Size};
use tests::faults::{flip, last_written_page, segments};
use tests::{Node, Setup, Verb, place, wait};

const SOON: Duration = Duration::from_secs(60);
const THREE: Size = Size { nodes: 3, groups: 4 };
const KEYS: usize = 40;

async fn three() -> Result<Cluster> {
    let cluster = Cluster::start(THREE, None).await?;
    cluster.settled(SOON).await?;
    Ok(cluster)
}

/// Adds one to each key, by way of node `number`.
async fn count(cluster: &Cluster, number: usize) -> Result<()> {
    for key in 0..KEYS {
        let body = json!({"key": format!("k{key}"), "value": 1});
        cluster.http(number).call("/v1/cache/Increment", &body).await?.done().with_context(|| format!("key {key}"))?;
    }
    Ok(())
}

/// Every key, read by way of node `number`, has been counted so often.
async fn counted(cluster: &Cluster, number: usize, times: usize) -> Result<()> {
    for key in 0..KEYS {
        let reply = cluster.http(number).call("/v1/cache/Get", &json!({"key": format!("k{key}")})).await?.done()?;
        ensure!(
            reply["value"] == json!(times.to_string()),
            "node {} says {reply} of k{key}, counted {times} times",
            number + 1
        );
    }
    Ok(())
}

fn says(node: &Node, words: &[&str]) -> Result<()> {
    let said = node.said();
    words.iter().try_for_each(|word| {
        ensure!(said.contains(word), "it does not say {word:?}:\n{said}");
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_may_die_and_any_node_answers() -> Result<()> {
    let mut cluster = three().await?;
    let status = cluster.status(1).await?;
    ensure!(status["tolerates_failures"] == 1, "{status}");
    count(&cluster, 0).await?;
    for victim in 0..3 {
        cluster.nodes[victim].kill()?;
        let others: Vec<usize> = (0..3).filter(|other| *other != victim).collect();
        count(&cluster, others[0]).await?;
        counted(&cluster, others[1], victim + 2).await?;
        let dead = wait::until("the dead node in the status", SOON, || async {
            let status = cluster.status(others[0]).await?;
            Ok(nodes(&status, "dead").eq(&1).then_some(status))
        });
        let status = dead.await?;
        ensure!(
            status["tolerates_failures"] == 0 && status["advice"].as_str().is_some_and(|a| a.contains("down")),
            "{status}"
        );
        cluster.nodes[victim].restart().await?;
        cluster.settled(SOON).await?;
        counted(&cluster, victim, victim + 2).await?;
    }
    // The lights go out.
    cluster.nodes.iter_mut().try_for_each(Node::kill)?;
    cluster.nodes.iter_mut().try_for_each(Node::spawn)?;
    for node in &mut cluster.nodes {
        node.ready().await?;
    }
    cluster.settled(SOON).await?;
    counted(&cluster, 2, 4).await?;
    cluster.check_no_panic()
}

fn nodes(status: &Value, state: &str) -> usize {
    status["nodes"].as_array().map_or(0, |nodes| nodes.iter().filter(|node| node["state"] == state).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quorum_nothing_is_done_and_old_rows_may_be_asked_for() -> Result<()> {
    let mut cluster = three().await?;
    count(&cluster, 0).await?;
    cluster.nodes[1].kill()?;
    cluster.nodes[2].kill()?;
    let http = cluster.http(0);
    let refused = wait::until("the refusal", SOON, || async {
        // Before it is noticed a write may be on its way already: `unknown`, and done once there is a quorum again.
        let reply = http.call("/v1/cache/Increment", &json!({"key": "probe", "value": 1})).await?;
        ensure!(reply.code != 200, "a write was answered by one of three");
        Ok(reply.json()?["reason"].eq("no_quorum").then_some(reply))
    });
    let refused = refused.await?;
    ensure!(refused.code == 503 && refused.header("commons-outcome") == Some("not_run"), "{}", refused.text());
    let read = http.call("/v1/cache/Get", &json!({"key": "k0"})).await?;
    ensure!(read.code == 503, "a read that may be stale was not marked: {}", read.text());
    ensure!(http.get("/readyz").await?.code == 503, "it is not ready");
    cluster.nodes[1].restart().await?;
    counted(&cluster, 0, 1).await?;
    cluster.check_no_panic()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_named_and_the_replicas_are_replaced() -> Result<()> {
    let mut cluster = three().await?;
    count(&cluster, 0).await?;
    cluster.nodes[1].kill()?;
    let data = cluster.nodes[1].data();
    let segment = segments(&data)?.pop().context("a segment")?;
    flip(&segment, (last_written_page(&segment)? / 2 * 4096 + 100) * 8)?;
    cluster.nodes[1].restart().await?;
    says(&cluster.nodes[1], &["the log is damaged at segment", "set aside"])?;
    cluster.settled(SOON).await?;
    counted(&cluster, 1, 1).await?;
    // And it is a full member: without another one everything goes on.
    cluster.nodes[0].kill()?;
    count(&cluster, 1).await?;
    counted(&cluster, 2, 2).await?;
    cluster.check_no_panic()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_copies_are_refused_by_name() -> Result<()> {
    let mut cluster = three().await?;
    // Another cluster's secret.
    let other = Setup::new(Verb::Start)?.start().await?;
    let joins = |secret: &Node| -> Result<Setup> {
        let setup = Setup::new(Verb::Start)?.arg("--join").arg(cluster.nodes[0].listen().to_string());
        Ok(setup.arg("--secret-file").arg(secret.path("secret")))
    };
    let mut stranger = joins(&other)?.spawn()?;
    let exit = stranger.ended(SOON).await?;
    ensure!(exit.code() == Some(1) && exit.said.contains("wrong secret"), "{}: {}", exit.status, exit.said);
    // No secret at all.
    let mut without = Setup::new(Verb::Start)?.arg("--join").arg(cluster.nodes[0].listen().to_string()).spawn()?;
    let exit = without.ended(SOON).await?;
    ensure!(exit.code() == Some(1) && exit.said.contains("there is no secret in"), "{}: {}", exit.status, exit.said);
    // A copy of a folder, while its original lives.
    let copy = Setup::new(Verb::Start)?;
    let data = copy.folder().join("copied");
    cluster.nodes[2].kill()?;
    place::copy(&cluster.nodes[2].data(), &data)?;
    cluster.nodes[2].restart().await?;
    let mut copy = copy.data(&data).spawn()?;
    let exit = copy.ended(SOON).await?;
    ensure!(exit.code() == Some(1) && exit.said.contains("is a copy"), "{}: {}", exit.status, exit.said);
    // Two processes in one folder.
    let mut second = Setup::new(Verb::Start)?.data(cluster.nodes[2].data()).spawn()?;
    let exit = second.ended(SOON).await?;
    ensure!(exit.code() == Some(1), "{}: {}", exit.status, exit.said);
    // A folder that has forgotten its cluster does not begin another one.
    cluster.nodes[1].kill()?;
    let (meta, aside) = (cluster.nodes[1].path("meta"), cluster.nodes[1].path("meta.aside"));
    std::fs::rename(&meta, &aside)?;
    cluster.nodes[1].spawn()?;
    let exit = cluster.nodes[1].ended(SOON).await?;
    ensure!(exit.code() == Some(1) && exit.said.contains("meta is missing"), "{}: {}", exit.status, exit.said);
    std::fs::rename(&aside, &meta)?;
    cluster.nodes[1].restart().await?;
    cluster.settled(SOON).await?;
    count(&cluster, 2).await?;
    cluster.check_no_panic()
}
