//! How much a node takes in at once, over all its doors: by count and by bytes. Beyond it callers are told at once.
//!
//! What does not end by itself has bounds of its own: a thousand idle streams take no call's place, and are not without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wire::Error;
use wire::error::reasons;

/// What is inside a node, and how much of it may be.
pub struct Gate {
    inside: [AtomicUsize; 3],
    bytes: AtomicUsize,
    bounds: Bounds,
}

/// The most that may be inside.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub calls: usize,
    /// Of requests: arriving, or inside with their calls.
    pub bytes: usize,
    pub streams: usize,
    pub sockets: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { calls: 16_384, bytes: 256 << 20, streams: 8_192, sockets: 4_096 }
    }
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A call that ends with one reply.
    Call,
    /// A stream, from its call to its end.
    Stream,
    /// A WebSocket, whatever it asks for.
    Socket,
}

/// Held by what is inside.
pub struct Pass {
    gate: Arc<Gate>,
    counted: Option<Counted>,
    bytes: usize,
}

impl Gate {
    pub fn new(bounds: Bounds) -> Arc<Gate> {
        Arc::new(Gate { inside: Default::default(), bytes: AtomicUsize::new(0), bounds })
    }

    /// For a node without other wishes.
    pub fn usual() -> Arc<Gate> {
        Gate::new(Bounds::default())
    }

    /// How many of these are inside now.
    pub fn inside(&self, counted: Counted) -> usize {
        self.inside[counted as usize].load(Ordering::Relaxed)
    }

    /// Lets one in, with a request of so many bytes.
    pub fn enter(self: &Arc<Gate>, counted: Counted, bytes: usize) -> Result<Pass, Error> {
        // The pass is made first: refused, its drop takes back what was counted.
        let mut pass = Pass { gate: self.clone(), counted: Some(counted), bytes: 0 };
        let before = self.inside[counted as usize].fetch_add(1, Ordering::Relaxed);
        let (max, what) = match counted {
            Counted::Call => (self.bounds.calls, "calls are under way"),
            Counted::Stream => (self.bounds.streams, "streams are live"),
            Counted::Socket => (self.bounds.sockets, "WebSockets are open"),
        };
        if before >= max {
            return Err(full(format!("{max} {what} on this node")));
        }
        pass.grow(bytes)?;
        Ok(pass)
    }

    /// For a request that is arriving and no call yet.
    pub fn arriving(self: &Arc<Gate>) -> Pass {
        Pass { gate: self.clone(), counted: None, bytes: 0 }
    }
}

impl Pass {
    /// So many bytes more are held for it.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes;
        let held = self.gate.bytes.fetch_add(bytes, Ordering::Relaxed);
        match held + bytes > self.gate.bounds.bytes {
            true => Err(full(format!("{} MiB of requests are under way on this node", self.gate.bounds.bytes >> 20))),
            false => Ok(()),
        }
    }

    /// Its request is not held any more.
    pub fn shrink(&mut self) {
        self.gate.bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.shrink();
        if let Some(counted) = self.counted {
            self.gate.inside[counted as usize].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The answer when there is no room: nothing was begun, so trying again is safe.
pub fn full(what: String) -> Error {
    reasons::OVERLOADED.refuse(format!("{what}: try again shortly")).retry_after_ms(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_count_or_bytes_is_refused_and_leaves_no_trace() {
        let gate = Gate::new(Bounds { calls: 2, bytes: 100, ..Bounds::default() });
        let call = |bytes| gate.enter(Counted::Call, bytes);
        let (one, two) = (call(10).unwrap(), call(10).unwrap());
        let error = call(1).err().unwrap();
        assert!(error.is(&reasons::OVERLOADED) && error.outcome == wire::Outcome::NotRun, "{error:?}");
        drop(one);
        assert!(call(91).err().unwrap().is(&reasons::OVERLOADED));
        let big = call(90).unwrap();
        drop((two, big));
        assert_eq!((gate.inside(Counted::Call), gate.bytes.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn streams_and_sockets_take_no_calls_place_and_have_an_end() {
        let gate = Gate::new(Bounds { calls: 1, bytes: 100, streams: 1, sockets: 1 });
        let mut live = gate.enter(Counted::Stream, 90).unwrap();
        let _socket = gate.enter(Counted::Socket, 0).unwrap();
        assert!(gate.enter(Counted::Call, 90).err().unwrap().is(&reasons::OVERLOADED));
        live.shrink();
        let _call = gate.enter(Counted::Call, 90).unwrap();
        for (counted, word) in [(Counted::Stream, "1 streams"), (Counted::Socket, "1 WebSockets")] {
            let error = gate.enter(counted, 0).err().unwrap();
            assert!(error.is(&reasons::OVERLOADED) && error.detail.contains(word), "{error:?}");
        }
        drop(live);
        assert!(gate.enter(Counted::Stream, 0).is_ok());
    }

    #[test]
    fn a_request_counts_while_it_arrives() {
        let gate = Gate::new(Bounds { bytes: 100, ..Bounds::default() });
        let mut arriving = gate.arriving();
        arriving.grow(60).unwrap();
        assert!(arriving.grow(60).is_err() && gate.enter(Counted::Call, 1).is_err());
        drop(arriving);
        assert!(gate.enter(Counted::Call, 100).is_ok());
    }
}
