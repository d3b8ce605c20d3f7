//! What every call passes on its way in, whatever door it came through.

use super::gate::Counted;
use super::testing::{BalanceRequest, Fake, credited, doors};
use super::*;
use wire::endpoint::encode;

async fn enter(doors: &Doors, id: &str) -> Result<Answered, Error> {
    let known = doors.catalogue.find("demo", "Balance").unwrap();
    let call = Entering {
        account: "local".into(),
        request_id: RequestId::None,
        deadline: Instant::now() + DEADLINE_DEFAULT,
        trace: Trace::default(),
        body: encode(&BalanceRequest { id: id.into() }).unwrap().into(),
        stale_ok: false,
    };
    doors.enter(known, call).await
}

#[tokio::test]
async fn a_field_out_of_its_limits_stops_at_the_door() {
    let fake = Fake::new(|_| testing::Reaction::Reply(credited(1)));
    let doors = doors(fake.clone(), |_| {});
    assert!(enter(&doors, &"é".repeat(64)).await.is_ok());
    let error = enter(&doors, &"é".repeat(65)).await.err().unwrap();
    assert!(error.is(&reasons::BAD_FIELD), "{error:?}");
    assert_eq!((error.code, error.outcome, error.source), (400, Outcome::NotRun, wire::Source::Cluster));
    assert_eq!(
        (error.id.as_str(), error.detail.as_str()),
        ("demo.balance", "id: must be up to 64 characters, it has 65")
    );
    assert_eq!((fake.seen().len(), doors.gate.inside(Counted::Call)), (1, 0));
}
