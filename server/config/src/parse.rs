//! From what was written to what is meant: one function for each kind of value.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use protocol::reading;

use crate::document::{Node, Value};
use crate::finding::{nearest, shown};

pub(crate) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) | Value::Raw(text) => Ok(text.trim().to_owned()),
        other => Err(expected("a text in quotes", other)),
    }
}

/// A text that is not empty.
pub(crate) fn word(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    if text.is_empty() { Err("must not be empty".into()) } else { Ok(text) }
}

pub(crate) fn switch(value: &Value) -> Result<bool, String> {
    match value {
        Value::Switch(on) => Ok(*on),
        Value::Raw(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err(format!("must be true or false, not {}", shown(text))),
        },
        other => Err(expected("true or false", other)),
    }
}

pub(crate) fn integer<T: TryFrom<i64> + Copy + Display + Into<i64>>(
    range: RangeInclusive<T>,
) -> impl Fn(&Value) -> Result<T, String> {
    move |value| {
        let (from, to) = (*range.start(), *range.end());
        let number = match value {
            Value::Integer(number) => Some(*number),
            Value::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| expected("an integer", value))?;
        let outside = || format!("must be {from} to {to}, not {number}");
        if !(from.into()..=to.into()).contains(&number) {
            return Err(outside());
        }
        T::try_from(number).map_err(|_| outside())
    }
}

/// Anything that reads itself from text: identifiers, addresses.
pub(crate) fn parsed<T: FromStr<Err: Display>>(value: &Value) -> Result<T, String> {
    word(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Value) -> Result<T, String> {
    move |value| {
        let text = text(value)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let all = known.join(", ");
            format!("{} is none of {all}{}", shown(&text), nearest(&text, known))
        })
    }
}

/// What a point can hold: a number, or `"ON"` and `"OFF"`.
pub(crate) fn point_value(value: &Value) -> Result<reading::Value, String> {
    let known = match value {
        Value::Integer(number) => Some(reading::Value::Number(*number as f64)),
        Value::Float(number) => finite(*number),
        Value::Switch(on) => Some(reading::Value::Switch(*on)),
        Value::Raw(text) => on_or_off(text).or_else(|| finite(text.trim().parse().ok()?)),
        Value::Text(text) => on_or_off(text),
        _ => None,
    };
    known.ok_or_else(|| expected("a number, \"ON\" or \"OFF\"", value))
}

fn on_or_off(text: &str) -> Option<reading::Value> {
    let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    (is("ON") || is("OFF")).then(|| reading::Value::Switch(is("ON")))
}

fn finite(number: f64) -> Option<reading::Value> {
    number.is_finite().then_some(reading::Value::Number(number))
}

/// A time with its unit: `"500ms"`, `"2s"`, `"1m"`, `"1h"`.
pub(crate) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&Value) -> Result<Duration, String> {
    move |value| match value {
        Value::Text(text) | Value::Raw(text) => within(&range, with_unit(text)?),
        other => Err(expected("a time with its unit, such as \"500ms\" or \"2s\"", other)),
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

/// A list; from outside the file, its items are separated by commas.
pub(crate) fn list<T>(
    item: impl Fn(&Value) -> Result<T, String>,
) -> impl Fn(&Value) -> Result<Vec<T>, String> {
    move |value| match value {
        Value::List(items) => items.iter().map(|Node { value, .. }| item(value)).collect(),
        Value::Raw(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| item(&Value::Raw(part.into()))).collect()
        }
        other => Err(expected("a list in brackets", other)),
    }
}

/// How a time is written: the largest unit that leaves no fraction.
pub(crate) fn spelled(time: Duration) -> String {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
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
        "" => return Err(format!("{} has no unit: ms, s, m or h", shown(text))),
        other => return Err(format!("{} is no unit: ms, s, m or h", shown(other))),
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

fn expected(what: &str, found: &Value) -> String {
    match found {
        Value::Raw(text) => format!("must be {what}, not {}", shown(text)),
        other => format!("must be {what}, not {}", other.kind()),
    }
}

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
            (text("30"), Ok(30_000)),
            (Value::Integer(30), Ok(30_000)),
            (Value::Float(0.2), Ok(200)),
            (Value::Raw("2".into()), Ok(2_000)),
            (Value::Integer(-1), Err("-1.0 s is no time")),
            (Value::Float(f64::NAN), Err("NaN s is no time")),
            (Value::Float(1e300), Err("1e300 s is no time")),
            (Value::Integer(0), Err("must be 100ms to 60s, not 0s")),
            (text("61s"), Err("must be 100ms to 60s, not 61s")),
            (text("3 weeks"), Err("`weeks` is no unit: ms, s, m or h")),
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
            Err("`500` has no unit: ms, s, m or h".into())
        );
        assert!(strict(&Value::Integer(500)).is_err());
        assert_eq!(strict(&Value::Text("500ms".into())), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn integers_keep_their_range() {
        let port = integer(1..=u16::MAX);
        assert_eq!(port(&Value::Integer(502)), Ok(502));
        assert_eq!(port(&Value::Raw(" 502 ".into())), Ok(502));
        assert_eq!(port(&Value::Integer(0)), Err("must be 1 to 65535, not 0".into()));
        assert_eq!(port(&Value::Integer(65_536)), Err("must be 1 to 65535, not 65536".into()));
        assert_eq!(port(&Value::Text("502".into())), Err("must be an integer, not a text".into()));
        assert_eq!(port(&Value::Raw("x".into())), Err("must be an integer, not `x`".into()));
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        let mode = choice(&[("tcp", 1), ("rtu", 2)]);
        assert_eq!(mode(&Value::Text("RTU".into())), Ok(2));
        let answer = "`tpc` is none of tcp, rtu; did you mean `tcp`?";
        assert_eq!(mode(&Value::Text("tpc".into())), Err(answer.into()));
    }

    #[test]
    fn variables_spell_switches_and_lists() {
        for (text, expected) in [("TRUE", Some(true)), ("off", Some(false)), ("maybe", None)] {
            assert_eq!(switch(&Value::Raw(text.into())).ok(), expected, "{text}");
        }
        let items = list(word)(&Value::Raw("a, b,".into()));
        assert_eq!(items, Ok(vec!["a".to_owned(), "b".to_owned()]));
    }
}
