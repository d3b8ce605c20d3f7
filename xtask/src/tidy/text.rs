//! Rules on the text of Rust files.

use super::Finding;
use super::house::{File, House};
use super::scan::{Line, excuse};

const LINES_MAX: usize = 500;

/// Rooms whose answers must be the same in each run of a seed.
const ORDERED: &[&str] = &["cluster", "actors", "storage", "places", "services", "sdk"];

/// Where clock, disk, network and chance come in by argument only (DESIGN decision 16).
const SEALED: &[&str] = &[
    "places/src/",
    "services/src/",
    "sdk/src/",
    "cluster/src/consensus",
    "cluster/src/placement",
    "cluster/src/topology",
];

const OUTSIDE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "std::fs",
    "std::net",
    "std::env",
    "thread::spawn",
    "tokio::spawn",
    "rand::rng",
    "rand::random",
    "thread_rng",
    "OsRng",
    "from_os_rng",
];

/// An outside crate, the folder or file that may name it within the room that owns it.
const AT_HOME: &[(&str, &str, &str)] = &[
    ("bincode", "wire/", "wire/src/codec"),
    ("raft", "cluster/", "cluster/src/consensus"),
    ("rocksdb", "storage/", "storage/src/state"),
];

/// Each line of each file that `broken` holds against, unless it is excused by the rule's name.
fn lines(
    house: &House,
    rule: &str,
    what: &str,
    wanted: impl Fn(&File) -> bool,
    broken: impl Fn(&Line) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in house.rust().filter(|file| wanted(file)) {
        let lines = file.lines();
        let broken = lines.iter().filter(|line| broken(line) && !line.excused(rule));
        findings.extend(broken.map(|line| Finding::new(&file.path, line.number, what)));
    }
    findings
}

pub fn unfinished(house: &House) -> Vec<Finding> {
    let what = "unfinished: finish it, or answer with a typed error that says so";
    lines(
        house,
        "unfinished",
        what,
        |_| true,
        |line| ["todo!", "unimplemented!", "dbg!", "#[ignore"].iter().any(|word| line.says(word)),
    )
}

pub fn sleeps(house: &House) -> Vec<Finding> {
    let what = "a sleep hides a race: wait for the thing itself, or say `// tidy: sleep because …`";
    // `clock.sleep(…)` is the injected clock; `fn sleep(` defines one.
    let sleeps = |line: &Line| {
        line.says("thread::sleep")
            || line.says("time::sleep")
            || line.says("sleep_ms")
            || line.says("sleep(") && !line.code.contains(".sleep(") && !line.code.contains("fn sleep(")
    };
    lines(house, "sleep", what, |_| true, sleeps)
}

pub fn hash_order(house: &House) -> Vec<Finding> {
    let what = "std's hash order differs in each run: BTreeMap or BTreeSet, or say `// tidy: order because …`";
    lines(
        house,
        "order",
        what,
        |file| ORDERED.contains(&file.room()),
        |line| !line.test && (line.says("HashMap") || line.says("HashSet")),
    )
}

pub fn outside_world(house: &House) -> Vec<Finding> {
    let what = "clock, disk, network, threads and chance come in by argument here, or simulations cannot replay";
    let sealed = |file: &File| SEALED.iter().any(|prefix| file.path.starts_with(prefix));
    lines(house, "outside", what, sealed, |line| !line.test && OUTSIDE.iter().any(|word| line.says(word)))
}

pub fn biased_select(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in house.rust() {
        let lines = file.lines();
        for (at, line) in
            lines.iter().enumerate().filter(|(_, line)| line.says("select!") && !line.code.contains("macro_rules!"))
        {
            let head = lines[at..].iter().take(3).any(|line| line.says("biased"));
            if !head && !line.excused("select") && !line.code.trim_start().starts_with("use ") {
                findings.push(Finding::new(
                    &file.path,
                    line.number,
                    "select! picks at random unless its first word is `biased;`",
                ));
            }
        }
    }
    findings
}

pub fn named_only_at_home(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, room, home) in AT_HOME {
        let what = format!("only {home} names {name}: wrap what you need there");
        let elsewhere = |file: &File| file.path.starts_with(room) && !file.path.starts_with(home);
        let path = format!("{name}::");
        findings.extend(lines(house, "home", &what, elsewhere, |line| {
            // `crate::raft::` is a module of ours that happens to have the name.
            let ours = line.code.contains(&format!("::{path}"));
            line.says(&path) && !ours || line.says(&format!("use {name}"))
        }));
    }
    findings
}

pub fn length(house: &House) -> Vec<Finding> {
    let long =
        |file: &&File| file.text.lines().count() > LINES_MAX && !file.text.lines().any(|line| excuse(line, "long"));
    let what = |file: &File| {
        let count = file.text.lines().count();
        Finding::new(
            &file.path,
            count,
            format!("{count} lines, more than {LINES_MAX}: split it by meaning, or say `// tidy: long because …`"),
        )
    };
    house.rust().filter(long).map(what).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{clean, found};
    use super::*;

    #[test]
    fn nothing_is_left_unfinished() {
        let text = "fn a() { todo!() }\n// todo! in a comment\nlet a = \"dbg!\";\n#[ignore = \"slow\"]\nfn b() { unimplemented!() }\n";
        assert_eq!(found(unfinished, "wire/src/a.rs", text), [1, 4, 5]);
    }

    #[test]
    fn a_sleep_needs_a_reason() {
        let text = "std::thread::sleep(d);\nclock.sleep(d);\n// tidy: sleep because a pid file has no event\nthread::sleep(d);\nsleep(d).await;\n";
        assert_eq!(found(sleeps, "node/src/a.rs", text), [1, 5]);
    }

    #[test]
    fn hash_order_stays_out_of_the_core() {
        let text = "use std::collections::HashMap;\n#[cfg(test)]\nmod tests {\n    use std::collections::HashSet;\n}\n";
        assert_eq!(found(hash_order, "actors/src/shard.rs", text), [1]);
        clean(hash_order, "node/src/http.rs", text);
    }

    #[test]
    fn the_core_does_not_ask_the_clock() {
        let text = "let now = std::time::Instant::now();\nlet t = clock.now();\nuse std::fs;\n";
        assert_eq!(found(outside_world, "cluster/src/consensus/core.rs", text), [1, 3]);
        clean(outside_world, "cluster/src/transport.rs", text);
        clean(outside_world, "services/src/wallet/tests.rs", text);
    }

    #[test]
    fn select_is_biased() {
        let text = "tokio::select! {\n    biased;\n}\nselect! {\n    a = b => {}\n    c = d => {}\n}\n";
        assert_eq!(found(biased_select, "node/src/a.rs", text), [4]);
    }

    #[test]
    fn a_library_is_named_in_one_module() {
        let text = "use raft::RawNode;\nlet a = crate::raft::b();\nlet c = raft::Config::default();\n";
        assert_eq!(found(named_only_at_home, "cluster/src/meta.rs", text), [1, 3]);
        clean(named_only_at_home, "cluster/src/consensus/core.rs", text);
    }

    #[test]
    fn long_files_are_split_or_explained() {
        let text = "fn a() {}\n".repeat(501);
        assert_eq!(found(length, "wire/src/a.rs", &text), [501]);
        clean(length, "wire/src/a.rs", &("// tidy: long because it is one table of codes\n".to_owned() + &text));
    }
}
