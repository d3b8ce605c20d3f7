//! JSON as words and columns.

use super::output::{bold, one_line};
use serde_json::{Map, Value};

/// An object as `name  value` lines, lists of objects as tables below them.
pub fn show(value: &Value) -> String {
    let Value::Object(fields) = value else { return plain(value) };
    let is_table = |value: &Value| matches!(value, Value::Array(rows) if rows.iter().any(Value::is_object));
    let (tables, lines): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_table(value));
    let mut out: Vec<String> =
        vec![columns(lines.iter().map(|(name, value)| vec![(*name).clone(), plain(value)]).collect())];
    for (name, rows) in tables {
        out.push(bold(name));
        out.push(rows_of(rows.as_array().map(Vec::as_slice).unwrap_or_default()));
    }
    out.retain(|part| !part.is_empty());
    out.join("\n")
}

fn rows_of(rows: &[Value]) -> String {
    let empty = Map::new();
    let objects: Vec<&Map<String, Value>> = rows.iter().map(|row| row.as_object().unwrap_or(&empty)).collect();
    let mut names: Vec<&String> = vec![];
    for name in objects.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let head: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let cells =
        objects.iter().map(|row| names.iter().map(|&name| row.get(name).map(plain).unwrap_or_default()).collect());
    columns(std::iter::once(head).chain(cells).collect())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        Value::Null => "-".into(),
        Value::Array(items) if items.is_empty() => "-".into(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        value => one_line(&value.to_string()),
    }
}

/// Each column as wide as its widest cell; the last one as it is.
pub fn columns(rows: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = vec![];
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        row.iter().zip(&mut widths).for_each(|(cell, width)| *width = (*width).max(cell.chars().count()));
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_string()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Terminals are 80 wide unless somebody makes them wider.
pub const WIDTH: usize = 80;

/// As [`columns`], the last cell broken into lines below its own beginning.
pub fn wrapped(rows: Vec<Vec<String>>) -> String {
    let before = |row: &Vec<String>| row.len().saturating_sub(1);
    let mut widths: Vec<usize> = vec![];
    for row in &rows {
        widths.resize(widths.len().max(before(row)), 0);
        row.iter()
            .take(before(row))
            .zip(&mut widths)
            .for_each(|(cell, width)| *width = (*width).max(cell.chars().count()));
    }
    let indent = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
    let line = |row: &Vec<String>| {
        let cells: String =
            row.iter().take(before(row)).zip(&widths).map(|(cell, &width)| format!("{cell:width$}  ")).collect();
        let last = row.last().map(String::as_str).unwrap_or_default();
        let lines = broken(last, WIDTH.saturating_sub(indent).max(20));
        format!("  {cells}{}", lines.join(&format!("\n{:indent$}", ""))).trim_end().to_string()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Words in lines of at most `width` letters; a longer word has a line of its own.
pub fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("one line at least");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_lines_and_lists_are_tables() {
        let value =
            json!({"id": "c1", "nodes": [{"id": "n1", "led": 3}, {"id": "n22"}], "none": [], "tags": ["a", "b"]});
        assert_eq!(show(&value), "  id    c1\n  none  -\n  tags  a, b\nnodes\n  id   led\n  n1   3\n  n22");
        assert_eq!(show(&json!({"text": "a\x1b[31m\nb"})), "  text  a [31m b");
    }

    #[test]
    fn the_last_column_is_broken_into_lines() {
        let rows = vec![
            vec!["--id".into(), "string".into(), "word ".repeat(20)],
            vec!["--much".into(), "bool".into(), "x".repeat(90)],
        ];
        let text = wrapped(rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("  --id    string  {}", "word ".repeat(12).trim_end()));
        assert_eq!(lines[1], format!("{:18}{}", "", "word ".repeat(8).trim_end()));
        assert_eq!(lines[2].len(), 18 + 90, "a word is never cut");
    }
}
