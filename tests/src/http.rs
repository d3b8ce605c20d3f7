//! HTTP/1.1 as plain as can be, so that a test sees every byte and may send wrong ones.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A node answers within 60 s, whatever its caller asks for.
const ANSWER_WITHIN: Duration = Duration::from_secs(75);

/// One node's door; each request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Http {
    pub at: SocketAddr,
    pub token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub code: u16,
    head: String,
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug)]
pub enum Lost {
    /// No connection: nothing was sent.
    NotSent(std::io::Error),
    /// The request was on its way: nobody knows whether it was done.
    Unknown(anyhow::Error),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lost::NotSent(error) => write!(f, "not sent: {error}"),
            Lost::Unknown(error) => write!(f, "no answer: {error:#}"),
        }
    }
}

impl std::error::Error for Lost {}

impl Http {
    pub fn new(at: SocketAddr, token: Option<String>) -> Http {
        Http { at, token }
    }

    /// `POST /v1/…` of a JSON value.
    pub async fn call(&self, path: &str, body: &Value) -> Result<Reply, Lost> {
        self.send("POST", path, &[], body.to_string().as_bytes()).await
    }

    /// The same under an `Idempotency-Key`.
    pub async fn call_once(&self, path: &str, body: &Value, key: &str) -> Result<Reply, Lost> {
        self.send("POST", path, &[("Idempotency-Key", key)], body.to_string().as_bytes()).await
    }

    pub async fn get(&self, path: &str) -> Result<Reply, Lost> {
        self.send("GET", path, &[], b"").await
    }

    /// Any request. A `Host` among the headers replaces the usual one.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply, Lost> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.at);
        }
        if let Some(token) = &self.token {
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    /// Sends these bytes and reads a reply.
    pub async fn raw(&self, bytes: &[u8]) -> Result<Reply, Lost> {
        let stream = TcpStream::connect(self.at).await.map_err(Lost::NotSent)?;
        let _ = stream.set_nodelay(true);
        let exchange = timeout(ANSWER_WITHIN, exchange(stream, bytes));
        match exchange.await {
            Ok(done) => done.map_err(Lost::Unknown),
            Err(_) => Err(Lost::Unknown(anyhow::anyhow!("within {ANSWER_WITHIN:?}"))),
        }
    }
}

async fn exchange(stream: TcpStream, bytes: &[u8]) -> Result<Reply> {
    let (input, mut output) = stream.into_split();
    // A node that refuses early answers before it has read all: both directions at once, and a failed write is no verdict.
    let sending = async {
        let _ = output.write_all(bytes).await;
        std::future::pending::<()>().await
    };
    tokio::select! {
        biased;
        reply = receive(BufReader::new(input)) => reply,
        () = sending => unreachable!("it never ends"),
    }
}

async fn receive(mut input: impl AsyncRead + AsyncBufReadExt + Unpin) -> Result<Reply> {
    let mut head = String::new();
    loop {
        let read = input.read_line(&mut head).await?;
        ensure!(read > 0, "the connection ended in the head of the reply");
        if head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("a status line")?;
    let mut reply = Reply { code, head, body: vec![] };
    match (reply.header("content-length"), reply.header("transfer-encoding")) {
        (Some(length), _) => {
            reply.body = vec![0; length.parse().context("a length")?];
            input.read_exact(&mut reply.body).await.context("the body broke off")?;
        }
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => chunks(&mut input, &mut reply.body).await?,
        (None, Some(coding)) => bail!("a coding we do not read: {coding}"),
        (None, None) => drop(input.read_to_end(&mut reply.body).await?),
    }
    Ok(reply)
}

async fn chunks(input: &mut (impl AsyncBufReadExt + Unpin), body: &mut Vec<u8>) -> Result<()> {
    loop {
        let mut line = String::new();
        input.read_line(&mut line).await?;
        let length =
            usize::from_str_radix(line.trim(), 16).with_context(|| format!("a chunk's length, not {line:?}"))?;
        let start = body.len();
        body.resize(start + length + 2, 0);
        input.read_exact(&mut body[start..]).await.context("a chunk broke off")?;
        body.truncate(start + length);
        if length == 0 {
            return Ok(());
        }
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{} with no JSON: {:?}", self.code, self.text()))
    }

    /// The reply of a call that was done; anything else is an error that shows it.
    pub fn done(&self) -> Result<Value> {
        ensure!(self.code == 200, "answered {}: {}", self.code, self.text());
        self.json()
    }
}
