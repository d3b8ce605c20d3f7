//! The reply kept under a request id (P5): written in the command's own entry, found again by any later arrival.

use super::Command;
use super::seal::Seal;
use bytes::Bytes;
use hmac::Mac;
use sdk::runtime::{Op, Order, Rows, keys, value::Value};
use sdk::{Error, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::rpc::RequestId;
use wire::{codec, error::reasons};

/// A caller's own id is good for this long; the docs and the reply's header say so.
pub const CALLER_ID_KEPT_NS: i64 = 24 * 3600 * 1_000_000_000;
/// The most calls told of one id and group: an id is meant for one.
const CALLS_MAX: usize = 1_000;
/// Tag of a session's rows; the other tags are [`keys`]'s.
const SESSION: u8 = 3;

/// What was decided: what the caller hears.
pub(crate) type Decided = Result<Bytes, Error>;

/// What a row of either kind holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of endpoint, entity and payload: another call under the same id is refused.
    pub(super) hash: [u8; 16],
    /// The session's lowest outstanding number when this was written; 0 for a caller's id.
    pub(super) low: u64,
    reply: Reply,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Reply {
    Plain(Result<wire::Bytes, Error>),
    /// Of a sensitive endpoint: a `Result` as above, sealed.
    Sealed(wire::Bytes),
    /// None: a caller asked whether a call of this id ran, and was told that none ever will (P6).
    Never,
}

impl Kept {
    /// `nonce`: random; asked for only if the reply is sealed.
    pub(super) fn of(
        command: &Command,
        key: &[u8],
        hash: [u8; 16],
        decided: &Decided,
        seal: &Seal,
        nonce: impl FnOnce() -> [u8; 12],
    ) -> Kept {
        let low = if let RequestId::Session { low, .. } = command.request_id { low } else { 0 };
        let plain = decided.clone().map(|bytes| wire::Bytes(bytes.to_vec()));
        let reply = match command.endpoint.sensitive {
            false => Reply::Plain(plain),
            true => {
                let plain = codec::encode(&plain).expect("a reply and an error are plain data");
                Reply::Sealed(wire::Bytes(seal.seal(key, &plain, nonce())))
            }
        };
        Kept { hash, low, reply }
    }

    /// The tombstone of an id (P6).
    pub(crate) fn never() -> Kept {
        Kept { hash: [0; 16], low: 0, reply: Reply::Never }
    }

    /// What was decided, from the row at `key`; the outer error is the disk's. `None`: a tombstone.
    fn decided(self, key: &[u8], seal: &Seal) -> Result<Option<Decided>, Error> {
        let plain = match self.reply {
            Reply::Plain(plain) => plain,
            Reply::Sealed(sealed) => codec::decode(&seal.open(key, &sealed.0)?).map_err(broken)?,
            Reply::Never => return Ok(None),
        };
        Ok(Some(plain.map(|bytes| Bytes::from(bytes.0))))
    }

    /// As [`Kept::decided`], for the call of this `hash`.
    pub(super) fn again(self, key: &[u8], hash: [u8; 16], seal: &Seal) -> Result<Decided, Error> {
        let is_same = self.hash == hash;
        match self.decided(key, seal)? {
            Some(decided) if is_same => Ok(decided),
            Some(_) => Err(reasons::ID_REUSED.refuse("this request id was used for another call; use a new one")),
            None => {
                let detail = "this request id was given up: its outcome was asked for with a fence; use a new one";
                Err(reasons::ID_GIVEN_UP.refuse(detail))
            }
        }
    }
}

/// Hash of what a request id stands for.
pub(super) fn hash(command: &Command, seal: &Seal) -> [u8; 16] {
    let parts = [command.endpoint.name.as_bytes(), command.entity.as_bytes(), &command.body];
    let frame = |part: &[u8]| (part.len() as u32).to_le_bytes();
    let whole: [u8; 32] = match command.endpoint.sensitive {
        false => {
            let hash =
                parts.into_iter().fold(Sha256::new(), |hash, part| hash.chain_update(frame(part)).chain_update(part));
            hash.finalize().into()
        }
        true => {
            let keyed = seal.keyed_hash();
            let mac = parts.into_iter().fold(keyed, |mac, part| mac.chain_update(frame(part)).chain_update(part));
            mac.finalize().into_bytes().into()
        }
    };
    *whole.first_chunk().expect("SHA-256 has 32 bytes")
}

/// Key of the row that keeps this command's reply, if it has an id.
pub(super) fn key(command: &Command) -> Option<Bytes> {
    let (service, account) = (command.endpoint.service, command.account.as_ref());
    match &command.request_id {
        RequestId::None => None,
        RequestId::Caller(id) => Some(keys::once(account, id, service, command.endpoint.name, &command.entity)),
        RequestId::Session { client, n, .. } => Some(session_key(service, account, *client, *n)),
    }
}

/// Key of the tombstone that would forbid this command.
pub(super) fn tombstone_key(command: &Command) -> Option<Bytes> {
    match &command.request_id {
        // A handler's call is its handler's id, a space and a number: who gave up that id gave up all it would call.
        RequestId::Caller(id) => {
            let own = id.split(' ').next().unwrap_or_default();
            Some(keys::once(&command.account, own, command.endpoint.service, "", ""))
        }
        RequestId::None | RequestId::Session { .. } => None,
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
    Ok(!rows.scan(&from, &keys::successor(&from), Order::Ascending, 1)?.is_empty())
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
    let stored = Value::decode("~once", bytes)?;
    if stored.is_due(now.0) {
        return Ok(None);
    }
    decode(&stored.payload).map(Some)
}

pub(super) fn decode(payload: &[u8]) -> Result<Kept, Error> {
    codec::decode(payload).map_err(broken)
}

/// Effects that keep `kept` in `service`'s row `key`; `due` = it goes then, if ever.
pub(crate) fn keep(service: &str, key: Bytes, kept: &Kept, due: Option<Time>) -> Result<Vec<Op>, Error> {
    let payload = codec::encode(kept).map_err(|e| reasons::STORAGE.refuse(format!("a reply does not encode: {e}")))?;
    let due_ns = due.map_or(0, |due| due.0);
    let mut ops = Vec::with_capacity(2);
    if due_ns != 0 {
        ops.push(Op::Put { key: keys::due(service, due_ns, &key), value: Bytes::new() });
    }
    ops.push(Op::Put { key, value: Value::encode(1, due_ns, &payload) });
    Ok(ops)
}

/// Service, endpoint, entity and what was decided, of every call kept below `prefix` ([`keys::once_prefix`], [`keys::once_inner`]).
pub(crate) fn kept_rows(
    rows: &dyn Rows,
    prefix: &[u8],
    cluster_key: &[u8; 32],
    now: Time,
) -> Result<Vec<(String, String, String, Decided)>, Error> {
    let seal = Seal::new(cluster_key);
    let mut found = Vec::new();
    for (key, _) in rows.scan(prefix, &keys::successor(prefix), Order::Ascending, CALLS_MAX)? {
        let Some((service, endpoint, entity)) = keys::parse_once(&key) else { continue };
        if let Some(kept) = find(rows, &key, now)?
            && let Some(decided) = kept.decided(&key, &seal)?
        {
            found.push((service, endpoint, entity, decided));
        }
    }
    Ok(found)
}

/// When the row of this command goes: `until` is what the command itself said.
pub(super) fn due(command: &Command, now: Time, until: Option<Time>) -> Option<Time> {
    let by_id = match command.request_id {
        RequestId::Caller(_) => Some(wire::Rfc3339(now.0.saturating_add(CALLER_ID_KEPT_NS))),
        RequestId::Session { .. } | RequestId::None => None,
    };
    by_id.into_iter().chain(until).min()
}

fn broken(error: codec::CodecError) -> Error {
    reasons::STORAGE.refuse(format!("a kept reply does not decode: {error}"))
}
