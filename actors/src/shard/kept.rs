//! The reply kept under a request id (P5): written in the command's own entry, found again by any later arrival.

use super::Command;
use bytes::Bytes;
use sdk::runtime::{Op, Rows, keys, keys::RowKey, value::Value};
use sdk::{Error, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::rpc::RequestId;
use wire::{codec, error::reasons};

/// A caller's own id is good for this long; the docs and the reply's header say so.
pub const CALLER_ID_KEPT_NS: i64 = 24 * 3600 * 1_000_000_000;
/// Table of replies under callers' ids. The kit refuses such a name to services.
const ONCE: &str = "~once";
/// Tag of a session's rows; tags 1 and 2 are [`keys`]'s.
const SESSION: u8 = 3;

/// What a row of either kind holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Of endpoint, entity and payload: another call under the same id is refused.
    pub(super) hash: [u8; 16],
    /// The session's lowest outstanding number when this was written; 0 for a caller's id.
    pub(super) low: u64,
    pub(super) reply: Result<wire::Bytes, Error>,
}

/// Hash of what a request id stands for.
pub(super) fn hash(command: &Command) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [command.endpoint.name.as_bytes(), command.entity.as_bytes(), &command.body] {
        hash.update((part.len() as u32).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].try_into().expect("SHA-256 has 32 bytes")
}

/// Key of the row that keeps this command's reply, if it has an id.
pub(super) fn key(command: &Command) -> Option<Bytes> {
    let service = command.endpoint.service;
    match &command.request_id {
        RequestId::None => None,
        RequestId::Caller(id) => {
            let mut row = Vec::new();
            keys::escape(command.endpoint.name.as_bytes(), &mut row);
            keys::escape(id.as_bytes(), &mut row);
            Some(RowKey::entity(&command.account, service, ONCE, &command.entity).row(&row).into_bytes())
        }
        RequestId::Session { client, n, .. } => Some(session_key(service, &command.account, *client, *n)),
    }
}

pub(super) fn session_prefix(service: &str) -> Vec<u8> {
    let mut key = vec![SESSION];
    keys::escape(service.as_bytes(), &mut key);
    key
}

/// Are there replies kept for sessions of `service`?
pub(crate) fn sessions_wait(rows: &dyn Rows, service: &str) -> Result<bool, Error> {
    let from = session_prefix(service);
    Ok(!rows.scan(&from, &keys::successor(&from), sdk::runtime::Order::Ascending, 1)?.is_empty())
}

pub(super) fn session_key(service: &str, account: &str, client: u128, n: u64) -> Bytes {
    let mut key = session_prefix(service);
    keys::escape(account.as_bytes(), &mut key);
    key.extend_from_slice(&client.to_be_bytes());
    key.extend_from_slice(&n.to_be_bytes());
    key.into()
}

/// Account, client and n of a session's row.
pub(super) fn parse_session_key(service: &str, key: &[u8]) -> Option<(String, u128, u64)> {
    let (account, rest) = keys::unescape(key.strip_prefix(session_prefix(service).as_slice())?)?;
    let (client, rest) = rest.split_first_chunk::<16>()?;
    let n = rest.first_chunk::<8>()?;
    Some((String::from_utf8(account).ok()?, u128::from_be_bytes(*client), u64::from_be_bytes(*n)))
}

/// The kept reply, if there is one and it has not run out.
pub(super) fn find(rows: &dyn Rows, key: &[u8], now: Time) -> Result<Option<Kept>, Error> {
    let Some(bytes) = rows.get(key)? else { return Ok(None) };
    let stored = Value::decode(ONCE, bytes)?;
    if stored.is_due(now.0) {
        return Ok(None);
    }
    decode(&stored.payload).map(Some)
}

pub(super) fn decode(payload: &[u8]) -> Result<Kept, Error> {
    codec::decode(payload).map_err(|e| reasons::STORAGE.refuse(format!("a kept reply does not decode: {e}")))
}

/// Effects that keep `kept` for this command.
pub(super) fn keep(command: &Command, key: Bytes, kept: &Kept, now: Time) -> Result<Vec<Op>, Error> {
    let payload = codec::encode(kept).map_err(|e| reasons::STORAGE.refuse(format!("a reply does not encode: {e}")))?;
    let due_ns = match command.request_id {
        RequestId::Caller(_) => now.0 + CALLER_ID_KEPT_NS,
        RequestId::Session { .. } | RequestId::None => 0,
    };
    let mut ops = Vec::with_capacity(2);
    if due_ns != 0 {
        ops.push(Op::Put { key: keys::due(command.endpoint.service, due_ns, &key), value: Bytes::new() });
    }
    ops.push(Op::Put { key, value: Value::encode(1, due_ns, &payload) });
    Ok(ops)
}
