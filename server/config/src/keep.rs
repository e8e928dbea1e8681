//! `[log]` and `[records]`: what is written down, where, and for how long.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::Value;
use crate::finding::{nearest, shown};
use crate::parse::{text, word};
use crate::quantity::{DAY, bytes, duration, spelled};
use crate::section::Section;

/// What is logged, and where that is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// Beside standard error.
    pub directory: Option<PathBuf>,
    pub keep: Duration,
    /// The oldest files go once all of them are larger.
    pub keep_bytes: u64,
    /// Such as `info` or `field=debug,warn`.
    pub level: String,
}

/// For how long records are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Records {
    /// Who connected, what went wrong, how much was sent.
    pub keep: Duration,
    /// Who was refused, and who did what.
    pub keep_security: Duration,
}

/// `usual` is the directory where none is configured.
pub(crate) fn log(root: &mut Section<'_>, usual: Option<&Path>) -> Option<Log> {
    let mut section = root.section("log");
    let usual = usual.map(Path::to_string_lossy).unwrap_or_default();
    let directory = section.read_or("directory", &usual, text);
    let keep = section.read_or("keep", "31d", kept);
    let keep_bytes = section.read_or("keep_bytes", "1GB", bytes(FEWEST_BYTES..=MOST_BYTES));
    let level = section.read_or("level", "info", level);
    section.finish();
    Some(Log {
        directory: Some(directory?).filter(|name| !name.is_empty()).map(PathBuf::from),
        keep: keep?,
        keep_bytes: keep_bytes?,
        level: level?,
    })
}

pub(crate) fn records(root: &mut Section<'_>) -> Option<Records> {
    let mut section = root.section("records");
    let keep = section.read_or("keep", "31d", kept);
    let place = section.place_of("keep_security");
    let keep_security = section.read_or("keep_security", "180d", kept);
    if let Some(short) = keep_security.filter(|keep| *keep < USUAL_SECURITY) {
        let (short, usual) = (spelled(short), spelled(USUAL_SECURITY));
        let text = format!("`keep_security` is {short}: who did what is usually kept for {usual}");
        section.notes.findings.warn(&place, text);
    }
    section.finish();
    Some(Records { keep: keep?, keep_security: keep_security? })
}

/// A time that is long enough for whoever looks into it later.
fn kept(value: &Value) -> Result<Duration, String> {
    duration(KEPT)(value).map_err(|text| match duration(Duration::ZERO..=*KEPT.start())(value) {
        Ok(_) => format!("{text}: logs are kept for at least 30 days (S0-79)"),
        Err(_) => text,
    })
}

/// A level, or one for each of several modules: `field=debug,warn`.
fn level(value: &Value) -> Result<String, String> {
    let written = word(value)?;
    for part in written.split(',') {
        let (module, level) = part.split_once('=').unwrap_or(("all", part));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        if module.is_empty() || !module.chars().all(is_plain) {
            return Err(format!("names no module: {}", shown(module)));
        }
        let level = level.to_ascii_lowercase();
        if !LEVELS.contains(&level.as_str()) {
            let all = LEVELS.join(", ");
            let near = nearest(&level, LEVELS);
            return Err(format!("{} is none of {all}{near}", shown(&level)));
        }
    }
    Ok(written)
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// S0-79: at least thirty days. Ten years are longer than any disk lasts.
const KEPT: RangeInclusive<Duration> =
    Duration::from_secs(30 * DAY.as_secs())..=Duration::from_secs(3_660 * DAY.as_secs());

/// Half a year: what is found out is found out late.
const USUAL_SECURITY: Duration = Duration::from_secs(180 * DAY.as_secs());

/// Less would not hold a bad day.
const FEWEST_BYTES: u64 = 10_000_000;
const MOST_BYTES: u64 = 1_000_000_000_000;
