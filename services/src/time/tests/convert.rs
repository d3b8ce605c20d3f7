//! Local times: plain ones, those that clocks skip, those they show twice.

use super::*;

#[track_caller]
fn check(row: (&str, &str, &str, &str), local: &str, timestamp: &str, ambiguity: &str) {
    let (time, from, to, pick) = row;
    let answer = converted(time, from, to, pick).unwrap_or_else(|e| panic!("{row:?}: {e}"));
    assert_eq!(
        (answer.to.localtime.as_str(), answer.from.timestamp.as_str(), answer.ambiguity.as_str()),
        (local, timestamp, ambiguity),
        "{row:?}"
    );
    assert_eq!(answer.difference_seconds, answer.to.offset_seconds - answer.from.offset_seconds, "{row:?}");
}

#[test]
fn between_places() {
    let noon = "2026-07-01T12:00:00.000000000";
    check(("2026-07-01 12:00", "London", "Kolkata", ""), "2026-07-01 16:30:00", &format!("{noon}+01:00"), "");
    check(("2026-07-01T12:00:00", "", "London", ""), "2026-07-01 13:00:00", &format!("{noon}Z"), "");
    check(("2026-07-01 12:00", "Tokyo", "", ""), "2026-07-01 03:00:00", &format!("{noon}+09:00"), "");
    check(("2026-07-01", "0,-150", "UTC", ""), "2026-07-01 10:00:00", "2026-07-01T00:00:00.000000000-10:00", "");
    // Over the date line, a day and an hour apart.
    check(
        ("2026-12-31 23:30", "Pacific/Kiritimati", "Honolulu", ""),
        "2026-12-30 23:30:00",
        "2026-12-31T23:30:00.000000000+14:00",
        "",
    );
    // A moment with its own offset: `from` only shows it.
    check(
        ("2026-07-01T12:00:00+02:00", "New York", "London", ""),
        "2026-07-01 11:00:00",
        "2026-07-01T06:00:00.000000000-04:00",
        "",
    );
}

/// London, 2026-03-29: at 01:00 clocks go to 02:00.
#[test]
fn a_time_that_clocks_skip() {
    let moved = "2026-03-29T02:30:00.000000000+01:00";
    check(("2026-03-29 01:30", "London", "UTC", ""), "2026-03-29 01:30:00", moved, "gap");
    check(("2026-03-29 01:30", "London", "UTC", "later"), "2026-03-29 01:30:00", moved, "gap");
    let before = "2026-03-29T00:30:00.000000000Z";
    check(("2026-03-29 01:30", "London", "UTC", "earlier"), "2026-03-29 00:30:00", before, "gap");
    let error = converted("2026-03-29 01:30", "London", "", "reject").unwrap_err();
    assert!(error.is(&NO_SUCH_TIME), "{error}");
    assert_eq!(error.detail, "clocks of Europe/London skip 2026-03-29T01:30:00");
    // Both edges exist.
    check(
        ("2026-03-29 00:59:59", "London", "UTC", "reject"),
        "2026-03-29 00:59:59",
        "2026-03-29T00:59:59.000000000Z",
        "",
    );
    check(
        ("2026-03-29 02:00", "London", "UTC", "reject"),
        "2026-03-29 01:00:00",
        "2026-03-29T02:00:00.000000000+01:00",
        "",
    );
    // A whole day that Samoa never had.
    assert!(converted("2011-12-30 12:00", "Apia", "", "reject").unwrap_err().is(&NO_SUCH_TIME));
    // Half an hour on Lord Howe.
    assert!(converted("2026-10-04 02:29", "Australia/Lord_Howe", "", "reject").unwrap_err().is(&NO_SUCH_TIME));
    assert!(converted("2026-10-04 02:30", "Australia/Lord_Howe", "", "reject").is_ok());
}

/// London, 2026-10-25: at 02:00 clocks go back to 01:00.
#[test]
fn a_time_that_clocks_show_twice() {
    let first = "2026-10-25T01:30:00.000000000+01:00";
    check(("2026-10-25 01:30", "London", "UTC", ""), "2026-10-25 00:30:00", first, "fold");
    check(("2026-10-25 01:30", "London", "UTC", "earlier"), "2026-10-25 00:30:00", first, "fold");
    let second = "2026-10-25T01:30:00.000000000Z";
    check(("2026-10-25 01:30", "London", "UTC", "later"), "2026-10-25 01:30:00", second, "fold");
    let error = converted("2026-10-25 01:30", "London", "", "reject").unwrap_err();
    assert!(error.is(&AMBIGUOUS_TIME), "{error}");
    // With its offset it is one moment.
    check(("2026-10-25T01:30:00+00:00", "London", "UTC", "reject"), "2026-10-25 01:30:00", second, "");
}

#[test]
fn what_is_no_time() {
    for time in [
        "noon",
        "2026-02-30 12:00",
        "2026-07-01 25:00",
        "2026-07-01 12:00 +25:99",
        "2026-07-01T12:00[Asia/Tokyo]",
        "12:00",
    ] {
        assert!(converted(time, "London", "", "").expect_err(time).is(&INVALID_TIME), "{time}");
    }
    for time in ["9999-12-31 12:00", "9999-12-30T00:00:00.000000001Z", "1899-12-31 12:00", "-002026-07-01 12:00"] {
        assert!(converted(time, "", "", "").expect_err(time).is(&INVALID_TIME), "{time}");
    }
    assert!(
        converted("1900-01-01 00:00", "", "", "").is_ok()
            && converted("9999-12-30 00:00", "", "Pacific/Kiritimati", "").is_ok()
    );
}

#[test]
fn words_of_pick_are_exact() {
    for pick in ["Earlier", "compatible", " later", "first"] {
        assert!(converted("2026-07-01 12:00", "", "", pick).expect_err(pick).is(&INVALID_PICK), "{pick}");
    }
}
