//! Authenticator apps: published vectors, then rule by rule.

use super::super::totp;
use super::*;

/// RFC 4226, appendix D, and RFC 6238, appendix B (SHA-1, eight digits).
#[test]
fn codes_of_the_rfcs() {
    let secret = b"12345678901234567890";
    let hotp = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (step, code) in (0..).zip(hotp) {
        assert_eq!(totp::code(secret, step, 6), code);
    }
    let timed = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    for (secs, code) in timed {
        assert_eq!(totp::code(secret, secs / totp::PERIOD_SECS, 8), code);
    }
}

/// RFC 4648, section 10, without padding.
#[test]
fn base32_of_the_rfc() {
    let rows = [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")];
    for (bytes, text) in rows.into_iter().chain([("foobar", "MZXW6YTBOI")]) {
        assert_eq!(totp::base32(bytes.as_bytes()), text);
    }
}

/// As an app does it: from the secret's text.
struct App {
    secret: Vec<u8>,
    recovery: Vec<String>,
}

impl App {
    fn of(reply: &EnrollResponse) -> App {
        let signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: String =
            reply.secret.chars().map(|sign| format!("{:05b}", signs.find(sign).expect("base 32"))).collect();
        let byte = |at: usize| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap();
        App { secret: (0..20).map(byte).collect(), recovery: reply.recovery_codes.clone() }
    }

    fn code(&self, step: u64) -> String {
        totp::code(&self.secret, step, 6)
    }
}

fn enroll(on: &Sandbox, id: &str) -> App {
    App::of(&on.call(EnrollRequest { id: id.into(), ..Default::default() }).unwrap())
}

fn verify(on: &Sandbox, id: &str, code: &str) -> (bool, bool, i32) {
    let reply = on.call(VerifyRequest { id: id.into(), code: code.into() }).unwrap();
    (reply.success, reply.recovery, reply.recovery_left)
}

const NO: (bool, bool, i32) = (false, false, 0);
const YES: (bool, bool, i32) = (true, false, 10);

/// At step 100, with an app in use whose code of step 100 is used.
fn in_use() -> (Sandbox, App) {
    let otp = otp();
    otp.advance(secs(3000));
    let app = enroll(&otp, "a");
    assert_eq!(verify(&otp, "a", &app.code(100)), YES);
    (otp, app)
}

#[test]
fn the_uri_says_what_an_app_needs() {
    let reply = otp().call(EnrollRequest { id: "ann b@x.com".into(), issuer: "Ä & Co".into(), account: "".into() });
    let reply = reply.unwrap();
    let named = "%C3%84%20%26%20Co";
    assert_eq!(
        reply.uri,
        format!(
            "otpauth://totp/{named}:ann%20b%40x.com?secret={}&issuer={named}&algorithm=SHA1&digits=6&period=30",
            reply.secret
        )
    );
    let reply = otp().call(EnrollRequest { id: "a".into(), account: "Ann".into(), ..Default::default() }).unwrap();
    assert!(reply.uri.starts_with("otpauth://totp/Ann?secret=") && !reply.uri.contains("issuer"));
    assert!(reply.secret.len() == 32 && reply.recovery_codes.len() == 10);
    let distinct: std::collections::BTreeSet<_> = reply.recovery_codes.iter().collect();
    assert_eq!(distinct.len(), 10);
}

#[test]
fn a_step_early_or_late_is_fine_and_two_are_not() {
    for (step, want) in [(98, NO), (99, YES), (100, YES), (101, YES), (102, NO)] {
        let otp = otp();
        otp.advance(secs(3029));
        let app = enroll(&otp, "a");
        assert_eq!(verify(&otp, "a", &app.code(step)), want, "step {step} at 100");
    }
}

#[test]
fn no_step_is_good_twice_nor_one_before_it() {
    let (otp, app) = in_use();
    assert_eq!(verify(&otp, "a", &app.code(100)), NO);
    assert_eq!(verify(&otp, "a", &app.code(99)), NO);
    assert_eq!(verify(&otp, "a", &app.code(101)), YES);
    otp.advance(secs(30));
    assert_eq!(verify(&otp, "a", &app.code(101)), NO);
    assert_eq!(verify(&otp, "a", &format!(" {}-{} ", &app.code(102)[..3], &app.code(102)[3..])), YES);
}

#[test]
fn a_recovery_code_is_good_once() {
    let (otp, app) = in_use();
    assert_eq!(verify(&otp, "a", &app.recovery[3].to_lowercase()), (true, true, 9));
    assert_eq!(verify(&otp, "a", &app.recovery[3]), NO);
    for (n, code) in app.recovery.iter().enumerate().filter(|(n, _)| *n != 3) {
        let left = 10 - n as i32 - if n < 3 { 2 } else { 1 };
        assert_eq!(verify(&otp, "a", &code.replace('-', "")), (true, true, left));
    }
    assert_eq!(verify(&otp, "a", &app.code(101)), (true, false, 0), "codes of the app go on");
}

#[test]
fn after_five_wrong_codes_right_ones_wait_longer_and_longer() {
    let (otp, app) = in_use();
    let mut now = 3000;
    let mut wait = |by: u64| {
        otp.advance(secs(by));
        now += by;
        now / 30
    };
    for _ in 0..5 {
        assert_eq!(verify(&otp, "a", "000000"), NO);
    }
    let step = wait(29);
    assert_eq!(verify(&otp, "a", &app.code(step + 1)), NO, "locked");
    wait(1);
    // One more wrong one: twice as long.
    assert_eq!(verify(&otp, "a", "000000"), NO);
    let step = wait(59);
    assert_eq!(verify(&otp, "a", &app.code(step)), NO, "locked");
    let step = wait(1);
    assert_eq!(verify(&otp, "a", &app.code(step)), YES);
    // And all is forgotten.
    (0..4).for_each(|_| assert_eq!(verify(&otp, "a", "000000"), NO));
    assert_eq!(verify(&otp, "a", &app.code(step + 1)), YES);
}

#[test]
fn a_lock_lasts_an_hour_at_most_and_does_not_stop_recovery() {
    let (otp, app) = in_use();
    for _ in 0..40 {
        verify(&otp, "a", "000000");
        otp.advance(secs(3600));
    }
    verify(&otp, "a", "000000");
    let step = (3000 + 40 * 3600) / 30;
    assert_eq!(verify(&otp, "a", &app.code(step)), NO);
    assert_eq!(verify(&otp, "a", &app.recovery[0]), (true, true, 9));
    assert_eq!(verify(&otp, "a", &app.code(step)), (true, false, 9), "a recovery ends the lock");
    for _ in 0..40 {
        verify(&otp, "a", "000000");
        otp.advance(secs(3600));
    }
    assert_eq!(verify(&otp, "a", &app.code(step + 40 * 120)), (true, false, 9));
}

#[test]
fn a_new_app_counts_from_its_first_code_on() {
    let (otp, old) = in_use();
    let new = enroll(&otp, "a");
    assert_eq!(verify(&otp, "a", &new.recovery[0]), NO, "not yet in use");
    assert_eq!(verify(&otp, "a", &old.code(101)), YES, "the old one still is");
    assert_eq!(verify(&otp, "a", &new.code(100)), YES);
    otp.advance(secs(60));
    assert_eq!(verify(&otp, "a", &old.code(102)), NO);
    assert_eq!(verify(&otp, "a", &old.recovery[0]), NO);
    assert_eq!(verify(&otp, "a", &new.code(102)), YES);
}

#[test]
fn an_app_that_shows_no_code_within_an_hour_is_forgotten() {
    for (late, want) in [(NS, YES), (Duration::ZERO, NO)] {
        let otp = otp();
        let app = enroll(&otp, "a");
        otp.advance(secs(3600) - late);
        assert_eq!(verify(&otp, "a", &app.code(120)), want);
    }
    let otp = otp();
    enroll(&otp, "a");
    verify(&otp, "a", "000000");
    otp.advance(secs(86_400));
    otp.sweep().unwrap();
    assert_eq!(otp.row_count(), 0);
}

#[test]
fn unenrolling_forgets_everything() {
    let (otp, app) = in_use();
    verify(&otp, "a", "000000");
    let next = enroll(&otp, "a");
    for _ in 0..2 {
        otp.call(UnenrollRequest { id: " a".into() }).unwrap();
        assert_eq!(otp.row_count(), 0);
    }
    for code in [app.code(101), next.code(101), app.recovery[0].clone()] {
        assert_eq!(verify(&otp, "a", &code), NO);
    }
    assert_eq!(otp.row_count(), 0, "an id without an app leaves no trace of wrong codes");
}

#[test]
fn ids_and_accounts_have_apps_of_their_own() {
    let (otp, app) = in_use();
    let stranger = otp.account("local2");
    let theirs = enroll(&stranger, "a");
    assert_ne!(app.secret, theirs.secret);
    assert_eq!(verify(&stranger, "a", &app.code(101)), NO);
    assert_eq!(verify(&otp, "b", &app.code(101)), NO);
    stranger.call(UnenrollRequest { id: "a".into() }).unwrap();
    assert_eq!(verify(&otp, "a", &app.code(101)), YES);
}

#[test]
fn no_row_holds_a_secret_or_a_recovery_code() {
    let (otp, app) = in_use();
    let rows = otp.dump().concat();
    let secret: String = app.secret.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!rows.contains(&secret) && !rows.contains(&secret[..16]));
    for code in &app.recovery {
        assert!(!rows.contains(&hex(code)) && !rows.contains(&hex(&code.replace('-', ""))));
    }
}
