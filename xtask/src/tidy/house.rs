//! The files that rules look at.

use super::scan::{self, Line};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

pub struct House {
    pub files: Vec<File>,
}

pub struct File {
    /// From the clone's root, with `/`.
    pub path: String,
    pub text: String,
}

/// Not ours to judge: built, fetched, or git's own.
const SKIPPED: &[&str] = &["target", "node_modules", ".git"];

impl House {
    pub fn read(root: &Path) -> Result<House> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(House { files })
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> House {
        let files = files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() });
        House { files: files.collect() }
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The manifests of the rooms, not the root's.
    pub fn manifests(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"))
    }

    pub fn root_manifest(&self) -> Option<&File> {
        self.files.iter().find(|file| file.path == "Cargo.toml")
    }

    pub fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&format!("{path}/")))
    }
}

impl File {
    /// The first part of the path: `wire`, `services`, …
    pub fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    pub fn lines(&self) -> Vec<Line<'_>> {
        scan::lines(&self.text, is_test_file(&self.path))
    }
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

fn walk(dir: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            // Pictures and the like have no rules, but links may point at them.
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            files.push(File { path, text });
        }
    }
    Ok(())
}
