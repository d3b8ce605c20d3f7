//! Amounts kept aside. A hold is a row that ends by itself: at its due moment it is gone for every reader, so nothing has to
//! happen for its amount to come free.

use super::api::*;
use super::commands::{Change, enter, insufficient, invalid_amount, once, unknown};
use super::rows::*;
use sdk::prelude::*;
use std::time::Duration;

pub fn authorize(tx: &mut Tx, req: AuthorizeRequest) -> Result<AuthorizeResponse> {
    let AuthorizeRequest { amount, reference, visible, ttl, idempotency_key, metadata, .. } = req;
    let asked = Asked { amount, reference: reference.clone(), ttl, metadata: metadata.clone() };
    let answer = once(tx, "authorize", idempotency_key, asked, |tx| {
        let mut wallet = find(tx)?.ok_or_else(unknown)?;
        let open = open_holds(tx, &wallet)?;
        let available = wallet.available(open.iter().map(|(_, held)| held.amount).sum());
        if amount > available {
            return Err(insufficient());
        }
        if open.len() == HOLDS_MAX {
            return Err(TOO_MANY_HOLDS.because(format!("{HOLDS_MAX} holds are open: capture or void some")));
        }
        let (id, created) = (tx.new_id(), tx.now());
        let secs = if ttl == 0 { HOLD_SECS } else { ttl };
        let expires = created.plus(Duration::from_secs(secs.unsigned_abs()));
        let held = Held { amount, reference, visible, metadata, created, expires };
        let hold = held.hold(id.clone());
        tx.put_at_until(&HOLDS, &id, &held, expires)?;
        wallet.holds_until = wallet.holds_until.max(expires);
        tx.put(&WALLET, &wallet)?;
        Ok(Answer { amount: available - amount, hold: Some(hold) })
    })?;
    Ok(AuthorizeResponse { hold: answer.hold.unwrap_or_default(), available: answer.amount })
}

pub fn capture(tx: &mut Tx, req: CaptureRequest) -> Result<CaptureResponse> {
    let CaptureRequest { hold_id, amount, idempotency_key, .. } = req;
    let asked = Asked { amount, reference: hold_id.clone(), ..Asked::default() };
    let answer = once(tx, "capture", idempotency_key, asked, |tx| {
        let mut wallet = find(tx)?.ok_or_else(unknown)?;
        let Held { amount: most, reference, visible, mut metadata, .. } = open(tx, &hold_id)?;
        if amount > most {
            return Err(invalid_amount());
        }
        tx.delete_at(&HOLDS, &hold_id)?;
        metadata.insert("hold_id".into(), hold_id);
        let amount = if amount == 0 { -most } else { -amount };
        enter(tx, &mut wallet, Change { amount, reference, visible, metadata })
    })?;
    Ok(CaptureResponse { balance: answer.amount })
}

pub fn void(tx: &mut Tx, req: VoidRequest) -> Result<VoidResponse> {
    let wallet = find(tx)?.ok_or_else(unknown)?;
    open(tx, &req.hold_id)?;
    tx.delete_at(&HOLDS, &req.hold_id)?;
    Ok(VoidResponse { available: wallet.available(held(tx, &wallet)?) })
}

pub fn holds(view: &View, _: HoldsRequest) -> Result<HoldsResponse> {
    let wallet = find(view)?.ok_or_else(unknown)?;
    let mut holds: Vec<Hold> = open_holds(view, &wallet)?.into_iter().map(|(id, held)| held.hold(id)).collect();
    // By id where they were made in one moment.
    holds.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok(HoldsResponse { holds })
}

fn open(tx: &Tx, id: &str) -> Result<Held> {
    tx.get_at(&HOLDS, &id.to_string())?.ok_or_else(|| INVALID_HOLD.because("invalid hold"))
}
