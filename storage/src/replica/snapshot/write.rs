//! Rows of one moment into chunks.

use super::{END, HEAD, ROWS, VERSION};
use crate::replica::hash::Running;
use crate::replica::{Error, ReplicaState, Rows};
use bytes::{BufMut, Bytes, BytesMut};
use std::ops::ControlFlow;

/// Sends the whole stream, or until `send` breaks off; true if it got to the end.
pub fn write(
    rows: &Rows<'_>,
    chunk_bytes: usize,
    send: &mut dyn FnMut(Bytes) -> ControlFlow<()>,
) -> Result<bool, Error> {
    let mut chunks = Chunks { state: rows.state(), next: 0, send };
    if chunks.send(HEAD, &rows.state().conf_state).is_break() {
        return Ok(false);
    }
    let (mut running, mut body, mut flow) = (Running::default(), BytesMut::new(), ControlFlow::Continue(()));
    rows.visit_all(&mut |key, value| {
        running.row(&key, &value);
        for part in [&key, &value] {
            body.put_u32(u32::try_from(part.len()).expect("a row of less than 4 GiB"));
            body.put_slice(part);
        }
        if body.len() >= chunk_bytes {
            flow = chunks.send(ROWS, &body);
            body.clear();
        }
        flow
    })?;
    if flow.is_continue() && !body.is_empty() {
        flow = chunks.send(ROWS, &body);
    }
    if flow.is_continue() {
        let mut end = BytesMut::new();
        end.put_u64(running.rows);
        end.put_u128(running.hash());
        flow = chunks.send(END, &end);
    }
    Ok(flow.is_continue())
}

struct Chunks<'a> {
    state: &'a ReplicaState,
    next: u32,
    send: &'a mut dyn FnMut(Bytes) -> ControlFlow<()>,
}

impl Chunks<'_> {
    fn send(&mut self, kind: u8, body: &[u8]) -> ControlFlow<()> {
        let mut chunk = BytesMut::with_capacity(26 + body.len());
        chunk.put_u8(VERSION);
        chunk.put_u8(kind);
        chunk.put_u32(self.next);
        chunk.put_u64(self.state.applied.0);
        chunk.put_u64(self.state.applied_term.0);
        chunk.put_slice(body);
        let sum = crc32fast::hash(&chunk);
        chunk.put_u32(sum);
        self.next = self.next.checked_add(1).expect("four billion chunks");
        (self.send)(chunk.freeze())
    }
}
