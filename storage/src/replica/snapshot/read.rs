//! Chunks taken apart.

use super::{END, HEAD, ROWS, VERSION};
use crate::replica::Error;
use crate::replica::layout::Reader;
use bytes::Bytes;
use wire::ids::{Index, Term};

/// The point a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    pub applied: Index,
    pub applied_term: Term,
    pub conf_state: Bytes,
}

impl SnapshotHeader {
    /// The header, if this is a snapshot's first chunk: what the sender announces before it streams the rest.
    pub fn of_first(chunk: &Bytes) -> Result<SnapshotHeader, Error> {
        let Chunk { number: 0, header: (applied, applied_term), body: Body::Head { conf_state } } =
            Chunk::read(chunk.clone(), 0)?
        else {
            return Err(Error::Chunk { chunk: 0, why: "not a snapshot's first" });
        };
        Ok(SnapshotHeader { applied, applied_term, conf_state })
    }
}

pub struct Chunk {
    pub number: u32,
    pub header: (Index, Term),
    pub body: Body,
}

pub enum Body {
    Head { conf_state: Bytes },
    Rows(Vec<(Bytes, Bytes)>),
    End { rows: u64, hash: u128 },
}

impl Chunk {
    /// `expected` only names the chunk in errors.
    pub fn read(mut chunk: Bytes, expected: u32) -> Result<Chunk, Error> {
        let bad = |why| Error::Chunk { chunk: expected, why };
        let len = chunk.len().checked_sub(4).ok_or_else(|| bad("too short"))?;
        let sum = chunk.split_off(len);
        if sum[..] != crc32fast::hash(&chunk).to_be_bytes() {
            return Err(bad("damaged on its way: its checksum does not match"));
        }
        // What a good checksum covers and still cannot be read was sent so: the transfer fails, not this disk.
        match parse(chunk, expected) {
            Err(Error::Malformed { why, .. }) => Err(bad(why)),
            other => other,
        }
    }
}

fn parse(chunk: Bytes, expected: u32) -> Result<Chunk, Error> {
    let mut reader = Reader::new(chunk, || format!("snapshot chunk {expected}"), VERSION)?;
    let (kind, number) = (reader.u8()?, reader.u32()?);
    let header = (Index(reader.u64()?), Term(reader.u64()?));
    let body = match kind {
        HEAD => Body::Head { conf_state: reader.rest() },
        ROWS => {
            let mut rows = Vec::new();
            while !reader.is_empty() {
                rows.push((reader.sized()?, reader.sized()?));
            }
            Body::Rows(rows)
        }
        END => Body::End { rows: reader.u64()?, hash: reader.u128()? },
        _ => return Err(reader.malformed("its kind is unknown")),
    };
    Ok(Chunk { number, header, body })
}
