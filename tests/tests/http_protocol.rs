//! HTTP as clients really speak it, over sockets to the real binary: pipelines, HEAD, `Expect`, HTTP/2, WebSockets.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tests::{Node, Setup, Verb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

async fn node() -> Result<Node> {
    Setup::new(Verb::Start)?.arg("--groups").arg("1").start().await
}

/// Says this and hears everything up to the end.
async fn talk(node: &Node, text: &str) -> Result<String> {
    let mut stream = TcpStream::connect(node.http()).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut heard = String::new();
    timeout(ANSWER_WITHIN, stream.read_to_string(&mut heard)).await.context("the node holds the connection")??;
    Ok(heard)
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() -> Result<()> {
    let node = node().await?;
    let token = node.token().context("a token")?;
    let one = |n: usize, more: &str| {
        let body = format!(r#"{{"name":"{n}"}}"#);
        let length = body.len();
        format!(
            "POST /v1/helloworld/Call HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        )
    };
    let all: String = (0..50).map(|n| one(n, if n == 49 { "Connection: close\r\n" } else { "" })).collect();
    let heard = talk(&node, &all).await?;
    let names = heard.split("Hello ").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    assert_eq!(names.collect::<Vec<_>>(), (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn head_has_no_body_and_calls_nothing() -> Result<()> {
    let node = node().await?;
    for (path, code) in [("/healthz", "200"), ("/v1/wallet/Credit?amount=5&reference=x", "405")] {
        let heard = talk(&node, &format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await?;
        ensure!(heard.starts_with(&format!("HTTP/1.1 {code}")) && heard.ends_with("\r\n\r\n"), "{heard}");
    }
    Ok(())
}

/// As curl does before a body of over 1 MiB.
#[tokio::test]
async fn who_waits_to_be_told_to_go_on_is_told_or_refused() -> Result<()> {
    let node = node().await?;
    let token = node.token().context("a token")?;
    let body = " ".repeat(2 << 20) + r#"{"name": "John"}"#;
    for (key, length, first) in [
        (token.as_str(), body.len(), "HTTP/1.1 100"),
        ("cmn_wrong", body.len(), "HTTP/1.1 401"),
        (&token, 9 << 20, "HTTP/1.1 413"),
    ] {
        let mut stream = TcpStream::connect(node.http()).await?;
        let head = format!(
            "POST /v1/helloworld/Call HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\
             Expect: 100-continue\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut start = [0; 12];
        timeout(ANSWER_WITHIN, stream.read_exact(&mut start)).await.context("no word")??;
        assert_eq!(String::from_utf8_lossy(&start), first, "{length}");
        if first.ends_with("100") {
            stream.write_all(body.as_bytes()).await?;
            let mut rest = String::new();
            timeout(ANSWER_WITHIN, stream.read_to_string(&mut rest)).await.context("no answer")??;
            ensure!(rest.contains("HTTP/1.1 200") && rest.contains("Hello John"), "{rest}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn http_2_with_many_streams_on_one_connection() -> Result<()> {
    let node = node().await?;
    // As hyper's clients have it: with h2's own 64 KiB, a hundred small frames not read yet count as an attack.
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(5 << 20);
    let (client, connection) = builder.handshake(TcpStream::connect(node.http()).await?).await?;
    let driving = tokio::spawn(connection);
    let ask = |n: usize| {
        let (client, token) = (client.clone(), node.token().unwrap_or_default());
        async move {
            let path = if n.is_multiple_of(10) { "helloworld/Stream" } else { "helloworld/Call" };
            let request = tokio_tungstenite::tungstenite::http::Request::post(format!("http://localhost/v1/{path}"));
            let request = request.header("authorization", format!("Bearer {token}")).body(())?;
            let (response, mut out) = client.ready().await?.send_request(request, false)?;
            out.send_data(Bytes::from(format!(r#"{{"name": "{n}", "messages": 3}}"#)), true)?;
            let (head, mut input) = response.await?.into_parts();
            let mut text = vec![];
            while let Some(piece) = input.data().await {
                let piece = piece?;
                input.flow_control().release_capacity(piece.len())?;
                text.extend_from_slice(&piece);
            }
            let greeting = format!("{{\"message\":\"Hello {n}\"}}");
            let want = if n.is_multiple_of(10) { format!("{greeting}\n").repeat(3) } else { greeting };
            ensure!(
                head.status == 200 && text == want.as_bytes(),
                "{n}: {} {}",
                head.status,
                String::from_utf8_lossy(&text)
            );
            anyhow::Ok(())
        }
    };
    // After one exchange the client knows how many streams the node takes at a time, and keeps the rest back.
    ask(0).await?;
    let asked = futures::future::try_join_all((0..1000).map(ask));
    timeout(ANSWER_WITHIN, asked).await.context("no answers")??;
    driving.abort();
    Ok(())
}

async fn open(node: &Node, path: &str) -> Result<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://{}{path}", node.http()).into_client_request()?;
    let token = node.token().context("a token")?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(client_async(request, TcpStream::connect(node.http()).await?).await?.0)
}

/// All text frames, and the code of the close.
async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Result<(Vec<Value>, u16)> {
    let mut items = vec![];
    loop {
        match timeout(ANSWER_WITHIN, socket.next()).await.context("no frame")?.context("no close frame")?? {
            Message::Text(text) => items.push(serde_json::from_str(&text)?),
            Message::Close(close) => return Ok((items, close.context("a code")?.code.into())),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_web_socket_takes_one_call_and_ends_with_it() -> Result<()> {
    let node = node().await?;
    let mut socket = open(&node, "/v1/helloworld/Stream?name=Ann").await?;
    socket.send(Message::text(r#"{"messages": "10000"}"#)).await?;
    let (items, code) = hear(&mut socket).await?;
    ensure!(
        items.len() == 10_000 && items.iter().all(|item| *item == json!({"message": "Hello Ann"})),
        "{}",
        items.len()
    );
    assert_eq!(code, 1000);
    let mut socket = open(&node, "/v1/wallet/Wallet/credit").await?;
    socket.send(Message::text(r#"{"amount": 5, "reference": "tip"}"#)).await?;
    assert_eq!(hear(&mut socket).await?, (vec![json!({"balance": "5"})], 1000));
    let mut socket = open(&node, "/v1/helloworld/Stream").await?;
    socket.send(Message::text(r#"{"messages": 10001}"#)).await?;
    let (items, code) = hear(&mut socket).await?;
    ensure!(items.len() == 1 && items[0]["reason"] == "bad_messages" && code == 1008, "{items:?} {code}");
    node.check_no_panic()
}

#[tokio::test]
async fn a_stopping_node_closes_its_web_sockets_and_ends_well() -> Result<()> {
    let mut node = node().await?;
    let mut idle = open(&node, "/v1/helloworld/Stream").await?;
    let mut gone = open(&node, "/v1/helloworld/Stream").await?;
    gone.send(Message::text(r#"{"messages": 10000}"#)).await?;
    node.signal("TERM")?;
    let (heard, exit) = tokio::join!(hear(&mut idle), node.ended(ANSWER_WITHIN));
    assert_eq!(heard?, (vec![], 1001));
    assert_eq!(exit?.code(), Some(0));
    node.check_no_panic()
}
