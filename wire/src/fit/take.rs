//! Inwards: lenient JSON or text to strict JSON.

use super::shape::{Int, Message, Shape};
use super::show::zero;
use super::{Fit, Misfit, Origin};
use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Clone, Copy)]
pub struct How {
    pub origin: Origin,
    /// Put zero values where required fields are missing.
    pub fill: bool,
}

type Taken = Result<Value, Misfit>;

pub fn take(fit: &Fit, value: Value, how: How) -> Taken {
    let object = matches!(fit.resolve(fit.root()), Shape::Message(_) | Shape::Map(_));
    if object && !value.is_object() {
        return Err(Misfit::new(format!("the body must be a JSON object, not {}", kind(&value))));
    }
    one(fit, fit.root(), value, how)
}

fn one(fit: &Fit, shape: &Shape, value: Value, how: How) -> Taken {
    let shape = fit.resolve(shape);
    if let (Origin::Text, Value::String(text)) = (how.origin, &value)
        && let Some(taken) = text_as(fit, shape, text, how)
    {
        return taken;
    }
    match (shape, value) {
        (Shape::Any | Shape::Ref(_), value) => Ok(value),
        (Shape::Maybe(_) | Shape::Null, Value::Null) => Ok(Value::Null),
        (Shape::Maybe(inner), value) => one(fit, inner, value, how),
        (Shape::Bool, value) => boolean(value),
        (Shape::Int(int), value) => integer(*int, value),
        (Shape::Float { max }, value) => float(*max, value),
        (Shape::Text, value @ Value::String(_)) => Ok(value),
        (Shape::Bytes, Value::String(text)) => bytes(text),
        (Shape::Time, Value::String(text)) if text.is_empty() => Ok(zero(fit, shape)),
        (Shape::Time, Value::String(text)) => match OffsetDateTime::parse(&text, &Rfc3339) {
            Ok(_) => Ok(Value::String(text)),
            Err(_) => misfit(&Value::String(text), "a time like 2026-01-31T12:00:00Z"),
        },
        (Shape::Choice(_), Value::String(text)) if text.is_empty() => Ok(zero(fit, shape)),
        (Shape::Choice(words), Value::String(text)) if words.contains(&text) => Ok(Value::String(text)),
        (Shape::List(item), Value::Array(items)) => {
            let taken = items.into_iter().enumerate();
            taken
                .map(|(n, value)| one(fit, item, value, how).map_err(|misfit| misfit.inside(&format!("[{n}]"))))
                .collect()
        }
        (Shape::Map(item), Value::Object(items)) => {
            let taken = items.into_iter().map(|(name, value)| match one(fit, item, value, how) {
                Ok(value) => Ok((name, value)),
                Err(misfit) => Err(misfit.inside(&name)),
            });
            taken.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        (Shape::Message(message), Value::Object(given)) => fields(fit, message, given, how),
        (shape, value) => misfit(&value, &with_article(&fit.word(shape, 0))),
    }
}

fn fields(fit: &Fit, message: &Message, given: Map<String, Value>, how: How) -> Taken {
    let mut places: Vec<Option<Value>> = message.fields.iter().map(|_| None).collect();
    let mut camel = vec![];
    for (name, value) in given {
        // `null` counts as missing.
        if value.is_null() {
            continue;
        }
        match (message.exact.get(&name), message.camel.get(&name)) {
            (Some(&at), _) => places[at] = Some(value),
            (None, Some(&at)) => camel.push((at, value)),
            (None, None) => {}
        }
    }
    // The declared spelling wins over the other one.
    for (at, value) in camel {
        places[at].get_or_insert(value);
    }
    let mut out = Map::new();
    for (field, place) in message.fields.iter().zip(places) {
        let value = match place {
            Some(value) => one(fit, &field.shape, value, how).map_err(|misfit| misfit.inside(&field.name))?,
            None if how.fill && field.required => zero(fit, &field.shape),
            None => continue,
        };
        out.insert(field.name.clone(), value);
    }
    Ok(Value::Object(out))
}

/// What only text can mean: lists with commas, JSON inside, an empty value for "not said". `None`: read it as a JSON string.
fn text_as(fit: &Fit, shape: &Shape, text: &str, how: How) -> Option<Taken> {
    let json = |opening: char| text.trim_start().starts_with(opening).then(|| serde_json::from_str::<Value>(text));
    match shape {
        Shape::Bool | Shape::Int(_) | Shape::Float { .. } if text.is_empty() => Some(Ok(zero(fit, shape))),
        Shape::Bool if text == "1" => Some(Ok(true.into())),
        Shape::Bool if text == "0" => Some(Ok(false.into())),
        Shape::Any => Some(Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into()))),
        Shape::Maybe(_) if text.is_empty() => Some(Ok(Value::Null)),
        Shape::List(_) if text.is_empty() => Some(Ok(Value::Array(vec![]))),
        Shape::List(item) => Some(match json('[') {
            Some(Ok(value)) => one(fit, shape, value, How { origin: Origin::Json, ..how }),
            Some(Err(broken)) => Err(Misfit::new(format!("broken JSON list: {broken}"))),
            None => text.split(',').map(|part| one(fit, item, part.into(), how)).collect(),
        }),
        Shape::Message(_) | Shape::Map(_) => match json('{') {
            Some(Ok(value)) => Some(one(fit, shape, value, How { origin: Origin::Json, ..how })),
            Some(Err(broken)) => Some(Err(Misfit::new(format!("broken JSON object: {broken}")))),
            None => None,
        },
        _ => None,
    }
}

fn boolean(value: Value) -> Taken {
    match value {
        Value::Bool(_) => Ok(value),
        Value::String(text) if text == "true" => Ok(true.into()),
        Value::String(text) if text == "false" => Ok(false.into()),
        value => misfit(&value, "a bool (true or false)"),
    }
}

/// Whole numbers below this are exact as doubles.
const EXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;

fn integer(int: Int, value: Value) -> Taken {
    let what = with_article(&int.word());
    let number = match &value {
        Value::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(n), _, _) => i128::from(n),
            (_, Some(n), _) => i128::from(n),
            (_, _, Some(n)) if n.fract() == 0.0 && n.abs() <= EXACT_DOUBLE => n as i128,
            (_, _, Some(n)) if n.fract() == 0.0 => return out_of_range(int, &value),
            _ => return misfit(&value, &what),
        },
        Value::String(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return misfit(&value, &what);
            }
            // Too long for 128 bits is too long for 64.
            match text.parse::<i128>() {
                Ok(number) => number,
                Err(_) => return out_of_range(int, &value),
            }
        }
        _ => return misfit(&value, &what),
    };
    if number < int.min || number > int.max {
        return out_of_range(int, &value);
    }
    Ok(match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => return out_of_range(int, &value),
    })
}

fn out_of_range(int: Int, value: &Value) -> Taken {
    Err(Misfit::new(format!(
        "{} is out of range: {} holds {} to {}",
        shown(value),
        with_article(&int.word()),
        int.min,
        int.max
    )))
}

fn float(max: f64, value: Value) -> Taken {
    let number = match &value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    match number.filter(|n| n.is_finite()) {
        Some(n) if n.abs() <= max => match value {
            Value::Number(_) => Ok(value),
            _ => Ok(n.into()),
        },
        Some(_) => Err(Misfit::new(format!("{} is out of range: at most {max:e}", shown(&value)))),
        None => misfit(&value, "a number"),
    }
}

/// Standard and URL alphabets, padded or not; handed on in the standard one.
fn bytes(text: String) -> Taken {
    const EITHER: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    match GeneralPurpose::new(&alphabet, EITHER).decode(&text) {
        Ok(decoded) => Ok(STANDARD.encode(decoded).into()),
        Err(why) => Err(Misfit::new(format!("not base64: {why}"))),
    }
}

fn misfit(value: &Value, wanted: &str) -> Taken {
    Err(Misfit::new(format!("{} is not {wanted}", shown(value))))
}

/// Words that begin with a number are spoken: "an 8-bit", "a 64-bit".
fn with_article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', '8', 'R']);
    match word.starts_with("one of ") {
        true => word.to_string(),
        false => format!("{} {word}", if vowel { "an" } else { "a" }),
    }
}

/// The value as JSON, cut where it is long: an error is no echo of a megabyte.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return kind(value).to_string(),
        value => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
