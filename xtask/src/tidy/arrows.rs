//! Which room may use which (the table in ARCHITECTURE.md), and which room owns an outside crate.

use super::Finding;
use super::house::House;
use super::manifest::{Kind, dependencies};

/// Room, what it may use, what only its tests and examples may use besides.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("wire", &[], &[]),
    ("sdk", &["wire"], &[]),
    ("places", &[], &[]),
    ("services", &["places", "sdk", "wire"], &[]),
    ("storage", &["wire"], &[]),
    ("cluster", &["storage", "wire"], &[]),
    ("actors", &["cluster", "storage", "sdk", "wire"], &["services"]),
    ("client", &["wire", "services"], &[]),
    ("node", &["wire", "sdk", "services", "storage", "cluster", "actors", "client"], &[]),
    ("simulations", &["wire", "sdk", "services", "storage", "cluster", "actors", "client"], &[]),
    ("tests", &["client", "services", "wire"], &[]),
    ("benchmarks", &["client", "services", "wire"], &[]),
    ("fuzz", &["services", "wire"], &[]),
    ("examples", &["node", "sdk", "wire", "client", "services"], &[]),
    ("xtask", &[], &[]),
];

/// These crates sit behind one room each, so that replacing one is a change in one place.
const OWNED: &[(&str, &[&str])] = &[
    ("bincode", &["wire"]),
    ("rocksdb", &["storage"]),
    ("raft", &["cluster"]),
    ("chitchat", &["cluster"]),
    ("ractor", &["actors"]),
    ("axum", &["node"]),
];

pub fn between_rooms(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in house.manifests() {
        let room = manifest.room();
        let Some((_, may, tests_may)) = ROOMS.iter().find(|(name, ..)| *name == room) else {
            findings.push(Finding::new(
                &manifest.path,
                1,
                "a room without a row in xtask/src/tidy/arrows.rs: say what it may use",
            ));
            continue;
        };
        for dependency in dependencies(&manifest.text) {
            let is_room = ROOMS.iter().any(|(name, ..)| *name == dependency.name);
            let allowed = may.contains(&dependency.name)
                || dependency.kind == Kind::Dev && (tests_may.contains(&dependency.name) || dependency.name == room);
            if is_room && !allowed {
                let what =
                    format!("{room} may not use {}: arrows go one way (xtask/src/tidy/arrows.rs)", dependency.name);
                findings.push(Finding::new(&manifest.path, dependency.line, what));
            }
        }
    }
    findings
}

pub fn owners(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in house.manifests() {
        for dependency in dependencies(&manifest.text) {
            if let Some((name, rooms)) = OWNED.iter().find(|(name, _)| *name == dependency.name)
                && !rooms.contains(&manifest.room())
            {
                let what = format!("only {} names {name}: call what it offers instead", rooms.join(", "));
                findings.push(Finding::new(&manifest.path, dependency.line, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{clean, found};
    use super::*;

    #[test]
    fn arrows_go_one_way() {
        let bad = "[dependencies]\nwire.workspace = true\nactors.workspace = true\n";
        assert_eq!(found(between_rooms, "storage/Cargo.toml", bad), [3]);
        clean(between_rooms, "node/Cargo.toml", bad);
    }

    #[test]
    fn tests_of_a_room_may_use_more() {
        let text = "[dependencies]\n[dev-dependencies]\nservices = { workspace = true }\n";
        clean(between_rooms, "actors/Cargo.toml", text);
        assert_eq!(found(between_rooms, "actors/Cargo.toml", &text.replace("dev-", "")), [3]);
    }

    #[test]
    fn an_unknown_room_must_be_placed() {
        assert_eq!(found(between_rooms, "helpers/Cargo.toml", ""), [1]);
    }

    #[test]
    fn an_owned_crate_stays_at_home() {
        let text = "[dev-dependencies]\nbincode.workspace = true\n";
        assert_eq!(found(owners, "storage/Cargo.toml", text), [2]);
        clean(owners, "wire/Cargo.toml", text);
    }
}
