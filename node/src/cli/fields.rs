//! `--field value …` as a request, by the endpoint's schema.

use crate::door::catalogue::did_you_mean;
use serde_json::{Map, Value};
use wire::fit::{FieldInfo, Fit, Origin, merge};

/// What stood behind the endpoint's name.
#[derive(Debug, Default, PartialEq)]
pub struct Given {
    pub request: Value,
    /// Our own options, where no field has their name.
    pub options: Vec<(String, String)>,
    pub wants_help: bool,
}

/// Options of `commons call` that may stand among the fields.
const OPTIONS: &[&str] = &["node", "token", "token-file", "ca", "output", "request-id", "timeout", STALE_OK];
/// The one of them that stands alone.
const STALE_OK: &str = "stale-ok";

/// `stdin` is read only when `-` asks for it.
pub fn parse(fit: &Fit, rest: &[String], stdin: impl FnOnce() -> std::io::Result<String>) -> Result<Given, String> {
    let fields = fit.fields();
    let (mut flags, mut json, mut given) = (Map::new(), None, Given::default());
    let (mut args, mut stdin) = (rest.iter().peekable(), Some(stdin));
    while let Some(arg) = args.next() {
        if arg == "--help" || arg == "-h" {
            given.wants_help = true;
            continue;
        }
        let Some(flag) = arg.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            let text = match (arg.as_str(), stdin.take()) {
                ("-", Some(read)) => read().map_err(|why| format!("cannot read stdin: {why}"))?,
                (text, unread) => {
                    stdin = unread;
                    text.to_string()
                }
            };
            if json.is_some() {
                return Err(format!("{arg:?} is one argument too many: one JSON object, the rest as --field value"));
            }
            json = Some(parse_json(fit, &text)?);
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (flag, None),
        };
        let Some(field) = find(&fields, name) else {
            if OPTIONS.contains(&name) {
                let alone = (name == STALE_OK).then(|| "true".to_string());
                let value = value
                    .or(alone)
                    .or_else(|| args.next().cloned())
                    .ok_or_else(|| format!("--{name} needs a value"))?;
                given.options.push((name.to_string(), value));
                continue;
            }
            return Err(unknown(&fields, name));
        };
        let value = match value {
            Some(value) => value,
            // `--visible` alone is true; `--visible false` is said.
            None if field.is_bool => {
                args.next_if(|next| matches!(next.as_str(), "true" | "false")).cloned().unwrap_or("true".into())
            }
            None => args.next().cloned().ok_or_else(|| format!("--{name} needs a value: {}", field.kind))?,
        };
        let mut path: Vec<String> = name.split('.').skip(1).map(|part| part.replace('-', "_")).collect();
        path.insert(0, field.name.clone());
        put(&mut flags, &path, value).map_err(|rule| format!("--{name}: {rule}"))?;
    }
    let flags = fit.take_part(Value::Object(flags), Origin::Text).map_err(|misfit| format!("--{misfit}"))?;
    given.request = merge(json.unwrap_or_else(|| Value::Object(Map::new())), flags);
    Ok(given)
}

fn parse_json(fit: &Fit, text: &str) -> Result<Value, String> {
    if !text.trim_start().starts_with('{') {
        return Err(format!("{text:?} is neither --field value nor a JSON object"));
    }
    let value = serde_json::from_str(text).map_err(|why| format!("broken JSON: {why}"))?;
    fit.take_part(value, Origin::Json).map_err(|misfit| misfit.to_string())
}

/// snake_case, camelCase and kebab-case are the same field; what follows a dot is inside it.
fn find<'a>(fields: &'a [FieldInfo], name: &str) -> Option<&'a FieldInfo> {
    let first = name.split('.').next().unwrap_or_default();
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    fields
        .iter()
        .find(|field| field.name == first)
        .or_else(|| fields.iter().find(|field| plain(&field.name) == plain(first)))
}

fn unknown(fields: &[FieldInfo], name: &str) -> String {
    let near = did_you_mean(&name.replace('-', "_"), fields.iter().map(|field| field.name.as_str()));
    let near = near.replace('"', "").replace("did you mean ", "did you mean --");
    if fields.is_empty() {
        return format!("there is no field --{name}: this endpoint takes none");
    }
    let all: Vec<String> = fields.iter().map(|field| format!("--{}", field.name)).collect();
    format!("there is no field --{name}{near} (fields: {})", all.join(" "))
}

/// A field given twice is a list.
fn put(object: &mut Map<String, Value>, path: &[String], value: String) -> Result<(), &'static str> {
    let (first, rest) = path.split_first().expect("a field has a name");
    if !rest.is_empty() {
        let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
        return put(inner.as_object_mut().ok_or("is given whole and in parts")?, rest, value);
    }
    match object.get_mut(first) {
        None => drop(object.insert(first.clone(), Value::String(value))),
        Some(Value::Array(values)) => values.push(Value::String(value)),
        Some(Value::Object(_)) => return Err("is given whole and in parts"),
        Some(one) => *one = Value::Array(vec![one.take(), Value::String(value)]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::testing::CreditRequest;
    use serde_json::json;
    use wire::Endpoint;

    fn given(rest: &[&str]) -> Result<Given, String> {
        let fit = Fit::of(&(Endpoint::of::<CreditRequest>().request)());
        let rest: Vec<String> = rest.iter().map(|arg| arg.to_string()).collect();
        parse(&fit, &rest, || Ok(r#"{"id":"from stdin"}"#.into()))
    }

    fn request(rest: &[&str]) -> Value {
        given(rest).unwrap().request
    }

    #[test]
    fn flags_become_fields_of_their_type() {
        assert_eq!(request(&[]), json!({}));
        assert_eq!(request(&["--amount", "5", "--id", "5"]), json!({"id": "5", "amount": 5}));
        assert_eq!(request(&["--amount", "-5"]), json!({"amount": -5}));
        assert_eq!(request(&["--amount=-5", "--id=a=b"]), json!({"id": "a=b", "amount": -5}));
        for name in ["--session-id", "--sessionId", "--session_id", "--SESSION-ID"] {
            assert_eq!(request(&[name, "s"]), json!({"session_id": "s"}), "{name}");
        }
        assert_eq!(request(&["--visible", "--amount", "1"]), json!({"amount": 1, "visible": true}));
        assert_eq!(request(&["--visible", "false"]), json!({"visible": false}));
        assert_eq!(request(&["--tags", "a", "--tags", "b,c"]), json!({"tags": ["a", "b,c"]}));
        assert_eq!(request(&["--tags", "a,b"]), json!({"tags": ["a", "b"]}));
        assert_eq!(request(&["--part.n", "7"]), json!({"part": {"n": 7}}));
        assert_eq!(request(&["--id", "--amount"]), json!({"id": "--amount"}));
    }

    #[test]
    fn json_goes_below_the_flags() {
        assert_eq!(
            request(&[r#"{"amount":"5","sessionId":"s"}"#, "--id", "a"]),
            json!({"amount": 5, "session_id": "s", "id": "a"})
        );
        assert_eq!(request(&["-", "--amount", "1"]), json!({"id": "from stdin", "amount": 1}));
    }

    #[test]
    fn our_own_options_may_stand_among_them() {
        let got = given(&["--amount", "1", "--request-id", "k", "--node=here:1"]).unwrap();
        assert_eq!(got.options, [("request-id".into(), "k".into()), ("node".into(), "here:1".into())]);
        let got = given(&["--stale-ok", "--amount", "1"]).unwrap();
        assert_eq!((got.options, got.request), (vec![("stale-ok".into(), "true".into())], json!({"amount": 1})));
        assert!(given(&["--help"]).unwrap().wants_help);
    }

    #[test]
    fn wrong_usage_says_what_to_type() {
        let rows: &[(&[&str], &str)] = &[
            (
                &["--amout", "5"],
                "there is no field --amout; did you mean --amount? (fields: --id --amount --small --visible --session_id --tags --part)",
            ),
            (&["--amount", "abc"], r#"--amount: "abc" is not a 64-bit integer"#),
            (&["--amount"], "--amount needs a value: 64-bit integer"),
            (&["--visible=maybe"], r#"--visible: "maybe" is not a bool (true or false)"#),
            (&["hello"], r#""hello" is neither --field value nor a JSON object"#),
            (&["{}", "{}"], r#""{}" is one argument too many: one JSON object, the rest as --field value"#),
            (&["{"], "broken JSON: EOF while parsing an object at line 1 column 1"),
            (&[r#"{"amount":[]}"#], "amount: a list is not a 64-bit integer"),
            (&["--part.n", "1", "--part", "{}"], "--part: is given whole and in parts"),
            (&["--request-id"], "--request-id needs a value"),
        ];
        for (rest, want) in rows {
            assert_eq!(given(rest).unwrap_err(), *want, "{rest:?}");
        }
    }
}
