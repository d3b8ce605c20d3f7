//! The rules in a table, then what no table can say: expiry, races, isolation, what rows hold, and random calls against a
//! model.

mod apps;
mod codes;
mod model;
mod rules;

use super::*;
use sdk::{Result, Sandbox};
use std::time::Duration;

const NS: Duration = Duration::from_nanos(1);

fn otp() -> Sandbox {
    Sandbox::new(service())
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn generate(on: &Sandbox, id: &str) -> GenerateResponse {
    on.call(GenerateRequest { id: id.into(), ..Default::default() }).unwrap()
}

fn make(on: &Sandbox, id: &str) -> String {
    generate(on, id).code
}

fn validates(on: &Sandbox, id: &str, code: &str) -> bool {
    validates_for(on, id, code, "")
}

fn validates_for(on: &Sandbox, id: &str, code: &str, purpose: &str) -> bool {
    let request = ValidateRequest { id: id.into(), code: code.into(), purpose: purpose.into() };
    on.call(request).unwrap().success
}

/// A code of the same size that is another.
fn other(code: &str) -> String {
    let last = code.chars().last().expect("a code has signs");
    format!("{}{}", &code[..code.len() - 1], if last == '0' { '1' } else { '0' })
}

/// In hex, as [`Sandbox::dump`] shows rows.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
