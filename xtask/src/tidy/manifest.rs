//! The one dependency table, and what each manifest must have. Read by line: our manifests are plain.

use super::Finding;
use super::house::House;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

pub struct Dependency<'a> {
    pub name: &'a str,
    pub line: usize,
    pub kind: Kind,
    /// What follows the name: `.workspace = true`, `= { … }`.
    rest: &'a str,
}

pub fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut kind = None;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.starts_with('[') {
            kind = match line.trim_matches(['[', ']']).rsplit('.').next() {
                Some("dependencies") if !line.contains("workspace.") => Some(Kind::Normal),
                Some("dev-dependencies") => Some(Kind::Dev),
                Some("build-dependencies") => Some(Kind::Build),
                _ => None,
            };
        } else if let Some(kind) = kind
            && let Some(end) = line.find(['.', ' ', '='])
            && !line.starts_with('#')
        {
            found.push(Dependency { name: &line[..end], line: number, kind, rest: &line[end..] });
        }
    }
    found
}

/// Each outside crate has a word on why it is here, on its line.
pub fn reasons(house: &House) -> Vec<Finding> {
    let Some(root) = house.root_manifest() else { return Vec::new() };
    let mut in_table = false;
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(root.text.lines()) {
        if line.starts_with('[') {
            in_table = line == "[workspace.dependencies]";
            continue;
        }
        let is_outside = in_table && line.contains('=') && !line.starts_with('#') && !line.contains("path = ");
        // The last `#`, since a value may hold one; a reason is words, not a mark.
        let reason = line.rsplit_once('#').map_or("", |(_, reason)| reason.trim());
        if is_outside && reason.len() < 8 {
            findings.push(Finding::new(
                &root.path,
                number,
                "a dependency without its reason: `name = … # why it is here`",
            ));
        }
    }
    findings
}

/// Versions and features are decided once, in the root's table.
pub fn one_table(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in house.manifests() {
        for dependency in dependencies(&manifest.text) {
            let rest = dependency.rest.replace(' ', "");
            if !rest.starts_with(".workspace=true") && !rest.contains("workspace=true") {
                let what = format!("{} has its own version here: write `{0}.workspace = true`", dependency.name);
                findings.push(Finding::new(&manifest.path, dependency.line, what));
            }
        }
    }
    findings
}

pub fn lints(house: &House) -> Vec<Finding> {
    let lacks = |text: &str| !text.replace(' ', "").contains("[lints]\nworkspace=true");
    let without = house.manifests().filter(|manifest| lacks(&manifest.text));
    without
        .map(|manifest| Finding::new(&manifest.path, 1, "lints are the house's: add `[lints]` with `workspace = true`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{clean, found};
    use super::*;

    #[test]
    fn dependencies_are_read_from_all_three_tables() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n# b = 1\n[dev-dependencies]\nb = { workspace = true }\n\
                    [target.'cfg(unix)'.build-dependencies]\nc = \"1\"\n[features]\nd = []\n";
        let found: Vec<_> = dependencies(text).iter().map(|found| (found.name, found.line, found.kind)).collect();
        assert_eq!(found, [("a", 4, Kind::Normal), ("b", 7, Kind::Dev), ("c", 9, Kind::Build)]);
    }

    #[test]
    fn a_dependency_says_why() {
        let text = "[workspace.dependencies]\nwire = { path = \"wire\" }\na = \"1\"\nb = \"1\" # the HTTP door\nc = \"1\" # !\n[profile.release]\nd = 1\n";
        assert_eq!(found(reasons, "Cargo.toml", text), [3, 5]);
    }

    #[test]
    fn versions_live_in_the_root() {
        let text = "[dependencies]\na = \"1\"\nb = { workspace = true, optional = true }\nc.workspace = true\n";
        assert_eq!(found(one_table, "wire/Cargo.toml", text), [2]);
    }

    #[test]
    fn lints_are_the_houses() {
        assert_eq!(found(lints, "wire/Cargo.toml", "[package]\n"), [1]);
        clean(lints, "wire/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
    }
}
