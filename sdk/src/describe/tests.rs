//! What is told, on a service with types of every shape.

use super::openapi::{Key, Options, Paths, document, openapi};
use super::*;
use crate::prelude::*;
use std::collections::BTreeMap;
use wire::limits::Bound;

endpoints! { odd:
    Command Put(PutRequest)   -> PutResponse, key id or "default";
    Query   Get(GetRequest)   -> PutResponse, key id;
    internal Local Hidden(GetRequest2) -> Nothing;
}

const NAME: Bound = Bound::bytes(2, 64).or_zero("nobody").refused(Reason::bad_request("bad_name"), "that is no name");

/// Put everything.
///
/// More about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PutRequest {
    /// which one
    #[schemars(length(min = 1, max = 1000))]
    pub id: String,
    #[schemars(transform = NAME.on())]
    pub name: String,
    pub count: i64,
    #[schemars(range(min = 4, max = 10))]
    pub small: i32,
    pub ratio: f64,
    pub flag: bool,
    #[serde(rename = "shortURL")]
    pub short_url: String,
    pub r#type: Color,
    pub tags: Vec<String>,
    pub counts: BTreeMap<String, u64>,
    pub part: Part,
    pub maybe: Option<Part>,
    pub later: Option<i64>,
    pub free: Json,
    pub raw: Bytes,
    pub at: Time,
    pub tree: Vec<Tree>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// how many
    pub n: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    pub n: u64,
    pub children: Vec<Tree>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// like blood
    #[default]
    Red,
    /// like the sky
    DeepBlue,
}

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PutResponse {
    pub part: Part,
    pub maybe: Option<Part>,
}

/// Get it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GetRequest {
    pub id: String,
    pub tags: Vec<String>,
    pub tree: Vec<Tree>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GetRequest2 {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

const TAKEN: Reason = Reason::conflict("taken");
const EMPTY: Reason = Reason::bad_request("empty");

fn full() -> PutRequest {
    PutRequest {
        id: "it's \"one\"\n$HOME".into(),
        name: "Ada".into(),
        count: -5,
        small: 7,
        ratio: 2.0,
        flag: true,
        short_url: "u".into(),
        r#type: Color::DeepBlue,
        tags: vec!["a,b".into(), String::new()],
        counts: [("k".to_string(), 3)].into(),
        part: Part { n: 1 },
        maybe: Some(Part::default()),
        later: Some(0),
        free: wire::Json(json!("5")),
        raw: wire::Bytes(vec![b'"', 0, 255]),
        at: wire::Rfc3339(1_000_000_007),
        tree: vec![Tree { n: 1, children: vec![Tree::default()] }],
    }
}

fn services() -> Vec<Service> {
    let service = Service::new("odd", "Every shape there is")
        .category("test")
        .not_yet::<PutRequest>("nobody wrote it")
        .not_yet::<GetRequest>("nobody wrote it")
        .not_yet::<GetRequest2>("nobody wrote it")
        .refuses::<PutRequest>(&[TAKEN, EMPTY])
        .example("All of it", full(), PutResponse { part: Part { n: 1 }, maybe: None })
        .example("A little", PutRequest { id: "a".into(), ..Default::default() }, PutResponse::default());
    vec![service]
}

fn put() -> DescribedEndpoint {
    describe(&services()).remove(0).endpoints.remove(0)
}

#[test]
fn an_endpoint_is_told_whole_and_internal_ones_are_not() {
    let service = describe(&services()).remove(0);
    assert_eq!((service.display_name.as_str(), service.category.as_str()), ("Odd", "test"));
    assert_eq!(service.endpoints.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["Put", "Get"]);
    let put = put();
    assert_eq!((put.summary.as_str(), put.doc.as_str()), ("Put everything.", "More about it."));
    assert_eq!((put.reply.as_str(), put.not_yet.as_str()), ("What is there now.", "nobody wrote it"));
    let errors: Vec<_> = put.errors.iter().map(|error| (error.code, error.reason.as_str())).collect();
    assert_eq!(errors, [(400, "bad_name"), (400, "empty"), (409, "taken")]);
    assert_eq!(put.fields[1].limits, ["2 to 64 bytes, or empty for nobody"]);
    let kinds: Vec<_> = put.fields.iter().map(|field| (field.name.as_str(), field.kind.as_str())).collect();
    for want in [("count", "64-bit integer"), ("part", "Part"), ("maybe", "Part"), ("tree", "list of Tree")] {
        assert!(kinds.contains(&want), "{want:?} is not in {kinds:?}");
    }
    let tree = put.fields.iter().find(|field| field.name == "tree").unwrap();
    assert_eq!((tree.fields[1].kind.as_str(), tree.fields[1].fields.len()), ("list of Tree", 0), "told once");
}

#[test]
fn what_was_described_survives_the_wire_and_older_nodes_say_less() {
    let all = describe(&services());
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Described>>(&text).unwrap(), all);
    let old = json!({"name": "a", "summary": "b", "endpoints": [{"name": "C", "summary": "d", "kind": "query", "key": "",
        "request": {}, "response": {}, "examples": [{"title": "t", "request": {}, "response": {}}]}]});
    assert!(serde_json::from_value::<Described>(old).is_ok());
}

#[test]
fn rust_says_every_shape_as_its_type() {
    let want = r#"let reply = client.call(odd::PutRequest {
    id: "it's \"one\"\n$HOME".into(),
    name: "Ada".into(),
    count: -5,
    small: 7,
    ratio: 2.0,
    flag: true,
    short_url: "u".into(),
    r#type: odd::Color::DeepBlue,
    tags: vec!["a,b".into(), "".into()],
    counts: [("k".into(), 3)].into(),
    part: odd::Part { n: 1 },
    maybe: Some(odd::Part::default()),
    later: Some(0),
    free: wire::Json(serde_json::json!("5")),
    raw: wire::Bytes(b"\"\x00\xff".to_vec()),
    at: wire::Rfc3339(1000000007),
    tree: vec![odd::Tree { n: 1, children: vec![odd::Tree::default()] }],
}).await?;"#;
    assert_eq!(put().examples[0].rust, want);
    assert_eq!(
        put().examples[1].rust,
        "let reply = client.call(odd::PutRequest {\n    id: \"a\".into(),\n    ..Default::default()\n}).await?;"
    );
    // The same by hand: what is printed above compiles, and is the example.
    mod odd {
        pub use super::{Color, Part, PutRequest, Tree};
    }
    let printed = odd::PutRequest {
        id: "it's \"one\"\n$HOME".into(),
        name: "Ada".into(),
        count: -5,
        small: 7,
        ratio: 2.0,
        flag: true,
        short_url: "u".into(),
        r#type: odd::Color::DeepBlue,
        tags: vec!["a,b".into(), "".into()],
        counts: [("k".into(), 3)].into(),
        part: odd::Part { n: 1 },
        maybe: Some(odd::Part::default()),
        later: Some(0),
        free: wire::Json(serde_json::json!("5")),
        raw: wire::Bytes(b"\"\x00\xff".to_vec()),
        at: wire::Rfc3339(1000000007),
        tree: vec![odd::Tree { n: 1, children: vec![odd::Tree::default()] }],
    };
    assert_eq!(printed, full());
}

#[test]
fn what_an_empty_request_says_is_not_typed() {
    let little = &put().examples[1];
    assert_eq!(little.cli, "commons call odd Put --id a");
    assert_eq!(
        little.curl,
        "curl localhost:8080/v1/odd/Put -H 'Content-Type: application/json' \\\n  -d '{\"id\":\"a\"}'"
    );
    assert_eq!(little.request["count"], 0, "the example itself is whole");
}

#[test]
fn what_a_shell_would_read_is_quoted() {
    let rows = [
        ("", "''"),
        ("a-b_c./:@%+,", "a-b_c./:@%+,"),
        ("it's", r"'it'\''s'"),
        ("$x `y` \\", "'$x `y` \\'"),
        ("~", "'~'"),
    ];
    for (text, want) in rows {
        assert_eq!(shell::quoted(text), want);
    }
}

#[test]
fn types_stand_as_callers_see_them() {
    let document = openapi(&services(), "1");
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let request = schema("odd.PutRequest");
    assert_eq!(request["required"], json!(["id", "small"]), "an empty one breaks their limits");
    let field = |name: &str| request["properties"][name].clone();
    assert_eq!(field("count")["type"], json!(["string", "integer"]));
    assert_eq!(field("later")["type"], json!(["string", "integer", "null"]));
    assert_eq!((field("id")["minLength"].clone(), field("id")["maxLength"].clone()), (json!(1), json!(1000)));
    assert_eq!(field("name")["anyOf"], json!([{"maxLength": 0}, {"minLength": 1, "maxLength": 64}]));
    assert_eq!(field("name")["description"], "2 to 64 bytes, or empty for nobody");
    assert_eq!(field("part")["$ref"], "#/components/schemas/odd.PartInput");
    assert_eq!(field("raw")["contentEncoding"], "base64");
    assert_eq!(schema("odd.Color")["enum"], json!(["red", "deep_blue"]));
    assert_eq!(schema("odd.Color")["description"], "\n- `red`: like blood\n- `deep_blue`: like the sky");
    assert_eq!(schema("odd.Part")["properties"]["n"]["type"], "string");
    assert_eq!(schema("odd.PartInput")["properties"]["n"]["type"], json!(["string", "integer"]));
    assert_eq!(schema("odd.PutResponse")["required"], json!(["part", "maybe"]), "zero values are sent");
}

#[test]
fn paths_say_what_can_be_asked_and_answered() {
    let document = openapi(&services(), "1");
    assert_eq!(document["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/v1/odd/Put", "/v1/odd/Get"]);
    let (put, get) = (&document["paths"]["/v1/odd/Put"], &document["paths"]["/v1/odd/Get"]["get"]);
    assert!(put["get"].is_null(), "GET changes nothing");
    let codes =
        |operation: &Value| operation["responses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(codes(&put["post"]), "200 400 401 403 408 409 413 415 422 429 431 500 501 503 504");
    assert_eq!(codes(get), "200 400 401 403 404 409 429 431 500 501 503 504");
    let names: Vec<_> = get["parameters"].as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(names, ["id", "tags", "tree"]);
    assert_eq!(get["parameters"][1]["explode"], false);
    assert!(
        get["parameters"][2]["content"]["application/json"]["schema"].is_object(),
        "objects are JSON in a parameter"
    );
    assert_eq!(put["post"]["requestBody"]["required"], true);
    assert_eq!(put["post"]["parameters"][0]["$ref"], "#/components/parameters/Idempotency-Key");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(root: &Value, part: &Value) {
        match part {
            Value::Object(fields) => fields.iter().for_each(|(name, part)| match (name.as_str(), part.as_str()) {
                ("$ref", Some(path)) => {
                    assert!(root.pointer(path.strip_prefix('#').unwrap()).is_some(), "{path} leads nowhere");
                }
                _ => walk(root, part),
            }),
            Value::Array(parts) => parts.iter().for_each(|part| walk(root, part)),
            _ => {}
        }
    }
    let long = Options { paths: Paths::Long, key: Key::Bearer, server: "https://a/v1".into() };
    for document in [openapi(&services(), "1"), document(&describe(&services()), "1", &long)] {
        walk(&document, &document);
    }
}

#[test]
fn documents_for_others_have_their_paths_and_key() {
    let long = Options { paths: Paths::Long, key: Key::Bearer, server: "https://a/v1".into() };
    let document = document(&describe(&services()), "1", &long);
    assert!(document["paths"]["/odd/Odd/Put"].is_object());
    assert_eq!(document["servers"][0]["url"], "https://a/v1");
    assert_eq!(document["security"], json!([{"bearer": []}]));
    let dev = Options { key: Key::Optional, ..Options::default() };
    assert_eq!(super::openapi::document(&[], "1", &dev)["security"], json!([{"bearer": []}, {"basic": []}, {}]));
}

#[test]
fn a_refusal_that_is_not_listed_fails_the_sandbox() {
    const NOT_LISTED: Reason = Reason::conflict("not_listed");
    let service = Service::new("odd", "x").refuses::<GetRequest>(&[TAKEN]);
    let service = service.query(|_: &View, _: GetRequest| Err(NOT_LISTED.because("no")));
    let ask = std::panic::AssertUnwindSafe(|| crate::Sandbox::new(service).call(GetRequest::default()));
    let failed = std::panic::catch_unwind(ask);
    let words = *failed.unwrap_err().downcast::<String>().expect("a message");
    assert_eq!(words, "odd.get refuses with not_listed, which its .refuses() does not list");
}

#[test]
fn a_refusal_that_is_listed_does_not() {
    let service = Service::new("odd", "x").refuses::<GetRequest>(&[TAKEN]);
    let service = service.query(|_: &View, _: GetRequest| Err(TAKEN.because("no")));
    assert!(crate::Sandbox::new(service).call(GetRequest::default()).unwrap_err().is(&TAKEN));
}
