//! `cargo xtask tidy`: the house rules that no compiler keeps, as a test of a second.
//!
//! A rule is a function from the house to findings. An exception is said where it is made, with its reason:
//! `// tidy: sleep because the kernel tells nobody when the port is free`, on the line or the one above it.

mod arrows;
mod house;
mod links;
mod manifest;
mod scan;
mod text;

use anyhow::{Result, bail};
use house::House;
use std::fmt;

pub struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

const RULES: &[fn(&House) -> Vec<Finding>] = &[
    arrows::between_rooms,
    arrows::owners,
    manifest::reasons,
    manifest::one_table,
    manifest::lints,
    text::unfinished,
    text::sleeps,
    text::hash_order,
    text::outside_world,
    text::biased_select,
    text::named_only_at_home,
    text::length,
    links::resolve,
];

pub fn run(_: &[String]) -> Result<()> {
    let house = House::read(crate::house::root())?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&house)).collect();
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings in {} files; each line above says what to do", findings.len(), house.files.len());
    }
    eprintln!("tidy: {} files keep {} rules", house.files.len(), RULES.len());
    Ok(())
}

/// The findings of one rule on a house of one file, as line numbers: what the rules' own tests compare.
#[cfg(test)]
fn found(rule: fn(&House) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    let house = House::of(&[(path, text)]);
    rule(&house).iter().map(|finding| finding.line).collect()
}

#[cfg(test)]
fn clean(rule: fn(&House) -> Vec<Finding>, path: &str, text: &str) {
    assert!(found(rule, path, text).is_empty(), "a finding in {path}, where none should be");
}
