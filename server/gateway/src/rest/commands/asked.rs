//! What a query asks of the record of orders.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::extract::Query;
use http::Uri;
use protocol::frame::CommandStatus;
use protocol::time::Timestamp;
use store::{CommandFilter, Place};

use crate::error::ApiError;

/// Which rows, and how many of them at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) filter: CommandFilter,
    pub(super) before: Option<Place>,
    pub(super) limit: NonZeroU32,
}

impl Asked {
    /// Reads a query; what stands there without a value is not asked.
    pub(super) fn read(uri: &Uri) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| bad("query", error.body_text()))?;
        let (mut filter, mut before, mut rows) = (CommandFilter::default(), None, None);
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "before" => put(&mut before, name, parsed(value))?,
                "limit" => put(&mut rows, name, limit(value))?,
                _ => narrow(&mut filter, name, value)?,
            }
        }
        match (filter.from, filter.to) {
            (Some(from), Some(to)) if from > to => Err(bad("to", "is earlier than `from`")),
            _ => Ok(Self { filter, before, limit: rows.unwrap_or(USUAL) }),
        }
    }
}

fn narrow(filter: &mut CommandFilter, name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "device" => put(&mut filter.device, name, parsed(value)),
        "origin" => put(&mut filter.origin, name, parsed(value)),
        "user" => put(&mut filter.user, name, text(value)),
        "command" => put(&mut filter.command, name, text(value)),
        "status" => put(&mut filter.status, name, status(value)),
        "reason" => put(&mut filter.failure, name, parsed(value)),
        "from" => put(&mut filter.from, name, moment(value)),
        "to" => put(&mut filter.to, name, moment(value)),
        "text" => put(&mut filter.text, name, text(value)),
        unknown => Err(bad(&shown(unknown), "is none of the parameters")),
    }
}

/// Each parameter counts once.
fn put<T>(field: &mut Option<T>, name: &str, value: Result<T, String>) -> Result<(), ApiError> {
    let value = value.map_err(|why| bad(name, why))?;
    if field.replace(value).is_some() {
        return Err(bad(name, "stands there twice"));
    }
    Ok(())
}

fn parsed<T: FromStr<Err: Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| format!("`{}`: {error}", shown(value)))
}

fn text(value: &str) -> Result<String, String> {
    let is_short = value.chars().count() <= LONGEST;
    is_short.then(|| value.to_owned()).ok_or_else(|| format!("has more than {LONGEST} characters"))
}

fn status(value: &str) -> Result<CommandStatus, String> {
    match value {
        "SUCCESS" => Ok(CommandStatus::Success),
        "FAIL" => Ok(CommandStatus::Fail),
        other => Err(format!("`{}` is neither SUCCESS nor FAIL", shown(other))),
    }
}

fn moment(value: &str) -> Result<Timestamp, String> {
    let millis = value.parse().ok().filter(|millis| *millis <= LATEST);
    let wrong = || format!("`{}` is no time in milliseconds since 1970", shown(value));
    millis.map(Timestamp::from_millis).ok_or_else(wrong)
}

fn limit(value: &str) -> Result<NonZeroU32, String> {
    let rows: Option<NonZeroU32> = value.parse().ok().filter(|rows| *rows <= MOST);
    rows.ok_or_else(|| format!("must be 1 to {MOST}, not `{}`", shown(value)))
}

fn bad(name: &str, why: impl Into<String>) -> ApiError {
    ApiError::BadQuery { name: name.into(), why: why.into() }
}

/// As much of a foreign text as an answer repeats.
fn shown(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// As many as a table on a screen shows.
const USUAL: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// What is answered within a moment, and read within another.
const MOST: NonZeroU32 = NonZeroU32::new(500).expect("not zero");

/// Names are no longer.
const LONGEST: usize = 80;

/// Up to the end of the year 9999, as far as times are written.
const LATEST: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use protocol::command::{Failure, Origin};

    use super::*;

    fn read(query: &str) -> Result<Asked, String> {
        let uri = format!("/api/commands?{query}").parse().unwrap();
        Asked::read(&uri).map_err(|error| error.to_string())
    }

    #[test]
    fn every_parameter_narrows_what_is_told() {
        let all = "device=board-1&origin=system_server&user=%E5%BC%A0%E4%B8%89&command=START&\
                   status=FAIL&reason=DEVICE_TIMEOUT&from=1000&to=2000&text=10.0.0.7&limit=500";
        let expected = CommandFilter {
            device: Some("board-1".parse().unwrap()),
            origin: Some(Origin::SystemServer),
            user: Some("张三".into()),
            command: Some("START".into()),
            status: Some(CommandStatus::Fail),
            failure: Some(Failure::DeviceTimeout),
            from: Some(Timestamp::from_millis(1_000)),
            to: Some(Timestamp::from_millis(2_000)),
            text: Some("10.0.0.7".into()),
        };
        let asked = read(all).unwrap();
        assert_eq!((asked.filter, asked.limit.get()), (expected, 500));
        let nothing = read("device=&origin=&limit=&before=").unwrap();
        assert_eq!((nothing.filter, nothing.before), (CommandFilter::default(), None));
        assert_eq!(nothing.limit.get(), 100);
    }

    #[test]
    fn what_cannot_be_asked_is_named() {
        let table = [
            ("device=a%20b", "`device` `a b`: identifier `a b` may hold only"),
            ("origin=nobody", "`origin` `nobody`: `nobody` is not known here"),
            ("status=success", "`status` `success` is neither SUCCESS nor FAIL"),
            ("from=-1", "`from` `-1` is no time in milliseconds"),
            ("to=253402300800000", "`to` `253402300800000` is no time"),
            ("to=NaN", "`to` `NaN` is no time"),
            ("from=2&to=1", "`to` is earlier than `from`"),
            ("reason=BORED", "`reason` `BORED`: `BORED` is not known here"),
            ("before=x", "`before` `x`"),
            ("limit=0", "`limit` must be 1 to 500, not `0`"),
            ("limit=501", "`limit` must be 1 to 500, not `501`"),
            ("limit=1&limit=1", "`limit` stands there twice"),
            ("colour=red", "`colour` is none of the parameters"),
        ];
        for (query, expected) in table {
            let told = read(query).unwrap_err();
            assert!(told.starts_with(expected), "{query}: {told}");
        }
        assert!(read(&format!("user={}", "x".repeat(81))).is_err());
    }
}
