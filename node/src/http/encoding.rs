//! `Content-Encoding`: bodies unpacked as they arrive, never beyond their limit. A gzip bomb ends where a long body does.

use crate::door::{MEDIA, too_large};
use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, Write};
use wire::{Error, error::reasons};

/// Unpacks one body.
pub struct Decoder {
    way: Way,
    bytes_max: usize,
}

enum Way {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
    Deflate(Inflate),
}

impl Decoder {
    /// As the headers say. `bytes_max`: of what comes out.
    pub fn of(headers: &HeaderMap, bytes_max: usize) -> Result<Decoder, Error> {
        let mut said = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (said.next(), said.next());
        let name = first.map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase()).unwrap_or_default();
        let out = Bounded { bytes: vec![], max: bytes_max };
        let way = match name.as_str() {
            _ if second.is_some() => return Err(MEDIA.refuse("Content-Encoding: given more than once")),
            "" | "identity" => Way::Plain(out),
            "gzip" | "x-gzip" => Way::Gzip(Box::new(MultiGzDecoder::new(out))),
            "deflate" => Way::Deflate(Inflate { state: None, ended: false, out }),
            other => {
                let detail = format!("Content-Encoding {other:?} is not read: gzip, deflate or the body as it is");
                return Err(MEDIA.refuse(detail));
            }
        };
        Ok(Decoder { way, bytes_max })
    }

    /// The next piece as it was sent.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        let pushed = match &mut self.way {
            Way::Plain(out) => out.write_all(piece),
            Way::Gzip(decoder) => decoder.write_all(piece),
            Way::Deflate(inflate) => inflate.write(piece),
        };
        pushed.map_err(|wrong| refused(wrong, self.bytes_max))
    }

    /// Bytes that came out so far.
    pub fn len(&self) -> usize {
        match &self.way {
            Way::Plain(out) => out.bytes.len(),
            Way::Gzip(decoder) => decoder.get_ref().bytes.len(),
            Way::Deflate(inflate) => inflate.out.bytes.len(),
        }
    }

    /// The whole of it; what was cut off in the middle is no body.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        let finished = match self.way {
            Way::Plain(out) => Ok(out),
            Way::Gzip(decoder) => decoder.finish(),
            Way::Deflate(inflate) => inflate.finish(),
        };
        finished.map(|out| out.bytes).map_err(|wrong| refused(wrong, self.bytes_max))
    }
}

fn refused(wrong: io::Error, bytes_max: usize) -> Error {
    match wrong.kind() {
        io::ErrorKind::FileTooLarge => too_large(bytes_max),
        _ => reasons::BAD_BODY.refuse(format!("the body is not what its Content-Encoding says: {wrong}")),
    }
}

/// A buffer that takes no more than it may.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// HTTP's "deflate" is zlib's format; some clients send it bare.
struct Inflate {
    state: Option<Decompress>,
    ended: bool,
    out: Bounded,
}

impl Inflate {
    fn write(&mut self, mut piece: &[u8]) -> io::Result<()> {
        let Some(first) = piece.first() else { return Ok(()) };
        // zlib's first byte names its method, 8. Bare deflate begins so only with a stored block that is padded oddly.
        let state = self.state.get_or_insert_with(|| Decompress::new(first & 0x0f == 8));
        let mut room = [0; 8 << 10];
        loop {
            if self.ended {
                return if piece.is_empty() { Ok(()) } else { Err(io::Error::other("something follows its end")) };
            }
            let (read, wrote) = (state.total_in(), state.total_out());
            let status = state.decompress(piece, &mut room, FlushDecompress::None).map_err(io::Error::other)?;
            let (read, wrote) = ((state.total_in() - read) as usize, (state.total_out() - wrote) as usize);
            self.out.write_all(&room[..wrote])?;
            piece = &piece[read..];
            self.ended = status == Status::StreamEnd;
            if !self.ended && piece.is_empty() && wrote < room.len() {
                return Ok(());
            }
            if !self.ended && (read, wrote) == (0, 0) {
                return Err(io::Error::other("it does not go on"));
            }
        }
    }

    fn finish(self) -> io::Result<Bounded> {
        // Nothing at all is an empty body.
        if self.ended || self.state.is_none() { Ok(self.out) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn packed(name: &str, body: &[u8]) -> Vec<u8> {
        let level = Compression::best();
        macro_rules! by {
            ($encoder:ident) => {{
                let mut encoder = $encoder::new(vec![], level);
                encoder.write_all(body).unwrap();
                encoder.finish().unwrap()
            }};
        }
        match name {
            "gzip" | "X-GZIP" => by!(GzEncoder),
            "deflate" => by!(ZlibEncoder),
            "bare" => by!(DeflateEncoder),
            _ => body.to_vec(),
        }
    }

    fn unpack(name: &str, sent: &[u8], piece: usize, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut headers = HeaderMap::new();
        let name = if name == "bare" { "deflate" } else { name };
        headers.insert(header::CONTENT_ENCODING, name.parse().unwrap());
        let mut decoder = Decoder::of(&headers, bytes_max)?;
        for piece in sent.chunks(piece) {
            decoder.push(piece)?;
            assert!(decoder.len() <= bytes_max);
        }
        decoder.finish()
    }

    const WAYS: [&str; 5] = ["identity", "gzip", "X-GZIP", "deflate", "bare"];

    #[test]
    fn each_encoding_in_pieces_of_any_size() {
        let body: Vec<u8> = (0..50_000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        for way in WAYS {
            let sent = packed(way, &body);
            for piece in [1, 7, 4096, sent.len()] {
                assert_eq!(unpack(way, &sent, piece, body.len()).unwrap(), body, "{way} {piece}");
            }
            assert_eq!(unpack(way, b"", 1, 10).map_err(|error| error.code).unwrap_or_default(), b"", "{way}");
        }
    }

    #[test]
    fn one_byte_too_many_is_too_large_whatever_is_left() {
        let zeros = vec![0; 20 << 20];
        for way in WAYS {
            let error = unpack(way, &packed(way, &zeros), 4096, (1 << 20) - 1).unwrap_err();
            assert!(error.is(&reasons::TOO_LARGE), "{way}: {error:?}");
        }
    }

    #[test]
    fn what_is_cut_off_broken_or_unknown_is_refused() {
        let body = vec![7; 5000];
        for way in ["gzip", "deflate", "bare"] {
            let sent = packed(way, &body);
            assert_eq!(unpack(way, &sent[..sent.len() - 1], 10, 9000).unwrap_err().code, 400, "{way} cut off");
            assert_eq!(unpack(way, &[&sent[..], b"more"].concat(), 10, 9000).unwrap_err().code, 400, "{way} and more");
        }
        assert_eq!(unpack("gzip", b"{\"amount\":5}", 10, 9000).unwrap_err().code, 400);
        for name in ["br", "zstd", "gzip, gzip", "?"] {
            assert_eq!(unpack(name, b"", 10, 9000).unwrap_err().code, 415, "{name}");
        }
    }
}
