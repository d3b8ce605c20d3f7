//! The rules beyond the limits of fields. In order: the type, the prefix, then what nanoids are drawn from.

use super::api::*;
use super::formats::text;
use super::kind::{KINDS, Kind};
use super::mint::{Drawing, mint};
use sdk::prelude::*;

/// The last number of a sequence.
pub static LAST: Row<i64> = Row::new("last");

/// Each call makes new ids, under the same request id too.
pub fn generate(here: &Here, req: GenerateRequest) -> Result<GenerateResponse> {
    let kind = match req.r#type.as_str() {
        "" => Kind::Uuid,
        name => Kind::named(name).ok_or_else(|| UNSUPPORTED_TYPE.because(UNSUPPORTED_TYPE_DETAIL))?,
    };
    let prefix = prefix(&req.prefix)?;
    let nanoid = drawing(kind, &req)?;
    let new = |_| Ok(format!("{prefix}{}", mint(here, kind, &nanoid)?));
    let mut ids = (0..req.count.max(1)).map(new).collect::<Result<Vec<String>>>()?;
    let id = ids[0].clone();
    if req.count == 0 {
        ids.clear();
    }
    Ok(GenerateResponse { id, r#type: kind.name().into(), ids })
}

pub fn types(_: &Here, _: TypesRequest) -> Result<TypesResponse> {
    Ok(TypesResponse { types: KINDS.iter().map(|kind| kind.name().to_string()).collect() })
}

pub fn sequence(tx: &mut Tx, _: SequenceRequest) -> Result<SequenceResponse> {
    let last = tx.get_or_default(&LAST)?;
    let value = last.checked_add(1).ok_or_else(|| SEQUENCE_ENDED.because("the sequence is at its end"))?;
    tx.put(&LAST, &value)?;
    Ok(SequenceResponse { value })
}

/// With one `_` behind it, so that `Parse` finds the id again.
fn prefix(given: &str) -> Result<String> {
    let word = given.strip_suffix('_').unwrap_or(given);
    let fits = word.len() <= 32 && word.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'_');
    match (given.is_empty(), fits && !word.is_empty()) {
        (true, _) => Ok(String::new()),
        (_, true) => Ok(format!("{word}_")),
        (_, false) => Err(BAD_PREFIX.because(BAD_PREFIX_DETAIL)),
    }
}

fn drawing(kind: Kind, req: &GenerateRequest) -> Result<Drawing<'_>> {
    let nanoid = kind == Kind::Nanoid;
    if !nanoid && req.length != 0 {
        return Err(BAD_LENGTH.because("length is for nanoid"));
    }
    if !nanoid && !req.alphabet.is_empty() {
        return Err(BAD_ALPHABET.because("alphabet is for nanoid"));
    }
    let len = if req.length == 0 { text::NANOID_LEN } else { req.length as usize };
    let alphabet = if req.alphabet.is_empty() { text::NANOID } else { req.alphabet.as_bytes() };
    // A sign that is there twice would be drawn twice as often.
    let fair = |alphabet: &[u8]| (1..alphabet.len()).all(|at| !alphabet[..at].contains(&alphabet[at]));
    if alphabet.len() < 2 || !alphabet.iter().all(u8::is_ascii_graphic) || !fair(alphabet) {
        return Err(BAD_ALPHABET.because(BAD_ALPHABET_DETAIL));
    }
    Ok(Drawing { alphabet, len })
}
