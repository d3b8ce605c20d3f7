//! Where days, weeks and months begin, in UTC.

use super::api::Period;
use sdk::Time;

const DAY_NS: i128 = 86_400_000_000_000;

/// The next beginning of such a period behind `moment`; the end of time when that is too far.
pub fn next(period: Period, moment: Time) -> Time {
    let day = i128::from(moment.0).div_euclid(DAY_NS) as i64;
    let day = match period {
        Period::Whole => return wire::Rfc3339(i64::MAX),
        Period::Day => day + 1,
        // The first day of 1970 was a Thursday.
        Period::Week => day + 7 - (day + 3).rem_euclid(7),
        Period::Month => {
            let (year, month) = year_and_month(day);
            if month == 12 { first_day(year + 1, 1) } else { first_day(year, month + 1) }
        }
    };
    wire::Rfc3339(i64::try_from(i128::from(day) * DAY_NS).unwrap_or(i64::MAX))
}

/// Years of 12 months that begin with March, so that the leap day is a year's last; in cycles of 400 years.
fn year_and_month(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let (cycle, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let year = year + cycle * 400;
    if month < 10 { (year, month + 3) } else { (year + 1, month - 9) }
}

/// Of a month, in days since 1970.
fn first_day(year: i64, month: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5;
    cycle * 146_097 + 365 * year + year / 4 - year / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Time {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn the_next_beginning() {
        let rows = [
            (Period::Day, "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z"),
            (Period::Day, "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"),
            (Period::Week, "2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z"),
            (Period::Week, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
            (Period::Week, "1969-12-28T12:00:00Z", "1969-12-29T00:00:00Z"),
            (Period::Month, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Period::Month, "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"),
            (Period::Month, "2100-02-28T23:59:59Z", "2100-03-01T00:00:00Z"),
            (Period::Month, "2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
            (Period::Month, "1700-01-15T00:00:00Z", "1700-02-01T00:00:00Z"),
        ];
        for (period, from, want) in rows {
            assert_eq!(next(period, moment(from)), moment(want), "{period:?} from {from}");
        }
        for period in [Period::Whole, Period::Day, Period::Week, Period::Month] {
            assert_eq!(next(period, wire::Rfc3339(i64::MAX)), wire::Rfc3339(i64::MAX));
        }
    }

    #[test]
    fn every_month_of_six_centuries_has_its_days() {
        let mut first = first_day(1677, 10);
        for month in 0..12 * 584 {
            let (year, of_year) = (1677 + (9 + month) / 12, (9 + month) % 12 + 1);
            assert_eq!(year_and_month(first), (year, of_year));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match of_year {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            assert_eq!(year_and_month(first + days - 1), (year, of_year), "the last day of {year}-{of_year}");
            first += days;
            let next = if of_year == 12 { (year + 1, 1) } else { (year, of_year + 1) };
            assert_eq!(first_day(next.0, next.1), first);
        }
    }
}
