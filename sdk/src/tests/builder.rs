//! Mistakes of an author that only show when the service is built: each panics and names what is wrong.

use crate::{Here, Result, Row, Sandbox, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::error::reasons;

wire::endpoints! { demo:
    Local Add(AddRequest) -> Number;
    Local Later(LaterRequest) -> Number;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct AddRequest {
    a: i64,
    b: i64,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct LaterRequest {}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Number {
    n: i64,
}

static ROW: Row<i64> = Row::new("row");
static SAME_NAME: Row<i64> = Row::new("row");
static NO_NAME: Row<i64> = Row::new("");

fn add(_: &Here, req: AddRequest) -> Result<Number> {
    Ok(Number { n: req.a + req.b })
}

#[track_caller]
fn fails(build: impl FnOnce(), words: &str) {
    let panic = catch_unwind(AssertUnwindSafe(build)).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a panic with words");
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_service_is_built_from_its_own_parts_once_each() {
    fails(|| drop(Service::new("other", "").local(add)), "endpoint Add belongs to another service");
    fails(|| drop(Service::new("demo", "").local(add).local(add)), "endpoint Add is there twice");
    fails(|| drop(Service::new("demo", "").row(&ROW).row(&SAME_NAME)), "table row is there twice");
    fails(|| drop(Service::new("demo", "").row(&NO_NAME)), "is no name of a table");
}

#[test]
fn an_example_that_is_not_true_fails_by_its_title() {
    let service =
        |n| Service::new("demo", "").local(add).example("Two and two", AddRequest { a: 2, b: 2 }, Number { n });
    Sandbox::check_examples(service(4));
    fails(|| Sandbox::check_examples(service(5)), "Two and two");
}

#[test]
fn what_is_declared_and_not_built_says_so() {
    let sandbox = Sandbox::new(Service::new("demo", "").local(add).not_yet::<LaterRequest>("waits for Effects"));
    let error = sandbox.call(LaterRequest {}).unwrap_err();
    assert!(error.is(&reasons::NOT_YET) && error.detail == "waits for Effects" && error.id == "demo.later");
    let error = Sandbox::new(Service::new("demo", "")).call(AddRequest::default()).unwrap_err();
    assert!(error.is(&reasons::NO_SUCH_ENDPOINT), "{error:?}");
}
