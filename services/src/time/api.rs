//! What the world sees of `time`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, endpoints};

endpoints! { time:
    Local Now(NowRequest)         -> NowResponse;
    Local Zone(ZoneRequest)       -> ZoneResponse;
    Local Convert(ConvertRequest) -> ConvertResponse;
    Local List(ListRequest)       -> ListResponse;
    Local Batch(BatchRequest)     -> BatchResponse;
}

/// No location, a blank one, or coordinates beyond the poles or the date line.
pub const INVALID_LOCATION: Reason = Reason::bad_request("invalid_location");
/// The text is no moment, or one before 1900 or after 9999-12-30.
pub const INVALID_TIME: Reason = Reason::bad_request("invalid_time");
/// `pick` is none of its words.
pub const INVALID_PICK: Reason = Reason::bad_request("invalid_pick");
/// Clocks skip this local time; only with `pick` = reject.
pub const NO_SUCH_TIME: Reason = Reason::bad_request("no_such_time");
/// Clocks show this local time twice; only with `pick` = reject.
pub const AMBIGUOUS_TIME: Reason = Reason::bad_request("ambiguous_time");
/// No place of this name; the detail says what is not looked up yet.
pub const LOCATION_NOT_FOUND: Reason = Reason::not_found("location_not_found");
/// A place in a zone without rules: the data of two sources do not fit, which a test rules out.
pub const NO_ZONE: Reason = Reason::internal("no_zone");

/// Most places of a [`BatchRequest`].
pub const LOCATIONS_MAX: usize = 100;

const PLACE: Bound = Bound::bytes(0, 256);
const SOME_PLACE: Bound = Bound::bytes(1, 256).missing(INVALID_LOCATION, "invalid location");
const PLACES: Bound = Bound::items(1, LOCATIONS_MAX).each(&PLACE);
const MOMENT: Bound = Bound::bytes(0, 64);
const WORD: Bound = Bound::bytes(0, 64);

/// Ask for the time at a place, now or at another moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NowRequest {
    /// city (`London`, `Paris, Texas`), zone (`Europe/London`) or `lat,lng`; empty = UTC
    #[schemars(transform = PLACE.on())]
    pub location: String,
    /// another moment than now, RFC 3339: `2026-07-01T12:00:00Z`; 1900 to 9999
    #[schemars(transform = MOMENT.on())]
    pub at: String,
}

/// The time there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NowResponse {
    /// HH:MM:SS there
    pub localtime: String,
    /// the moment in local time with its offset from UTC, RFC 3339 with nanoseconds
    pub timestamp: String,
    /// the zone's IANA name; Prime Meridian when no location was given
    pub location: String,
    /// the zone's letters in force, such as BST
    pub timezone: String,
    /// seconds since 1970
    pub unix: i64,
}

/// Ask for a place's time zone: offset, daylight saving, and when its clocks change next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ZoneRequest {
    /// city (`London`, `Paris, Texas`), zone (`Europe/London`) or `lat,lng`
    #[schemars(transform = SOME_PLACE.on())]
    pub location: String,
    /// another moment than now, RFC 3339: `2026-07-01T12:00:00Z`; 1900 to 9999
    #[schemars(transform = MOMENT.on())]
    pub at: String,
}

/// The place found and its time zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneResponse {
    /// the place; for coordinates the nearest within 50 km, empty without one
    pub location: String,
    /// its first-level division, such as England or Texas
    pub region: String,
    /// its country, in English
    pub country: String,
    /// in degrees; as given, for coordinates
    pub latitude: f64,
    /// in degrees; as given, for coordinates
    pub longitude: f64,
    /// the zone's IANA name, such as Europe/London; Etc/GMT±n at sea
    pub timezone: String,
    /// the zone's letters in force, such as BST; digits such as +0530 where it has none
    pub abbreviation: String,
    /// YYYY-MM-DD HH:MM there
    pub localtime: String,
    /// whether daylight saving is in force
    pub dst: bool,
    /// ahead of UTC in whole hours, cut toward zero: 5 for India's 5:30
    pub offset: i32,
    /// ahead of UTC in seconds, exactly
    pub offset_seconds: i32,
    /// Saturday or Sunday there
    pub is_weekend: bool,
    /// when the clocks change next, RFC 3339 in UTC; empty when no change is known
    pub next_change: String,
    /// ahead of UTC in seconds after that
    pub next_offset_seconds: i32,
    /// the zone's letters after that
    pub next_abbreviation: String,
}

/// Convert a time from one place's clocks to another's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConvertRequest {
    /// local time at `from`, such as `2026-07-01 12:00`, or a moment with its offset, RFC 3339; empty = now
    #[schemars(transform = MOMENT.on())]
    pub time: String,
    /// place, zone or `lat,lng` whose clocks show the time; empty = UTC
    #[schemars(transform = PLACE.on())]
    pub from: String,
    /// place, zone or `lat,lng` to convert to; empty = UTC
    #[schemars(transform = PLACE.on())]
    pub to: String,
    /// what a local time means that clocks skip or show twice: `earlier`, `later` or `reject`; empty = the first of two, and a
    /// skipped time as if clocks had not been set forward
    #[schemars(transform = WORD.on())]
    pub pick: String,
}

/// The same moment on both clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConvertResponse {
    /// there
    pub from: Moment,
    /// here
    pub to: Moment,
    /// seconds since 1970
    pub unix: i64,
    /// how far `to` is ahead of `from`, in seconds
    pub difference_seconds: i32,
    /// `gap`: clocks at `from` skip the time given; `fold`: they show it twice; empty: neither
    pub ambiguity: String,
}

/// A moment as a zone's clocks show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// the zone's IANA name
    pub timezone: String,
    /// the zone's letters in force
    pub abbreviation: String,
    /// YYYY-MM-DD HH:MM:SS
    pub localtime: String,
    /// RFC 3339 with nanoseconds and offset
    pub timestamp: String,
    /// ahead of UTC in seconds
    pub offset_seconds: i32,
    /// whether daylight saving is in force
    pub dst: bool,
}

/// List the time zones there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListRequest {
    /// only those whose names begin so, such as `Europe/`
    #[schemars(transform = WORD.on())]
    pub prefix: String,
    /// another moment than now, RFC 3339; 1900 to 9999
    #[schemars(transform = MOMENT.on())]
    pub at: String,
}

/// Zones in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResponse {
    /// each zone with its time
    pub zones: Vec<Moment>,
}

/// Ask for the time zones of many places at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BatchRequest {
    /// the places, each as for Zone
    #[schemars(transform = PLACES.on())]
    pub locations: Vec<String>,
    /// another moment than now, RFC 3339; 1900 to 9999
    #[schemars(transform = MOMENT.on())]
    pub at: String,
}

/// The places found, and those that were not; both in the order asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchResponse {
    /// what was found
    pub zones: Vec<BatchZone>,
    /// what was not
    pub failed: Vec<BatchFailure>,
}

/// A place of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchZone {
    /// the location as asked for
    pub query: String,
    /// what Zone answers for it
    pub zone: ZoneResponse,
}

/// A location that Zone would have refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchFailure {
    /// the location as asked for
    pub query: String,
    /// why, as a word
    pub reason: String,
    /// why, for people
    pub detail: String,
}
