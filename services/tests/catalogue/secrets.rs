//! What no Sandbox shows of commands with secrets: when the reply kept under a request id goes, and that a failure costs an
//! entry in the log whether or not there was something to find.

use bytes::Bytes;
use sdk::runtime::{Delta, Layered, Order, Rows, Run, Scope};
use sdk::{Request, Result, Time, Tx};
use services::otp;
use wire::Rfc3339;
use wire::endpoint::{decode, encode};

/// Rows that are not there.
struct Nothing;

impl Rows for Nothing {
    fn get(&self, _: &[u8]) -> Result<Option<Bytes>> {
        Ok(None)
    }
    fn scan(&self, _: &[u8], _: &[u8], _: Order, _: usize) -> Result<Vec<(Bytes, Bytes)>> {
        Ok(vec![])
    }
}

/// What a command does to `rows`, at second 100.
fn run<R: Request>(rows: &dyn Rows, request: R) -> (R::Response, Delta, Option<Time>) {
    let service = otp::service();
    let Some((_, Run::Command(run))) = service.run(R::ENDPOINT) else { panic!("{} is no command", R::ENDPOINT) };
    let scope = Scope {
        account: "local".into(),
        service: service.name(),
        entity: "a".into(),
        now: Rfc3339(100_000_000_000),
        key: [7; 32],
        tables: service.tables().into(),
    };
    let mut tx = Tx::new(scope, rows, [1; 32]);
    let reply = run(&mut tx, &encode(&request).unwrap()).unwrap();
    let until = tx.reply_until();
    (decode(&reply).unwrap(), tx.into_delta(), until)
}

fn id() -> String {
    "a".into()
}

#[test]
fn a_kept_reply_goes_with_its_secret() {
    let (code, _, until) = run(&Nothing, otp::GenerateRequest { id: id(), expiry: 77, ..Default::default() });
    assert_eq!((until, code.expires_at), (Some(Rfc3339(177_000_000_000)), Rfc3339(177_000_000_000)));
    let (app, _, until) = run(&Nothing, otp::EnrollRequest { id: id(), ..Default::default() });
    assert_eq!(until, Some(app.expires_at));
    assert_eq!(run(&Nothing, otp::ValidateRequest { id: id(), code: "1".into(), ..Default::default() }).2, None);
}

#[test]
fn a_failure_writes_to_the_log_whether_or_not_there_is_a_code() {
    let validate = || otp::ValidateRequest { id: id(), code: "000000".into(), ..Default::default() };
    let verify = || otp::VerifyRequest { id: id(), code: "000000".into() };
    let effects = |delta: Delta| delta.into_ops().len();

    let (_, made, _) = run(&Nothing, otp::GenerateRequest { id: id(), ..Default::default() });
    let with_code = Layered { base: &Nothing, delta: &made };
    let (there, found, _) = run(&with_code, validate());
    let (not_there, missed, _) = run(&Nothing, validate());
    assert_eq!((there, effects(found) > 0), (not_there, effects(missed) > 0));

    let (_, made, _) = run(&Nothing, otp::EnrollRequest { id: id(), ..Default::default() });
    let with_app = Layered { base: &Nothing, delta: &made };
    let (there, found, _) = run(&with_app, verify());
    let (not_there, missed, _) = run(&Nothing, verify());
    let (found, missed) = (effects(found), effects(missed));
    assert!(there == not_there && found > 0 && missed > 0);
}
