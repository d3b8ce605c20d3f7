//! The bytes of a state row, and the reading of any hand-written layout here: version byte first.
//!
//! `version 1 ‖ kind (0 live, 1 destroyed)`, and for a live one `‖ generation ‖ applied ‖ its term ‖ conf state to the end`.
//! Numbers are big-endian. A changed layout is a new version, read beside the old ones.

use super::{Error, Generation, ReplicaState};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use wire::ids::{Index, ReplicaId, Term};

const VERSION: u8 = 1;
const LIVE: u8 = 0;
const DESTROYED: u8 = 1;

/// The state row of a live replica.
pub fn live(state: &ReplicaState) -> Bytes {
    let mut row = BytesMut::with_capacity(22 + state.conf_state.len());
    row.put_u8(VERSION);
    row.put_u8(LIVE);
    row.put_u32(state.generation.0);
    row.put_u64(state.applied.0);
    row.put_u64(state.applied_term.0);
    row.put_slice(&state.conf_state);
    row.freeze()
}

/// The state row of a replica that was here and never comes back.
pub fn destroyed() -> Bytes {
    Bytes::from_static(&[VERSION, DESTROYED])
}

/// The state in a row; `None` for a destroyed replica.
pub fn state(replica: ReplicaId, row: Bytes) -> Result<Option<ReplicaState>, Error> {
    let mut reader = Reader::new(row, || format!("the state row of replica {replica}"), VERSION)?;
    match reader.u8()? {
        LIVE => Ok(Some(ReplicaState {
            generation: Generation(reader.u32()?),
            applied: Index(reader.u64()?),
            applied_term: Term(reader.u64()?),
            conf_state: reader.rest(),
        })),
        DESTROYED => Ok(None),
        _ => Err(reader.malformed("its kind is unknown")),
    }
}

/// Takes a layout apart, field by field; running out of bytes is an error, never a panic.
pub struct Reader<W> {
    bytes: Bytes,
    what: W,
}

impl<W: Fn() -> String> Reader<W> {
    /// Reads the version byte first; `what` names the thing in errors.
    pub fn new(bytes: Bytes, what: W, known: u8) -> Result<Reader<W>, Error> {
        let mut reader = Reader { bytes, what };
        match reader.u8()? {
            0 => Err(reader.malformed("it has no version")),
            version if version > known => Err(Error::Newer { what: (reader.what)(), version, known }),
            _ => Ok(reader),
        }
    }

    pub fn u8(&mut self) -> Result<u8, Error> {
        self.bytes.try_get_u8().map_err(|_| self.short())
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        self.bytes.try_get_u32().map_err(|_| self.short())
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.bytes.try_get_u64().map_err(|_| self.short())
    }

    pub fn u128(&mut self) -> Result<u128, Error> {
        self.bytes.try_get_u128().map_err(|_| self.short())
    }

    /// Bytes behind their length.
    pub fn sized(&mut self) -> Result<Bytes, Error> {
        let len = self.u32()? as usize;
        if len > self.bytes.len() {
            return Err(self.short());
        }
        Ok(self.bytes.split_to(len))
    }

    pub fn rest(self) -> Bytes {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn malformed(&self, why: &'static str) -> Error {
        Error::Malformed { what: (self.what)(), why }
    }

    fn short(&self) -> Error {
        self.malformed("it ends too early")
    }
}
