//! Frames: what travels over a connection between nodes and Rust clients.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | length of all that follows, little endian |
//! | 1 | version |
//! | 1 | kind |
//! | 8 | stream: which call of this connection it belongs to |
//! | 4 | time left in milliseconds; 0 = not said (P14: each hop makes its own instant of it) |
//! | 16 + 8 | trace id and span id (W3C Trace Context) |
//! | rest | payload: one value of [`crate::rpc`], by kind |

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// First byte behind the length.
pub const VERSION: u8 = 1;
/// Bytes of a frame before its payload, without the length.
pub const HEADER_BYTES: usize = 1 + 1 + 8 + 4 + 24;
/// The longest frame taken. A length beyond it ends the connection before anything is allocated.
pub const FRAME_BYTES_MAX: usize = 9 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// First frame of a client: who it is.
    Hello = 1,
    /// The node's answer to it.
    Welcome = 2,
    Call = 3,
    Reply = 4,
    Error = 5,
    /// One item of a stream.
    Item = 6,
    /// The stream ended well.
    End = 7,
    /// The reader can take more items.
    Credit = 8,
    /// The caller no longer wants the answer.
    Cancel = 9,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::*;
        [Hello, Welcome, Call, Reply, Error, Item, End, Credit, Cancel].into_iter().find(|&kind| kind as u8 == byte)
    }
}

/// Where in a trace a frame belongs; all zero = untraced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub trace: [u8; 16],
    pub span: [u8; 8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    pub stream: u64,
    pub time_left_ms: u32,
    pub trace: Trace,
    pub payload: Bytes,
}

/// The other side does not speak our language: close the connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame of {0} bytes; at most {FRAME_BYTES_MAX} are taken")]
    TooLong(usize),
    #[error("frame of {0} bytes is shorter than its header")]
    TooShort(usize),
    #[error("frame version {0}; this program speaks {VERSION}")]
    Version(u8),
    #[error("unknown frame kind {0}")]
    Kind(u8),
}

impl Frame {
    pub fn new(kind: Kind, stream: u64, payload: impl Into<Bytes>) -> Frame {
        Frame { kind, stream, time_left_ms: 0, trace: Trace::default(), payload: payload.into() }
    }

    /// Appends the frame to `out`, length first.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(4 + HEADER_BYTES + self.payload.len());
        out.put_u32_le((HEADER_BYTES + self.payload.len()) as u32);
        out.put_u8(VERSION);
        out.put_u8(self.kind as u8);
        out.put_u64_le(self.stream);
        out.put_u32_le(self.time_left_ms);
        out.put_slice(&self.trace.trace);
        out.put_slice(&self.trace.span);
        out.put_slice(&self.payload);
    }

    /// Takes one whole frame off the front of `input`; `None` until there is one.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(length) = input.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) as usize) else {
            return Ok(None);
        };
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(length));
        }
        if length < HEADER_BYTES {
            return Err(FrameError::TooShort(length));
        }
        if input.len() < 4 + length {
            // Room for as much again as has come, never for what a length claims: it may lie.
            input.reserve((4 + length - input.len()).min(input.len()));
            return Ok(None);
        }
        input.advance(4);
        let mut frame = input.split_to(length).freeze();
        let version = frame.get_u8();
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = frame.get_u8();
        let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let (stream, time_left_ms) = (frame.get_u64_le(), frame.get_u32_le());
        let mut trace = Trace::default();
        frame.copy_to_slice(&mut trace.trace);
        frame.copy_to_slice(&mut trace.span);
        Ok(Some(Frame { kind, stream, time_left_ms, trace, payload: frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let trace = Trace { trace: [7; 16], span: [9; 8] };
        Frame { time_left_ms: 1500, trace, ..Frame::new(Kind::Call, 42, &b"payload"[..]) }
    }

    #[test]
    fn frames_arrive_byte_by_byte_and_in_a_row() {
        let mut sent = BytesMut::new();
        frame().encode(&mut sent);
        frame().encode(&mut sent);
        let mut got = BytesMut::new();
        let mut frames = vec![];
        for byte in sent {
            got.put_u8(byte);
            frames.extend(Frame::decode(&mut got).unwrap());
        }
        assert_eq!(frames, [frame(), frame()]);
        assert!(got.is_empty());
    }

    #[test]
    fn the_layout_is_frozen() {
        let mut out = BytesMut::new();
        frame().encode(&mut out);
        let head = [45, 0, 0, 0, 1, 3, 42, 0, 0, 0, 0, 0, 0, 0, 220, 5, 0, 0];
        assert_eq!(out[..18], head);
        assert_eq!(out[18..], [&[7; 16][..], &[9; 8], b"payload"].concat());
    }

    #[test]
    fn a_stranger_is_told_apart() {
        let bytes = |edit: fn(&mut BytesMut)| {
            let mut out = BytesMut::new();
            frame().encode(&mut out);
            edit(&mut out);
            Frame::decode(&mut out).unwrap_err()
        };
        assert_eq!(bytes(|b| b[3] = 255), FrameError::TooLong(0xff00_002d));
        assert_eq!(bytes(|b| b[0] = 1), FrameError::TooShort(1));
        assert_eq!(bytes(|b| b[4] = 2), FrameError::Version(2));
        assert_eq!(bytes(|b| b[5] = 200), FrameError::Kind(200));
    }
}
