//! Unique ids of thirteen kinds, what they tell, and numbers without gaps.
//!
//! Two ids of one node never meet: time and count come from its clock, which does not go back. Two nodes never meet where
//! the type has a worker: the number is leased from the meta group, to one running node at a time. The others (uuid, ulid,
//! ksuid, nanoid, cuid2, uuidv7) have 62 to 128 bits of chance; bigflake has 48 bits of the node's own id.
//!
//! **shortid has room for a worker of 0 to 31.** Nodes whose leased numbers are equal modulo 32, so more than 32 nodes, can
//! make the same shortid: in the same millisecond, once in 512 times.
//!
//! A snowflake lasts until 2081, a shortid until 2050, a ksuid until 2150, xid and objectid until 2106.

mod api;
mod commands;
mod formats;
mod kind;
mod mint;
mod parse;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{LAST, generate, sequence, types};
use parse::parse;
use sdk::Service;

/// What `commons services` lists as `id`.
pub fn service() -> Service {
    let names = "uuid ulid ksuid xid nanoid shortid snowflake bigflake uuidv7 uuidv1 cuid2 objectid sqid";
    let invoices = || SequenceRequest { name: "invoices".into() };
    Service::new("id", "Unique ids in many formats")
        .category("web")
        .display_name("ID")
        .row(&LAST)
        .local(generate)
        .local(types)
        .local(parse)
        .command(sequence)
        .example(
            "Make a nanoid",
            GenerateRequest { r#type: "nanoid".into(), ..Default::default() },
            GenerateResponse { id: "R14_5iwXB66L26fdoEe8r".into(), r#type: "nanoid".into(), ids: vec![] },
        )
        .example(
            "Make two UUIDs of users",
            GenerateRequest { r#type: "uuid".into(), count: 2, prefix: "usr".into(), ..Default::default() },
            GenerateResponse {
                id: "usr_0c60a448-cbf9-4116-90b0-a742f1e4d238".into(),
                r#type: "uuid".into(),
                ids: vec![
                    "usr_0c60a448-cbf9-4116-90b0-a742f1e4d238".into(),
                    "usr_a7a45cae-054e-421c-a010-7e1661bac638".into(),
                ],
            },
        )
        .example(
            "List the types",
            TypesRequest {},
            TypesResponse { types: names.split(' ').map(str::to_string).collect() },
        )
        .example(
            "Read a snowflake",
            ParseRequest { id: "1971933570662428683".into(), ..Default::default() },
            ParseResponse {
                r#type: "snowflake".into(),
                prefix: String::new(),
                time: "2026-11-24T12:00:00Z".into(),
                worker: 7,
                sequence: 11,
            },
        )
        .example("Count the first invoice", invoices(), SequenceResponse { value: 1 })
        .example("And the next", invoices(), SequenceResponse { value: 2 })
}
