//! One call to an address, by whoever is not a member yet.

use super::calls::answer_in;
use super::dial::{self, Dial};
use super::frame::{BODY_BYTES_MAX, Frame, Kind};
use super::link::{Broken, Link};
use super::{CallError, Me};
use crate::trust::Keyring;
use bytes::Bytes;
use std::time::Instant;
use tokio::time::timeout_at;

/// Asks whoever is at `address` (`host:port`, resolved now). A refusal of the connection reads as `NotSent` with its name.
pub async fn ask(
    address: &str,
    keyring: &Keyring,
    me: Me,
    kind: u8,
    body: Bytes,
    deadline: Instant,
) -> Result<Bytes, CallError> {
    ask_over(&dial::over_tls(keyring.clone()), address, me, kind, body, deadline).await
}

pub(super) async fn ask_over(
    dial: &Dial,
    address: &str,
    me: Me,
    kind: u8,
    body: Bytes,
    deadline: Instant,
) -> Result<Bytes, CallError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(CallError::NotSent(format!("{} bytes; at most {BODY_BYTES_MAX} fit into a frame", body.len())));
    }
    let mut link = match timeout_at(deadline.into(), dial::to_address(dial, address, &me)).await {
        Ok(Ok(link)) => link,
        Ok(Err(why)) => return Err(CallError::NotSent(format!("{address}: {why}"))),
        Err(_) => return Err(CallError::NotSent(format!("{address}: no connection in time"))),
    };
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    let time_left_ms = u32::try_from(left).unwrap_or(u32::MAX);
    let end = link.put(&Frame { kind: Kind::Call, what: kind, id: 1, time_left_ms, body });
    let answer = timeout_at(deadline.into(), answer(&mut link)).await;
    let sent = link.handed() >= end;
    match answer {
        Ok(Ok(frame)) => answer_in(frame),
        Ok(Err(broken)) if sent => Err(CallError::Lost(format!("{address}: {broken}"))),
        Ok(Err(broken)) => Err(CallError::NotSent(format!("{address}: {broken}"))),
        Err(_) if sent => Err(CallError::TimedOut),
        Err(_) => Err(CallError::NotSent(format!("{address}: its time was over before it was sent"))),
    }
}

async fn answer(link: &mut Link) -> Result<Frame, Broken> {
    loop {
        let frame = link.receive().await?;
        if matches!(frame.kind, Kind::Answer | Kind::Failed) {
            return Ok(frame);
        }
    }
}
