//! What a query asks of a record: which rows, and how many of them at once.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::extract::Query;
use http::Uri;
use protocol::time::Timestamp;
use store::Place;

use crate::error::ApiError;

/// Which rows, and how many of them at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked<F> {
    pub(crate) filter: F,
    pub(crate) before: Option<Place>,
    pub(crate) limit: NonZeroU32,
}

/// Which rows are wanted, as a query narrows it down.
pub(crate) trait Filter: Default {
    /// Takes in one parameter.
    fn narrow(&mut self, name: &str, value: &str) -> Result<(), ApiError>;

    /// The span of time that is wanted.
    fn span(&self) -> (Option<Timestamp>, Option<Timestamp>);
}

impl<F: Filter> Asked<F> {
    /// Reads a query; what stands there without a value is not asked.
    pub(crate) fn read(uri: &Uri) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| bad("query", error.body_text()))?;
        let (mut filter, mut before, mut rows) = (F::default(), None, None);
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "before" => put(&mut before, name, parsed(value))?,
                "limit" => put(&mut rows, name, limit(value))?,
                _ => filter.narrow(name, value)?,
            }
        }
        match filter.span() {
            (Some(from), Some(to)) if from > to => Err(bad("to", "is earlier than `from`")),
            _ => Ok(Self { filter, before, limit: rows.unwrap_or(USUAL) }),
        }
    }
}

/// Each parameter counts once.
pub(super) fn put<T>(
    field: &mut Option<T>,
    name: &str,
    value: Result<T, String>,
) -> Result<(), ApiError> {
    let value = value.map_err(|why| bad(name, why))?;
    if field.replace(value).is_some() {
        return Err(bad(name, "stands there twice"));
    }
    Ok(())
}

pub(super) fn unknown(name: &str) -> ApiError {
    bad(&shown(name), "is none of the parameters")
}

pub(super) fn parsed<T: FromStr<Err: Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| format!("`{}`: {error}", shown(value)))
}

/// One of some words.
pub(super) fn word<T>(value: &str, of: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    of(value).ok_or_else(|| format!("`{}` is not known here", shown(value)))
}

pub(super) fn text(value: &str) -> Result<String, String> {
    let is_short = value.chars().count() <= LONGEST;
    is_short.then(|| value.to_owned()).ok_or_else(|| format!("has more than {LONGEST} characters"))
}

pub(super) fn moment(value: &str) -> Result<Timestamp, String> {
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
pub(super) fn shown(text: &str) -> String {
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
