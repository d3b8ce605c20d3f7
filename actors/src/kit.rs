//! A service for the tests of this crate: every kind of endpoint, and commands that misbehave.

use schemars::JsonSchema;
use sdk::prelude::*;
use std::time::Duration;

endpoints! { kit:
    Command  Bump(BumpRequest)     -> Counted, key entity;
    Command  Deny(DenyRequest)     -> Counted, key entity;
    Command  Boom(BoomRequest)     -> Counted, key entity;
    Command  Big(BigRequest)       -> Counted, key entity;
    Command  Fade(FadeRequest)     -> Counted, key entity;
    sensitive Command Whisper(WhisperRequest) -> Made, key entity;
    Command  Make(MakeRequest)     -> Made,    key entity or new;
    internal Command Hidden(HiddenRequest) -> Counted, key entity;
    Query    Count(CountRequest)   -> Counted, key entity;
    Query    Bad(BadRequest)       -> Counted, key entity;
    Gather   All(AllRequest)       -> AllResponse, page(names: String, 10..100);
    Local    Echo(EchoRequest)     -> EchoResponse;
    Handler  Twice(TwiceRequest)   -> Counted;
    Stream   Steps(StepsRequest)   -> Counted;
}

pub const DENIED: Reason = Reason::conflict("denied");

macro_rules! types {
    ($($name:ident { $($(#[$limit:meta])? $field:ident: $type:ty),* })*) => {$(
        /// For tests.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct $name { $($(#[$limit])? pub $field: $type),* }
    )*};
}

types! {
    BumpRequest { entity: String, #[schemars(range(max = 1_000_000))] by: i64 }
    DenyRequest { entity: String }
    BoomRequest { entity: String }
    BigRequest { entity: String, rows: u32, bytes: u32 }
    FadeRequest { entity: String, ttl_ms: u64 }
    WhisperRequest { entity: String, ttl_ms: u64 }
    MakeRequest { entity: String }
    HiddenRequest { entity: String }
    CountRequest { entity: String }
    BadRequest { entity: String }
    AllRequest { limit: i64, cursor: String }
    AllResponse { names: Vec<String>, cursor: String }
    EchoRequest { text: String }
    EchoResponse { text: String }
    TwiceRequest { entity: String, by: i64 }
    StepsRequest { to: i64 }
    Counted { count: i64 }
    Made { entity: String, created: bool }
}

pub static COUNT: Row<i64> = Row::new("count");
pub static BULK: Table<u64, Vec<u8>> = Table::new("bulk");
pub static FADING: Row<()> = Row::new("fading").expiring();

pub fn service() -> Service {
    Service::new("kit", "For tests")
        .row(&COUNT)
        .table(&BULK)
        .row(&FADING)
        .command(|tx, req: BumpRequest| bump(tx, req.by))
        .command(|tx, _: DenyRequest| {
            let Counted { count } = bump(tx, 1000)?;
            Err(DENIED.because(format!("saw {}", count - 1000)))
        })
        .command(|tx, _: BoomRequest| {
            bump(tx, 1000)?;
            // A panic that nobody prints.
            std::panic::resume_unwind(Box::new("boom"))
        })
        .command(|tx, req: BigRequest| {
            for row in 0..u64::from(req.rows) {
                tx.put_at(&BULK, &row, &vec![7; req.bytes as usize])?;
            }
            bump(tx, 1)
        })
        .command(|tx, req: FadeRequest| {
            tx.put_until(&FADING, &(), tx.now().plus(Duration::from_millis(req.ttl_ms)))?;
            bump(tx, 1)
        })
        .command(|tx, req: WhisperRequest| {
            tx.keep_reply_until(tx.now().plus(Duration::from_millis(req.ttl_ms)));
            bump(tx, 1)?;
            Ok(Made { entity: "the secret of the day".into(), created: true })
        })
        .command(|tx, _: MakeRequest| {
            let created = tx.get(&COUNT)?.is_none();
            bump(tx, 1)?;
            Ok(Made { entity: tx.key().into(), created })
        })
        .command(|tx, _: HiddenRequest| bump(tx, 100))
        .query(|view, _: CountRequest| Ok(Counted { count: view.get_or_default(&COUNT)? }))
        .query(|_, _: BadRequest| std::panic::resume_unwind(Box::new("bad")))
        .gather(Listing::of(&COUNT, |entity, _: i64, _: &AllRequest| Some(entity.to_string())))
        .local(|_, req: EchoRequest| Ok(EchoResponse { text: req.text }))
        .handler(|cx, req: TwiceRequest| async move {
            cx.call(BumpRequest { entity: req.entity.clone(), by: req.by }).await?;
            cx.call(HiddenRequest { entity: req.entity }).await
        })
        .stream(|_, req: StepsRequest, mut out: Sink<Counted>| async move {
            for count in 1..=req.to {
                if out.send(Counted { count }).await.is_err() {
                    break;
                }
            }
            Ok(())
        })
}

fn bump(tx: &mut Tx, by: i64) -> Result<Counted> {
    let count = tx.get_or_default(&COUNT)? + by;
    if by != 0 {
        tx.put(&COUNT, &count)?;
    }
    Ok(Counted { count })
}
