//! A writer over our HTTP door: HTTP/1.1 by hand, a connection that is kept, no `Idempotency-Key`.

use super::Writer;
use super::exchange::{Exchange, find};
use anyhow::{Context, Result, bail, ensure};
use std::io::Write;
use std::net::SocketAddr;

pub struct Http {
    exchange: Exchange,
    /// From the path on up to the length.
    head: String,
}

impl Http {
    pub async fn connect(at: SocketAddr, token: &str) -> Result<Http> {
        let head = format!(
            " HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: "
        );
        Ok(Http { exchange: Exchange::connect(at).await?, head })
    }

    /// The body of a 200; `body` is JSON.
    async fn call(&mut self, endpoint: &str, body: std::fmt::Arguments<'_>) -> Result<&[u8]> {
        let body = body.to_string();
        write!(self.exchange.out, "POST /v1/cache/{endpoint}{}{}\r\n\r\n{body}", self.head, body.len())?;
        let reply = self.exchange.run(whole).await?;
        ensure!(reply.starts_with(b"HTTP/1.1 200 "), "the node answered {}", String::from_utf8_lossy(reply));
        let body = find(reply, b"\r\n\r\n").context("a reply without an end of its head")? + 4;
        Ok(&reply[body..])
    }
}

impl Writer for Http {
    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        // Keys and values of the benchmark need no escape.
        let reply = self.call("Set", format_args!(r#"{{"key":"{key}","value":"{value}"}}"#)).await?;
        // What else it says is not asked for.
        ensure!(reply.starts_with(br#"{"status":"ok""#), "cache.Set answered {}", String::from_utf8_lossy(reply));
        Ok(())
    }

    async fn get(&mut self, key: &str) -> Result<String> {
        let reply: serde_json::Value =
            serde_json::from_slice(self.call("Get", format_args!(r#"{{"key":"{key}"}}"#)).await?)?;
        Ok(reply["value"].as_str().context("cache.Get without a value")?.to_string())
    }
}

/// The length of a reply that is whole.
fn whole(input: &[u8]) -> Result<Option<usize>> {
    let Some(head) = find(input, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&input[..head]).context("a head that is no text")?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>()));
    let Some(length) = length else { bail!("a reply without its length: {text}") };
    let all = head + 4 + length?;
    Ok((input.len() >= all).then_some(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_whole_with_its_last_byte() {
        let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(whole(reply).unwrap(), Some(reply.len()));
        assert!((0..reply.len()).all(|end| whole(&reply[..end]).unwrap().is_none()));
        assert!(whole(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
