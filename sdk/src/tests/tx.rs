//! Commands: all of it or nothing, reads that see own writes, and never another entity's row.

use super::{run, scope, view};
use crate::runtime::{Rows, Run, Scope};
use crate::sandbox::Memory;
use crate::{Read, Reason, Request, Result, Row, Sandbox, Service, Table, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::Rfc3339;

wire::endpoints! { demo:
    Command Write(WriteRequest) -> Done, key id;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct WriteRequest {
    id: String,
    then: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Done {}

static ONE: Row<u32> = Row::new("one");
static MANY: Table<u32, u32> = Table::new("many").expiring();
static FOREIGN: Row<u32> = Row::new("foreign");
const TABLES: &[&str] = &["one", "many"];
const NO: Reason = Reason::conflict("no");

/// Every kind of write, then as asked.
fn write(tx: &mut Tx, req: WriteRequest) -> Result<Done> {
    let count = tx.get_or_default(&ONE)?;
    tx.put(&ONE, &(count + 1))?;
    tx.delete_range(&MANY, &0, &count);
    tx.put_at_until(&MANY, &count, &count, Rfc3339(9))?;
    tx.delete_at(&MANY, &7)?;
    match req.then.as_str() {
        "refuse" => Err(NO.because("not today")),
        "panic" => panic!("a mistake of the author"),
        "touch" => tx.put(&FOREIGN, &1).map(|()| Done {}),
        "wipe" => {
            tx.delete_all();
            Ok(Done {})
        }
        _ => Ok(Done {}),
    }
}

fn sandbox() -> Sandbox {
    Sandbox::new(Service::new("demo", "").row(&ONE).table(&MANY).command(write))
}

fn call(on: &Sandbox, id: &str, then: &str) -> Result<Done> {
    on.call(WriteRequest { id: id.into(), then: then.into() })
}

#[test]
fn a_refusal_after_writes_leaves_nothing_done() {
    let sandbox = sandbox();
    call(&sandbox, "e", "").unwrap();
    let before = sandbox.dump();
    let error = call(&sandbox, "e", "refuse").unwrap_err();
    assert!(error.is(&NO) && error.is_refusal() && error.id == "demo.write");
    assert_eq!(sandbox.dump(), before);
}

#[test]
fn a_panic_after_writes_leaves_nothing_done_and_the_next_call_works() {
    let sandbox = sandbox();
    call(&sandbox, "e", "").unwrap();
    for then in ["panic", "touch"] {
        let before = sandbox.dump();
        assert!(catch_unwind(AssertUnwindSafe(|| call(&sandbox, "e", then))).is_err());
        assert_eq!(sandbox.dump(), before);
    }
    call(&sandbox, "e", "").unwrap();
    assert_eq!(sandbox.view("e", |view| view.get(&ONE)).unwrap(), Some(2));
}

#[test]
fn entities_and_accounts_keep_to_themselves() {
    let sandbox = sandbox();
    let ids = ["e", "", "e\0", "ee"];
    for id in ids {
        call(&sandbox, id, "").unwrap();
        call(&sandbox.account("loca"), id, "").unwrap();
    }
    call(&sandbox, "e", "wipe").unwrap();
    for account in ["local", "loca"] {
        for id in ids {
            let left =
                sandbox.account(account).view(id, |view| (view.get(&ONE).unwrap(), view.scan(&MANY).take(9).unwrap()));
            let want = if (account, id) == ("local", "e") { (None, vec![]) } else { (Some(1), vec![(0, 0)]) };
            assert_eq!(left, want, "{account} {id:?}");
        }
    }
}

#[test]
fn after_delete_all_and_the_last_sweep_nothing_is_left() {
    let sandbox = sandbox();
    (0..5).for_each(|_| assert_eq!(call(&sandbox, "e", "").unwrap(), Done {}));
    call(&sandbox, "e", "wipe").unwrap();
    sandbox.advance(std::time::Duration::from_nanos(9));
    sandbox.sweep().unwrap();
    assert_eq!(sandbox.row_count(), 0);
}

#[test]
fn a_command_reads_what_it_wrote_and_a_query_only_what_was_applied() {
    let mut rows = Memory::default();
    run(&mut rows, scope(TABLES, 0), |tx| (0..5).for_each(|n| tx.put_at(&MANY, &n, &n).unwrap()));
    let before = rows.clone();
    run(&mut rows, scope(TABLES, 0), |tx| {
        tx.put(&ONE, &1).unwrap();
        tx.put_at(&MANY, &2, &20).unwrap();
        tx.delete_range(&MANY, &3, &9);
        tx.put_at(&MANY, &4, &40).unwrap();
        assert_eq!(tx.get(&ONE).unwrap(), Some(1));
        assert_eq!(tx.scan(&MANY).take(9).unwrap(), [(0, 0), (1, 1), (2, 20), (4, 40)]);
        assert_eq!(tx.scan(&MANY).backwards().before(&4).take(2).unwrap(), [(2, 20), (1, 1)]);
        assert_eq!(view(&before, scope(TABLES, 0)).get(&ONE).unwrap(), None);
        tx.delete(&ONE).unwrap();
        assert_eq!(tx.need(&ONE, NO, "gone").unwrap_err().detail, "gone");
    });
    let after = view(&rows, scope(TABLES, 0));
    assert_eq!(after.scan(&MANY).take(9).unwrap(), [(0, 0), (1, 1), (2, 20), (4, 40)]);
}

#[test]
fn a_row_that_is_too_large_is_refused_and_one_that_is_damaged_is_named() {
    static TEXT: Row<String> = Row::new("one");
    let mut rows = Memory::default();
    let put = |rows: &mut Memory, bytes| run(rows, scope(TABLES, 0), |tx| tx.put(&TEXT, &"x".repeat(bytes)));
    put(&mut rows, 64 << 10).unwrap();
    let error = put(&mut rows, 66 << 10).unwrap_err();
    assert_eq!((error.code, error.reason.as_ref()), (413, "too_large"));
    // The same row read as another type: as damage would look.
    let error = view(&rows, scope(TABLES, 0)).get(&ONE).unwrap_err();
    assert!(error.code == 500 && error.detail.contains("table one"), "{error}");
}

#[test]
fn random_numbers_come_from_the_seed_alone() {
    let rows = Memory::default();
    let ids = |seed: u8| {
        let mut tx = Tx::new(scope(TABLES, 0), &rows, [seed; 32]);
        (tx.random(), tx.new_id(), tx.new_id())
    };
    assert_eq!(ids(1), ids(1));
    let ((a, b, c), (other, ..)) = (ids(1), ids(2));
    assert!(a != other && b != c && b.len() == 36 && b.as_bytes()[14] == b'4', "{b}");
}

/// The runtime's way in: bytes that are no request never reach the author's function.
#[test]
fn bytes_that_are_no_request_are_refused_before_the_function_runs() {
    let service = Service::new("demo", "").row(&ONE).table(&MANY).command(write);
    let Some((endpoint, Run::Command(run))) = service.run(WriteRequest::ENDPOINT) else { panic!("a command") };
    let rows = Memory::default();
    let mut tx = Tx::new(Scope { ..scope(TABLES, 0) }, &rows, [0; 32]);
    let error = run(&mut tx, &[1, 2]).unwrap_err();
    assert_eq!((error.code, error.outcome), (400, wire::Outcome::NotRun));
    assert!(tx.into_delta().is_empty() && (endpoint.key_of)(&[1, 2]).is_err());
    assert_eq!(rows.get(b"any").unwrap(), None);
}

#[test]
fn a_keyed_digest_is_of_one_entity_account_and_cluster() {
    let rows = Memory::default();
    let digest = |change: fn(&mut Scope)| {
        let mut scope = scope(TABLES, 0);
        change(&mut scope);
        Tx::new(scope, &rows, [0; 32]).keyed_digest(b"123456")
    };
    let plain = digest(|_| {});
    assert_eq!(plain, digest(|_| {}));
    let others: [fn(&mut Scope); 4] = [
        |scope| scope.account = "b".into(),
        |scope| scope.entity = "f".into(),
        |scope| scope.service = "other",
        |scope| scope.key = [1; 32],
    ];
    others.into_iter().for_each(|change| assert_ne!(plain, digest(change)));
}
