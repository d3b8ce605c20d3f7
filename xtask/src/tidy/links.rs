//! Links from Markdown to files of the clone lead somewhere.

use super::Finding;
use super::house::House;

pub fn resolve(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in house.files.iter().filter(|file| file.path.ends_with(".md")) {
        let mut in_code = false;
        for (number, line) in (1..).zip(file.text.lines()) {
            in_code ^= line.trim_start().starts_with("```");
            for target in targets(line).into_iter().filter(|_| !in_code) {
                let to = target.split(['#', ' ']).next().unwrap_or_default();
                let is_local = !to.is_empty() && !to.contains("://") && !to.starts_with("mailto:");
                if is_local && !join(&file.path, to).is_some_and(|path| path.is_empty() || house.has(&path)) {
                    findings.push(Finding::new(
                        &file.path,
                        number,
                        format!("the link to {to} leads nowhere in the clone"),
                    ));
                }
            }
        }
    }
    findings
}

/// What stands in `](…)`, outside of code spans.
fn targets(line: &str) -> Vec<&str> {
    let outside_code = line.split('`').step_by(2);
    outside_code
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(to, _)| to))
        .collect()
}

/// The path from the root, or None when it leaves the clone.
fn join(from: &str, to: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if to.starts_with('/') {
        parts.clear();
    }
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_and_folders() {
        let text = "[a](b.md#part) [c](../wire/) [d](gone.md)\n[out](../../x) [web](https://a.b/c)\n```\n[no](x)\n```\n`[no](y)` [up](..)\n";
        let house = House::of(&[("docs/a.md", text), ("docs/b.md", ""), ("wire/src/lib.rs", "")]);
        let lines: Vec<_> = resolve(&house).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 2]);
    }
}
