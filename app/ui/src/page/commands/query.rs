//! What the address of the page asks of the record.

use std::time::Duration;

use leptos_router::params::ParamsMap;
use protocol::time::Timestamp;

/// One thing by which the record is narrowed, and the value that it has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Narrowed {
    pub device: Option<String>,
    pub origin: Option<String>,
    pub range: Option<String>,
    pub status: Option<String>,
}

impl Narrowed {
    pub(super) fn of(params: &ParamsMap) -> Self {
        let one = |name: &str| params.get(name).filter(|value| is_word(value));
        Self {
            device: one("device"),
            origin: one("origin"),
            range: one("range").filter(|range| length(range).is_some()),
            status: one("status"),
        }
    }

    /// The address of this page with one thing changed.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let value = Some(value.to_owned()).filter(|value| !value.is_empty());
        let mut other = self.clone();
        match name {
            "device" => other.device = value,
            "origin" => other.origin = value,
            "range" => other.range = value,
            _ => other.status = value,
        }
        let query = joined(&other.pairs());
        if query.is_empty() { "/commands".into() } else { format!("/commands?{query}") }
    }

    /// As `GET /api/commands` is asked.
    pub(super) fn query(&self, now: Timestamp) -> String {
        let mut pairs = self.pairs();
        pairs.retain(|(name, _)| *name != "range");
        let from = self.range.as_deref().and_then(length).map(|length| before(now, length));
        pairs.extend(from.map(|from| ("from", from.to_string())));
        joined(&pairs)
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("device", &self.device),
            ("origin", &self.origin),
            ("range", &self.range),
            ("status", &self.status),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// Only such values are asked for, and none of them needs to be escaped.
fn is_word(value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !value.is_empty() && value.chars().all(is_plain)
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
    let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let from = now.as_millis().saturating_sub(length);
    Timestamp::from_millis(from - from % 60_000)
}

fn joined(pairs: &[(&'static str, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

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
        assert_eq!(
            narrowed.with("status", "FAIL"),
            "/commands?device=board-1&range=7d&status=FAIL"
        );
        assert_eq!(narrowed.with("device", ""), "/commands?range=7d");
    }
}
