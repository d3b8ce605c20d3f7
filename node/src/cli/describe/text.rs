//! A service and an endpoint in words, readable in 80 columns.

use super::super::output::{bold, one_line};
use super::super::table::{WIDTH, broken, wrapped};
use crate::words::{kind, size};
use sdk::describe::{Described, DescribedEndpoint, DescribedExample, Field};
use wire::Kind;

pub fn service(service: &Described) -> String {
    let rows = service.endpoints.iter().map(|e| vec![e.name.clone(), kind(e.kind).into(), summary(e)]);
    let shelf = if service.category.is_empty() { String::new() } else { format!(" ({})", service.category) };
    format!(
        "{}\n\n{}\n\n`commons describe {} ENDPOINT` shows fields, errors and examples.",
        headline(&service.name, &format!("{}{shelf}", service.summary)),
        wrapped(rows.collect()),
        service.name
    )
}

fn headline(name: &str, told: &str) -> String {
    let lines = paragraph(&format!("{name}: {told}")).join("\n");
    lines.replacen(name, &bold(name), 1)
}

fn summary(endpoint: &DescribedEndpoint) -> String {
    let not_yet = if endpoint.not_yet.is_empty() { "" } else { " (501: not there yet)" };
    format!("{}{not_yet}", one_line(&endpoint.summary))
}

pub fn endpoint(service: &str, endpoint: &DescribedEndpoint) -> String {
    let mut out = vec![headline(&format!("{service} {}", endpoint.name), &endpoint.summary)];
    out.extend(paragraph(&facts(endpoint)));
    if !endpoint.doc.is_empty() {
        out.push(String::new());
        out.extend(paragraph(&endpoint.doc));
    }
    if !endpoint.not_yet.is_empty() {
        out.extend(paragraph(&format!("Not there yet (501): {}.", endpoint.not_yet)));
    }
    let mut part = |title: &str, told: &str, body: String| {
        if !body.is_empty() {
            let head = if told.is_empty() { bold(title) } else { headline(title, told) };
            out.push(format!("\n{head}\n{body}"));
        }
    };
    part("fields", "", fields(&endpoint.fields, "--"));
    let reply = if endpoint.kind == Kind::Stream { "each item" } else { "reply" };
    part(reply, endpoint.reply.lines().next().unwrap_or_default(), fields(&endpoint.reply_fields, ""));
    part("errors of its own", "", errors(endpoint));
    out.extend(endpoint.examples.iter().map(example));
    out.join("\n")
}

/// Kind, key, size, what is kept secret.
fn facts(endpoint: &DescribedEndpoint) -> String {
    let mut facts = vec![kind(endpoint.kind).to_string()];
    if !endpoint.key.is_empty() {
        facts.push(format!("key: {}", endpoint.key));
    }
    if endpoint.body_bytes_max > 0 {
        facts.push(format!("request up to {}", size(endpoint.body_bytes_max)));
    }
    if endpoint.sensitive {
        facts.push("sensitive: never logged".to_string());
    }
    format!("({})", facts.join(", "))
}

fn fields(fields: &[Field], before: &str) -> String {
    let mut rows = vec![];
    add_rows(fields, before, &mut rows);
    wrapped(rows)
}

/// What is inside a field stands below it: `--part`, then `  .n`.
fn add_rows(fields: &[Field], before: &str, rows: &mut Vec<Vec<String>>) {
    for field in fields {
        let (kind, told) = told(field);
        rows.push(vec![format!("{before}{}", field.name), kind, told]);
        let inside = before.trim_end_matches(['-', '.']).len() + 2;
        add_rows(&field.fields, &format!("{:inside$}.", ""), rows);
    }
}

/// Type, and meaning with limits; the words of a choice are too many for a column.
fn told(field: &Field) -> (String, String) {
    let (kind, choice) = match field.kind.split_once("one of ") {
        Some((before, words)) => (format!("{before}word"), vec![format!("one of {words}")]),
        None => (field.kind.clone(), vec![]),
    };
    let rules: Vec<String> = choice.into_iter().chain(field.limits.iter().cloned()).collect();
    let doc = one_line(&field.doc);
    (kind, if rules.is_empty() { doc } else { format!("{doc} ({})", rules.join(", ")).trim_start().to_string() })
}

fn errors(endpoint: &DescribedEndpoint) -> String {
    let mut rows: Vec<Vec<String>> = vec![];
    for error in &endpoint.errors {
        match rows.last_mut().filter(|row| row[0] == error.code.to_string()) {
            Some(row) => row[1] = format!("{}, {}", row[1], error.reason),
            None => rows.push(vec![error.code.to_string(), error.reason.clone()]),
        }
    }
    wrapped(rows)
}

fn example(example: &DescribedExample) -> String {
    let reply = example.response.to_string();
    let reply = match reply.len() > WIDTH - 4 {
        true => serde_json::to_string_pretty(&example.response).unwrap_or(reply),
        false => reply,
    };
    let (rust, reply) = (format!("// Rust\n{}", example.rust), format!("→ {reply}"));
    let parts = [&example.cli, &example.curl, &rust, &reply];
    let lines = parts.into_iter().filter(|part| !part.is_empty()).flat_map(|part| part.lines());
    let lines: Vec<String> = lines.map(|line| format!("  {}", one_line(line)).trim_end().to_string()).collect();
    format!("\n{}\n{}", bold(&format!("example: {}", one_line(&example.title))), lines.join("\n"))
}

/// Lines as they are broken in the source stand for spaces; an empty one ends a paragraph.
fn paragraph(text: &str) -> Vec<String> {
    text.split("\n\n").flat_map(|part| broken(&one_line(part), WIDTH)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::testing;
    use sdk::describe::describe;

    fn shown(name: &str) -> String {
        let demo = describe(&testing::services()).remove(0);
        endpoint("demo", demo.endpoints.iter().find(|endpoint| endpoint.name == name).unwrap())
    }

    #[test]
    fn an_endpoint_is_shown_with_fields_and_facts() {
        let text = shown("Credit");
        for part in [
            "demo Credit: Add to a balance.\n",
            "(command, key: id or \"default\", request up to 1 MiB)\n",
            "  --amount      64-bit integer           how much to add",
            "  --part        Part\n",
            "    .n          64-bit unsigned",
            "\nreply\n  balance  64-bit integer",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn everything_of_the_catalogue_fits_into_80_columns() {
        for service in describe(&services::all()) {
            let mut all = super::service(&service);
            service.endpoints.iter().for_each(|one| all.push_str(&format!("\n{}", endpoint(&service.name, one))));
            for line in all.lines() {
                // A quoted word cannot be broken, nor can a name.
                let word = line.trim_start();
                let whole = word.starts_with("-d '") || word.starts_with("--") || word.split(' ').count() <= 2;
                let fits = line.chars().count() <= WIDTH || whole;
                assert!(fits, "{}: {line}", service.name);
            }
        }
    }

    #[test]
    fn a_node_cannot_take_over_the_terminal() {
        let mut demo = describe(&testing::services()).remove(0).endpoints.remove(0);
        demo.doc = "a\x1b[2Jb".into();
        demo.fields[0].doc = "\x1b]0;x\x07".into();
        assert!(!endpoint("demo", &demo).contains('\x1b'));
    }
}
