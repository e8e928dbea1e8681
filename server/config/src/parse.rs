//! From what was written to what is meant: one function for each kind of value.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

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

pub(crate) fn expected(what: &str, found: &Value) -> String {
    match found {
        Value::Raw(text) => format!("must be {what}, not {}", shown(text)),
        other => format!("must be {what}, not {}", other.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
