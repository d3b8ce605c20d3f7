//! Async endpoints: a stream is paid by its reader and ends with it; a handler calls others as the same account.

use crate::{Cx, Error, Reason, Result, Row, Sandbox, Service, Sink, Tx};
use crate::{Read, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

wire::endpoints! { demo:
    Stream Count(CountRequest) -> Number;
    Handler Twice(TwiceRequest) -> Number;
    internal Command Add(AddRequest) -> Number, key id;
    Query Get(GetRequest) -> Number, key id;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct CountRequest {
    fail_at: u64,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct TwiceRequest {
    id: String,
    by: u64,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct AddRequest {
    id: String,
    by: u64,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct GetRequest {
    id: String,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Number {
    n: u64,
}

static TOTAL: Row<u64> = Row::new("total");
const NO: Reason = Reason::conflict("no");
/// Items that a stream got rid of, over all tests of this file that count.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Without an end of its own.
async fn count(_: Cx, req: CountRequest, mut out: Sink<Number>) -> Result<()> {
    for n in 1.. {
        if n == req.fail_at {
            return Err(NO.because("no further"));
        }
        if out.send(Number { n }).await.is_err() {
            break;
        }
        if req.fail_at == 0 {
            SENT.fetch_add(1, Relaxed);
        }
    }
    Ok(())
}

async fn twice(cx: Cx, req: TwiceRequest) -> Result<Number> {
    cx.call(AddRequest { id: req.id.clone(), by: req.by }).await?;
    cx.call(AddRequest { id: req.id, by: req.by }).await
}

fn add(tx: &mut Tx, req: AddRequest) -> Result<Number> {
    let n = tx.get_or_default(&TOTAL)?.checked_add(req.by).ok_or_else(|| NO.because("too much"))?;
    tx.put(&TOTAL, &n)?;
    Ok(Number { n })
}

fn get(view: &View, _: GetRequest) -> Result<Number> {
    Ok(Number { n: view.get_or_default(&TOTAL)? })
}

fn sandbox() -> Sandbox {
    Sandbox::new(Service::new("demo", "").row(&TOTAL).stream(count).handler(twice).command(add).query(get))
}

#[test]
fn a_stream_is_paid_by_its_reader_and_ends_when_the_reader_leaves() {
    let items = sandbox().first_items(CountRequest { fail_at: 0 }, 5).unwrap();
    assert_eq!(items, [1, 2, 3, 4, 5].map(|n| Number { n }));
    // One waits in the channel and one in the sender's hand at most.
    assert!((5..=7).contains(&SENT.load(Relaxed)), "{}", SENT.load(Relaxed));
}

#[test]
fn a_stream_that_fails_says_so_and_where() {
    let error: Error = sandbox().items(CountRequest { fail_at: 3 }).unwrap_err();
    assert!(error.is(&NO) && error.id == "demo.count", "{error:?}");
    // Who left before hears nothing of it.
    assert_eq!(sandbox().first_items(CountRequest { fail_at: 3 }, 1).unwrap(), [Number { n: 1 }]);
}

#[test]
fn a_handler_calls_as_the_account_it_was_called_by() {
    let sandbox = sandbox();
    assert_eq!(sandbox.call(TwiceRequest { id: "t".into(), by: 4 }).unwrap(), Number { n: 8 });
    assert_eq!(sandbox.account("other").call(TwiceRequest { id: "t".into(), by: 1 }).unwrap(), Number { n: 2 });
    assert_eq!(sandbox.call(GetRequest { id: "t".into() }).unwrap(), Number { n: 8 });
}

#[test]
fn a_refusal_of_an_inner_call_is_named_after_it() {
    let error = sandbox().call(TwiceRequest { id: "t".into(), by: u64::MAX }).unwrap_err();
    assert!(error.is(&NO) && error.id == "demo.add", "{error:?}");
    // The first of the two calls is done: a handler is no transaction.
    let sandbox = sandbox();
    sandbox.call(TwiceRequest { id: "t".into(), by: u64::MAX }).unwrap_err();
    assert_eq!(sandbox.call(GetRequest { id: "t".into() }).unwrap(), Number { n: u64::MAX });
}
