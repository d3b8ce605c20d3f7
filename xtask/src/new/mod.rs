//! `cargo xtask new service NAME`: the folder that CONTRIBUTING describes, working and tested, ready to be changed.

use crate::house;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;

/// File and text; `NAME` stands for the service's name.
const FILES: &[(&str, &str)] = &[
    ("mod.rs", include_str!("template/mod.rs.txt")),
    ("api.rs", include_str!("template/api.rs.txt")),
    ("commands.rs", include_str!("template/commands.rs.txt")),
    ("tests.rs", include_str!("template/tests.rs.txt")),
];

pub fn run(args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ["service", name] = args[..] else { bail!("usage: cargo xtask new service NAME") };
    check(name)?;
    let root = house::root();
    let folder = root.join("services/src").join(name);
    ensure!(!folder.exists(), "there is a service {name}: {}", folder.display());
    let list = root.join("services/src/lib.rs");
    let listed = list_it(&fs::read_to_string(&list).with_context(|| list.display().to_string())?, name)?;
    fs::create_dir_all(&folder)?;
    for (file, text) in FILES {
        fs::write(folder.join(file), text.replace("NAME", name))?;
    }
    fs::write(&list, listed)?;
    tell(name, &folder, root);
    Ok(())
}

fn tell(name: &str, folder: &Path, root: &Path) {
    let short = folder.strip_prefix(root).unwrap_or(folder);
    eprintln!("{}: mod.rs, api.rs, commands.rs, tests.rs; and {name} stands in services/src/lib.rs\n", short.display());
    eprintln!("    cargo test --release -p services {name}");
    eprintln!("    cargo xtask openapi");
    eprintln!("    cargo xtask dev");
    eprintln!("    curl localhost:8080/v1/{name}/Add -d '{{\"id\":\"apples\",\"amount\":5}}'");
}

/// A name is a path's part, a module and a word people type.
fn check(name: &str) -> Result<()> {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let right = letters && name.starts_with(|first: char| first.is_ascii_lowercase()) && (2..=30).contains(&name.len());
    ensure!(right, "a service's name is 2 to 30 small letters and digits, a letter first: not {name:?}");
    ensure!(!KEYWORDS.contains(&name), "{name} is a word of Rust and cannot be a module's name");
    Ok(())
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// `services/src/lib.rs` with the service in its two places, in the order of the alphabet.
fn list_it(text: &str, name: &str) -> Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let module = format!("pub mod {name};");
    insert(&mut lines, |line| line.starts_with("pub mod "), &module)?;
    let catalogue = lines.iter().position(|line| line == "catalogue! {").context("no `catalogue! {` in lib.rs")?;
    let mut tail = lines.split_off(catalogue + 1);
    insert(
        &mut tail,
        |line| line.starts_with("    ") && line.trim().chars().all(char::is_alphanumeric),
        &format!("    {name}"),
    )?;
    lines.extend(tail);
    Ok(lines.join("\n") + "\n")
}

/// Puts `line` among those that `is_one`, where it sorts.
fn insert(lines: &mut Vec<String>, is_one: impl Fn(&str) -> bool, line: &str) -> Result<()> {
    ensure!(!lines.iter().any(|known| known == line), "services/src/lib.rs has {line:?} already");
    let last = lines.iter().rposition(|known| is_one(known)).context("services/src/lib.rs has no list to put it in")?;
    let at = lines.iter().position(|known| is_one(known) && known.as_str() > line).unwrap_or(last + 1);
    lines.insert(at, line.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_listed_where_it_sorts() {
        let text = "use x;\n\npub mod cache;\npub mod wallet;\n\ncatalogue! {\n    cache\n    wallet\n}\n";
        let want = |a: &str| format!("use x;\n\n{a}\n}}\n");
        assert_eq!(
            list_it(text, "tally").unwrap(),
            want("pub mod cache;\npub mod tally;\npub mod wallet;\n\ncatalogue! {\n    cache\n    tally\n    wallet")
        );
        assert_eq!(
            list_it(text, "zebra").unwrap(),
            want("pub mod cache;\npub mod wallet;\npub mod zebra;\n\ncatalogue! {\n    cache\n    wallet\n    zebra")
        );
        assert!(list_it(text, "cache").is_err());
    }

    #[test]
    fn the_real_list_takes_one_more() {
        let text = fs::read_to_string(house::root().join("services/src/lib.rs")).unwrap();
        let listed = list_it(&text, "tally").unwrap();
        assert_eq!(listed.lines().count(), text.lines().count() + 2);
    }

    #[test]
    fn names_that_could_not_be_one() {
        for wrong in ["", "a", "Tally", "my-tally", "my_tally", "1st", "type", "../x", &"x".repeat(31)] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        check("tally2").unwrap();
    }
}
