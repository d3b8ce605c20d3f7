//! One row a rule: errors in order of precedence here, places, zones and conversions in files of their own.

mod convert;
mod fuzz;
mod places;
mod zones;

use super::*;
use sdk::{Reason, Result, Sandbox};
use wire::error::reasons::BAD_FIELD;

fn time() -> Sandbox {
    Sandbox::new(service())
}

fn zone_at(location: &str, at: &str) -> Result<ZoneResponse> {
    time().call(ZoneRequest { location: location.into(), at: at.into() })
}

fn zone_of(location: &str) -> ZoneResponse {
    zone_at(location, "2026-07-01T12:00:00Z").unwrap_or_else(|e| panic!("{location}: {e}"))
}

fn now_at(location: &str, at: &str) -> Result<NowResponse> {
    time().call(NowRequest { location: location.into(), at: at.into() })
}

fn converted(time: &str, from: &str, to: &str, pick: &str) -> Result<ConvertResponse> {
    Sandbox::new(service()).call(ConvertRequest {
        time: time.into(),
        from: from.into(),
        to: to.into(),
        pick: pick.into(),
    })
}

fn listed(prefix: &str, at: &str) -> Result<Vec<Moment>> {
    Ok(time().call(ListRequest { prefix: prefix.into(), at: at.into() })?.zones)
}

fn several(locations: &[&str], at: &str) -> Result<BatchResponse> {
    time().call(BatchRequest { locations: locations.iter().map(|text| text.to_string()).collect(), at: at.into() })
}

type Call = fn() -> Result<()>;

fn done<T>(answer: Result<T>) -> Result<()> {
    answer.map(|_| ())
}

/// A request that breaks several rules names the first: a field's limit, then the moment, then the place.
#[test]
fn each_error_in_order() {
    let rows: Vec<(&str, Call, &str, Reason)> = vec![
        (
            "time.now",
            || done(now_at(&"x".repeat(257), "soon")),
            "location: must be up to 256 bytes, it has 257",
            BAD_FIELD,
        ),
        ("time.now", || done(now_at("x", &"1".repeat(65))), "at: must be up to 64 bytes, it has 65", BAD_FIELD),
        ("time.now", || done(now_at("Narnia", "soon")), SOON, INVALID_TIME),
        ("time.now", || done(now_at("Narnia", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.now", || done(now_at("91,0", "")), BEYOND, INVALID_LOCATION),
        ("time.zone", || done(zone_at("", "soon")), "invalid location", INVALID_LOCATION),
        (
            "time.zone",
            || done(zone_at(&"x".repeat(257), "")),
            "location: must be 1 to 256 bytes, it has 257",
            BAD_FIELD,
        ),
        ("time.zone", || done(zone_at("Narnia", "soon")), SOON, INVALID_TIME),
        ("time.zone", || done(zone_at(" \t\n", "")), "invalid location", INVALID_LOCATION),
        ("time.zone", || done(zone_at("-90.01,0", "")), BEYOND, INVALID_LOCATION),
        ("time.zone", || done(zone_at("0,180.01", "")), BEYOND, INVALID_LOCATION),
        ("time.zone", || done(zone_at("Narnia", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("London, Mars", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("Europe/Narnia", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("Factory", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("nan,inf", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("1e1,2", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("1,2,3", "")), "location not found", LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("SW1A 2AA", "")), POSTCODES, LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("90210", "")), POSTCODES, LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("192.0.2.1", "")), ADDRESSES, LOCATION_NOT_FOUND),
        ("time.zone", || done(zone_at("2001:db8::1", "")), ADDRESSES, LOCATION_NOT_FOUND),
        ("time.convert", || done(converted("soon", "Narnia", "", "maybe")), MAYBE, INVALID_PICK),
        ("time.convert", || done(converted("soon", "Narnia", "", "")), LIKE, INVALID_TIME),
        (
            "time.convert",
            || done(converted("2026-07-01T12:00", "Narnia", "", "")),
            "location not found",
            LOCATION_NOT_FOUND,
        ),
        (
            "time.convert",
            || done(converted("2026-07-01T12:00", "", "Narnia", "")),
            "location not found",
            LOCATION_NOT_FOUND,
        ),
        (
            "time.convert",
            || done(converted("1899-12-31T23:59:59", "", "", "")),
            "time must lie from 1900 to 9999-12-30",
            INVALID_TIME,
        ),
        ("time.list", || done(listed("Nowhere/", "soon")), SOON, INVALID_TIME),
        ("time.batch", || done(several(&[], "")), "locations: is required", BAD_FIELD),
        (
            "time.batch",
            || done(several(&[""; 101], "soon")),
            "locations: must have 1 to 100 items, it has 101",
            BAD_FIELD,
        ),
        ("time.batch", || done(several(&["London"], "soon")), SOON, INVALID_TIME),
    ];
    for (n, (id, call, detail, reason)) in rows.into_iter().enumerate() {
        let error = call().expect_err(&format!("row {n}: {id} {detail}"));
        assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail), "row {n}");
        assert!(error.is(&reason), "row {n}: {error:?}");
    }
}

const SOON: &str = "at must be RFC 3339 with an offset, such as 2026-07-01T12:00:00Z";
const BEYOND: &str = "invalid location: latitude must be -90 to 90, longitude -180 to 180";
const POSTCODES: &str = "location not found: postcodes come with the postcode service";
const ADDRESSES: &str = "location not found: IP addresses come with the ip service";
const MAYBE: &str = "pick must be earlier, later or reject, not \"maybe\"";
const LIKE: &str = "time must be like 2026-07-01 12:00, or RFC 3339 with an offset; from 1900 to 9999-12-30";

#[test]
fn without_a_location_it_is_the_prime_meridian() {
    for location in ["", "  "] {
        let now = now_at(location, "2021-09-13T14:35:44Z").unwrap();
        assert_eq!((now.location.as_str(), now.timezone.as_str()), ("Prime Meridian", "UTC"));
        assert_eq!((now.localtime.as_str(), now.timestamp.as_str()), ("14:35:44", "2021-09-13T14:35:44.000000000Z"));
        assert_eq!(now.unix, 1_631_543_744);
    }
}

#[test]
fn now_is_the_clock_of_the_node() {
    let time = time();
    time.advance(std::time::Duration::from_nanos(1_631_543_744_144_293_723));
    let now = time.call(NowRequest { location: "london".into(), ..Default::default() }).unwrap();
    let published = ("15:35:44", "2021-09-13T15:35:44.144293723+01:00", "Europe/London", "BST", 1_631_543_744);
    assert_eq!(
        (now.localtime.as_str(), now.timestamp.as_str(), now.location.as_str(), now.timezone.as_str(), now.unix),
        published
    );
    let zone = time.call(ZoneRequest { location: "London".into(), ..Default::default() }).unwrap();
    assert_eq!(zone.localtime, "2021-09-13 15:35");
    let here = time.call(ConvertRequest { to: "London".into(), ..Default::default() }).unwrap();
    assert_eq!((here.unix, here.to.timestamp, here.from.timezone.as_str()), (now.unix, now.timestamp, "UTC"));
    assert_eq!(time.call(ListRequest::default()).unwrap().zones[0].localtime, "2021-09-13 14:35:44");
    let both = BatchRequest { locations: vec!["London".into()], ..Default::default() };
    assert_eq!(time.call(both).unwrap().zones[0].zone, zone);
}

#[test]
fn a_moment_has_an_offset_and_lies_from_1900_to_9999() {
    let fine = [
        ("1900-01-01T00:00:00Z", -2_208_988_800),
        ("9999-12-30T00:00:00Z", 253_402_128_000),
        ("1969-12-31T23:59:59.5Z", -1),
        (" 2026-07-01 12:00:00.25+05:30 ", 1_782_887_400),
        ("2026-07-01T12:00:00z", 1_782_907_200),
        ("2026-07-01T12:00:00-00:00", 1_782_907_200),
        // A leap second is the one before.
        ("2016-12-31T23:59:60Z", 1_483_228_799),
    ];
    for (at, unix) in fine {
        assert_eq!(now_at("", at).map(|now| now.unix), Ok(unix), "{at}");
    }
    let bad = [
        "1899-12-31T23:59:59.999999999Z",
        "9999-12-30T00:00:00.000000001Z",
        "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "+010000-01-01T00:00:00Z",
        "-000001-01-01T00:00:00Z",
        "2026-07-01T12:00:00",
        "2026-07-01",
        "2026-02-29T12:00:00Z",
        "2026-07-01T24:00:00Z",
        "2026-07-01T12:00:00Z[Europe/London]",
        "2026-07-01T12:00:00+99:00",
        "1782907200",
        "now",
        "Z",
    ];
    for at in bad {
        let error = now_at("", at).expect_err(at);
        assert!(error.is(&INVALID_TIME) && !error.detail.is_empty(), "{at}: {error}");
    }
}

#[test]
fn a_batch_answers_each_as_zone_does_and_tells_which_failed() {
    let at = "2026-07-01T12:00:00Z";
    let answer = several(&["Kolkata", "Narnia", "", "UTC", "Kolkata"], at).unwrap();
    let found: Vec<_> = answer.zones.iter().map(|zone| zone.query.as_str()).collect();
    assert_eq!(found, ["Kolkata", "UTC", "Kolkata"]);
    for zone in answer.zones {
        assert_eq!(zone.zone, zone_at(&zone.query, at).unwrap());
    }
    let failed: Vec<_> = answer.failed.iter().map(|failed| (failed.query.as_str(), failed.reason.as_str())).collect();
    assert_eq!(failed, [("Narnia", "location_not_found"), ("", "invalid_location")]);
    assert_eq!(several(&["London"; 100], at).unwrap().zones.len(), 100);
}

#[test]
fn zones_are_listed_by_name() {
    let all = listed("", "2026-07-01T12:00:00Z").unwrap();
    assert!(all.len() > 590 && all.is_sorted_by_key(|zone| zone.timezone.clone()));
    assert!(all.iter().all(|zone| zone.timezone != "Factory" && !zone.abbreviation.is_empty()));
    let names = |prefix| -> Vec<String> { listed(prefix, "").unwrap().into_iter().map(|zone| zone.timezone).collect() };
    assert_eq!(names("australia/l"), ["Australia/LHI", "Australia/Lindeman", "Australia/Lord_Howe"]);
    assert_eq!(names("Nowhere/"), Vec::<String>::new());
    assert_eq!(names("Ünïcödé"), Vec::<String>::new());
}
