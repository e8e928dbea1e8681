//! What the address of a page asks of a record.

use std::time::Duration;

use leptos_router::params::ParamsMap;
use protocol::time::Timestamp;

/// A page whose address narrows down what it shows.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub path: &'static str,
    /// By what; each is called as the server calls it, but for [`RANGE`].
    pub filters: &'static [&'static str],
}

/// The values by which the record is narrowed, in the order of the place's filters; empty where it
/// is not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Narrowed {
    place: &'static Place,
    values: Vec<String>,
}

impl Narrowed {
    pub(crate) fn of(place: &'static Place, params: &ParamsMap) -> Self {
        let value = |name: &&str| {
            let value = params.get(name).filter(|value| value.chars().count() <= LONGEST);
            let value = value.filter(|value| *name != RANGE || length(value).is_some());
            value.unwrap_or_default()
        };
        Self { place, values: place.filters.iter().map(value).collect() }
    }

    pub(crate) fn value(&self, filter: &str) -> &str {
        self.pairs().find(|(name, _)| *name == filter).map(|(_, value)| value).unwrap_or_default()
    }

    /// The address of this page with one thing changed.
    pub(crate) fn with(&self, filter: &str, value: &str) -> String {
        self.with_all(&[(filter, value)])
    }

    /// The address of this page with some things changed; it leads to no single row any more.
    pub(crate) fn with_all(&self, changes: &[(&str, &str)]) -> String {
        let changed = |(name, old)| {
            let change = changes.iter().find(|(changed, _)| *changed == name);
            let old = if name == ID { "" } else { old };
            (name, change.map_or(old, |(_, new)| *new))
        };
        let (path, query) = (self.place.path, joined(self.pairs().map(changed)));
        if query.is_empty() { path.into() } else { format!("{path}?{query}") }
    }

    /// As the server is asked; `range` is told as the time from which on.
    pub(crate) fn query(&self, now: Timestamp) -> String {
        let from = length(self.value(RANGE)).map(|length| before(now, length).to_string());
        let from = from.unwrap_or_default();
        let pairs = self.pairs().map(|(name, value)| match name {
            RANGE => ("from", from.as_str()),
            _ => (name, value),
        });
        joined(pairs)
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.place.filters.iter().copied().zip(self.values.iter().map(String::as_str))
    }
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

fn joined<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        encode(value, &mut query);
    }
    query
}

fn encode(value: &str, query: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte) {
            query.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
            query.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// How far back, in the place of a time.
pub(crate) const RANGE: &str = "range";

/// A single row.
pub(crate) const ID: &str = "id";

/// The server takes no longer text.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NOW;

    const PLACE: Place =
        Place { path: "/commands", filters: &["device", "origin", "status", RANGE, ID] };

    fn narrowed(query: &[(&str, &str)]) -> Narrowed {
        let mut params = ParamsMap::new();
        query.iter().for_each(|(name, value)| params.insert((*name).to_owned(), (*value).into()));
        Narrowed::of(&PLACE, &params)
    }

    #[test]
    fn an_address_becomes_a_question() {
        let all =
            [("device", "board-1"), ("origin", "pscada"), ("status", "FAIL"), ("range", "1h")];
        let from = (NOW.as_millis() - 3_600_000) / 60_000 * 60_000;
        let expected = format!("device=board-1&origin=pscada&status=FAIL&from={from}");
        assert_eq!(narrowed(&all).query(NOW), expected);
        assert_eq!(narrowed(&[]).query(NOW), "");
        let foreign = [("range", "1y"), ("user", "x"), ("status", "")];
        assert_eq!(narrowed(&foreign).query(NOW), "");
        let long = "x".repeat(81);
        assert_eq!(narrowed(&[("device", &long)]).query(NOW), "");
    }

    #[test]
    fn what_stands_for_something_else_in_an_address_is_escaped() {
        let table = [
            ("a&b=c#d", "device=a%26b%3Dc%23d"),
            ("a b+c%", "device=a%20b%2Bc%25"),
            ("中", "device=%E4%B8%AD"),
            ("c:1.2-3_4", "device=c:1.2-3_4"),
        ];
        for (value, expected) in table {
            assert_eq!(narrowed(&[("device", value)]).query(NOW), expected);
        }
    }

    #[test]
    fn one_thing_changes_and_the_others_stay() {
        let linked = narrowed(&[("device", "board-1"), ("id", "1-2")]);
        let narrowed = narrowed(&[("device", "board-1"), ("range", "7d")]);
        let expected = "/commands?device=board-1&status=FAIL&range=7d";
        assert_eq!(narrowed.with("status", "FAIL"), expected);
        assert_eq!(narrowed.with("device", ""), "/commands?range=7d");
        assert_eq!(narrowed.with_all(&[("device", ""), ("range", "")]), "/commands");
        assert_eq!(linked.with("range", "1h"), "/commands?device=board-1&range=1h");
        assert_eq!((narrowed.value("range"), narrowed.value("origin")), ("7d", ""));
    }
}
