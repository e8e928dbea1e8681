//! Numbers, ages and times as they stand on the page: the same on the server and in the browser.

use std::time::Duration;

use protocol::id::SiteId;
use protocol::reading::Value;
use protocol::time::Timestamp;
use protocol::user::Scope;

use crate::bootstrap::Zone;

/// A value with exactly so many decimals, or the word of a switch.
pub(crate) fn value(value: Value, decimals: u8) -> String {
    match value.rounded(decimals) {
        Value::Number(number) => format!("{number:.*}", usize::from(decimals)),
        switch @ Value::Switch(_) => switch.to_string(),
    }
}

/// An age in its largest whole unit: `12 s`, `3 min`, `2 h`, `5 d`; it does not break over lines.
pub(crate) fn age(age: Duration) -> String {
    let (number, unit) = match age.as_secs() {
        seconds @ 0..MINUTE => (seconds, "s"),
        seconds @ MINUTE..HOUR => (seconds / MINUTE, "min"),
        seconds @ HOUR..DAY => (seconds / HOUR, "h"),
        seconds => (seconds / DAY, "d"),
    };
    format!("{number}\u{a0}{unit}")
}

/// The time of day in a zone: `14:03:22`.
pub(crate) fn time(at: Timestamp, zone: &Zone) -> String {
    let of_day = local_seconds(at, zone).rem_euclid(DAY.cast_signed());
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Date and time of day in a zone: `2025-11-21 14:03:22`.
pub(crate) fn date_time(at: Timestamp, zone: &Zone) -> String {
    let days = local_seconds(at, zone).div_euclid(DAY.cast_signed());
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {}", time(at, zone))
}

/// The sites of a scope; `None` is all of them.
pub(crate) fn sites(scope: &Scope) -> Option<String> {
    match scope {
        Scope::All => None,
        Scope::Sites(sites) => {
            let sites: Vec<_> = sites.iter().map(SiteId::as_str).collect();
            Some(if sites.is_empty() { "—".into() } else { sites.join(", ") })
        }
    }
}

/// A moment in the way an operator needs it: the date only where it is not today.
pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let day = |at| local_seconds(at, zone).div_euclid(DAY.cast_signed());
    if day(at) == day(now) { time(at, zone) } else { date_time(at, zone) }
}

/// The same moment for machines: seconds since 1970 become `2025-11-21T06:03:22Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    date_time(at, &Zone::default()).replacen(' ', "T", 1) + "Z"
}

fn local_seconds(at: Timestamp, zone: &Zone) -> i64 {
    let seconds = i64::try_from(at.as_millis() / 1000).unwrap_or(LATEST).min(LATEST);
    seconds + i64::from(zone.offset_minutes) * 60
}

/// Year, month and day of a day counted from 1970-01-01, by the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01 a leap day is the last day of its year, and four centuries are even.
    let days = days + 719_468;
    let (century, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + century * 400 + turn, month, date)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// The end of the year 9999; a clock beyond it is wrong anyway.
const LATEST: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> Zone {
        Zone { offset_minutes: 480, label: "CST".into() }
    }

    #[test]
    fn values_keep_their_decimals() {
        // S0-3: one decimal, half away from zero
        let table = [
            (Value::Number(30.25), 1, "30.3"),
            (Value::Number(30.0), 1, "30.0"),
            (Value::Number(-0.04), 1, "0.0"),
            (Value::Number(1234.5), 0, "1235"),
            (Value::Switch(true), 1, "ON"),
            (Value::Switch(false), 0, "OFF"),
        ];
        for (input, decimals, expected) in table {
            assert_eq!(value(input, decimals), expected, "{input:?} with {decimals}");
        }
    }

    #[test]
    fn ages_use_their_largest_unit() {
        let table = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (86_400, "1 d"),
            (8_640_000, "100 d"),
        ];
        for (seconds, expected) in table {
            assert_eq!(age(Duration::from_secs(seconds)).replace('\u{a0}', " "), expected);
        }
    }

    #[test]
    fn times_are_those_of_the_site() {
        let table = [
            (0, "1970-01-01 08:00:00"),
            (951_753_599_000, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 08:00:00"),
            (1_763_705_002_123, "2025-11-21 14:03:22"),
            (1_767_196_800_000, "2026-01-01 00:00:00"),
        ];
        for (millis, expected) in table {
            let at = Timestamp::from_millis(millis);
            assert_eq!(date_time(at, &shanghai()), expected, "{millis}");
        }
        assert_eq!(iso(Timestamp::from_millis(1_763_705_002_123)), "2025-11-21T06:03:22Z");
        assert_eq!(iso(Timestamp::from_millis(u64::MAX)), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_date_stands_only_where_it_is_not_today() {
        let now = Timestamp::from_millis(1_763_705_002_000);
        let yesterday = Timestamp::from_millis(1_763_618_602_000);
        assert_eq!(moment(now, now, &shanghai()), "14:03:22");
        assert_eq!(moment(yesterday, now, &shanghai()), "2025-11-20 14:03:22");
    }
}
