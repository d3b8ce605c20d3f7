//! Known facts about zones.

use super::super::zone::Zone;
use super::*;
use jiff::Timestamp;

/// Location, moment: local time, letters, daylight saving, offset in hours and in seconds.
type Fact = (&'static str, &'static str, &'static str, &'static str, bool, i32, i32);

#[test]
fn facts() {
    let facts: &[Fact] = &[
        ("London", "2026-01-15T12:00:00Z", "2026-01-15 12:00", "GMT", false, 0, 0),
        ("London", "2026-07-15T12:00:00Z", "2026-07-15 13:00", "BST", true, 1, 3600),
        // British Standard Time, all the year from 1968 to 1971: no daylight saving.
        ("London", "1970-01-01T00:00:00Z", "1970-01-01 01:00", "BST", false, 1, 3600),
        // War time: two hours.
        ("London", "1943-07-01T12:00:00Z", "1943-07-01 14:00", "BDST", true, 2, 7200),
        ("Kolkata", "2026-07-01T12:00:00Z", "2026-07-01 17:30", "IST", false, 5, 19_800),
        ("Kathmandu", "2026-07-01T12:00:00Z", "2026-07-01 17:45", "+0545", false, 5, 20_700),
        // Cut toward zero on both sides.
        (
            "St. John's, Newfoundland and Labrador",
            "2026-01-15T12:00:00Z",
            "2026-01-15 08:30",
            "NST",
            false,
            -3,
            -12_600,
        ),
        ("Pacific/Marquesas", "2026-01-15T12:00:00Z", "2026-01-15 02:30", "-0930", false, -9, -34_200),
        // Half an hour of daylight saving.
        ("Australia/Lord_Howe", "2026-07-01T12:00:00Z", "2026-07-01 22:30", "+1030", false, 10, 37_800),
        ("Australia/Lord_Howe", "2026-01-01T12:00:00Z", "2026-01-01 23:00", "+11", true, 11, 39_600),
        ("Pacific/Kiritimati", "2026-12-31T12:00:00Z", "2027-01-01 02:00", "+14", false, 14, 50_400),
        // Samoa had no 30 December 2011.
        ("Apia", "2011-12-30T09:59:59Z", "2011-12-29 23:59", "-10", true, -10, -36_000),
        ("Apia", "2011-12-30T10:00:00Z", "2011-12-31 00:00", "+14", true, 14, 50_400),
        ("Dublin", "2026-07-15T12:00:00Z", "2026-07-15 13:00", "IST", true, 1, 3600),
        ("Dublin", "2026-01-15T12:00:00Z", "2026-01-15 12:00", "GMT", false, 0, 0),
        ("New York", "2026-03-08T06:59:59Z", "2026-03-08 01:59", "EST", false, -5, -18_000),
        ("New York", "2026-03-08T07:00:00Z", "2026-03-08 03:00", "EDT", true, -4, -14_400),
        // Years end at other moments.
        ("Auckland", "2025-12-31T11:00:00Z", "2026-01-01 00:00", "NZDT", true, 13, 46_800),
        ("Honolulu", "2026-01-01T09:59:59Z", "2025-12-31 23:59", "HST", false, -10, -36_000),
        // Liberia's offset had seconds until 1972.
        ("Monrovia", "1950-01-01T00:44:30Z", "1950-01-01 00:00", "MMT", false, 0, -2670),
        ("UTC", "2024-02-29T12:00:00Z", "2024-02-29 12:00", "UTC", false, 0, 0),
        ("Etc/GMT+5", "2026-07-01T12:00:00Z", "2026-07-01 07:00", "-05", false, -5, -18_000),
        // Rules go on as they are now.
        ("London", "9999-07-01T00:00:00Z", "9999-07-01 01:00", "BST", true, 1, 3600),
        ("Pacific/Kiritimati", "9999-12-30T00:00:00Z", "9999-12-30 14:00", "+14", false, 14, 50_400),
        ("New York", "1900-01-01T00:00:00Z", "1899-12-31 19:00", "EST", false, -5, -18_000),
    ];
    for (location, at, localtime, abbreviation, dst, offset, seconds) in facts {
        let zone = zone_at(location, at).unwrap_or_else(|e| panic!("{location}: {e}"));
        assert_eq!(
            (zone.localtime.as_str(), zone.abbreviation.as_str(), zone.dst, zone.offset, zone.offset_seconds),
            (*localtime, *abbreviation, *dst, *offset, *seconds),
            "{location} {at}"
        );
    }
}

#[test]
fn clocks_change_next() {
    let changes = [
        ("London", "2026-07-01T00:00:00Z", ("2026-10-25T01:00:00Z", 0, "GMT")),
        ("London", "2026-10-25T00:59:59.999999999Z", ("2026-10-25T01:00:00Z", 0, "GMT")),
        ("London", "2026-10-25T01:00:00Z", ("2027-03-28T01:00:00Z", 3600, "BST")),
        ("Australia/Lord_Howe", "2026-07-01T00:00:00Z", ("2026-10-03T15:30:00Z", 39_600, "+11")),
        ("Kolkata", "2026-07-01T00:00:00Z", ("", 0, "")),
        ("UTC", "2026-07-01T00:00:00Z", ("", 0, "")),
        ("London", "9999-12-29T00:00:00Z", ("", 0, "")),
        ("London", "1900-01-01T00:00:00Z", ("1916-05-21T02:00:00Z", 3600, "BST")),
    ];
    for (location, at, wanted) in changes {
        let zone = zone_at(location, at).unwrap();
        let next = (zone.next_change.as_str(), zone.next_offset_seconds, zone.next_abbreviation.as_str());
        assert_eq!(next, wanted, "{location} {at}");
    }
}

/// A change of letters alone (Warsaw's war time, Yukon's rename) is none of the clocks'.
#[test]
fn a_next_change_changes_something() {
    let mut changes = 0;
    for zone in Zone::names().into_iter().map(|name| Zone::named(name).expect("listed")) {
        let mut at: Timestamp = "1900-01-01T00:00:00Z".parse().unwrap();
        while let Some(next) = zone.next_change(at).filter(|next| next.at < "2040-01-01T00:00:00Z".parse().unwrap()) {
            let (before, after) = (zone.moment(at), zone.moment(next.at));
            assert!(next.at > at, "{} stands still at {at}", zone.name);
            assert_ne!((before.offset_seconds, before.dst), (after.offset_seconds, after.dst), "{} {at}", zone.name);
            assert_eq!((next.offset_seconds, next.abbreviation), (after.offset_seconds, after.abbreviation));
            (at, changes) = (next.at, changes + 1);
        }
    }
    assert!(changes > 30_000, "{changes} changes");
}

#[test]
fn weekends_are_local() {
    let rows = [
        ("UTC", "2026-07-03T23:59:59Z", false),
        ("UTC", "2026-07-04T00:00:00Z", true),
        ("UTC", "2026-07-05T23:59:59Z", true),
        ("UTC", "2026-07-06T00:00:00Z", false),
        ("Pacific/Kiritimati", "2026-07-03T10:00:00Z", true),
        ("Honolulu", "2026-07-04T09:59:59Z", false),
    ];
    for (location, at, weekend) in rows {
        assert_eq!(zone_at(location, at).unwrap().is_weekend, weekend, "{location} {at}");
    }
}

/// The offset of RFC 3339 is whole minutes, so the text of an odd one is rounded, and still the same moment.
#[test]
fn timestamps_are_exact() {
    let rows = [
        ("Monrovia", "1950-01-01T00:44:30.000000001Z", "1949-12-31T23:59:30.000000001-00:45"),
        ("UTC", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000000000Z"),
        ("London", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000000000Z"),
        ("Pacific/Marquesas", "2026-01-01T12:00:00Z", "2026-01-01T02:30:00.000000000-09:30"),
        ("Kathmandu", "2026-01-01T12:00:00Z", "2026-01-01T17:45:00.000000000+05:45"),
    ];
    for (location, at, timestamp) in rows {
        let now = now_at(location, at).unwrap();
        assert_eq!(now.timestamp, timestamp, "{location} {at}");
        assert_eq!(
            now_at("UTC", timestamp).unwrap().timestamp,
            now_at("UTC", at).unwrap().timestamp,
            "{location} {at}"
        );
    }
}

/// Every zone that a place or a polygon may name has rules, or the service would answer 500.
#[test]
fn the_data_of_three_sources_fit() {
    let known: Vec<String> = listed("", "").unwrap().into_iter().map(|zone| zone.timezone).collect();
    let places: std::collections::BTreeSet<_> = ::places::all().map(|place| place.timezone).collect();
    let points = (-90..=90).flat_map(|lat| (-180..=180).map(move |lng| (lat, lng)));
    let polygons: std::collections::BTreeSet<_> =
        points.map(|(lat, lng)| ::places::zone_at(lat.into(), lng.into()).expect("all the globe is covered")).collect();
    assert!(places.len() > 300 && polygons.len() > 300);
    for zone in places.union(&polygons) {
        assert!(known.binary_search(&zone.to_string()).is_ok(), "{zone}");
    }
}
