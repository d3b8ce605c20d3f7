//! Authenticator apps. No row holds a secret: it is derived, when needed, from the cluster's key and a random salt.

use super::api::*;
use super::codes::{need_code, need_id};
use super::{draw, totp};
use sdk::prelude::*;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq};

/// How long Enroll waits for the first code.
const PENDING: Duration = Duration::from_secs(3600);
const RECOVERY_CODES: usize = 10;
/// 50 bits each: they need no limit of tries.
const RECOVERY_SIGNS: usize = 10;
/// Wrong codes in a row before the app's codes are not looked at for a while: 30 seconds, then twice as long each time.
const WRONG_MAX: u32 = 5;
const LOCK: Duration = Duration::from_secs(30);
const LOCK_MAX: Duration = Duration::from_secs(3600);
/// Wrong codes are forgotten after a day without another.
const FORGOTTEN: Duration = Duration::from_secs(86_400);

/// The app in use.
pub static APP: Row<App> = Row::new("app");
/// The one that Enroll prepared.
pub static NEXT: Row<App> = Row::new("next").expiring();
/// Wrong codes in a row.
pub static WRONG: Row<Wrong> = Row::new("wrong").expiring();

/// An authenticator app and its owner's recovery codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub salt: [u8; 16],
    /// Codes of this step and before are used.
    pub used: u64,
    /// Digests of the recovery codes left.
    pub recovery: Vec<[u8; 32]>,
}

/// How many, and until when no code of an app is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    pub codes: u32,
    pub locked_until: Time,
}

pub fn enroll(tx: &mut Tx, req: EnrollRequest) -> Result<EnrollResponse> {
    need_id(tx)?;
    let mut salt = [0; 16];
    tx.fill(&mut salt);
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| draw::code(tx, draw::BASE32, RECOVERY_SIGNS)).collect();
    let recovery = codes.iter().map(|code| recovery_digest(tx, &salt, code)).collect();
    let due = tx.now().plus(PENDING);
    tx.put_until(&NEXT, &App { salt, used: 0, recovery }, due)?;
    // The reply has the secret in it.
    tx.keep_reply_until(due);
    let secret = totp::base32(&secret(tx, &salt));
    let account = if req.account.is_empty() { tx.key() } else { &req.account };
    Ok(EnrollResponse {
        uri: totp::uri(&req.issuer, account, &secret),
        secret,
        recovery_codes: codes.iter().map(|code| format!("{}-{}", &code[..5], &code[5..])).collect(),
        expires_at: due,
    })
}

/// Unknown id, wrong, used and locked answer the same and cost the same; see `codes.rs`.
pub fn verify(tx: &mut Tx, req: VerifyRequest) -> Result<VerifyResponse> {
    need_id(tx)?;
    let code: String = need_code(&req.code)?.chars().filter(|sign| !matches!(sign, ' ' | '-')).collect();
    let (app, next) = (tx.get(&APP)?, tx.get(&NEXT)?);
    let wrong = tx.get_or_default(&WRONG)?;
    let locked = wrong.locked_until > tx.now();

    let by_app = step_of(tx, app.as_ref(), &code).filter(|_| !locked);
    let by_next = step_of(tx, next.as_ref(), &code).filter(|_| !locked);
    let by_recovery = recovery_of(tx, app.as_ref(), &code);
    let known = app.is_some() || next.is_some();
    let (left, recovery) = match (app, next) {
        (Some(app), _) if by_app.is_some() => (use_step(tx, app, by_app)?, false),
        (_, Some(next)) if by_next.is_some() => {
            tx.delete(&NEXT)?;
            (use_step(tx, next, by_next)?, false)
        }
        (Some(mut app), _) if by_recovery.is_some() => {
            by_recovery.map(|at| app.recovery.remove(at));
            (use_step(tx, app, None)?, true)
        }
        _ => {
            fail(tx, known, wrong, locked)?;
            return Ok(VerifyResponse::default());
        }
    };
    Ok(VerifyResponse { success: true, recovery, recovery_left: left })
}

pub fn unenroll(tx: &mut Tx, _: UnenrollRequest) -> Result<UnenrollResponse> {
    need_id(tx)?;
    tx.delete(&APP)?;
    tx.delete(&NEXT)?;
    tx.delete(&WRONG)?;
    Ok(UnenrollResponse {})
}

/// The app is in use, its step used, and wrong codes are forgotten. How many recovery codes are left.
fn use_step(tx: &mut Tx, mut app: App, step: Option<u64>) -> Result<i32> {
    app.used = step.unwrap_or(app.used);
    tx.put(&APP, &app)?;
    tx.delete(&WRONG)?;
    Ok(app.recovery.len() as i32)
}

/// Where there is no app, a delete of nothing: one entry in the log as well.
fn fail(tx: &mut Tx, known: bool, mut wrong: Wrong, locked: bool) -> Result<()> {
    if !known || locked {
        let due = tx.due(&WRONG)?;
        return if locked { tx.put_until(&WRONG, &wrong, due) } else { tx.delete(&WRONG) };
    }
    wrong.codes = wrong.codes.saturating_add(1);
    if let Some(over) = wrong.codes.checked_sub(WRONG_MAX) {
        wrong.locked_until = tx.now().plus((LOCK * (1 << over.min(10))).min(LOCK_MAX));
    }
    let due = tx.now().plus(FORGOTTEN);
    tx.put_until(&WRONG, &wrong, due)
}

/// The step that the code is of: this one, the one before or behind, but none that was used. The work is the same whether
/// there is an app, and whichever fits.
fn step_of(tx: &Tx, app: Option<&App>, code: &str) -> Option<u64> {
    let secret = secret(tx, &app.map_or([0; 16], |app| app.salt));
    let now = tx.now().0.max(0) as u64 / 1_000_000_000 / totp::PERIOD_SECS;
    let mut found = None;
    for step in now.saturating_sub(1)..=now + 1 {
        let fits = equal(totp::code(&secret, step, totp::DIGITS).as_bytes(), code.as_bytes());
        if bool::from(fits) && app.is_some_and(|app| step > app.used) {
            found = Some(step);
        }
    }
    found
}

/// Which of the recovery codes it is. All are compared.
fn recovery_of(tx: &Tx, app: Option<&App>, code: &str) -> Option<usize> {
    let digest = recovery_digest(tx, &app.map_or([0; 16], |app| app.salt), code);
    let all = app.map(|app| app.recovery.as_slice()).unwrap_or_default();
    all.iter()
        .enumerate()
        .fold(None, |found, (at, held)| if bool::from(held.ct_eq(&digest)) { Some(at) } else { found })
}

fn equal(a: &[u8], b: &[u8]) -> Choice {
    a.ct_eq(b)
}

fn secret(tx: &Tx, salt: &[u8; 16]) -> [u8; totp::SECRET_BYTES] {
    let digest = tx.keyed_digest(&[b"totp\0", &salt[..]].concat());
    std::array::from_fn(|at| digest[at])
}

fn recovery_digest(tx: &Tx, salt: &[u8; 16], code: &str) -> [u8; 32] {
    tx.keyed_digest(&[b"recovery\0", &salt[..], code.as_bytes()].concat())
}
