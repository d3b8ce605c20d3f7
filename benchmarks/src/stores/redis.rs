//! Debian's Redis with an fsync before each reply, and a writer that speaks its protocol by hand.

use super::Writer;
use super::exchange::{Exchange, find};
use crate::processes::{Place, Process, free_address};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;

#[derive(Debug)]
pub struct Redis {
    process: Process,
    at: SocketAddr,
    pub version: String,
}

impl Redis {
    pub async fn start(place: &Place) -> Result<Redis> {
        let (folder, at) = (place.folder("redis")?, free_address()?);
        let port = at.port().to_string();
        let said = ["redis-server", "--bind", "127.0.0.1", "--port", &port, "--daemonize", "no", "--appendonly", "yes"];
        let durable = ["--appendfsync", "always", "--save", "", "--auto-aof-rewrite-percentage", "0", "--dir"];
        let mut words: Vec<OsString> = said.into_iter().chain(durable).map(Into::into).collect();
        words.push(folder.into());
        let mut process = Process::start(place, "redis", &words).context("Redis")?;
        process.listens(at).await.context("Redis")?;
        let mut redis = Redis { process, at, version: String::new() };
        redis.version = redis.checked().await?;
        Ok(redis)
    }

    /// That it does what it was told, and its version.
    async fn checked(&self) -> Result<String> {
        let mut writer = RedisWriter { exchange: Exchange::connect(self.at).await? };
        for (name, wanted) in [("appendonly", "yes"), ("appendfsync", "always"), ("save", "")] {
            writer.ask(&["CONFIG", "GET", name])?;
            let reply = writer.exchange.run(|input| Ok(Some(input.len()))).await?;
            let expected = format!("*2\r\n${}\r\n{name}\r\n${}\r\n{wanted}\r\n", name.len(), wanted.len());
            ensure!(reply == expected.as_bytes(), "Redis says of {name}: {}", String::from_utf8_lossy(reply));
        }
        writer.ask(&["INFO", "server"])?;
        let info = writer.exchange.run(bulk).await?;
        let info = String::from_utf8_lossy(info);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.context("INFO without redis_version")?.to_string())
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub async fn writers(&self, writers: usize) -> Result<Vec<RedisWriter>> {
        let mut all = Vec::new();
        for _ in 0..writers {
            all.push(RedisWriter { exchange: Exchange::connect(self.at).await? });
        }
        Ok(all)
    }
}

pub struct RedisWriter {
    exchange: Exchange,
}

impl RedisWriter {
    fn ask(&mut self, words: &[&str]) -> Result<()> {
        write!(self.exchange.out, "*{}\r\n", words.len())?;
        for word in words {
            write!(self.exchange.out, "${}\r\n{word}\r\n", word.len())?;
        }
        Ok(())
    }
}

impl Writer for RedisWriter {
    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.ask(&["SET", key, value])?;
        let reply = self.exchange.run(line).await?;
        ensure!(reply == b"+OK\r\n", "SET answered {}", String::from_utf8_lossy(reply));
        Ok(())
    }

    async fn get(&mut self, key: &str) -> Result<String> {
        self.ask(&["GET", key])?;
        let reply = self.exchange.run(bulk).await?;
        let start = find(reply, b"\r\n").context("a reply without a line")? + 2;
        Ok(String::from_utf8(reply[start..reply.len() - 2].to_vec())?)
    }
}

/// The length of a reply of one line.
fn line(input: &[u8]) -> Result<Option<usize>> {
    Ok(find(input, b"\r\n").map(|end| end + 2))
}

/// The length of a reply of so many bytes.
fn bulk(input: &[u8]) -> Result<Option<usize>> {
    let Some(end) = find(input, b"\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&input[..end])?;
    let length = text.strip_prefix('$').with_context(|| format!("Redis answered {text}"))?;
    let length: usize = length.parse().with_context(|| format!("there is no such key: {text}"))?;
    let all = end + 2 + length + 2;
    Ok((input.len() >= all).then_some(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_whole_with_their_last_byte() {
        let reply = b"$5\r\nhello\r\n";
        assert_eq!(bulk(reply).unwrap(), Some(reply.len()));
        assert!((0..reply.len()).all(|end| bulk(&reply[..end]).unwrap().is_none()));
        assert_eq!((line(b"+OK\r\n").unwrap(), line(b"+OK\r").unwrap()), (Some(5), None));
        assert!(bulk(b"$-1\r\n").is_err() && bulk(b"-ERR no\r\n").is_err());
    }
}
