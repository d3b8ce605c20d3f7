//! The one binary codec: a version byte, then bincode 2. Nothing else in the house names bincode.
//!
//! Not self-describing: a field added to a type is a new version of it, with a `From` of the old.

use serde::{Serialize, de::DeserializeOwned};

/// First byte of every encoded value.
pub const VERSION: u8 = 1;

/// The most a single value may decode to; a length field that lies cannot make us allocate more.
pub const DECODED_BYTES_MAX: usize = 16 << 20;

/// Why bytes are not the value they should be.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("nothing to decode")]
    Empty,
    #[error("encoded with format {found}, this program reads up to {VERSION}: upgrade it")]
    Newer { found: u8 },
    #[error("{0} bytes left over behind the value")]
    Trailing(usize),
    #[error("cannot encode: {0}")]
    Encode(#[from] bincode::error::EncodeError),
    #[error("cannot decode: {0}")]
    Decode(#[from] bincode::error::DecodeError),
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<DECODED_BYTES_MAX>()
}

/// Version byte and value.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(64);
    encode_into(value, &mut out)?;
    Ok(out)
}

/// As [`encode`], appended to `out`.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    out.push(VERSION);
    bincode::serde::encode_into_std_write(value, out, config())?;
    Ok(())
}

/// Refuses other versions and bytes left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (&version, body) = bytes.split_first().ok_or(CodecError::Empty)?;
    if version != VERSION {
        return Err(CodecError::Newer { found: version });
    }
    let (value, used) = bincode::serde::decode_from_slice(body, config())?;
    match body.len() - used {
        0 => Ok(value),
        left => Err(CodecError::Trailing(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_the_round_trip() {
        let value = (7_u64, "seven".to_string(), vec![1_i64, -2, 3], Some(false));
        let bytes = encode(&value).unwrap();
        assert_eq!(bytes[0], VERSION);
        assert_eq!(decode::<(u64, String, Vec<i64>, Option<bool>)>(&bytes).unwrap(), value);
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_refused() {
        let mut bytes = encode(&5_u32).unwrap();
        assert!(matches!(decode::<u32>(&[]), Err(CodecError::Empty)));
        assert!(matches!(decode::<u32>(&[9, 5]), Err(CodecError::Newer { found: 9 })));
        assert!(matches!(decode::<u64>(&bytes[..1]), Err(CodecError::Decode(_))));
        bytes.push(0);
        assert!(matches!(decode::<u32>(&bytes), Err(CodecError::Trailing(1))));
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        let claim = [VERSION, 253, 255, 255, 255, 255, 255, 255, 255, 127];
        assert!(matches!(decode::<Vec<u8>>(&claim), Err(CodecError::Decode(_))));
    }
}
