//! Time and time zones of any place on earth, from data in the binary: nothing is asked over a network.
//!
//! Places are GeoNames' cities, zones by name the IANA database, zones of points the polygons of OpenStreetMap: see
//! `places/data/NOTICE`. Dublin's summer counts as daylight saving, as everybody but its law says (the database's rearguard
//! form).
//!
//! Not yet: postcodes and IP addresses (404 that says so; they come with the services `postcode` and `ip`), holidays beside
//! `is_weekend` (with `holidays`). Airports only by the codes that GeoNames gives to cities: LAX is found, LHR is not.

mod api;
mod commands;
mod locate;
#[cfg(test)]
mod tests;
mod zone;

pub use api::*;

use commands::{batch, convert, list, now, zone};
use sdk::Service;

/// What `commons services` lists as `time`.
pub fn service() -> Service {
    let (london, at) = (|| "London".to_string(), || "2021-09-13T14:35:44.144293723Z".to_string());
    Service::new("time", "The time now, anywhere, and its zone")
        .category("web")
        .local(now)
        .local(zone)
        .local(convert)
        .local(list)
        .local(batch)
        .example(
            "The time in London, at a moment of 2021",
            NowRequest { location: london(), at: at() },
            NowResponse {
                localtime: "15:35:44".into(),
                timestamp: "2021-09-13T15:35:44.144293723+01:00".into(),
                location: "Europe/London".into(),
                timezone: "BST".into(),
                unix: 1_631_543_744,
            },
        )
        .example("London's zone", ZoneRequest { location: london(), at: at() }, london_in_2021())
        .example(
            "Noon in New York, on clocks in India",
            ConvertRequest {
                time: "2026-07-01 12:00".into(),
                from: "New York".into(),
                to: "Asia/Kolkata".into(),
                pick: String::new(),
            },
            ConvertResponse {
                from: noon_in_new_york(),
                to: Moment {
                    timezone: "Asia/Kolkata".into(),
                    abbreviation: "IST".into(),
                    localtime: "2026-07-01 21:30:00".into(),
                    timestamp: "2026-07-01T21:30:00.000000000+05:30".into(),
                    offset_seconds: 19_800,
                    dst: false,
                },
                unix: 1_782_921_600,
                difference_seconds: 34_200,
                ambiguity: String::new(),
            },
        )
        .example(
            "Zones whose names begin with America/New",
            ListRequest { prefix: "america/new".into(), at: "2026-07-01T16:00:00Z".into() },
            ListResponse { zones: vec![noon_in_new_york()] },
        )
        .example(
            "Two places at once",
            BatchRequest { locations: vec![london(), "Narnia".into()], at: at() },
            BatchResponse {
                zones: vec![BatchZone { query: london(), zone: london_in_2021() }],
                failed: vec![BatchFailure {
                    query: "Narnia".into(),
                    reason: "location_not_found".into(),
                    detail: "location not found".into(),
                }],
            },
        )
}

fn london_in_2021() -> ZoneResponse {
    ZoneResponse {
        location: "London".into(),
        region: "England".into(),
        country: "United Kingdom".into(),
        latitude: 51.50853,
        longitude: -0.12574,
        timezone: "Europe/London".into(),
        abbreviation: "BST".into(),
        localtime: "2021-09-13 15:35".into(),
        dst: true,
        offset: 1,
        offset_seconds: 3600,
        is_weekend: false,
        next_change: "2021-10-31T01:00:00Z".into(),
        next_offset_seconds: 0,
        next_abbreviation: "GMT".into(),
    }
}

fn noon_in_new_york() -> Moment {
    Moment {
        timezone: "America/New_York".into(),
        abbreviation: "EDT".into(),
        localtime: "2026-07-01 12:00:00".into(),
        timestamp: "2026-07-01T12:00:00.000000000-04:00".into(),
        offset_seconds: -14_400,
        dst: true,
    }
}
