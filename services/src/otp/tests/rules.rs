//! One row for each error of the page, in order of precedence.

use super::*;
use sdk::Reason;

fn generates(change: impl FnOnce(&mut GenerateRequest)) -> Result<()> {
    let mut request = GenerateRequest { id: "a".into(), ..Default::default() };
    change(&mut request);
    refuses(request)
}

/// And nothing is written.
fn refuses<R: sdk::Request>(request: R) -> Result<()> {
    let otp = otp();
    let result = otp.call(request).map(|_| ());
    assert!(result.is_ok() || otp.row_count() == 0);
    result
}

fn validate(id: &str, code: &str) -> Result<()> {
    refuses(ValidateRequest { id: id.into(), code: code.into(), ..Default::default() })
}

fn verify(id: &str, code: &str) -> Result<()> {
    refuses(VerifyRequest { id: id.into(), code: code.into() })
}

#[test]
fn each_error_in_order() {
    let (bad_size, bad_expiry) = ("size must be 4-10", "expiry must be 10-86400 seconds");
    let bad_alphabet = "alphabet must be digits, letters or base32";
    let all_wrong = |r: &mut GenerateRequest| (r.size, r.expiry, r.alphabet) = (3, 9, "hex".into());
    let rows: Vec<(Result<()>, &str, Reason, &str)> = vec![
        (
            generates(|r| {
                all_wrong(r);
                r.id.clear();
            }),
            "otp.generate",
            MISSING_ID,
            "missing id",
        ),
        (
            generates(|r| {
                all_wrong(r);
                r.id = " \t\n ".into();
            }),
            "otp.generate",
            MISSING_ID,
            "missing id",
        ),
        (generates(all_wrong), "otp.generate", BAD_SIZE, bad_size),
        (generates(|r| r.size = 1), "otp.generate", BAD_SIZE, bad_size),
        (generates(|r| r.size = 11), "otp.generate", BAD_SIZE, bad_size),
        (generates(|r| r.size = i64::MAX), "otp.generate", BAD_SIZE, bad_size),
        (generates(|r| (r.expiry, r.alphabet) = (9, "hex".into())), "otp.generate", BAD_EXPIRY, bad_expiry),
        (generates(|r| r.expiry = 86_401), "otp.generate", BAD_EXPIRY, bad_expiry),
        (generates(|r| r.expiry = i64::MAX), "otp.generate", BAD_EXPIRY, bad_expiry),
        (generates(|r| r.alphabet = "hex".into()), "otp.generate", BAD_ALPHABET, bad_alphabet),
        (validate("", ""), "otp.validate", MISSING_ID, "missing id"),
        (validate(" ", "1"), "otp.validate", MISSING_ID, "missing id"),
        (validate("a", ""), "otp.validate", MISSING_CODE, "missing code"),
        (validate("a", "  "), "otp.validate", MISSING_CODE, "missing code"),
        (refuses(EnrollRequest::default()), "otp.enroll", MISSING_ID, "missing id"),
        (refuses(EnrollRequest { id: " ".into(), ..Default::default() }), "otp.enroll", MISSING_ID, "missing id"),
        (verify("", ""), "otp.verify", MISSING_ID, "missing id"),
        (verify("a", ""), "otp.verify", MISSING_CODE, "missing code"),
        (verify("a", " "), "otp.verify", MISSING_CODE, "missing code"),
        (refuses(UnenrollRequest::default()), "otp.unenroll", MISSING_ID, "missing id"),
        (refuses(UnenrollRequest { id: " ".into() }), "otp.unenroll", MISSING_ID, "missing id"),
    ];
    for (result, id, reason, detail) in rows {
        let error = result.expect_err(detail);
        assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
        assert!(error.is(&reason), "{error:?}");
    }
    for result in
        [generates(|r| r.id = "i".repeat(257)), validate(&"i".repeat(257), "1"), validate("a", &"1".repeat(65))]
    {
        assert_eq!(result.unwrap_err().code, 400);
    }
}

#[test]
fn what_is_just_inside_each_bound() {
    for (size, expiry, signs) in [(4, 10, 4), (10, 86_400, 10), (0, 0, 6), (-1, i64::MIN, 6), (i64::MIN, -1, 6)] {
        let otp = otp();
        let reply = otp.call(GenerateRequest { id: "i".repeat(256), size, expiry, ..Default::default() }).unwrap();
        let life = if expiry > 0 { expiry } else { 60 };
        assert_eq!((reply.code.len(), reply.expires_at), (signs, wire::Rfc3339(life * 1_000_000_000)));
        assert_eq!(reply.attempts_left, 5);
        assert!(reply.code.bytes().all(|sign| sign.is_ascii_digit()));
    }
}

#[test]
fn ids_are_trimmed_and_capitals_count() {
    let otp = otp();
    let code = make(&otp, "  Ann@example.com\n");
    assert!(!validates(&otp, "ann@example.com", &code));
    assert!(validates(&otp, "Ann@example.com ", &code));
}

#[test]
fn spaces_around_a_code_and_its_capitals_do_not_count() {
    let otp = otp();
    for alphabet in ["letters", "base32"] {
        let request = GenerateRequest { id: "a".into(), size: 10, alphabet: alphabet.into(), ..Default::default() };
        let code = otp.call(request).unwrap().code;
        assert!(validates(&otp, "a", &format!(" {}\n", code.to_lowercase())));
    }
}

#[test]
fn everything_is_sensitive() {
    assert!(endpoints().iter().all(|endpoint| endpoint.sensitive));
    let otp = otp();
    let made = generate(&otp, "a");
    let enrolled = otp.call(EnrollRequest { id: "a".into(), ..Default::default() }).unwrap();
    let asked = ValidateRequest { id: "a".into(), code: made.code.clone(), ..Default::default() };
    let verified = VerifyRequest { id: "a".into(), code: enrolled.recovery_codes[0].clone() };
    let printed = format!("{made:?} {enrolled:?} {asked:?} {verified:?}");
    for secret in [&made.code, &enrolled.secret, &enrolled.recovery_codes[0]] {
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
}
