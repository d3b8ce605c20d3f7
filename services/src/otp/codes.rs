//! Codes for one use. Rows hold a digest under the cluster's key, never a code.
//!
//! An attacker who calls Validate must not learn which ids have a code: every failure answers the same, does the same work,
//! and costs an entry in the log, so that its time does not tell either.

use super::api::*;
use super::draw;
use sdk::prelude::*;
use std::time::Duration;
use subtle::ConstantTimeEq;

const SIZE_DEFAULT: usize = 6;
const EXPIRY_DEFAULT: u64 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// The code that is alive, for each purpose.
pub static CODES: Table<String, Code> = Table::new("codes").expiring();
/// When codes were made, within the last minute.
pub static MADE: Row<Made> = Row::new("made").expiring();

/// A code that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub digest: [u8; 32],
    /// Wrong codes seen so far.
    pub wrong: u8,
}

/// Oldest first, [`PER_MINUTE`] at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub at: Vec<Time>,
}

pub fn generate(tx: &mut Tx, req: GenerateRequest) -> Result<GenerateResponse> {
    need_id(tx)?;
    let size = given(req.size, 4, 10, || BAD_SIZE.because(BAD_SIZE_DETAIL))?.map_or(SIZE_DEFAULT, |size| size as usize);
    let bad_expiry = || BAD_EXPIRY.because(BAD_EXPIRY_DETAIL);
    let expiry = given(req.expiry, 10, 86_400, bad_expiry)?.unwrap_or(EXPIRY_DEFAULT);
    let alphabet = draw::alphabet(&req.alphabet)
        .ok_or_else(|| BAD_ALPHABET.because("alphabet must be digits, letters or base32"))?;
    count(tx)?;

    let code = draw::code(tx, alphabet, size);
    let due = tx.now().plus(Duration::from_secs(expiry));
    let digest = digest(tx, &req.purpose, &code);
    tx.put_at_until(&CODES, &req.purpose, &Code { digest, wrong: 0 }, due)?;
    // What is kept of this reply under the call's request id has the code in it.
    tx.keep_reply_until(due);
    Ok(GenerateResponse { code, expires_at: due, attempts_left: ATTEMPTS.into() })
}

pub fn validate(tx: &mut Tx, req: ValidateRequest) -> Result<ValidateResponse> {
    need_id(tx)?;
    let code = need_code(&req.code)?;
    let digest = digest(tx, &req.purpose, &code);
    let held = tx.get_at(&CODES, &req.purpose)?;
    let due = tx.due_at(&CODES, &req.purpose)?;
    // Without a code there is nothing that it equals: the comparison is made all the same.
    let fits = held.as_ref().map_or([0; 32], |held| held.digest).ct_eq(&digest);
    let success = held.is_some() & bool::from(fits);
    match held {
        Some(held) if !success && held.wrong + 1 < ATTEMPTS => {
            tx.put_at_until(&CODES, &req.purpose, &Code { wrong: held.wrong + 1, ..held }, due)?;
        }
        // Used, void, or never there.
        _ => tx.delete_at(&CODES, &req.purpose)?,
    }
    Ok(ValidateResponse { success })
}

/// One more code within a minute, to the nanosecond.
fn count(tx: &mut Tx) -> Result<()> {
    let now = tx.now();
    let mut made = tx.get_or_default(&MADE)?;
    made.at.retain(|at| at.plus(MINUTE) > now);
    if let Some(oldest) = made.at.first().filter(|_| made.at.len() >= PER_MINUTE) {
        let wait = now.until(oldest.plus(MINUTE)).as_nanos();
        let error = TOO_MANY.because(format!("too many codes, the next in {} s", wait.div_ceil(1_000_000_000)));
        // Nothing was decided: under the same request id the call may be made again.
        let error = error.with_outcome(wire::Outcome::NotRun);
        return Err(error.retry_after_ms(wait.div_ceil(1_000_000) as u32));
    }
    made.at.push(now);
    tx.put_until(&MADE, &made, now.plus(MINUTE))
}

/// Bound to the purpose as well; to account and id by its key.
fn digest(tx: &Tx, purpose: &str, code: &str) -> [u8; 32] {
    tx.keyed_digest(&[b"code\0", purpose.as_bytes(), b"\0", code.as_bytes()].concat())
}

/// The key is the id, trimmed.
pub fn need_id(tx: &Tx) -> Result<()> {
    if tx.key().is_empty() { Err(MISSING_ID.because("missing id")) } else { Ok(()) }
}

/// Without spaces around it, in capitals.
pub fn need_code(code: &str) -> Result<String> {
    match code.trim() {
        "" => Err(MISSING_CODE.because("missing code")),
        code => Ok(code.to_ascii_uppercase()),
    }
}

/// `None`: 0 or less, so the default.
fn given(value: i64, min: i64, max: i64, out_of_range: impl FnOnce() -> Error) -> Result<Option<u64>> {
    match value {
        ..=0 => Ok(None),
        value if (min..=max).contains(&value) => Ok(Some(value as u64)),
        _ => Err(out_of_range()),
    }
}
