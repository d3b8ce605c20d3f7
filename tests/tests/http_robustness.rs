//! Clients that are slow, huge, many or gone, against the real binary: each is bounded, and others are answered meanwhile.

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::io::Write;
use std::time::Duration;
use tests::{Node, Setup, Verb, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the node's own patience, which is 20 s for a head and 30 s for a body.
const LET_GO_WITHIN: Duration = Duration::from_secs(60);
/// As the door has it.
const CONNECTIONS_MAX: usize = 4_096;

async fn node() -> Result<Node> {
    Setup::new(Verb::Start)?.arg("--groups").arg("1").start().await
}

/// The node serves somebody else.
async fn serves(node: &Node) -> Result<()> {
    let reply = node.caller().call("/v1/wallet/Credit", &json!({"amount": 1, "reference": "x"})).await?;
    ensure!(reply.code == 200, "answered {}: {}", reply.code, reply.text());
    node.check_no_panic()
}

/// A number of kB in `/proc/PID/status`.
fn memory_kb(node: &Node, name: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
    let line = status.lines().find(|line| line.starts_with(name)).context("no such line")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}

fn open_files(node: &Node) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", node.pid()))?.count())
}

/// Everything up to the end of the connection.
async fn to_the_end(stream: &mut TcpStream) -> Result<String> {
    let mut heard = vec![];
    let read = timeout(LET_GO_WITHIN, stream.read_to_end(&mut heard)).await;
    // A reset is an end as well.
    let _ = read.context("the node holds the connection")?;
    Ok(String::from_utf8_lossy(&heard).into_owned())
}

async fn say(node: &Node, text: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(node.http()).await?;
    // One that is refused early may be gone before all is said.
    let _ = stream.write_all(text).await;
    Ok(stream)
}

#[tokio::test]
async fn hundreds_that_begin_and_do_not_go_on_hold_nobody_up_and_are_let_go() -> Result<()> {
    let node = node().await?;
    let before = open_files(&node)?;
    let begun: [&[u8]; 5] = [
        b"",
        b"PO",
        b"POST /v1/wallet/Credit HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x40\x01\x04\0\0\0\x01",
    ];
    let mut held = vec![];
    for n in 0..500 {
        held.push(say(&node, begun[n % begun.len()]).await?);
    }
    serves(&node).await?;
    // A letter now and then is no progress.
    wait::pass(Duration::from_secs(10)).await;
    for stream in &mut held {
        let _ = stream.write_all(b"x").await;
    }
    serves(&node).await?;
    for mut stream in held {
        let heard = to_the_end(&mut stream).await?;
        ensure!(!heard.contains("200 OK"), "{heard}");
    }
    serves(&node).await?;
    wait::until("end of all their connections", LET_GO_WITHIN, || async {
        Ok((open_files(&node)? <= before + 8).then_some(()))
    })
    .await
}

#[tokio::test]
async fn bodies_that_do_not_come_hold_nobody_up_and_leave_with_their_clients() -> Result<()> {
    let node = node().await?;
    let before = open_files(&node)?;
    let token = node.token().context("a token")?;
    let head = |more: &str| {
        format!("POST /v1/wallet/Credit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n\r\n{{")
            .into_bytes()
    };
    let mut held = vec![];
    for n in 0..400 {
        let more = if n % 2 == 0 { "Content-Length: 1000000" } else { "Transfer-Encoding: chunked" };
        held.push(say(&node, &head(more)).await?);
    }
    serves(&node).await?;
    // Half of them close their side only: the request will never be whole.
    for stream in held.iter_mut().step_by(2) {
        stream.shutdown().await?;
    }
    for mut stream in held.drain(..).step_by(2) {
        let heard = to_the_end(&mut stream).await?;
        ensure!(!heard.contains("200 OK"), "{heard}");
    }
    drop(held);
    serves(&node).await?;
    wait::until("end of all their connections", LET_GO_WITHIN, || async {
        Ok((open_files(&node)? <= before + 8).then_some(()))
    })
    .await
}

#[tokio::test]
async fn heads_that_are_huge_are_refused() -> Result<()> {
    let node = node().await?;
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    let rows = [
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(64 << 10)),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000)),
        // Without an end.
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(8 << 20)),
        "x".repeat(8 << 20),
    ];
    for text in rows {
        let stream = TcpStream::connect(node.http()).await?;
        let (mut input, mut output) = stream.into_split();
        let sending = tokio::spawn(async move {
            let _ = output.write_all(text.as_bytes()).await;
            output
        });
        let mut heard = vec![];
        let _ = timeout(LET_GO_WITHIN, input.read_to_end(&mut heard)).await.context("the node holds the connection")?;
        drop(sending.await?);
        let heard = String::from_utf8_lossy(&heard);
        // With megabytes unread the answer may be lost to a reset.
        let code = heard.split(' ').nth(1).unwrap_or("none");
        ensure!(["431", "414", "400", "none"].contains(&code), "{heard}");
        serves(&node).await?;
    }
    Ok(())
}

#[tokio::test]
async fn bombs_are_stopped_and_cost_no_memory() -> Result<()> {
    let node = node().await?;
    let (http, before) = (node.caller(), memory_kb(&node, "VmHWM")?);
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..512 {
        encoder.write_all(&zeros)?;
    }
    let bomb = encoder.finish()?;
    ensure!(bomb.len() < 1 << 20, "{} bytes are no bomb", bomb.len());
    let headers = [("Content-Encoding", "gzip")];
    let asked = (0..16).map(|_| http.send("POST", "/v1/wallet/Credit", &headers, &bomb));
    for reply in futures::future::try_join_all(asked).await? {
        ensure!(reply.code == 413, "{}: {}", reply.code, reply.text());
        ensure!(reply.json()?["reason"] == "too_large", "{}", reply.text());
    }
    let grew = (memory_kb(&node, "VmHWM")? - before) >> 10;
    // 16 of them hold 8 MiB each at the most; unpacked they are 8 GiB.
    ensure!(grew < 512, "the node grew by {grew} MiB");
    serves(&node).await
}

/// The node is started as a shell would: with fewer files than it has connections.
#[tokio::test]
async fn five_thousand_connections_and_the_node_answers_afterwards() -> Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let own = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, own)?;
    if limit.maximum.is_some_and(|files| files < 6_000) {
        eprintln!("this machine lets nobody open 6,000 files: nothing is tested");
        return Ok(());
    }
    let few = ["sh", "-c", "ulimit -Sn 512; exec \"$@\"", "sh"];
    let node = Setup::new(Verb::Start)?.arg("--groups").arg("1").under(few).start().await?;
    let before = memory_kb(&node, "VmRSS")?;
    let connect = |_| async { say(&node, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await };
    let mut held: Vec<TcpStream> = stream::iter(0..5_000).map(connect).buffer_unordered(64).try_collect().await?;
    let (mut answered, mut refused, mut hung_up) = (0, 0, 0);
    for stream in &mut held {
        let mut start = [0; 12];
        let read = timeout(LET_GO_WITHIN, stream.read_exact(&mut start)).await.context("no answer and no end")?;
        match (read, &start) {
            (Ok(_), b"HTTP/1.1 200") => answered += 1,
            (Ok(_), b"HTTP/1.1 503") => refused += 1,
            (Ok(_), other) => anyhow::bail!("{}", String::from_utf8_lossy(other)),
            // A flood is not answered one by one.
            (Err(_), _) => hung_up += 1,
        }
    }
    ensure!(answered >= CONNECTIONS_MAX, "{answered} were answered, {refused} refused, {hung_up} hung up on");
    ensure!(answered + refused + hung_up == 5_000 && refused > 0, "{answered}, {refused}, {hung_up}");
    let grew = (memory_kb(&node, "VmRSS")?.saturating_sub(before)) >> 10;
    ensure!(grew < 400, "the node grew by {grew} MiB");
    // Still full, if idle ones were not let go already; then they leave, and others have room.
    drop(held);
    wait::until("answer after the flood", LET_GO_WITHIN, || async {
        let reply = node.caller().get("/healthz").await;
        Ok(reply.is_ok_and(|reply| reply.code == 200).then_some(()))
    })
    .await?;
    serves(&node).await
}
