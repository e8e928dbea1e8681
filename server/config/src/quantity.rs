//! Times and sizes, each with its unit.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::Value;
use crate::finding::shown;
use crate::parse::expected;

/// A time with its unit: `"500ms"`, `"2s"`, `"1m"`, `"1h"`, `"7d"`.
pub(crate) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&Value) -> Result<Duration, String> {
    move |value| match value {
        Value::Text(text) | Value::Raw(text) => within(&range, with_unit(text)?),
        other => Err(expected("a time with its unit, such as \"500ms\" or \"2s\"", other)),
    }
}

/// A time with its unit, or 0: never.
pub(crate) fn or_never(
    range: RangeInclusive<Duration>,
) -> impl Fn(&Value) -> Result<Option<Duration>, String> {
    let time = duration(range.clone());
    move |value| {
        let is_never = match value {
            Value::Integer(number) => *number == 0,
            Value::Raw(text) | Value::Text(text) => {
                let text = text.trim();
                text == "0" || with_unit(text).is_ok_and(|time| time.is_zero())
            }
            _ => false,
        };
        if is_never {
            return Ok(None);
        }
        time(value).map(Some).map_err(|text| format!("{text}; 0 is never"))
    }
}

/// A size with its unit: `"500MB"`, `"1GB"`; `"1GiB"` is 1024 MiB.
pub(crate) fn bytes(range: RangeInclusive<u64>) -> impl Fn(&Value) -> Result<u64, String> {
    move |value| {
        let (Value::Text(text) | Value::Raw(text)) = value else {
            return Err(expected("a size with its unit, such as \"500MB\" or \"1GB\"", value));
        };
        let size = size(text)?;
        let (from, to) = (sized(*range.start()), sized(*range.end()));
        match range.contains(&size) {
            true => Ok(size),
            false => Err(format!("must be {from} to {to}, not {}", shown(text.trim()))),
        }
    }
}

/// A time with its unit, or a bare number of seconds.
pub(crate) fn seconds(
    range: RangeInclusive<Duration>,
) -> impl Fn(&Value) -> Result<Duration, String> {
    move |value| {
        let bare = match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Raw(text) | Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        match bare {
            Some(number) => within(&range, of_seconds(number)?),
            None => duration(range.clone())(value),
        }
    }
}

/// How a time is written: the largest unit that leaves no fraction.
pub(crate) fn spelled(time: Duration) -> String {
    if !time.as_millis().is_multiple_of(1000) {
        return format!("{}ms", time.as_millis());
    }
    let seconds = time.as_secs();
    let fits =
        |unit: &Duration| seconds >= unit.as_secs() && seconds.is_multiple_of(unit.as_secs());
    let found = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")].into_iter().find(|(unit, _)| fits(unit));
    match found {
        Some((unit, name)) => format!("{}{name}", seconds / unit.as_secs()),
        None => format!("{seconds}s"),
    }
}

/// How a size is written.
fn sized(bytes: u64) -> String {
    let fits = |(_, factor): &(&str, u64)| bytes >= *factor && bytes.is_multiple_of(*factor);
    let found = SIZES.into_iter().rev().find(fits);
    found.map_or_else(|| format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim();
    if unit.is_empty() {
        return Err(format!("{} has no unit: KB, MB, GB or TB", shown(text)));
    }
    let known = SIZES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (_, factor) =
        known.ok_or_else(|| format!("{} is no unit: KB, MB, GB or TB", shown(unit)))?;
    let number: f64 = number.parse().map_err(|_| format!("{} is no size", shown(text)))?;
    // Beyond 64 bits it saturates, and no range goes so far.
    Ok((number * factor as f64).round() as u64)
}

fn with_unit(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "" => return Err(format!("{} has no unit: ms, s, m, h or d", shown(text))),
        other => return Err(format!("{} is no unit: ms, s, m, h or d", shown(other))),
    };
    let number: f64 = number.parse().map_err(|_| format!("{} is no time", shown(text)))?;
    of_seconds(number * factor)
}

/// To the millisecond: 0.2 s is 200 ms.
fn of_seconds(seconds: f64) -> Result<Duration, String> {
    let millis = (seconds * 1000.0).round();
    let time = Duration::try_from_secs_f64(millis / 1000.0);
    time.map_err(|_| format!("{seconds:?} s is no time"))
}

fn within(range: &RangeInclusive<Duration>, time: Duration) -> Result<Duration, String> {
    if range.contains(&time) {
        return Ok(time);
    }
    let (from, to) = (spelled(*range.start()), spelled(*range.end()));
    Err(format!("must be {from} to {to}, not {}", spelled(time)))
}

/// Those of computers, then those that we write ourselves, from small to large.
const SIZES: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(from: u64, to: u64) -> RangeInclusive<Duration> {
        Duration::from_millis(from)..=Duration::from_millis(to)
    }

    #[test]
    fn times_have_units_or_are_seconds() {
        // S0-10, S0-14
        let text = |text: &str| Value::Text(text.into());
        let table = [
            (text("10s"), Ok(10_000)),
            (text("200ms"), Ok(200)),
            (text("1.5 s"), Ok(1_500)),
            (text("1m"), Ok(60_000)),
            (text("0.01h"), Ok(36_000)),
            (text("0.0005d"), Ok(43_200)),
            (text("30"), Ok(30_000)),
            (Value::Integer(30), Ok(30_000)),
            (Value::Float(0.2), Ok(200)),
            (Value::Raw("2".into()), Ok(2_000)),
            (Value::Integer(-1), Err("-1.0 s is no time")),
            (Value::Float(f64::NAN), Err("NaN s is no time")),
            (Value::Float(1e300), Err("1e300 s is no time")),
            (Value::Integer(0), Err("must be 100ms to 1m, not 0s")),
            (text("61s"), Err("must be 100ms to 1m, not 61s")),
            (text("3 weeks"), Err("`weeks` is no unit: ms, s, m, h or d")),
            (text("s"), Err("`s` is no time")),
            (text("1.2.3s"), Err("`1.2.3s` is no time")),
            (
                Value::Switch(true),
                Err("must be a time with its unit, such as \"500ms\" or \"2s\", not true or false"),
            ),
        ];
        for (value, expected) in table {
            let found = seconds(millis(100, 60_000))(&value);
            let expected = expected.map(Duration::from_millis).map_err(str::to_owned);
            assert_eq!(found, expected, "{value:?}");
        }
    }

    #[test]
    fn a_time_without_unit_is_refused_where_nobody_could_know_it() {
        let strict = duration(millis(1, 60_000));
        assert_eq!(
            strict(&Value::Text("500".into())),
            Err("`500` has no unit: ms, s, m, h or d".into())
        );
        assert!(strict(&Value::Integer(500)).is_err());
        assert_eq!(strict(&Value::Text("500ms".into())), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn a_time_is_spelled_in_the_largest_unit_that_fits() {
        let table = [(0, "0s"), (1, "1ms"), (1_000, "1s"), (61_000, "61s"), (120_000, "2m")];
        let long = [(3_600_000, "1h"), (5_400_000, "90m"), (2_592_000_000, "30d")];
        for (time, expected) in table.into_iter().chain(long) {
            assert_eq!(spelled(Duration::from_millis(time)), expected);
        }
    }

    #[test]
    fn zero_is_never() {
        let time = or_never(MINUTE..=HOUR);
        for never in [Value::Integer(0), Value::Raw("0".into()), Value::Text("0s".into())] {
            assert_eq!(time(&never), Ok(None), "{never:?}");
        }
        assert_eq!(time(&Value::Text("15m".into())), Ok(Some(15 * MINUTE)));
        let short = "must be 1m to 1h, not 30s; 0 is never";
        assert_eq!(time(&Value::Text("30s".into())), Err(short.into()));
        assert!(time(&Value::Integer(15)).is_err(), "nobody could know the unit");
    }

    #[test]
    fn sizes_have_units() {
        let size = bytes(1_000_000..=1_000_000_000_000);
        let table = [
            ("500MB", Ok(500_000_000)),
            ("1 gb", Ok(1_000_000_000)),
            ("1.5GB", Ok(1_500_000_000)),
            ("1GiB", Ok(1_073_741_824)),
            ("1KB", Err("must be 1MB to 1TB, not `1KB`")),
            ("99999999999999999999TB", Err("must be 1MB to 1TB, not `99999999999999999999TB`")),
            ("5000", Err("`5000` has no unit: KB, MB, GB or TB")),
            ("5 cups", Err("`cups` is no unit: KB, MB, GB or TB")),
            ("MB", Err("`MB` is no size")),
        ];
        for (text, expected) in table {
            assert_eq!(size(&Value::Text(text.into())), expected.map_err(str::to_owned), "{text}");
        }
        let wrong = "must be a size with its unit, such as \"500MB\" or \"1GB\", not an integer";
        assert_eq!(size(&Value::Integer(5)), Err(wrong.into()));
    }
}
