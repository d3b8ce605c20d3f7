//! Frames between nodes.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | length of all that follows, little endian |
//! | 1 | version |
//! | 1 | kind |
//! | 1 | what: the kind of a call, of a refusal, of a snapshot; else 0 |
//! | 8 | id: which call of this connection |
//! | 4 | time left in milliseconds (P14: each hop makes its own instant of it) |
//! | rest | body |
//!
//! Length, version and kind stand where they stand in every version there will be, so that two versions can tell each
//! other apart. There is no checksum: TLS has one.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// First byte behind the length.
pub const VERSION: u8 = 1;
/// Bytes of a frame before its body, without the length.
pub const HEADER_BYTES: usize = 1 + 1 + 1 + 8 + 4;
/// The longest frame taken. A length beyond it ends the connection before anything is allocated.
pub const FRAME_BYTES_MAX: usize = 9 << 20;
/// The longest body that fits.
pub const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX - HEADER_BYTES;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// First frame of both sides: who it is.
    Hello = 1,
    /// The other side's hello is taken.
    Welcome = 2,
    /// It is not; the body says why.
    Refused = 3,
    /// Nothing to say, and alive.
    KeepAlive = 4,
    /// All that one turn of consensus says to a node.
    Raft = 5,
    Call = 6,
    Answer = 7,
    /// The answer is an error, or the snapshot was not taken.
    Failed = 8,
    /// The caller no longer wants the answer.
    Cancel = 9,
    /// What goes in front of a snapshot.
    Head = 10,
    /// The receiver has room: chunks may come.
    Go = 11,
    Chunk = 12,
    /// There are no more chunks.
    End = 13,
    /// The snapshot is taken.
    Done = 14,
}

impl Kind {
    const ALL: [Kind; 14] = {
        use Kind::*;
        [Hello, Welcome, Refused, KeepAlive, Raft, Call, Answer, Failed, Cancel, Head, Go, Chunk, End, Done]
    };

    pub fn from_byte(byte: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    pub what: u8,
    pub id: u64,
    pub time_left_ms: u32,
    pub body: Bytes,
}

/// The other side does not speak our language: close the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    pub fn new(kind: Kind, id: u64, body: impl Into<Bytes>) -> Frame {
        Frame { kind, what: 0, id, time_left_ms: 0, body: body.into() }
    }

    /// Appends the frame to `out`, length first. Its body is at most [`BODY_BYTES_MAX`].
    pub fn encode(&self, out: &mut BytesMut) {
        debug_assert!(self.body.len() <= BODY_BYTES_MAX, "whoever makes a frame looks at its length");
        out.reserve(4 + HEADER_BYTES + self.body.len());
        out.put_u32_le((HEADER_BYTES + self.body.len()) as u32);
        out.put_u8(VERSION);
        out.put_u8(self.kind as u8);
        out.put_u8(self.what);
        out.put_u64_le(self.id);
        out.put_u32_le(self.time_left_ms);
        out.put_slice(&self.body);
    }

    /// Takes one whole frame off the front of `input`; `None` until there is one.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(length) = input.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) as usize) else {
            return Ok(None);
        };
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(length));
        }
        // Before the length is judged: another version's frames may be shorter than ours.
        if let Some(&version) = input.get(4)
            && version != VERSION
        {
            return Err(FrameError::Version(version));
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
        frame.advance(1);
        let kind = frame.get_u8();
        let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let (what, id, time_left_ms) = (frame.get_u8(), frame.get_u64_le(), frame.get_u32_le());
        Ok(Some(Frame { kind, what, id, time_left_ms, body: frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame() -> Frame {
        Frame { what: 3, time_left_ms: 1500, ..Frame::new(Kind::Call, 42, &b"body"[..]) }
    }

    #[test]
    fn the_layout_is_frozen() {
        let mut out = BytesMut::new();
        frame().encode(&mut out);
        let head = [19, 0, 0, 0, 1, 6, 3, 42, 0, 0, 0, 0, 0, 0, 0, 220, 5, 0, 0];
        assert_eq!(out[..19], head);
        assert_eq!(&out[19..], b"body");
    }

    #[test]
    fn a_stranger_is_told_apart() {
        let bytes = |edit: fn(&mut BytesMut)| {
            let mut out = BytesMut::new();
            frame().encode(&mut out);
            edit(&mut out);
            Frame::decode(&mut out).unwrap_err()
        };
        assert_eq!(bytes(|b| b[3] = 255), FrameError::TooLong(0xff00_0013));
        assert_eq!(bytes(|b| b[0] = 1), FrameError::TooShort(1));
        assert_eq!(bytes(|b| b[4] = 2), FrameError::Version(2));
        assert_eq!(bytes(|b| b[5] = 200), FrameError::Kind(200));
        let another = |b: &mut BytesMut| (b[0], b[4]) = (1, 2);
        assert_eq!(
            bytes(another),
            FrameError::Version(2),
            "a shorter frame of another version is named by its version"
        );
    }

    #[test]
    fn a_length_that_lies_makes_no_room() {
        let mut input = BytesMut::from(&[0, 0, 0x80, 0, VERSION][..]);
        assert_eq!(Frame::decode(&mut input), Ok(None));
        assert!(input.capacity() < 1024, "{} bytes held for 5", input.capacity());
    }

    fn frames() -> impl Strategy<Value = Frame> {
        let body = prop::collection::vec(any::<u8>(), 0..300);
        (0..Kind::ALL.len(), any::<u8>(), any::<u64>(), any::<u32>(), body).prop_map(|(kind, what, id, time, body)| {
            Frame { kind: Kind::ALL[kind], what, id, time_left_ms: time, body: body.into() }
        })
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives_however_it_is_cut(
            sent in prop::collection::vec(frames(), 1..6),
            cuts in prop::collection::vec(1_usize..64, 1..40),
        ) {
            let mut bytes = BytesMut::new();
            sent.iter().for_each(|frame| frame.encode(&mut bytes));
            let (mut input, mut got) = (BytesMut::new(), vec![]);
            let mut cuts = cuts.iter().cycle();
            while !bytes.is_empty() {
                let piece = bytes.split_to((*cuts.next().unwrap()).min(bytes.len()));
                input.put_slice(&piece);
                while let Some(frame) = Frame::decode(&mut input).unwrap() {
                    got.push(frame);
                }
            }
            prop_assert_eq!(got, sent);
            prop_assert!(input.is_empty());
        }

        #[test]
        fn garbage_ends_without_a_panic_and_without_room(garbage in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut input = BytesMut::from(&garbage[..]);
            while let Ok(Some(_)) = Frame::decode(&mut input) {}
            prop_assert!(input.capacity() <= 2 * 400 + 64);
        }

        #[test]
        fn a_flipped_byte_is_refused_or_is_some_frame(frame in frames(), at in any::<prop::sample::Index>(), with in 1_u8..) {
            let mut bytes = BytesMut::new();
            frame.encode(&mut bytes);
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            if let Ok(Some(other)) = Frame::decode(&mut bytes) {
                prop_assert_ne!(other, frame);
            }
        }
    }
}
