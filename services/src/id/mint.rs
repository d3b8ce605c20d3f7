//! New ids: what the node lends, put into each format.
//!
//! Chance and count are the node's ([`Here`]), so two calls of one node never meet. What keeps nodes apart is the leased
//! worker number, or enough chance. A type whose maker is wider than that number also carries bits of the node's id.

use super::api::CLOCK_OUT_OF_RANGE;
use super::formats::{flake, ksuid, objectid, shortid, sqid, text, ulid, uuid, xid};
use super::kind::Kind;
use sdk::prelude::*;
use std::time::Duration;

const TICK: Duration = Duration::from_nanos(100);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Counters of 24 bits begin anywhere and go round once.
const COUNTS: u64 = 1 << 24;

/// Of a nanoid.
pub struct Drawing<'a> {
    pub alphabet: &'a [u8],
    pub len: usize,
}

/// A new id; 503 when the clock, or the lease of the worker number, does not give one.
pub fn mint(here: &Here, kind: Kind, nanoid: &Drawing) -> Result<String> {
    let failed = || format!("failed to mint {} id", kind.name());
    match make(here, kind, nanoid) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(CLOCK_OUT_OF_RANGE.because(failed())),
        Err(error) => Err(Error { detail: failed(), ..error }),
    }
}

/// `None`: the format cannot write this moment.
fn make(here: &Here, kind: Kind, nanoid: &Drawing) -> Result<Option<String>> {
    let below = |bound| here.below(bound);
    Ok(match kind {
        Kind::Uuid => Some(uuid::v4(here.random())),
        Kind::Nanoid => Some(text::drawn(nanoid.alphabet, nanoid.len, below)),
        Kind::Cuid2 => Some(text::cuid2(below)),
        Kind::Ksuid => ksuid::encode(unix_secs(here), u128::from_le_bytes(here.random())),
        Kind::Ulid => {
            let stamp = here.stamp("id.ulid", MS, u64::MAX)?;
            ulid::encode(stamp.at, stamp.random, stamp.n)
        }
        Kind::UuidV7 => {
            let stamp = here.stamp("id.uuidv7", MS, 1 << 12)?;
            uuid::v7(stamp.at, stamp.n, here.random())
        }
        Kind::UuidV1 => {
            let worker = here.worker()?;
            let stamp = here.stamp("id.uuidv1", TICK, 1)?;
            // The clock sequence is there for clocks set back, by a restart for one: each life of a node has its own lease.
            uuid::v1(stamp.at, worker, here.node())
        }
        Kind::Xid => {
            let worker = here.worker()?;
            let stamp = here.stamp("id.xid", SECOND, COUNTS)?;
            xid::encode(stamp.at, here.node(), worker, counter(stamp))
        }
        Kind::ObjectId => {
            let worker = here.worker()?;
            let stamp = here.stamp("id.objectid", SECOND, COUNTS)?;
            objectid::encode(stamp.at, here.node() << 10 | u64::from(worker), counter(stamp))
        }
        Kind::Shortid => {
            let worker = here.worker()?;
            let stamp = here.stamp("id.shortid", MS, shortid::PER_MS)?;
            shortid::encode(stamp.at, worker, stamp.n, u16::from_le_bytes(here.random()))
        }
        Kind::Snowflake => snowflake(here, "id.snowflake")?.map(|number| number.to_string()),
        Kind::Sqid => snowflake(here, "id.sqid")?.and_then(sqid::encode),
        Kind::Bigflake => {
            let stamp = here.stamp("id.bigflake", MS, flake::BIGFLAKES)?;
            flake::bigflake(stamp.at, here.node(), stamp.n).map(|number| number.to_string())
        }
    })
}

fn snowflake(here: &Here, of: &'static str) -> Result<Option<u64>> {
    let worker = here.worker()?;
    let stamp = here.stamp(of, MS, flake::SNOWFLAKES)?;
    Ok(flake::snowflake(stamp.at, worker, stamp.n))
}

fn unix_secs(here: &Here) -> u64 {
    (here.now().0.max(0) / 1_000_000_000) as u64
}

/// Begins anywhere in each second; the format keeps its lowest 24 bits.
fn counter(stamp: sdk::Stamp) -> u64 {
    (stamp.random as u64 % COUNTS) + stamp.n
}
