//! Which place is meant.

use super::*;

/// Location: place, region, country, zone.
type Found = (&'static str, [&'static str; 4]);

#[track_caller]
fn all_found(rows: &[Found]) {
    for (location, wanted) in rows {
        let zone = zone_of(location);
        assert_eq!([&*zone.location, &*zone.region, &*zone.country, &*zone.timezone], *wanted, "{location}");
    }
}

#[test]
fn cities() {
    let london = ["London", "England", "United Kingdom", "Europe/London"];
    let paris = ["Paris", "Île-de-France", "France", "Europe/Paris"];
    let texan = ["Paris", "Texas", "United States", "America/Chicago"];
    all_found(&[
        ("London", london),
        (" lOnDoN ", london),
        ("Londres", london),
        ("London, UK", london),
        ("London, England", london),
        ("London, Ontario", ["London", "Ontario", "Canada", "America/Toronto"]),
        ("Paris", paris),
        ("Paris, Texas", texan),
        ("paris,tx,usa", texan),
        ("Sao Paulo", ["São Paulo", "São Paulo", "Brazil", "America/Sao_Paulo"]),
        ("Bombay", ["Mumbai", "Maharashtra", "India", "Asia/Kolkata"]),
        ("東京", ["Tokyo", "Tokyo", "Japan", "Asia/Tokyo"]),
        ("LAX", ["Los Angeles", "California", "United States", "America/Los_Angeles"]),
    ]);
}

#[test]
fn zones_by_name_come_before_cities() {
    all_found(&[
        ("Europe/London", ["London", "England", "United Kingdom", "Europe/London"]),
        ("europe/london", ["London", "England", "United Kingdom", "Europe/London"]),
        // An old name keeps itself, and finds the city by its rules.
        ("Asia/Calcutta", ["Kolkata", "West Bengal", "India", "Asia/Calcutta"]),
        (
            "America/Argentina/Buenos_Aires",
            ["Buenos Aires", "Buenos Aires F.D.", "Argentina", "America/Argentina/Buenos_Aires"],
        ),
        ("Europe/Oslo", ["Oslo", "Oslo", "Norway", "Europe/Oslo"]),
        ("Singapore", ["Singapore", "", "Singapore", "Singapore"]),
        // Jamaica, not the one in New York; the largest city of the country that the zone is called after.
        ("Jamaica", ["Kingston", "Kingston", "Jamaica", "Jamaica"]),
        ("Japan", ["Tokyo", "Tokyo", "Japan", "Japan"]),
        // No place at all.
        ("UTC", ["UTC", "", "", "UTC"]),
        ("etc/gmt-14", ["Etc/GMT-14", "", "", "Etc/GMT-14"]),
        ("EST5EDT", ["EST5EDT", "", "", "EST5EDT"]),
    ]);
}

#[test]
fn points() {
    all_found(&[
        ("48.8534,2.3488", ["Paris", "Île-de-France", "France", "Europe/Paris"]),
        (" 48.8534 , +2.3488 ", ["Paris", "Île-de-France", "France", "Europe/Paris"]),
        // The zone is the point's, not the city's: Haparanda is Swedish, its Finnish twin Tornio a walk away.
        ("65.848,24.1466", ["Tornio", "Lapland", "Finland", "Europe/Helsinki"]),
        // At sea, and where nobody lives.
        ("0,-150", ["", "", "", "Etc/GMT+10"]),
        ("-40,80", ["", "", "", "Etc/GMT-5"]),
        ("0,180", ["", "", "", "Etc/GMT-12"]),
        ("0,-180", ["", "", "", "Etc/GMT+12"]),
        ("90,0", ["", "", "", "Etc/GMT"]),
        ("-90,0", ["", "", "", "Antarctica/McMurdo"]),
    ]);
    let zone = zone_of("48.85,2.35");
    assert_eq!((zone.latitude, zone.longitude), (48.85, 2.35));
}

#[test]
fn a_city_has_its_own_coordinates() {
    let zone = zone_of("London");
    assert_eq!((zone.latitude, zone.longitude), (51.50853, -0.12574));
    let nowhere = zone_of("UTC");
    assert_eq!((nowhere.latitude, nowhere.longitude), (0.0, 0.0));
}

/// Whatever `List` shows may be asked for.
#[test]
fn every_zone_is_a_location() {
    for zone in listed("", "2026-07-01T12:00:00Z").unwrap() {
        let found = zone_of(&zone.timezone);
        assert_eq!((&found.timezone, found.offset_seconds), (&zone.timezone, zone.offset_seconds));
        assert!(!found.location.is_empty());
    }
}
