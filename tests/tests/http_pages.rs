//! P21: a page of another site, open in the developer's browser, against a node in dev mode. The requests are those that browsers
//! send; none may read or change anything. The developer's own pages and programs are welcome.

use anyhow::{Context, Result, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tests::{Node, Setup, Verb};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const CREDIT: &str = "/v1/wallet/Credit?amount=5&reference=stolen";

async fn balance(node: &Node) -> Result<Value> {
    Ok(node.caller().call("/v1/wallet/Balance", &json!({})).await?.done()?["balance"].clone())
}

async fn dev() -> Result<Node> {
    Setup::new(Verb::Dev)?.start().await
}

/// A method, who sends it, and with which headers.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn pages_of_other_sites_are_refused() -> Result<()> {
    let node = dev().await?;
    let (http, port) = (node.caller(), node.http().port());
    let rebound = format!("evil.example:{port}");
    let rebound_origin = format!("http://{rebound}");
    let text = ("Content-Type", "text/plain");
    let rows: &[Row] = &[
        // fetch() of a foreign page, as a form and as a beacon send it: without a question first.
        ("POST", "a foreign page", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), text]),
        ("POST", "a foreign page in an old browser", &[("Origin", "https://evil.example"), text]),
        ("POST", "a sandboxed frame or a file", &[("Origin", "null"), text]),
        ("POST", "a name that looks like ours", &[("Origin", "http://localhost.evil.example"), text]),
        ("GET", "an <img>", &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image")]),
        ("GET", "an <img> of another local page", &[("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Dest", "image")]),
        (
            "POST",
            "DNS rebinding",
            &[("Host", &rebound), ("Origin", &rebound_origin), ("Sec-Fetch-Site", "same-origin")],
        ),
        ("GET", "DNS rebinding without an origin", &[("Host", &rebound)]),
        ("PUT", "another method", &[("Origin", "https://evil.example")]),
        ("DELETE", "another method", &[("Origin", "https://evil.example")]),
        ("POST", "an invented key", &[("Origin", "https://evil.example"), ("Authorization", "Bearer x")]),
    ];
    for (method, who, headers) in rows {
        let reply = http.send(method, CREDIT, headers, b"").await?;
        ensure!(reply.code == 403, "{who}: {} {}", reply.code, reply.text());
        ensure!(reply.json()?["reason"] == "foreign_origin", "{who}: {}", reply.text());
    }
    let wrong =
        http.send("POST", CREDIT, &[("Origin", "https://evil.example"), ("Authorization", "Bearer cmn_x")], b"");
    ensure!(wrong.await?.code == 401, "a wrong key is no key");
    let status = http.send("GET", "/status", &[("Host", &rebound)], b"").await?;
    ensure!(status.code == 403, "the status is not for rebound names: {}", status.text());
    assert_eq!(balance(&node).await?, "0");
    node.check_no_panic()
}

#[tokio::test]
async fn pages_and_programs_of_this_machine_are_welcome() -> Result<()> {
    let node = dev().await?;
    let (http, port) = (node.caller(), node.http().port());
    let named = format!("localhost:{port}");
    let own = format!("http://localhost:{port}");
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("POST", &[]),
        ("GET", &[]),
        ("GET", &[("Sec-Fetch-Site", "none")]),
        ("POST", &[("Host", &named), ("Origin", &own), ("Sec-Fetch-Site", "same-origin")]),
        ("POST", &[("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-site")]),
        ("POST", &[("Authorization", "Bearer YOUR_API_TOKEN")]),
    ];
    for (n, (method, headers)) in rows.iter().enumerate() {
        let path = CREDIT.replace("stolen", &format!("own{n}"));
        http.send(method, &path, headers, b"").await?.done().with_context(|| format!("{method} {headers:?}"))?;
    }
    assert_eq!(balance(&node).await?, (5 * rows.len()).to_string());
    Ok(())
}

/// Sends a request over a WebSocket and gives the first frame back.
async fn over_socket(node: &Node, headers: &[(&str, &str)]) -> Result<Value> {
    let mut request = format!("ws://{}/v1/wallet/Credit", node.http()).into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(name.parse::<tokio_tungstenite::tungstenite::http::HeaderName>()?, value.parse()?);
    }
    let (mut socket, _) = client_async(request, TcpStream::connect(node.http()).await?).await?;
    socket.send(Message::text(r#"{"amount": 5, "reference": "stolen"}"#)).await?;
    let frame = socket.next().await.context("a frame")??;
    Ok(serde_json::from_str(frame.to_text()?)?)
}

/// No browser asks before it opens a WebSocket to another site: the node has to look.
#[tokio::test]
async fn a_web_socket_of_another_site_is_told_so_and_makes_no_call() -> Result<()> {
    let node = dev().await?;
    let foreign: &[&[(&str, &str)]] = &[
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "http://127.0.0.1.evil.example")],
        &[("Origin", "https://evil.example"), ("Sec-WebSocket-Protocol", "key")],
        &[("Host", "evil.example"), ("Origin", "http://evil.example")],
    ];
    for headers in foreign {
        let error = over_socket(&node, headers).await?;
        ensure!(error["reason"] == "foreign_origin" && error["code"] == 403, "{headers:?}: {error}");
    }
    assert_eq!(balance(&node).await?, "0");
    let own = over_socket(&node, &[("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-site")]).await?;
    ensure!(own["balance"] == "5", "{own}");
    node.check_no_panic()
}
