//! Codes for one use, rule by rule.

use super::super::draw;
use super::*;
use std::collections::BTreeMap;

#[test]
fn a_code_is_good_once() {
    let otp = otp();
    let code = make(&otp, "a");
    assert!(validates(&otp, "a", &code));
    assert!(!validates(&otp, "a", &code));
}

#[test]
fn of_racing_calls_one_succeeds() {
    let otp = otp();
    for _ in 0..20 {
        otp.advance(secs(60));
        let code = make(&otp, "a");
        let won = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| validates(&otp, "a", &code))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn it_lives_to_the_nanosecond_whether_or_not_swept() {
    for swept in [false, true] {
        for (late, want) in [(NS, true), (Duration::ZERO, false)] {
            let otp = otp();
            otp.advance(secs(5) + NS);
            let made = generate(&otp, "a");
            assert_eq!(made.expires_at, wire::Rfc3339(65_000_000_001));
            otp.advance(secs(60) - late);
            if swept {
                otp.sweep().unwrap();
            }
            assert_eq!(validates(&otp, "a", &made.code), want);
        }
    }
}

#[test]
fn nothing_is_left_of_it() {
    let otp = otp();
    for id in ["a", "b", "c"] {
        make(&otp, id);
    }
    let code = make(&otp, "a");
    validates(&otp, "a", &code);
    validates(&otp, "b", "wrong");
    otp.advance(secs(60));
    otp.sweep().unwrap();
    assert_eq!(otp.row_count(), 0);
}

#[test]
fn a_new_code_replaces_the_old_one() {
    let otp = otp();
    let (old, new) = (make(&otp, "a"), make(&otp, "a"));
    assert!(old != new && !validates(&otp, "a", &old) && validates(&otp, "a", &new));
}

#[test]
fn five_wrong_codes_void_it() {
    for wrong in 0..=6 {
        let otp = otp();
        let code = make(&otp, "a");
        for _ in 0..wrong {
            assert!(!validates(&otp, "a", &other(&code)));
        }
        assert_eq!(validates(&otp, "a", &code), wrong < 5, "after {wrong} wrong ones");
    }
}

#[test]
fn a_new_code_has_five_tries_of_its_own_and_a_try_does_not_lengthen_its_life() {
    let otp = otp();
    let code = make(&otp, "a");
    (0..4).for_each(|_| assert!(!validates(&otp, "a", &other(&code))));
    let code = make(&otp, "a");
    otp.advance(secs(30));
    (0..4).for_each(|_| assert!(!validates(&otp, "a", &other(&code))));
    otp.advance(secs(30));
    assert!(!validates(&otp, "a", &code));
}

#[test]
fn purposes_hold_a_code_each_with_tries_of_its_own() {
    let otp = otp();
    let code_for = |purpose: &str| {
        let request = GenerateRequest { id: "a".into(), purpose: purpose.into(), ..Default::default() };
        otp.call(request).unwrap().code
    };
    let (login, reset) = (code_for("login"), code_for("reset"));
    assert!(!validates_for(&otp, "a", &login, "") && !validates_for(&otp, "a", &reset, "login"));
    (0..4).for_each(|_| assert!(!validates_for(&otp, "a", &other(&login), "login")));
    assert!(!validates_for(&otp, "a", &login, "login"), "five wrong ones");
    assert!(validates_for(&otp, "a", &reset, "reset"));
}

#[test]
fn accounts_and_ids_never_meet() {
    let otp = otp();
    let code = make(&otp, "a");
    let others = [otp.account("loca"), otp.account("local2")];
    for stranger in &others {
        (0..9).for_each(|_| assert!(!validates(stranger, "a", &code)));
        (0..10).for_each(|_| assert!(make(stranger, "a").len() == 6));
    }
    (0..9).for_each(|_| assert!(!validates(&otp, "b", &code)));
    assert!(validates(&otp, "a", &code));
}

/// Looking for ids that have a code leaves no trace of the looking.
#[test]
fn a_failure_without_a_code_writes_no_row() {
    let otp = otp();
    make(&otp, "a");
    let before = otp.dump();
    assert!(!validates(&otp, "b", "123456") && !validates_for(&otp, "a", "123456", "login"));
    assert_eq!(otp.dump(), before);
}

#[test]
fn ten_codes_a_minute_and_the_error_says_when() {
    let otp = otp();
    let mut last = String::new();
    for n in 0..10 {
        last = make(&otp, "a");
        otp.advance(if n == 0 { NS } else { secs(2) });
    }
    // The first was made at 0, the second a nanosecond later; it is 18 s and 1 ns.
    let before = otp.dump();
    let refused = |after_ms: u32, detail: &str| {
        let error = otp.call(GenerateRequest { id: " a ".into(), purpose: "login".into(), ..Default::default() });
        let error = error.unwrap_err();
        assert!(error.is(&TOO_MANY) && error.code == 429 && error.id == "otp.generate", "{error:?}");
        assert_eq!((error.retry_after_ms, error.detail.as_str()), (after_ms, detail));
        // Not decided: kept under no request id, so that the same call may come again.
        assert!(!error.is_refusal() && error.outcome == wire::Outcome::NotRun);
    };
    refused(42_000, "too many codes, the next in 42 s");
    assert_eq!(otp.dump(), before, "a refused call voids nothing");
    make(&otp, "b");
    otp.advance(secs(42) - 2 * NS);
    refused(1, "too many codes, the next in 1 s");
    otp.advance(NS);
    make(&otp, "a");
    refused(1, "too many codes, the next in 1 s");
    otp.advance(NS);
    make(&otp, "a");
    refused(2_000, "too many codes, the next in 2 s");
    assert!(!validates(&otp, "a", &last));
}

#[test]
fn no_row_holds_a_code() {
    let otp = otp();
    for alphabet in ["digits", "letters", "base32"] {
        let request = GenerateRequest { id: "a".into(), size: 10, alphabet: alphabet.into(), ..Default::default() };
        let code = otp.call(request).unwrap().code;
        let rows = otp.dump().concat();
        assert!(!rows.contains(&hex(&code)) && !rows.contains(&hex(&code.to_lowercase())));
        let as_number = code.parse::<u64>().map(|number| format!("{number:x}")).unwrap_or("none".into());
        assert!(!rows.contains(&as_number), "{code} as a number");
    }
}

/// χ² with the seeds of the Sandbox's calls; 9, 25 and 31 degrees of freedom, bounds that an even draw keeps 999 times in
/// 1,000. A byte's remainder would give 10 digits 26 or 25 of 256, and letters 10 or 9: the last shows.
#[test]
fn codes_are_even_and_keep_their_zeros() {
    for (alphabet, signs, bound) in [("digits", 10, 27.9), ("letters", 26, 52.7), ("base32", 32, 61.1)] {
        let otp = otp();
        let mut seen: BTreeMap<char, u32> = BTreeMap::new();
        let mut firsts: BTreeMap<char, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            otp.advance(secs(60));
            let request = GenerateRequest { id: "a".into(), size: 10, alphabet: alphabet.into(), ..Default::default() };
            let code = otp.call(request).unwrap().code;
            assert_eq!(code.len(), 10);
            code.chars().for_each(|sign| *seen.entry(sign).or_default() += 1);
            code.chars().take(1).for_each(|sign| *firsts.entry(sign).or_default() += 1);
        }
        for counts in [&seen, &firsts] {
            let expected = f64::from(counts.values().sum::<u32>()) / f64::from(signs);
            let chi2: f64 = counts.values().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
            assert!(counts.len() == signs as usize && chi2 < bound, "{alphabet}: {chi2} {counts:?}");
        }
    }
}

/// Every byte that would favour a sign is drawn again.
#[test]
fn bytes_beyond_the_last_whole_round_are_not_used() {
    for (alphabet, fair) in [(draw::DIGITS, 250), (draw::LETTERS, 234), (draw::BASE32, 256)] {
        let mut all = (0..=255_u8).cycle();
        let drawn = draw::signs(alphabet, fair, |out| out[0] = all.next().unwrap());
        let each = fair / alphabet.len();
        assert!(alphabet.iter().all(|sign| drawn.bytes().filter(|drawn| drawn == sign).count() == each));
        assert_eq!(all.next(), Some(fair as u8), "each byte was looked at once");
    }
}

/// A changed layout needs a new version of the row; see `Row::version`.
#[test]
fn the_layouts_of_rows_are_frozen() {
    let otp = otp();
    let code = make(&otp, "a");
    validates(&otp, "a", &other(&code));
    let head = "016c6f63616c00016f747000";
    let (codes, made) = (format!("{head}636f64657300610001"), format!("{head}6d61646500610001"));
    // Due at 60 s.
    let (due, now) = ("0000000df8475800", "00");
    let rows = otp.dump();
    let digest = &rows[0][rows[0].len() - 66..rows[0].len() - 2];
    assert_eq!(
        rows,
        [
            // codes, purpose "": digest, one wrong
            format!("{codes}0001 0101{due}01{digest}01"),
            // made: one, at 0
            format!("{made} 0101{due}0101{now}"),
            // and their places in the due index
            format!("026f747000{due}{codes}0001 "),
            format!("026f747000{due}{made} "),
        ]
    );
}
