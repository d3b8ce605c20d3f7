//! The limits of one place in a type, and how a value that breaks them is told.

use super::{keyword, words};
use crate::fit::{Misfit, Told};
use regex_lite::Regex;
use serde_json::Value;

/// What the schema of one place says.
#[derive(Debug)]
pub struct Own {
    chars: Span,
    bytes: Span,
    items: Span,
    entries: Span,
    whole: (i128, i128),
    real: Option<(f64, f64)>,
    pattern: Option<Regex>,
    zero_is_fine: bool,
    missing: Option<Refusal>,
    refused: Option<Refusal>,
    words: String,
}

/// From, to.
type Span = Option<(usize, usize)>;

/// A refusal in the service's own words.
#[derive(Clone, Debug)]
struct Refusal {
    code: u16,
    reason: String,
    detail: String,
}

type Checked = Result<(), Box<Misfit>>;

impl Own {
    /// `None`: nothing is limited here.
    pub fn of(schema: &Value) -> Option<Own> {
        let map = schema.as_object()?;
        if !super::KEYWORDS.iter().any(|word| map.contains_key(*word)) {
            return None;
        }
        let size = |low, high| {
            let bound = |word| map.get(word).and_then(Value::as_u64).map(|n| n as usize);
            match (bound(low), bound(high)) {
                (None, None) => None,
                (low, high) => Some((low.unwrap_or(0), high.unwrap_or(usize::MAX))),
            }
        };
        let whole =
            |word| map.get(word).and_then(|n| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)));
        let real = |word| map.get(word).and_then(Value::as_f64);
        let (mut chars, mut bytes) = (size("minLength", "maxLength"), size(keyword::MIN_BYTES, keyword::MAX_BYTES));
        if words::only_not_empty(schema) {
            (chars, bytes) = (None, bytes.map(|(_, max)| (1, max)));
        }
        Some(Own {
            chars,
            bytes,
            items: size("minItems", "maxItems"),
            entries: size("minProperties", "maxProperties"),
            whole: (whole("minimum").unwrap_or(i128::MIN), whole("maximum").unwrap_or(i128::MAX)),
            real: match (real("minimum"), real("maximum")) {
                (None, None) => None,
                (low, high) => Some((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))),
            },
            pattern: map.get("pattern").and_then(Value::as_str).map(|pattern| {
                Regex::new(pattern).unwrap_or_else(|why| panic!("the pattern {pattern:?} of a field is none: {why}"))
            }),
            zero_is_fine: map.contains_key(keyword::ZERO),
            missing: map.get(keyword::MISSING).and_then(Refusal::of),
            refused: map.get(keyword::REFUSED).and_then(Refusal::of),
            words: words::own(schema).unwrap_or_default(),
        })
    }

    pub fn text(&self, text: &str) -> Checked {
        if text.is_empty() && self.zero_is_fine {
            return Ok(());
        }
        self.bytes(text.len())?;
        // As many characters as bytes at most: mostly there is nothing to count.
        if let Some((min, max)) = self.chars
            && (text.len() > max || text.len() < 4 * min)
        {
            let chars = text.chars().count();
            self.sized(Some((min, max)), chars, "be")?;
        }
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => Err(self.broken(format!("must match {pattern}"))),
            _ => Ok(()),
        }
    }

    pub fn bytes(&self, bytes: usize) -> Checked {
        self.sized(self.bytes, bytes, "be")
    }

    pub fn items(&self, items: usize) -> Checked {
        self.sized(self.items, items, "have")
    }

    pub fn entries(&self, entries: usize) -> Checked {
        self.sized(self.entries, entries, "have")
    }

    pub fn whole(&self, n: i128) -> Checked {
        let (min, max) = self.whole;
        match (min..=max).contains(&n) || (n == 0 && self.zero_is_fine) {
            true => Ok(()),
            false => Err(self.out_of_range(n == 0, words::digits(&n.to_string()))),
        }
    }

    pub fn real(&self, n: f64) -> Checked {
        let Some((min, max)) = self.real else { return Ok(()) };
        // No number at all is in no range.
        match (min..=max).contains(&n) || (n == 0.0 && self.zero_is_fine) {
            true => Ok(()),
            false => Err(self.out_of_range(n == 0.0, n.to_string())),
        }
    }

    fn sized(&self, span: Span, size: usize, verb: &str) -> Checked {
        match span {
            Some((min, max)) if size < min || size > max => match size {
                0 if self.zero_is_fine => Ok(()),
                0 => Err(self.not_given("is required".into())),
                size => {
                    let size = words::digits(&size.to_string());
                    Err(self.broken(format!("must {verb} {}, it has {size}", self.words)))
                }
            },
            _ => Ok(()),
        }
    }

    fn out_of_range(&self, is_zero: bool, shown: String) -> Box<Misfit> {
        let rule = format!("must be {}, it is {shown}", self.words);
        if is_zero { self.not_given(rule) } else { self.broken(rule) }
    }

    fn not_given(&self, rule: String) -> Box<Misfit> {
        told(self.missing.as_ref().or(self.refused.as_ref()), rule)
    }

    fn broken(&self, rule: String) -> Box<Misfit> {
        told(self.refused.as_ref(), rule)
    }
}

impl Refusal {
    fn of(schema: &Value) -> Option<Refusal> {
        Some(Refusal {
            code: u16::try_from(schema["code"].as_u64()?).ok()?,
            reason: schema["reason"].as_str()?.to_string(),
            detail: schema["detail"].as_str()?.to_string(),
        })
    }
}

fn told(refusal: Option<&Refusal>, rule: String) -> Box<Misfit> {
    let (rule, told) = match refusal.cloned() {
        Some(Refusal { code, reason, detail }) => (detail, Told::As { code, reason }),
        None => (rule, Told::Limit),
    };
    Box::new(Misfit { field: String::new(), rule, told })
}
