//! What an id tells, of a type that is named or found by its looks.

use super::api::*;
use super::formats::{Parts, flake, ksuid, objectid, shortid, sqid, text, ulid, uuid, xid};
use super::kind::{KINDS, Kind};
use sdk::prelude::*;

pub fn parse(_: &Here, req: ParseRequest) -> Result<ParseResponse> {
    let named = match req.r#type.as_str() {
        "" => None,
        name => Some(Kind::named(name).ok_or_else(|| UNSUPPORTED_TYPE.because(UNSUPPORTED_TYPE_DETAIL))?),
    };
    let (prefix, kind, parts) = find(&req.id, named).ok_or_else(|| {
        let what = named.map_or("id of a type that shows".to_string(), |kind| format!("{} id", kind.name()));
        NOT_AN_ID.because(format!("not a valid {what}"))
    })?;
    Ok(ParseResponse {
        r#type: kind.name().into(),
        prefix: prefix.into(),
        time: parts.time_ns.map(text_of).transpose()?.unwrap_or_default(),
        // No worker has more than 48 bits.
        worker: parts.worker as i64,
        sequence: parts.sequence as i64,
    })
}

/// Prefix, type and parts. The whole text first, then what stands behind each `_`: ids may have that sign themselves.
fn find(id: &str, named: Option<Kind>) -> Option<(&str, Kind, Parts)> {
    let whole = std::iter::once(("", id));
    let splits = id.match_indices('_').map(|(at, _)| (&id[..at], &id[at + 1..]));
    whole.chain(splits).find_map(|(prefix, text)| {
        let read = |kind| read(kind, text, named.is_some()).map(|parts| (prefix, kind, parts));
        match named {
            Some(kind) => read(kind),
            None => by_looks().find_map(read),
        }
    })
}

/// The order in which a text is tried: a text that several types could have written is most likely of the first. A sqid
/// looks like any word.
fn by_looks() -> impl Iterator<Item = Kind> {
    let vague = [Kind::Cuid2, Kind::Nanoid, Kind::Snowflake, Kind::Bigflake, Kind::Shortid];
    let firm = KINDS.into_iter().filter(move |kind| !vague.contains(kind) && *kind != Kind::Sqid);
    firm.chain(vague)
}

/// `named`: the caller says that it is of this type, so that only impossible ones are refused.
fn read(kind: Kind, text: &str, named: bool) -> Option<Parts> {
    let of_version = |version| uuid::decode(text).filter(|(found, _)| *found == version).map(|(_, parts)| parts);
    let chance = |is: bool| is.then(Parts::default);
    match kind {
        Kind::Uuid => of_version(4),
        Kind::UuidV7 => of_version(7),
        Kind::UuidV1 => of_version(1),
        Kind::Ulid => ulid::decode(text),
        Kind::Ksuid => ksuid::decode(text),
        Kind::Xid => xid::decode(text),
        Kind::ObjectId => objectid::decode(text),
        Kind::Shortid => shortid::decode(text),
        // Those of real clocks have 17 to 19 digits; an 11-digit one would be of 2012's first second.
        Kind::Snowflake => flake::decimal(text).filter(|_| named || text.len() > 14).and_then(flake::of_snowflake),
        Kind::Bigflake => flake::decimal(text).filter(|_| named || text.len() > 20).map(flake::of_bigflake),
        Kind::Sqid => sqid::decode(text).and_then(flake::of_snowflake),
        Kind::Cuid2 => chance(text::is_cuid2(text)),
        Kind::Nanoid => chance(text::is_nanoid(text) || named && text::is_custom_nanoid(text)),
    }
}

/// Our times end in 2262, and begin in 1677.
fn text_of(time_ns: i128) -> Result<String> {
    let time = i64::try_from(time_ns).ok().and_then(|ns| serde_json::to_value(Time(ns)).ok());
    let text = time.as_ref().and_then(|value| value.as_str()).map(str::to_string);
    text.ok_or_else(|| NOT_AN_ID.because("its time lies before 1677 or behind 2262"))
}
