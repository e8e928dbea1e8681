//! The name of a log file: its day, and which of that day's files it is.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// Names are in the order of the files' lines.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Name {
    /// In UTC, as the times in it are.
    pub day: Date,
    /// 1, 2, 3, …
    pub number: u32,
}

/// A file that is none of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Foreign;

impl Name {
    /// The file after this one on the same day.
    pub(super) fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => write!(f, "{BEGINNING}{}{END}", self.day),
            number => write!(f, "{BEGINNING}{}.{number}{END}", self.day),
        }
    }
}

impl FromStr for Name {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let inner = text.strip_prefix(BEGINNING).and_then(|text| text.strip_suffix(END));
        let (day, number) =
            inner.map(|inner| inner.split_once('.').unwrap_or((inner, "1"))).ok_or(Foreign)?;
        let day = day.parse().map_err(|_| Foreign)?;
        let number = number.parse().map_err(|_| Foreign)?;
        let name = Self { day, number };
        // What is written otherwise was not written by us.
        if name.to_string() == text { Ok(name) } else { Err(Foreign) }
    }
}

const BEGINNING: &str = "gapless-";
const END: &str = ".jsonl";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_name_reads_back_as_written_and_no_other_file_is_ours() {
        let first = Name { day: date(2026, 11, 28), number: 1 };
        assert_eq!(first.to_string(), "gapless-2026-11-28.jsonl");
        assert_eq!(first.next().to_string(), "gapless-2026-11-28.2.jsonl");
        for name in [first, first.next(), Name { number: 1_000, ..first }] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        let table = [
            "gapless-2026-11-28.1.jsonl",
            "gapless-2026-11-28.02.jsonl",
            "gapless-2026-11-28.0.jsonl.gz",
            "gapless-2026-11-31.jsonl",
            "gapless-20261128.jsonl",
            "gapless-.jsonl",
            "other-2026-11-28.jsonl",
            "gapless.jsonl",
            "",
        ];
        for text in table {
            assert_eq!(text.parse::<Name>(), Err(Foreign), "{text}");
        }
    }

    #[test]
    fn the_tenth_file_comes_after_the_ninth_and_before_the_next_day() {
        let name = |day: i8, number| Name { day: date(2026, 11, day), number };
        let ordered = [name(27, 1), name(28, 1), name(28, 9), name(28, 10), name(29, 1)];
        assert!(ordered.is_sorted());
    }
}
