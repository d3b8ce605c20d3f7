//! The rules in a table, then what no table can say: published vectors, uniqueness, order, and reading it all back.

mod parse;
mod rules;
mod unique;
mod vectors;

use super::kind::{KINDS, Kind};
use super::*;
use sdk::{Result, Sandbox};
use std::time::Duration;

/// 2026-11-24T12:00:00Z
const NOON: Duration = Duration::from_secs(1_795_521_600);

/// A node at noon: worker 0, node 1.
fn node() -> Sandbox {
    let node = Sandbox::new(service());
    node.advance(NOON);
    node
}

fn many(on: &Sandbox, kind: Kind, count: i64) -> Result<Vec<String>> {
    let request = GenerateRequest { r#type: kind.name().into(), count, ..Default::default() };
    on.call(request).map(|reply| reply.ids)
}

fn one(on: &Sandbox, kind: Kind) -> String {
    many(on, kind, 1).unwrap().remove(0)
}
