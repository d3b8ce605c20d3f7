//! The endpoints: pure functions of the request and, where it names no moment, of the node's clock.

use super::api::*;
use super::locate::{Spot, locate};
use super::zone::{Ambiguity, Zone, rfc3339};
use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::Disambiguation;
use sdk::prelude::*;

/// 1900-01-01T00:00:00Z: zones of before are guesses.
const FIRST: Timestamp = Timestamp::constant(-2_208_988_800, 0);
/// 9999-12-30T00:00:00Z: no clock on earth shows the year 10000 then.
const LAST: Timestamp = Timestamp::constant(253_402_128_000, 0);

pub fn now(here: &Here, req: NowRequest) -> Result<NowResponse> {
    let at = moment(here, &req.at)?;
    let (location, zone) = if req.location.trim().is_empty() {
        ("Prime Meridian", Zone::utc())
    } else {
        let zone = locate(&req.location)?.zone;
        (zone.name, zone)
    };
    let offset = zone.offset(at);
    Ok(NowResponse {
        localtime: zone.local(at).strftime("%H:%M:%S").to_string(),
        timestamp: rfc3339(at, offset.offset()),
        location: location.into(),
        timezone: offset.abbreviation().into(),
        unix: unix(at),
    })
}

pub fn zone(here: &Here, req: ZoneRequest) -> Result<ZoneResponse> {
    let at = moment(here, &req.at)?;
    Ok(zone_of(locate(&req.location)?, at))
}

pub fn convert(here: &Here, req: ConvertRequest) -> Result<ConvertResponse> {
    let pick = match req.pick.as_str() {
        "" => Disambiguation::Compatible,
        "earlier" => Disambiguation::Earlier,
        "later" => Disambiguation::Later,
        "reject" => Disambiguation::Reject,
        other => return Err(INVALID_PICK.because(format!("pick must be earlier, later or reject, not {other:?}"))),
    };
    let time = Given::read(&req.time)?;
    let (from, to) = (zone_or_utc(&req.from)?, zone_or_utc(&req.to)?);
    let (at, ambiguity) = match time {
        Given::Nothing => (moment(here, "")?, Ambiguity::None),
        Given::Moment(at) => (at, Ambiguity::None),
        Given::Local(local) => from.moment_of(local, pick)?,
    };
    within("time", at)?;
    let (from, to) = (from.moment(at), to.moment(at));
    Ok(ConvertResponse {
        unix: unix(at),
        difference_seconds: to.offset_seconds - from.offset_seconds,
        ambiguity: match ambiguity {
            Ambiguity::None => "",
            Ambiguity::Gap => "gap",
            Ambiguity::Fold => "fold",
        }
        .into(),
        from,
        to,
    })
}

pub fn list(here: &Here, req: ListRequest) -> Result<ListResponse> {
    let at = moment(here, &req.at)?;
    let prefix = req.prefix.as_bytes();
    let wanted =
        |name: &&str| name.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let zones = Zone::names().into_iter().filter(wanted).filter_map(Zone::named);
    Ok(ListResponse { zones: zones.map(|zone| zone.moment(at)).collect() })
}

pub fn batch(here: &Here, req: BatchRequest) -> Result<BatchResponse> {
    let at = moment(here, &req.at)?;
    let mut response = BatchResponse::default();
    for query in req.locations {
        match locate(&query) {
            Ok(spot) => response.zones.push(BatchZone { query, zone: zone_of(spot, at) }),
            Err(why) => {
                response.failed.push(BatchFailure { query, reason: why.reason.into_owned(), detail: why.detail });
            }
        }
    }
    Ok(response)
}

fn zone_of(spot: Spot, at: Timestamp) -> ZoneResponse {
    let (offset, local, next) = (spot.zone.offset(at), spot.zone.local(at), spot.zone.next_change(at));
    let seconds = offset.offset().seconds();
    ZoneResponse {
        location: spot.name.clone(),
        region: spot.region.into(),
        country: spot.country.into(),
        latitude: spot.latitude,
        longitude: spot.longitude,
        timezone: spot.zone.name.into(),
        abbreviation: offset.abbreviation().into(),
        localtime: local.strftime("%Y-%m-%d %H:%M").to_string(),
        dst: offset.dst().is_dst(),
        offset: seconds / 3600,
        offset_seconds: seconds,
        is_weekend: matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday),
        next_change: next.as_ref().map_or(String::new(), |next| next.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        next_offset_seconds: next.as_ref().map_or(0, |next| next.offset_seconds),
        next_abbreviation: next.map_or(String::new(), |next| next.abbreviation),
    }
}

fn zone_or_utc(location: &str) -> Result<Zone> {
    if location.trim().is_empty() { Ok(Zone::utc()) } else { Ok(locate(location)?.zone) }
}

/// The moment that `at` names, or now.
fn moment(here: &Here, at: &str) -> Result<Timestamp> {
    match Given::read(at) {
        Ok(Given::Moment(at)) => within("at", at),
        Ok(Given::Nothing) => Timestamp::from_nanosecond(here.now().0.into())
            .map_err(|_| INVALID_TIME.because("the node's clock shows no time of this era")),
        Ok(Given::Local(_)) | Err(_) => {
            Err(INVALID_TIME.because("at must be RFC 3339 with an offset, such as 2026-07-01T12:00:00Z"))
        }
    }
}

/// What the text of a time says.
enum Given {
    Nothing,
    Moment(Timestamp),
    Local(DateTime),
}

impl Given {
    fn read(text: &str) -> Result<Given> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Given::Nothing);
        }
        // The parsers take zones in brackets too, and would look at the machine's zones for them.
        let plain = Some(text).filter(|text| !text.contains('['));
        // A local time must not have an offset that would go unheard.
        let has_offset = |text: &str| text.get(10..).is_some_and(|time| time.contains(['+', '-', 'Z', 'z']));
        let moment = || plain?.parse().ok().map(Given::Moment);
        let local = || plain.filter(|text| !has_offset(text))?.parse().ok().map(Given::Local);
        moment().or_else(local).ok_or_else(|| {
            INVALID_TIME
                .because("time must be like 2026-07-01 12:00, or RFC 3339 with an offset; from 1900 to 9999-12-30")
        })
    }
}

fn within(field: &str, at: Timestamp) -> Result<Timestamp> {
    if (FIRST..=LAST).contains(&at) {
        return Ok(at);
    }
    Err(INVALID_TIME.because(format!("{field} must lie from 1900 to 9999-12-30")))
}

/// Whole seconds, earlier ones down: half a second before 1970 is -1.
fn unix(at: Timestamp) -> i64 {
    at.as_nanosecond().div_euclid(1_000_000_000) as i64
}
