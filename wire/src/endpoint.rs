//! The table of a service's endpoints: one definition, from which route, schema, CLI command, form and client method come.

mod macros;

use crate::codec;
use crate::error::{Error, reasons};
use crate::limits::{self, Limits};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// What an endpoint may do, and where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Reads and writes one entity, one at a time, on the group's leader.
    Command,
    /// Reads one entity, linearizably.
    Query,
    /// A query of all groups, merged in order, page by page.
    Gather,
    /// Async, on the node that took the call; reaches state through commands and queries.
    Handler,
    /// Async, yields items as fast as the reader takes them.
    Stream,
    /// A function of its request and of the clock and randomness of the node that took the call; no state.
    Local,
}

/// The kinds as types, so that the wrong function for an endpoint does not compile.
pub mod kind {
    /// One of the six types of this module.
    pub trait EndpointKind: 'static {
        const KIND: super::Kind;
    }
    macro_rules! kinds {
        ($($name:ident),*) => {$(
            #[doc = concat!("[`super::Kind::", stringify!($name), "`] as a type.")]
            #[derive(Debug)]
            pub enum $name {}
            impl EndpointKind for $name {
                const KIND: super::Kind = super::Kind::$name;
            }
        )*};
    }
    kinds!(Command, Query, Gather, Handler, Stream, Local);
}

/// Which entity a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// None: any node answers, or all groups do.
    None,
    /// The entity of this name.
    Entity(String),
    /// A new one: the node that takes the call names it, the same at every retry (P12).
    New,
}

impl Key {
    /// For the macro's `key field`.
    #[doc(hidden)]
    pub fn of(field: &str) -> Key {
        Key::Entity(field.to_string())
    }

    #[doc(hidden)]
    pub fn or_default(field: &str, default: &str) -> Key {
        Key::of(if field.is_empty() { default } else { field })
    }

    #[doc(hidden)]
    pub fn or_new(field: &str) -> Key {
        if field.is_empty() { Key::New } else { Key::of(field) }
    }
}

/// The largest request of an endpoint that declares no other, in binary.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// A request: what the client sends and what comes back. The `endpoints!` macro writes this; by hand it is as short.
pub trait Request: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static {
    type Response: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    type Kind: kind::EndpointKind;
    /// The service's name, lower case.
    const SERVICE: &'static str;
    /// The endpoint's name as in its path: `Credit`.
    const ENDPOINT: &'static str;
    /// How the key is found, in words: `id or "default"`.
    const KEY: &'static str = "";
    /// Reachable from other services only.
    const INTERNAL: bool = false;
    /// Request and reply are secrets: never traced or logged; a kept reply is sealed.
    const SENSITIVE: bool = false;
    /// The largest request, in binary.
    const BODY_BYTES_MAX: usize = BODY_BYTES_MAX;

    fn key(&self) -> Key {
        Key::None
    }
}

/// A gather whose answer comes in pages: the runtime owns limit, cursor and merge.
pub trait Page: Request<Kind = kind::Gather> {
    type Item: Serialize + DeserializeOwned + Send + 'static;
    /// Items when the request asks for none, and the most a page may have.
    const LIMIT: Limit;

    /// What the request asks for: `limit` (≤ 0 = the default) and `cursor` (empty = from the start).
    fn wanted(&self) -> (i64, &str);
    fn page(items: Vec<Self::Item>, cursor: String) -> Self::Response;
}

/// How many items a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub default: u32,
    pub max: u32,
}

/// An endpoint with its types erased: what doors, CLI, console and docs loop over.
#[derive(Clone)]
pub struct Endpoint {
    pub service: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub key: &'static str,
    pub internal: bool,
    /// [`Request::SENSITIVE`]
    pub sensitive: bool,
    /// [`Request::BODY_BYTES_MAX`]
    pub body_bytes_max: usize,
    pub limit: Option<Limit>,
    /// JSON Schemas (2020-12) of request and response, with docs.
    pub request: fn() -> Value,
    pub response: fn() -> Value,
    /// Hash of both schemas' structure: equal on both sides = binary may travel.
    pub schema_hash: fn() -> u64,
    pub key_of: fn(&[u8]) -> Result<Key, Error>,
    /// Strict JSON to binary and back: leniency is the door's.
    pub request_from_json: fn(Value) -> Result<Vec<u8>, Error>,
    pub request_to_json: fn(&[u8]) -> Result<Value, Error>,
    pub response_from_json: fn(Value) -> Result<Vec<u8>, Error>,
    pub response_to_json: fn(&[u8]) -> Result<Value, Error>,
    check: fn(&[u8], &Limits) -> Result<(), Error>,
    /// Compiled at the first use; clones share it.
    limits: Arc<OnceLock<Limits>>,
}

impl Endpoint {
    pub fn of<R: Request>() -> Endpoint {
        Endpoint {
            service: R::SERVICE,
            name: R::ENDPOINT,
            kind: <R::Kind as kind::EndpointKind>::KIND,
            key: R::KEY,
            internal: R::INTERNAL,
            sensitive: R::SENSITIVE,
            body_bytes_max: R::BODY_BYTES_MAX,
            limit: None,
            request: schema_of::<R>,
            response: schema_of::<R::Response>,
            schema_hash: schema_hash::<R>,
            key_of: |bytes| Ok(decode::<R>(bytes)?.key()),
            request_from_json: from_json::<R>,
            request_to_json: to_json::<R>,
            response_from_json: from_json::<R::Response>,
            response_to_json: to_json::<R::Response>,
            check: check::<R>,
            limits: Arc::default(),
        }
    }

    /// As [`Endpoint::of`], for a gather that comes in pages.
    pub fn paged<R: Page>() -> Endpoint {
        Endpoint { limit: Some(R::LIMIT), request: page_schema_of::<R>, ..Endpoint::of::<R>() }
    }

    /// The limits of the request's fields.
    pub fn limits(&self) -> &Limits {
        self.limits.get_or_init(|| Limits::of(&(self.request)()))
    }

    /// Refuses a request, in binary, that is none or has a field out of its limits. Doors ask once, whatever codec the
    /// request came in; so does who calls past them.
    pub fn check(&self, request: &[u8]) -> Result<(), Error> {
        (self.check)(request, self.limits())
    }

    /// `wallet.credit`: how errors name it.
    pub fn id(&self) -> String {
        format!("{}.{}", self.service, self.name).to_lowercase()
    }

    /// First line of the request type's docs.
    pub fn summary(&self) -> String {
        let schema = (self.request)();
        schema["description"].as_str().unwrap_or_default().lines().next().unwrap_or_default().to_string()
    }
}

/// Binary to value; what does not decode is the caller's fault.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    codec::decode(bytes).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))
}

/// Value to binary.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    codec::encode(value).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))
}

fn check<R: Request>(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    limits.check(&decode::<R>(bytes)?).map_err(Error::from)
}

fn from_json<T: DeserializeOwned + Serialize>(json: Value) -> Result<Vec<u8>, Error> {
    // serde would take an array for a struct, field by field.
    if !json.is_object() {
        return Err(reasons::BAD_BODY.refuse("the body must be a JSON object"));
    }
    let value: T = serde_json::from_value(json).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))?;
    encode(&value)
}

fn to_json<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<Value, Error> {
    serde_json::to_value(decode::<T>(bytes)?).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// A page's size is bounded in the endpoint table, its cursor by what the longest key makes of it.
fn page_schema_of<R: Page>() -> Value {
    let mut schema = schema_of::<R>();
    let bounds = [
        ("limit", "maximum", i64::from(R::LIMIT.max)),
        ("cursor", limits::keyword::MAX_BYTES, limits::CURSOR_BYTES_MAX as i64),
    ];
    for (field, word, bound) in bounds {
        if let Some(field) = schema["properties"][field].as_object_mut() {
            field.entry(word).or_insert(bound.into());
        }
    }
    schema
}

/// XXH3 of both schemas without their prose and limits: rewording a doc comment or widening a limit changes no wire format.
fn schema_hash<R: Request>() -> u64 {
    let mut both = [schema_of::<R>(), schema_of::<R::Response>()];
    both.iter_mut().for_each(strip_prose);
    xxhash_rust::xxh3::xxh3_64(Value::from(both.to_vec()).to_string().as_bytes())
}

fn strip_prose(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // `properties` holds field names: a field called "title" is no prose.
            let prose = |map: &mut serde_json::Map<String, Value>| {
                let words = ["description", "title", "$schema", "default", "examples"];
                words.iter().chain(limits::KEYWORDS).for_each(|k| {
                    map.shift_remove(*k);
                })
            };
            prose(map);
            for (name, part) in map.iter_mut() {
                match (name.as_str(), part) {
                    ("properties" | "$defs", Value::Object(fields)) => fields.values_mut().for_each(strip_prose),
                    (_, part) => strip_prose(part),
                }
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(strip_prose),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    crate::endpoints! { demo:
        Command Put(PutRequest) -> Empty, key(|r: &PutRequest| r.name.to_lowercase(), "name, in lower case");
        internal sensitive Command Make(MakeRequest) -> Empty, key id or new;
        Query Get(GetRequest) -> Empty, key id or "default";
        body(14 << 20) Local Add(AddRequest) -> Empty;
        Gather List(ListRequest) -> ListResponse, page(names: String, 10..100);
    }
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct ListRequest {
        limit: i32,
        cursor: String,
    }
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct ListResponse {
        names: Vec<String>,
        cursor: String,
    }
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct PutRequest {
        /// its name
        #[schemars(transform = limits::Bound::bytes(0, 8).on())]
        name: String,
        title: i64,
    }
    /// Make one.
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct MakeRequest {
        id: String,
    }
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct GetRequest {
        id: String,
    }
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct AddRequest {}
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    struct Empty {}

    #[test]
    fn the_table_names_kind_key_and_who_may_call() {
        let table: Vec<_> = endpoints().into_iter().map(|e| (e.id(), e.kind, e.key, e.internal)).collect();
        assert_eq!(
            table,
            [
                ("demo.put".into(), Kind::Command, "name, in lower case", false),
                ("demo.make".into(), Kind::Command, "id or new", true),
                ("demo.get".into(), Kind::Query, "id or \"default\"", false),
                ("demo.add".into(), Kind::Local, "", false),
                ("demo.list".into(), Kind::Gather, "", false),
            ]
        );
        assert_eq!(endpoints()[1].summary(), "Make one.");
        assert!(endpoints()[1].sensitive && !endpoints()[0].sensitive);
        assert_eq!((endpoints()[0].body_bytes_max, endpoints()[3].body_bytes_max), (1 << 20, 14 << 20));
    }

    #[test]
    fn keys_come_from_the_request() {
        let put = PutRequest { name: "Ann".into(), title: 0 };
        assert_eq!((endpoints()[0].key_of)(&encode(&put).unwrap()).unwrap(), Key::Entity("ann".into()));
        assert_eq!(MakeRequest::default().key(), Key::New);
        assert_eq!(GetRequest::default().key(), Key::Entity("default".into()));
    }

    #[test]
    fn prose_and_limits_are_no_wire_format_but_fields_are() {
        let hash = |mut schema: Value| {
            strip_prose(&mut schema);
            schema.to_string()
        };
        let mut reworded = schema_of::<PutRequest>();
        reworded["properties"]["name"]["description"] = "another word".into();
        for limit in limits::KEYWORDS {
            reworded["properties"]["name"][*limit] = 5.into();
        }
        assert_eq!(hash(reworded.clone()), hash(schema_of::<PutRequest>()));
        reworded["properties"].as_object_mut().unwrap().shift_remove("title");
        assert_ne!(hash(reworded), hash(schema_of::<PutRequest>()));
    }

    #[test]
    fn a_request_is_checked_in_binary_whatever_it_came_in() {
        let put = &endpoints()[0];
        put.check(&encode(&PutRequest { name: "n".repeat(8), title: 0 }).unwrap()).unwrap();
        let error = put.check(&encode(&PutRequest { name: "n".repeat(9), title: 0 }).unwrap()).unwrap_err();
        assert!(error.is(&reasons::BAD_FIELD) && error.outcome == crate::Outcome::NotRun, "{error:?}");
        assert_eq!(error.detail, "name: must be up to 8 bytes, it has 9");
        assert!(put.check(&[1, 2]).unwrap_err().is(&reasons::BAD_BODY));
    }

    #[test]
    fn a_pages_bounds_are_those_of_its_table() {
        let list = &endpoints()[4];
        let asked = |limit, cursor: usize| encode(&ListRequest { limit, cursor: "c".repeat(cursor) }).unwrap();
        list.check(&asked(100, limits::CURSOR_BYTES_MAX)).unwrap();
        assert_eq!(list.check(&asked(101, 0)).unwrap_err().detail, "limit: must be at most 100, it is 101");
        assert!(list.check(&asked(1, limits::CURSOR_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn json_of_the_wrong_shape_is_a_bad_request() {
        let error = (endpoints()[0].request_from_json)(serde_json::json!({"title": "x"})).unwrap_err();
        assert!(error.is(&reasons::BAD_BODY) && error.outcome == crate::Outcome::NotRun, "{error:?}");
        for json in [serde_json::json!([]), serde_json::json!(["a", 1]), serde_json::json!("a"), Value::Null] {
            let error = (endpoints()[0].request_from_json)(json).unwrap_err();
            assert_eq!(error.detail, "the body must be a JSON object");
        }
    }
}
