//! What the address of the page asks of the record.

use std::time::Duration;

use leptos_router::params::ParamsMap;
use protocol::time::Timestamp;

/// The values by which the record is narrowed, in the order of [`FILTERS`]; empty where it is not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Narrowed([String; 4]);

impl Narrowed {
    pub(super) fn of(params: &ParamsMap) -> Self {
        Self(FILTERS.map(|name| {
            let value = params.get(name).filter(|value| is_word(value));
            let value = value.filter(|value| name != RANGE || length(value).is_some());
            value.unwrap_or_default()
        }))
    }

    pub(super) fn value(&self, filter: &str) -> &str {
        self.pairs().find(|(name, _)| *name == filter).map(|(_, value)| value).unwrap_or_default()
    }

    /// The address of this page with one thing changed.
    pub(super) fn with(&self, filter: &str, value: &str) -> String {
        let change = |(name, old)| (name, if name == filter { value } else { old });
        let query = joined(self.pairs().map(change));
        if query.is_empty() { "/commands".into() } else { format!("/commands?{query}") }
    }

    /// As `GET /api/commands` is asked.
    pub(super) fn query(&self, now: Timestamp) -> String {
        let from = length(self.value(RANGE)).map(|length| before(now, length).to_string());
        let from = from.unwrap_or_default();
        let pairs = self.pairs().map(|(name, value)| match name {
            RANGE => ("from", from.as_str()),
            _ => (name, value),
        });
        joined(pairs)
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        FILTERS.into_iter().zip(self.0.iter().map(String::as_str))
    }
}

/// Only such values are asked for, and none of them needs to be escaped.
fn is_word(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}

fn length(range: &str) -> Option<Duration> {
    let hours = match range {
        "1h" => 1,
        "24h" => 24,
        "7d" => 7 * 24,
        _ => return None,
    };
    Some(Duration::from_secs(hours * 3600))
}

/// Whole minutes: an address that is opened twice asks for the same.
fn before(now: Timestamp, length: Duration) -> Timestamp {
    let from = now.as_millis().saturating_sub(length.as_secs() * 1000);
    Timestamp::from_millis(from - from % 60_000)
}

fn joined<'a>(pairs: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(value);
    }
    query
}

const FILTERS: [&str; 4] = ["device", "origin", "status", RANGE];
const RANGE: &str = "range";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NOW;

    fn narrowed(query: &[(&str, &str)]) -> Narrowed {
        let mut params = ParamsMap::new();
        query.iter().for_each(|(name, value)| params.insert((*name).to_owned(), (*value).into()));
        Narrowed::of(&params)
    }

    #[test]
    fn an_address_becomes_a_question() {
        let all =
            [("device", "board-1"), ("origin", "pscada"), ("status", "FAIL"), ("range", "1h")];
        let from = (NOW.as_millis() - 3_600_000) / 60_000 * 60_000;
        let expected = format!("device=board-1&origin=pscada&status=FAIL&from={from}");
        assert_eq!(narrowed(&all).query(NOW), expected);
        assert_eq!(narrowed(&[]).query(NOW), "");
        let foreign = [("device", "a&b=c"), ("range", "1y"), ("user", "x"), ("status", "")];
        assert_eq!(narrowed(&foreign).query(NOW), "");
    }

    #[test]
    fn one_thing_changes_and_the_others_stay() {
        let narrowed = narrowed(&[("device", "board-1"), ("range", "7d")]);
        let expected = "/commands?device=board-1&status=FAIL&range=7d";
        assert_eq!(narrowed.with("status", "FAIL"), expected);
        assert_eq!(narrowed.with("device", ""), "/commands?range=7d");
        assert_eq!((narrowed.value("range"), narrowed.value("origin")), ("7d", ""));
    }
}
