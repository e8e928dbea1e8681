//! One row of a table: each cell read by its column's rule, and every mistake noted.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use csv::StringRecord;

use super::columns::Columns;
use crate::finding::{Findings, Place, nearest, shown};

/// The cells of one row.
pub(crate) struct Row<'a> {
    pub file: &'a Arc<str>,
    pub number: u64,
    pub columns: &'a Columns,
    pub record: &'a StringRecord,
    pub findings: &'a mut Findings,
}

impl Row<'_> {
    /// What the cell says; an empty cell is a mistake.
    pub(crate) fn require<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.is_empty(column) && self.columns.has(column) {
            self.mistake(column, "must not be empty");
        }
        self.read(column, parse)
    }

    /// What the cell says; nothing where it is empty, or wrong.
    pub(crate) fn read<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let result = parse(self.columns.cell(column, self.record)?);
        let place = self.place(column);
        self.findings.keep(&place, result)
    }

    pub(crate) fn text(&self, column: &'static str) -> String {
        self.columns.cell(column, self.record).unwrap_or_default().into()
    }

    pub(crate) fn is_empty(&self, column: &'static str) -> bool {
        self.columns.cell(column, self.record).is_none()
    }

    pub(crate) fn mistake(&mut self, column: &'static str, text: impl Into<String>) {
        let place = self.place(column);
        self.findings.mistake(&place, text);
    }

    pub(crate) fn warn(&mut self, column: &'static str, text: impl Into<String>) {
        let place = self.place(column);
        self.findings.warn(&place, text);
    }

    fn place(&self, column: &'static str) -> Place {
        Place::Row { file: self.file.clone(), row: self.number, column: Some(column) }
    }
}

/// Anything that reads itself from text.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A number that is one: neither infinite nor NaN.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| {
        let hint = if text.contains(',') { "; write a point before the decimals" } else { "" };
        format!("{} is no number{hint}", shown(text))
    })
}

/// A number from zero on.
pub(crate) fn amount(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if number < 0.0 { Err(format!("must not be negative, as {number} is")) } else { Ok(number) }
}

pub(crate) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: Copy + Display + PartialOrd + TryFrom<u64>,
{
    move |text| {
        let number = text.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
        let inside = number.filter(|number| range.contains(number));
        let (from, to) = (range.start(), range.end());
        inside.ok_or_else(|| format!("must be an integer from {from} to {to}, not {}", shown(text)))
    }
}

pub(crate) fn choice<T: Copy>(words: &[(&str, T)]) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let near = nearest(text, &known);
            format!("{} is none of {}{near}", shown(text), known.join(", "))
        })
    }
}

pub(crate) const YES_NO: [(&str, bool); 6] =
    [("yes", true), ("no", false), ("true", true), ("false", false), ("1", true), ("0", false)];
