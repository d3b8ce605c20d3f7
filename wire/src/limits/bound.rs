//! A limit written once and put on many fields.

use super::keyword;
use crate::Reason;
use schemars::{Schema, transform::Transform};
use serde_json::{Value, json};

/// `const KEY: Bound = Bound::bytes(1, 512);`, then `#[schemars(transform = KEY.on())]` on each field it bounds.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    of: Of,
    min: i128,
    max: i128,
    zero: Option<&'static str>,
    missing: Option<(Reason, &'static str)>,
    refused: Option<(Reason, &'static str)>,
    each: Option<&'static Bound>,
    names: Option<&'static Bound>,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Of {
    Bytes,
    Chars,
    Items,
    Entries,
    Number,
}

impl Bound {
    const fn new(of: Of, min: i128, max: i128) -> Bound {
        assert!(min <= max, "a bound that nothing can meet");
        Bound { of, min, max, zero: None, missing: None, refused: None, each: None, names: None }
    }

    /// Of a string, in bytes of UTF-8, or of bytes. `min` 1: it must be given.
    pub const fn bytes(min: usize, max: usize) -> Bound {
        Bound::new(Of::Bytes, min as i128, max as i128)
    }

    /// Of a string, in characters.
    pub const fn chars(min: usize, max: usize) -> Bound {
        Bound::new(Of::Chars, min as i128, max as i128)
    }

    /// Of a list.
    pub const fn items(min: usize, max: usize) -> Bound {
        Bound::new(Of::Items, min as i128, max as i128)
    }

    /// Of a map.
    pub const fn entries(min: usize, max: usize) -> Bound {
        Bound::new(Of::Entries, min as i128, max as i128)
    }

    /// Of an integer. `min` above 0: it must be given.
    pub const fn range(min: i64, max: i64) -> Bound {
        Bound::new(Of::Number, min as i128, max as i128)
    }

    /// Of an integer; whatever is below the range of a page or a time counts as 0.
    pub const fn up_to(max: i64) -> Bound {
        Bound::new(Of::Number, i64::MIN as i128, max as i128)
    }

    /// Every integer of its type is fine, and this says that somebody thought about it.
    pub const fn any() -> Bound {
        Bound::range(i64::MIN, i64::MAX)
    }

    /// Empty or 0 is fine as well: it means `what`, such as "the default".
    pub const fn or_zero(mut self, what: &'static str) -> Bound {
        self.zero = Some(what);
        self
    }

    /// How it is refused when it is not given.
    pub const fn missing(mut self, reason: Reason, detail: &'static str) -> Bound {
        self.missing = Some((reason, detail));
        self
    }

    /// How it is refused otherwise; when not given too, unless [`Bound::missing`] says another word.
    pub const fn refused(mut self, reason: Reason, detail: &'static str) -> Bound {
        self.refused = Some((reason, detail));
        self
    }

    /// The bound of each item of a list, or each value of a map.
    pub const fn each(mut self, each: &'static Bound) -> Bound {
        self.each = Some(each);
        self
    }

    /// The bound of a map's names.
    pub const fn names(mut self, names: &'static Bound) -> Bound {
        self.names = Some(names);
        self
    }

    /// For `#[schemars(transform = KEY.on())]`.
    pub const fn on(self) -> On {
        On(self)
    }

    fn put(&self, schema: &mut serde_json::Map<String, Value>) {
        let (low, high) = match self.of {
            // One byte and one character are the same question.
            Of::Bytes if self.min <= 1 => ("minLength", keyword::MAX_BYTES),
            Of::Bytes => (keyword::MIN_BYTES, keyword::MAX_BYTES),
            Of::Chars => ("minLength", "maxLength"),
            Of::Items => ("minItems", "maxItems"),
            Of::Entries => ("minProperties", "maxProperties"),
            Of::Number => ("minimum", "maximum"),
        };
        let says_nothing = match self.of {
            Of::Number => self.min == i128::from(i64::MIN) && self.max < i128::from(i64::MAX),
            _ => self.min == 0,
        };
        if !says_nothing {
            schema.insert(low.into(), number(self.min));
        }
        schema.insert(high.into(), number(self.max));
        let told =
            |(reason, detail): (Reason, &str)| json!({"code": reason.code, "reason": reason.word, "detail": detail});
        let words = [
            (keyword::ZERO, self.zero.map(Value::from)),
            (keyword::MISSING, self.missing.map(told)),
            (keyword::REFUSED, self.refused.map(told)),
        ];
        schema.extend(words.into_iter().filter_map(|(word, value)| Some((word.to_string(), value?))));
        let inside = if matches!(self.of, Of::Entries) { "additionalProperties" } else { "items" };
        for (part, bound) in [(inside, self.each), ("propertyNames", self.names)] {
            let Some(bound) = bound else { continue };
            let part = schema.entry(part).or_insert_with(|| json!({}));
            if let Value::Object(part) = part {
                bound.put(part);
            }
        }
    }
}

fn number(n: i128) -> Value {
    i64::try_from(n).map(Value::from).or_else(|_| u64::try_from(n).map(Value::from)).unwrap_or_default()
}

/// A [`Bound`] as schemars takes it.
#[derive(Clone, Copy, Debug)]
pub struct On(Bound);

impl Transform for On {
    fn transform(&mut self, schema: &mut Schema) {
        self.0.put(schema.ensure_object());
    }
}
