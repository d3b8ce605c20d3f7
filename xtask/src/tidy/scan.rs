//! Rust source as the rules see it: lines with comments and the insides of strings blanked, so that a word in a sentence
//! is not taken for code.

pub struct Line<'a> {
    /// From 1, as editors count.
    pub number: usize,
    pub code: String,
    /// The line as written, comments included.
    pub raw: &'a str,
    /// Under `#[cfg(test)]`, or in a file of tests.
    pub test: bool,
    above: &'a str,
}

impl Line<'_> {
    /// Is there an exception for this rule, with a reason?
    pub fn excused(&self, rule: &str) -> bool {
        [self.raw, self.above].iter().any(|line| excuse(line, rule))
    }

    /// Does the code have this word or path, not as a part of a longer one?
    pub fn says(&self, word: &str) -> bool {
        let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            let ends_a_name = word.ends_with(part_of_a_name);
            !(before.is_some_and(part_of_a_name) || ends_a_name && after.is_some_and(part_of_a_name))
        })
    }
}

/// `tidy: RULE because WHY`, where WHY is more than a grunt.
pub fn excuse(line: &str, rule: &str) -> bool {
    let Some((_, rest)) = line.split_once("tidy: ") else { return false };
    rest.strip_prefix(rule).and_then(|rest| rest.strip_prefix(" because ")).is_some_and(|why| why.trim().len() > 10)
}

pub fn lines(text: &str, test_file: bool) -> Vec<Line<'_>> {
    let blanked = blank(text);
    let mut test = test_file;
    let mut above = "";
    let raws: Vec<&str> = text.lines().collect();
    let mut lines = Vec::with_capacity(raws.len());
    for (at, (raw, code)) in raws.iter().zip(blanked.lines()).enumerate() {
        // By the house's habit the test module is the last thing in a file.
        let next = raws.get(at + 1).map_or("", |next| next.trim_start());
        test |= code.trim() == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{');
        lines.push(Line { number: at + 1, code: code.into(), raw, test, above });
        above = raw;
    }
    lines
}

/// Spaces instead of comments and the insides of literals; line breaks stay.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => find(&chars, at, |at| chars[at] == '\n'),
            '/' if chars.get(at + 1) == Some(&'*') => block_comment(&chars, at),
            '"' => quoted(&chars, at + 1, '"'),
            'r' | 'b' if at == 0 || !(chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') => {
                raw_string(&chars, at)
            }
            // 'x' and '\n' are characters, 'a alone is a lifetime.
            '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
                quoted(&chars, at + 1, '\'')
            }
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        }
        while at < end {
            out.push(if chars[at] == '\n' { '\n' } else { ' ' });
            at += 1;
        }
    }
    out
}

fn find(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|at| stop(*at)).unwrap_or(chars.len())
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn quoted(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// `r"…"`, `r#"…"#`, `br"…"`; anything else that starts so is a name, and `start` comes back.
fn raw_string(chars: &[char], start: usize) -> usize {
    let r = if chars[start] == 'b' { start + 1 } else { start };
    if chars.get(r) != Some(&'r') {
        return start;
    }
    let open = find(chars, r + 1, |at| chars[at] != '#');
    let hashes = open - r - 1;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closes = |at: usize| chars[at] == '"' && (1..=hashes).all(|n| chars.get(at + n) == Some(&'#'));
    (find(chars, open + 1, closes) + hashes + 1).min(chars.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blank_and_lines_stay() {
        let text = "a(\"x \\\" y\"); // no\nlet r = r#\"q\"q\"#; /* a\n/* b */ c */ fn f<'a>(c: char) { c == '\"' }\n";
        let code = blank(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(code.contains("fn f<'a>") && code.contains("let r ="));
        assert!(!code.contains('"') && !code.contains("no") && !code.contains('y'));
    }

    #[test]
    fn a_word_is_not_a_part_of_a_name() {
        let line = &lines("let a = MyHashMap::new(); sleepy(); std::fs::read(x)", false)[0];
        assert!(!line.says("HashMap") && !line.says("sleep") && line.says("std::fs"));
    }

    #[test]
    fn an_excuse_needs_its_rule_and_a_reason() {
        assert!(excuse("// tidy: sleep because the kernel tells nobody", "sleep"));
        assert!(!excuse("// tidy: sleep because x", "sleep"));
        assert!(!excuse("// tidy: order because it is only looked up", "sleep"));
    }

    #[test]
    fn the_test_module_at_the_end_is_test_code() {
        let lines = lines("fn a() {}\n#[cfg(test)]\nmod tests {\n}\n", false);
        assert_eq!(lines.iter().map(|line| line.test).collect::<Vec<_>>(), [false, true, true, true]);
    }
}
