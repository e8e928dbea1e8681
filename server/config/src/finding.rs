//! What is wrong with a configuration, and where: collected, so that all of it is told at once.

use std::fmt;
use std::sync::Arc;

/// Where a value stands, or what else set it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    Default,
    /// The program itself, for its demonstration.
    BuiltIn,
    /// A file as a whole.
    File(Arc<str>),
    /// Line and column of a text file, from 1.
    Line {
        file: Arc<str>,
        line: usize,
        column: usize,
    },
    /// Row of a table, the heading being row 1, and the column's name.
    Row {
        file: Arc<str>,
        row: u64,
        column: Option<&'static str>,
    },
    /// An environment variable.
    Variable(String),
    /// A switch of the command line.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::BuiltIn => f.write_str("built in"),
            Self::File(file) => f.write_str(file),
            Self::Line { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Row { file, row, column: None } => write!(f, "{file}: row {row}"),
            Self::Row { file, row, column: Some(column) } => {
                write!(f, "{file}: row {row}, `{column}`")
            }
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One thing to tell whoever wrote the configuration.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Finding {
    pub place: Place,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl Finding {
    /// Stays on one line, and leaves a terminal alone, whatever foreign text it repeats.
    fn new(place: &Place, text: impl Into<String>) -> Self {
        Self { place: place.clone(), text: text.into().chars().map(visible).collect() }
    }
}

/// Shows what a terminal would take for an order.
pub(crate) fn visible(c: char) -> String {
    if c.is_control() { c.escape_debug().to_string() } else { c.into() }
}

/// All that was found so far.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub mistakes: Vec<Finding>,
    pub warnings: Vec<Finding>,
}

impl Findings {
    pub(crate) fn mistake(&mut self, place: &Place, text: impl Into<String>) {
        self.mistakes.push(Finding::new(place, text));
    }

    pub(crate) fn warn(&mut self, place: &Place, text: impl Into<String>) {
        self.warnings.push(Finding::new(place, text));
    }

    /// Notes why there is no value; the caller goes on with what else there is to check.
    pub(crate) fn keep<T>(&mut self, place: &Place, result: Result<T, String>) -> Option<T> {
        result.map_err(|text| self.mistake(place, text)).ok()
    }
}

/// ``; did you mean `host`?``, where one of `known` comes close to what was written.
pub(crate) fn nearest(written: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let scored = known.into_iter().map(|word| {
        let written = written.to_lowercase();
        let alike = strsim::jaro_winkler(&written, word.as_ref());
        let slips = strsim::normalized_damerau_levenshtein(&written, word.as_ref());
        (alike.max(slips), word)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, word)) if likeness >= CLOSE => {
            format!("; did you mean `{}`?", word.as_ref())
        }
        _ => String::new(),
    }
}

/// Below this likeness a suggestion confuses more than it helps.
const CLOSE: f64 = 0.66;

/// `1 mistake`, `2 mistakes`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// As much of a foreign text as a finding repeats, on one line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("`{}{cut}`", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_before_what() {
        let file: Arc<str> = "points.csv".into();
        let row = Place::Row { file: file.clone(), row: 7, column: Some("bit") };
        let line = Place::Line { file, line: 3, column: 5 };
        let table = [
            (row, "points.csv: row 7, `bit`: wrong"),
            (line, "points.csv:3:5: wrong"),
            (Place::Variable("GAPLESS__LISTEN".into()), "GAPLESS__LISTEN: wrong"),
            (Place::Flag("--listen"), "--listen: wrong"),
        ];
        for (place, expected) in table {
            assert_eq!(Finding { place, text: "wrong".into() }.to_string(), expected);
        }
    }

    #[test]
    fn a_finding_stays_on_one_line() {
        let mut findings = Findings::default();
        findings.mistake(&Place::Default, "`a\n\u{1b}[2J电`");
        findings.warn(&Place::Default, "`\r`");
        let told = [&findings.mistakes[0].text, &findings.warnings[0].text];
        assert_eq!(told, ["`a\\n\\u{1b}[2J电`", "`\\r`"]);
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let known = ["host", "port", "poll_interval"];
        assert_eq!(nearest("hots", known), "; did you mean `host`?");
        assert_eq!(nearest("Pol_Intervall", known), "; did you mean `poll_interval`?");
        assert_eq!(nearest("zzz", known), "");
        assert_eq!(nearest("zzz", [] as [&str; 0]), "");
    }
}
