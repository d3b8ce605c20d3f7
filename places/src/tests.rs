//! What people ask for, and what the file must be.

use crate::pack::{Packed, PackedPlace, PackedRegion};
use crate::*;
use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};

const FILE: &[u8] = include_bytes!("../data/places.bin");

#[track_caller]
fn is(text: &str, wanted: (&str, &str, &str)) {
    let found = find(text).unwrap_or_else(|| panic!("{text} was not found"));
    assert_eq!((found.name, found.region, found.country_code), wanted, "{text}");
}

#[test]
fn what_people_write() {
    let rows = [
        ("London", ("London", "England", "GB")),
        ("london", ("London", "England", "GB")),
        ("  LONDON  ", ("London", "England", "GB")),
        ("London, UK", ("London", "England", "GB")),
        ("London,GB", ("London", "England", "GB")),
        ("London, England", ("London", "England", "GB")),
        ("London, United Kingdom", ("London", "England", "GB")),
        ("London, Canada", ("London", "Ontario", "CA")),
        ("London, Ontario, Canada", ("London", "Ontario", "CA")),
        ("Paris", ("Paris", "Île-de-France", "FR")),
        ("Paris, Texas", ("Paris", "Texas", "US")),
        ("Paris, TX", ("Paris", "Texas", "US")),
        ("Paris, TX, USA", ("Paris", "Texas", "US")),
        ("Portland, Maine", ("Portland", "Maine", "US")),
        ("Portland", ("Portland", "Oregon", "US")),
        ("Washington, D.C.", ("Washington", "District of Columbia", "US")),
        // Without their accents, or with them.
        ("sao paulo", ("São Paulo", "São Paulo", "BR")),
        ("São Paulo", ("São Paulo", "São Paulo", "BR")),
        ("Zürich", ("Zürich", "Zurich", "CH")),
        ("zurich", ("Zürich", "Zurich", "CH")),
        // Other names.
        ("New York", ("New York City", "New York", "US")),
        ("Bombay", ("Mumbai", "Maharashtra", "IN")),
        ("Calcutta, India", ("Kolkata", "West Bengal", "IN")),
        // One that is called so itself comes first, however small: the rule of the page.
        ("Calcutta", ("Calcutta", "Mpumalanga", "ZA")),
        ("Cologne", ("Köln", "North Rhine-Westphalia", "DE")),
        ("Koeln", ("Köln", "North Rhine-Westphalia", "DE")),
        ("東京", ("Tokyo", "Tokyo", "JP")),
        ("Москва", ("Moscow", "Moscow", "RU")),
        ("Wien", ("Vienna", "Vienna", "AT")),
        // Codes of the air's, where GeoNames has them.
        ("LAX", ("Los Angeles", "California", "US")),
        // Capitals under 15,000 people.
        ("Vaduz", ("Vaduz", "Vaduz", "LI")),
        ("Funafuti", ("Funafuti", "Funafuti", "TV")),
    ];
    for (text, wanted) in rows {
        is(text, wanted);
    }
}

#[test]
fn what_is_nowhere() {
    for text in ["", " ", ",", ",,,", "London, Texas, France", "Paris, Mars", "xyzzy", ", UK", "🎉", "\0"] {
        assert_eq!(find(text), None, "{text:?}");
    }
}

/// Several cities each: own names first, then people.
#[test]
fn own_names_come_before_others_then_people_decide() {
    for name in ["Hyderabad", "San José", "Victoria", "Alexandria", "Naples"] {
        let all: Vec<_> = named(name).collect();
        let rank = |place: &Place| (fold(place.name) != fold(name), std::cmp::Reverse(place.population));
        assert!(all.len() > 1 && all.is_sorted_by_key(rank), "{name}: {all:?}");
    }
}

#[test]
fn nearest_place() {
    let name = |lat, lng, km| nearest(lat, lng, km).map(|(place, _)| place.name);
    assert_eq!(name(48.8534, 2.3488, 50.0), Some("Paris"));
    assert_eq!(name(0.0, -150.0, 50.0), None);
    assert!(name(0.0, -150.0, 20_038.0).is_some());
    let (suva, km) = nearest(-18.14, 178.44, 50.0).unwrap();
    assert!(suva.country == "Fiji" && km < 10.0, "{suva:?} {km}");
    assert_eq!((name(90.0, 0.0, 50.0), name(-90.0, 0.0, 50.0)), (None, None));
    for nonsense in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300] {
        assert_eq!((name(nonsense, 0.0, 50.0), name(0.0, nonsense, 50.0)), (None, None));
    }
}

/// The band of latitudes must lose nobody.
#[test]
fn nearest_is_the_nearest_of_all() {
    let atlas = Atlas::read(FILE).unwrap();
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..100 {
        let (lat, lng) = (random.random_range(-60.0..75.0), random.random_range(-180.0..180.0));
        let all = atlas.nearest(lat, lng, 20_038.0).expect("there is one on the same earth");
        let near = atlas.nearest(lat, lng, 300.0);
        assert_eq!(near, Some(all).filter(|(_, km)| *km <= 300.0), "{lat},{lng}");
    }
}

#[test]
fn zones_of_points() {
    let rows = [
        (51.5, -0.12, "Europe/London"),
        (28.6, 77.2, "Asia/Kolkata"),
        (-31.55, 159.08, "Australia/Lord_Howe"),
        (1.87, -157.4, "Pacific/Kiritimati"),
        // The high seas, by longitude.
        (0.0, 0.0, "Etc/GMT"),
        (0.0, -150.0, "Etc/GMT+10"),
        (-40.0, 80.0, "Etc/GMT-5"),
        (0.0, 180.0, "Etc/GMT-12"),
        (0.0, -180.0, "Etc/GMT+12"),
        (-90.0, 0.0, "Antarctica/McMurdo"),
    ];
    for (lat, lng, zone) in rows {
        assert_eq!(zone_at(lat, lng), Some(zone), "{lat},{lng}");
    }
    for (lat, lng) in [(90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY), (-1e300, -1e300)] {
        assert_eq!(zone_at(lat, lng), None, "{lat},{lng}");
    }
}

#[test]
fn every_place_is_whole_and_found_by_its_own_name() {
    let atlas = Atlas::read(FILE).unwrap();
    assert!(atlas.count() > 30_000 && atlas.name_count() > 150_000 && FILE.len() < 2 << 20);
    for place in atlas.iter() {
        assert!(!place.name.is_empty() && !place.country.is_empty() && place.country_code.len() == 2, "{place:?}");
        assert!(place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0, "{place:?}");
        assert!(atlas.named(place.name).any(|other| other == place), "{place:?}");
        assert!(place.timezone.contains('/'), "{place:?}");
    }
    assert!(atlas.iter().is_sorted_by_key(|place| std::cmp::Reverse(place.population)));
}

/// Cut, with a flipped bit, or something else: an error, never a panic or half an atlas.
#[test]
fn a_damaged_file_is_refused() {
    let mut random = SmallRng::seed_from_u64(3);
    let small = small();
    assert_eq!(Atlas::read(&small).unwrap().find("Böln").unwrap().timezone, "Europe/Berlin");
    for end in 0..small.len() {
        assert!(Atlas::read(&small[..end]).is_err(), "cut at {end}");
    }
    for at in 0..small.len() {
        let mut bent = small.clone();
        bent[at] ^= 1 << random.random_range(0..8);
        // A bit of the zlib header may say nothing; all else must show.
        if let Ok(atlas) = Atlas::read(&bent) {
            assert_eq!((at < 12, atlas.count()), (true, 1), "at {at}");
        }
    }
    for _ in 0..200 {
        let mut noise = vec![0; 200];
        random.fill_bytes(&mut noise);
        noise.splice(0..0, *b"places 1\n");
        assert!(Atlas::read(&noise).is_err());
    }
}

fn small() -> Vec<u8> {
    pack::write(&Packed {
        countries: vec![("DE".into(), "DEU".into(), "Germany".into())],
        regions: vec![PackedRegion { country: 0, code: "07".into(), name: "Anywhere".into() }],
        zones: vec!["Europe/Berlin".into()],
        places: vec![PackedPlace {
            name: "Böln".into(),
            latitude: -90.0,
            longitude: 180.0,
            population: 5,
            region: 0,
            zone: 0,
        }],
        keys: vec![("bohn".into(), true, 0), ("boln".into(), false, 0)],
    })
}

#[test]
fn random_text_never_panics() {
    let mut random = SmallRng::seed_from_u64(11);
    for _ in 0..5_000 {
        let length = random.random_range(0..40);
        let text: String = (0..length).map(|_| char::from_u32(random.random_range(0..0x3000)).unwrap_or(',')).collect();
        let _ = find(&text);
    }
}
