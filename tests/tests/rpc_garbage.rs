//! Bytes that are no protocol: frames broken in every place, bodies of the wrong type, and noise. The node answers or hangs up,
//! goes on serving others, and writes nothing.

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;
use tests::{Node, Setup, Verb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::frame::{FRAME_BYTES_MAX, Frame, HEADER_BYTES, Kind};
use wire::rpc::{Body, Call, Credit, Hello, RequestId};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A connection on which nothing was said yet.
struct Raw {
    stream: TcpStream,
    read: BytesMut,
}

impl Raw {
    async fn connect(node: &Node) -> Result<Raw> {
        Ok(Raw { stream: TcpStream::connect(node.listen()).await?, read: BytesMut::new() })
    }

    /// One that has shown the key.
    async fn welcome(node: &Node) -> Result<Raw> {
        let mut raw = Raw::connect(node).await?;
        let hello = Hello { token: node.token().context("a token")?, cluster: None, agent: "garbage".into() };
        raw.send(&Frame::new(Kind::Hello, 0, wire::codec::encode(&hello)?)).await?;
        let answer = raw.next().await?.context("a welcome")?;
        ensure!(answer.kind == Kind::Welcome, "{answer:?}");
        Ok(raw)
    }

    async fn send(&mut self, frame: &Frame) -> Result<()> {
        let mut out = BytesMut::new();
        frame.encode(&mut out);
        Ok(self.stream.write_all(&out).await?)
    }

    /// The next frame; `None` once the node has hung up.
    async fn next(&mut self) -> Result<Option<Frame>> {
        let reading = async {
            loop {
                if let Some(frame) = Frame::decode(&mut self.read)? {
                    return anyhow::Ok(Some(frame));
                }
                if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                    return Ok(None);
                }
            }
        };
        timeout(ANSWER_WITHIN, reading).await.context("the node neither answers nor hangs up")?
    }
}

async fn node() -> Result<Node> {
    Setup::new(Verb::Start)?.arg("--groups").arg("1").start().await
}

/// It serves, and nobody's garbage was written.
async fn serves(node: &Node, before: &serde_json::Value) -> Result<()> {
    node.client().await?.call(services::wallet::BalanceRequest::default()).await?;
    assert_eq!(node.status().await?["groups"], *before, "something was written");
    node.check_no_panic()
}

#[tokio::test]
async fn noise_instead_of_a_greeting() -> Result<()> {
    let node = node().await?;
    let before = node.status().await?["groups"].clone();
    let mut random = StdRng::seed_from_u64(1);
    for n in 0..200 {
        let mut raw = Raw::connect(&node).await?;
        let mut noise = vec![0; random.random_range(1..200)];
        random.fill(&mut noise[..]);
        if n % 2 == 0 {
            // A length that is believed for a while.
            noise.splice(..4.min(noise.len()), 60_u32.to_le_bytes());
        }
        let _ = raw.stream.write_all(&noise).await;
        let _ = raw.stream.shutdown().await;
        while let Ok(Some(frame)) = raw.next().await {
            ensure!(frame.kind == Kind::Error, "noise {n} was answered {frame:?}");
        }
    }
    serves(&node, &before).await
}

#[tokio::test]
async fn a_call_before_the_greeting_is_not_made() -> Result<()> {
    let node = node().await?;
    let before = node.status().await?["groups"].clone();
    let mut raw = Raw::connect(&node).await?;
    let body = Body::Json(wire::Bytes(br#"{"amount": 5, "reference": "x"}"#.to_vec()));
    let call = Call {
        service: "wallet".into(),
        endpoint: "Credit".into(),
        request_id: RequestId::None,
        body,
        stale_ok: false,
    };
    raw.send(&Frame::new(Kind::Call, 1, wire::codec::encode(&call)?)).await?;
    while let Some(frame) = raw.next().await? {
        ensure!(frame.kind == Kind::Error, "it was answered {frame:?}");
    }
    serves(&node, &before).await
}

#[tokio::test]
async fn lengths_that_lie() -> Result<()> {
    let node = node().await?;
    let before = node.status().await?["groups"].clone();
    for length in [0, 1, HEADER_BYTES as u32 - 1, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
        let mut raw = Raw::welcome(&node).await?;
        raw.stream.write_all(&length.to_le_bytes()).await?;
        while let Some(frame) = raw.next().await? {
            ensure!(frame.kind == Kind::Error, "length {length} was answered {frame:?}");
        }
    }
    serves(&node, &before).await
}

/// Every endpoint's own schema, and bytes that are none of its values: a typed error, the connection lives.
#[tokio::test]
async fn bodies_that_do_not_decode() -> Result<()> {
    let node = node().await?;
    let before = node.status().await?["groups"].clone();
    let mut raw = Raw::welcome(&node).await?;
    let mut stream = 0;
    for service in services::all() {
        for endpoint in service.endpoints() {
            let schema = (endpoint.schema_hash)();
            let garbage: [&[u8]; 5] = [
                b"",
                b"\x07",
                b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                b"\x01\xfd\xff\xff\xff\xff\xff\xff\xff\x7f",
                &[1; 300],
            ];
            let mut bodies: Vec<(String, Body)> = vec![
                ("another schema".into(), Body::Binary { schema: schema ^ 1, bytes: wire::Bytes(vec![1]) }),
                ("no JSON".into(), Body::Json(wire::Bytes(b"{".to_vec()))),
                ("no UTF-8".into(), Body::Json(wire::Bytes(b"{\"id\": \"\xff\"}".to_vec()))),
            ];
            for bytes in garbage {
                bodies.push((format!("{bytes:?}"), Body::Binary { schema, bytes: wire::Bytes(bytes.to_vec()) }));
            }
            for (what, body) in bodies {
                stream += 1;
                let (service, name) = (endpoint.service.to_string(), endpoint.name.to_string());
                let call = Call { service, endpoint: name, request_id: RequestId::None, body, stale_ok: false };
                raw.send(&Frame::new(Kind::Call, stream, wire::codec::encode(&call)?)).await?;
                // A stream's first word waits for room at its reader, an error as well.
                raw.send(&Frame::new(Kind::Credit, stream, wire::codec::encode(&Credit { items: 1 })?)).await?;
                let named = || format!("{}: {what}", endpoint.id());
                let answer = raw.next().await.with_context(named)?.with_context(|| format!("hung up: {}", named()))?;
                ensure!((answer.kind, answer.stream) == (Kind::Error, stream), "{}: {what}: {answer:?}", endpoint.id());
                let error: wire::Error = wire::codec::decode(&answer.payload)?;
                let typed = error.outcome == wire::Outcome::NotRun
                    && (400..500).contains(&error.code)
                    && !error.reason.is_empty();
                ensure!(typed || error.code == 501, "{}: {what}: {error:?}", endpoint.id());
            }
        }
    }
    ensure!(stream > 100, "{stream} bodies were tried");
    serves(&node, &before).await
}

/// A good conversation with one bit wrong, hundreds of times.
#[tokio::test]
async fn frames_with_a_flipped_bit() -> Result<()> {
    let node = node().await?;
    let mut random = StdRng::seed_from_u64(2);
    let request = services::wallet::BalanceRequest::default();
    let schema = (wire::Endpoint::of::<services::wallet::BalanceRequest>().schema_hash)();
    let body = Body::Binary { schema, bytes: wire::Bytes(wire::codec::encode(&request)?) };
    let call = Call {
        service: "wallet".into(),
        endpoint: "Balance".into(),
        request_id: RequestId::None,
        body,
        stale_ok: false,
    };
    let payload = wire::codec::encode(&call)?;
    let before = node.status().await?["groups"].clone();
    for _ in 0..300 {
        let mut raw = Raw::welcome(&node).await?;
        let mut bytes = BytesMut::new();
        Frame::new(Kind::Call, 1, payload.clone()).encode(&mut bytes);
        let bit = random.random_range(0..bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = raw.stream.write_all(&bytes).await;
        let _ = raw.stream.shutdown().await;
        while let Ok(Some(frame)) = raw.next().await {
            ensure!(matches!(frame.kind, Kind::Reply | Kind::Error), "bit {bit}: {frame:?}");
        }
    }
    serves(&node, &before).await
}
