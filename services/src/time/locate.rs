//! From what people type to a place and its zone: coordinates, then zones by name, then cities.

use super::api::{INVALID_LOCATION, LOCATION_NOT_FOUND, NO_ZONE};
use super::zone::Zone;
use core::net::IpAddr;
use places::Place;
use sdk::{Error, Result};

/// Farther off, a city says nothing about a point.
const NEAR_KM: f64 = 50.0;

/// A place and its zone. Names are empty where there is no city: at sea, or in `Etc/GMT+5`.
pub struct Spot {
    pub name: String,
    pub region: &'static str,
    pub country: &'static str,
    pub latitude: f64,
    pub longitude: f64,
    pub zone: Zone,
}

pub fn locate(text: &str) -> Result<Spot> {
    let text = text.trim();
    if text.is_empty() {
        return Err(INVALID_LOCATION.because("invalid location"));
    }
    if let Some((latitude, longitude)) = coordinates(text) {
        return at_point(latitude, longitude);
    }
    if let Some(zone) = Zone::named(text) {
        return Ok(of_zone(zone));
    }
    match places::find(text) {
        Some(place) => at_place(place),
        None => Err(not_found(text)),
    }
}

/// `51.5,-0.12`: two plain decimals. (`f64` would take `inf`, `nan` and `1e9` too.)
fn coordinates(text: &str) -> Option<(f64, f64)> {
    let decimal = |part: &str| {
        let part = part.trim();
        let is_plain = part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
        if is_plain { part.parse::<f64>().ok() } else { None }
    };
    let (latitude, longitude) = text.split_once(',')?;
    Some((decimal(latitude)?, decimal(longitude)?))
}

fn at_point(latitude: f64, longitude: f64) -> Result<Spot> {
    let Some(zone) = places::zone_at(latitude, longitude) else {
        return Err(INVALID_LOCATION.because("invalid location: latitude must be -90 to 90, longitude -180 to 180"));
    };
    let city = places::nearest(latitude, longitude, NEAR_KM).map(|(city, _)| city);
    Ok(Spot {
        name: city.map_or("", |city| city.name).into(),
        region: city.map_or("", |city| city.region),
        country: city.map_or("", |city| city.country),
        latitude,
        longitude,
        zone: known(zone)?,
    })
}

fn at_place(place: Place<'static>) -> Result<Spot> {
    Ok(spot(place, known(place.timezone)?))
}

fn spot(place: Place<'static>, zone: Zone) -> Spot {
    Spot {
        name: place.name.into(),
        region: place.region,
        country: place.country,
        latitude: place.latitude,
        longitude: place.longitude,
        zone,
    }
}

/// The city that a zone is named after, else its largest, else (`Japan`) that of the country it is named after.
fn of_zone(zone: Zone) -> Spot {
    let city = zone.name.rsplit('/').next().unwrap_or_default();
    // All places are looked through for it (1 ms), so not for `Etc/GMT+5` and `EST`.
    let is_country = !zone.name.contains('/') && zone.name.contains(|c: char| c.is_ascii_lowercase());
    let in_country = || places::all().find(|place| place.country.eq_ignore_ascii_case(zone.name));
    let place = places::named(city)
        .find(|place| place.timezone == zone.name)
        .or_else(|| places::named(city).find(|place| zone.is_alias_of(place.timezone)))
        .or_else(|| places::largest_in(zone.name))
        .or_else(|| if is_country { in_country() } else { None });
    match place {
        Some(place) => spot(place, zone),
        None => Spot { name: zone.name.into(), region: "", country: "", latitude: 0.0, longitude: 0.0, zone },
    }
}

fn known(zone: &str) -> Result<Zone> {
    Zone::named(zone).ok_or_else(|| NO_ZONE.because(format!("failed to get time zone: {zone} has no rules")))
}

/// Says what would have been found with the services that are still to come.
fn not_found(text: &str) -> Error {
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    let is_code = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-'));
    LOCATION_NOT_FOUND.because(if text.parse::<IpAddr>().is_ok() {
        "location not found: IP addresses come with the ip service"
    } else if has_digit && is_code {
        "location not found: postcodes come with the postcode service"
    } else {
        "location not found"
    })
}
