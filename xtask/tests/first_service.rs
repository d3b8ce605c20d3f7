//! CONTRIBUTING's first service, followed to the letter in a copy of the clone: commands run, blocks put where the text says.
//!
//! Left out is its last sentence (a node): that would compile RocksDB's bindings and the whole node a second time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SECTION: &str = "## A first service in ten minutes";

/// What a block of the section asks for.
#[derive(Debug, PartialEq)]
enum Step {
    Run(String),
    /// File, the line it goes below.
    Below(String, String, String),
    InsteadOf(String, String, String),
    AtTheEnd(String, String),
}

#[test]
fn the_first_service_of_contributing_works_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let steps = steps(&fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap());
    assert_eq!(steps.len(), 10, "{steps:#?}");
    let copy = Copy::of(root);
    for step in steps {
        match step {
            Step::Run(command) => copy.run(&command),
            Step::Below(file, line, block) => copy.edit(&file, |text| below(text, &line, &block)),
            Step::InsteadOf(file, line, block) => copy.edit(&file, |text| {
                assert!(text.contains(&line), "{file} has no {line:?}");
                text.replacen(&line, block.trim(), 1)
            }),
            Step::AtTheEnd(file, block) => copy.edit(&file, |text| format!("{text}\n{block}")),
        }
    }
}

/// The indented blocks of the section with what stands before each.
fn steps(text: &str) -> Vec<Step> {
    let section = text.split(SECTION).nth(1).expect("the section is there").split("\n## ").next().unwrap();
    let section = section.split("\n| you want").next().unwrap();
    let (mut steps, mut said, mut block) = (Vec::new(), String::new(), String::new());
    for line in section.lines().chain(["end"]) {
        // Text within the list is indented by three, blocks by seven; outside of it by none and four.
        let code = line.strip_prefix("       ").or_else(|| line.strip_prefix("    "));
        match code {
            Some(code) => block += &format!("{code}\n"),
            None if line.is_empty() && !block.is_empty() => block.push('\n'),
            None => {
                if !block.trim().is_empty() {
                    steps.extend(meant(&said, block.trim_end()));
                    said.clear();
                }
                block.clear();
                said += &format!(" {}", line.trim());
            }
        }
    }
    steps
}

fn meant(said: &str, block: &str) -> Vec<Step> {
    let said = said.trim_end();
    let (block, quoted): (String, Vec<String>) =
        (format!("{block}\n"), said.split('`').skip(1).step_by(2).map(str::to_string).collect());
    let last = |n: usize| quoted[quoted.len() - n].clone();
    if said.ends_with("`:") && said.contains("below `") && said.rfind("below `") > said.rfind("instead of `") {
        vec![Step::Below(last(2), last(1), block)]
    } else if said.ends_with("`:") && said.contains("instead of `") {
        vec![Step::InsteadOf(last(2), last(1), block)]
    } else if said.contains("At the end of `") {
        vec![Step::AtTheEnd(last(1), block)]
    } else {
        block.lines().map(|line| Step::Run(line.to_string())).collect()
    }
}

/// `block` behind the line that has `anchor`, as deep as that line is.
fn below(text: &str, anchor: &str, block: &str) -> String {
    let (at, line) = text.lines().enumerate().find(|(_, line)| line.trim() == anchor).expect(anchor);
    let depth = " ".repeat(line.len() - line.trim_start().len());
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    lines.splice(at + 1..at + 1, block.lines().map(|line| format!("{depth}{line}")));
    lines.join("\n") + "\n"
}

/// A copy of the clone's files, gone with the test.
struct Copy {
    root: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn of(from: &Path) -> Copy {
        let root = std::env::temp_dir().join(format!("commons-first-service-{}", std::process::id()));
        let files =
            Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(from).output().unwrap();
        assert!(files.status.success(), "{}", String::from_utf8_lossy(&files.stderr));
        for file in String::from_utf8(files.stdout).unwrap().lines() {
            let to = root.join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            // A file that git knows may be deleted just now.
            if from.join(file).is_file() {
                fs::copy(from.join(file), to).unwrap();
            }
        }
        // Two clones in one target folder would mix their artifacts.
        let target = Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap().parent().unwrap().join("first-service");
        Copy { root, target }
    }

    fn edit(&self, file: &str, change: impl FnOnce(&str) -> String) {
        let path = self.root.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{file}: {why}"));
        fs::write(path, change(&text)).unwrap();
    }

    fn run(&self, command: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (program, args) = match words[..] {
            ["cargo", "xtask", ..] => (env!("CARGO_BIN_EXE_xtask"), &words[2..]),
            ["cargo", ..] => ("cargo", &words[1..]),
            _ => panic!("not a command of the section: {command:?}"),
        };
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        // Whether it works is asked, not how fast: the house's own crates are compiled quickly.
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        // As cargo sets it for `cargo xtask`.
        command.env("CARGO_MANIFEST_DIR", self.root.join("xtask"));
        let ran = command.output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&said));
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
