//! Where things lie in the node's key space; the table is at the head of [`crate::replica`].

use super::Generation;
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;
use wire::ids::ReplicaId;

const STATE: u8 = 1;
const ROWS: u8 = 2;
/// Tag, replica, generation.
pub const ROWS_PREFIX: usize = 1 + 8 + 4;

/// The key of a replica's state row.
pub fn state(replica: ReplicaId) -> [u8; 9] {
    let mut key = [STATE; 9];
    key[1..].copy_from_slice(&replica.0.to_be_bytes());
    key
}

/// The replica whose state row has this key.
pub fn replica_of_state(key: &[u8]) -> Option<ReplicaId> {
    let id = key.strip_prefix(&[STATE])?;
    Some(ReplicaId(u64::from_be_bytes(id.try_into().ok()?)))
}

/// Holds every replica's state row.
pub fn states() -> Range<[u8; 1]> {
    [STATE]..[STATE + 1]
}

/// What every row key of this generation begins with.
pub fn rows_prefix(replica: ReplicaId, generation: Generation) -> [u8; ROWS_PREFIX] {
    let mut prefix = [ROWS; ROWS_PREFIX];
    prefix[1..9].copy_from_slice(&replica.0.to_be_bytes());
    prefix[9..].copy_from_slice(&generation.0.to_be_bytes());
    prefix
}

/// Holds exactly the rows of one generation.
pub fn rows(replica: ReplicaId, generation: Generation) -> Range<Bytes> {
    let prefix = rows_prefix(replica, generation);
    Bytes::copy_from_slice(&prefix)..end_of(&prefix)
}

/// Holds exactly the rows of all generations below this one.
pub fn rows_before(replica: ReplicaId, generation: Generation) -> Range<Bytes> {
    let (from, to) = (rows_prefix(replica, Generation(0)), rows_prefix(replica, generation));
    Bytes::copy_from_slice(&from)..Bytes::copy_from_slice(&to)
}

/// Holds exactly the rows of all generations above this one.
pub fn rows_after(replica: ReplicaId, generation: Generation) -> Range<Bytes> {
    rows(replica, generation).end..all_rows(replica).end
}

/// Holds exactly the rows of one replica, whatever their generation.
pub fn all_rows(replica: ReplicaId) -> Range<Bytes> {
    let prefix = rows_prefix(replica, Generation(0));
    Bytes::copy_from_slice(&prefix)..end_of(&prefix[..9])
}

/// A row's place in the engine.
pub fn row(prefix: &[u8; ROWS_PREFIX], key: &[u8]) -> Bytes {
    let mut absolute = BytesMut::with_capacity(ROWS_PREFIX + key.len());
    absolute.put_slice(prefix);
    absolute.put_slice(key);
    absolute.freeze()
}

/// The first key behind all that begin with `prefix`, which must not be all `ff`.
pub fn end_of(prefix: &[u8]) -> Bytes {
    let kept = prefix.iter().rposition(|byte| *byte != 0xff).expect("a prefix that something lies behind");
    let mut end = BytesMut::from(&prefix[..=kept]);
    end[kept] += 1;
    end.freeze()
}
