//! What can be asked about what is on record.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use protocol::id::ConnectionId;
use protocol::time::Timestamp;
use protocol::wire::records::Level;
use store::{LogFilter, Module};

use super::Kept;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Follows the chain of the audit trail, and says where it breaks.
    Verify {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        kept: Kept,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// Prints lines of the lifecycle log, the newest first.
    Query(Box<Query>),
}

/// Which lines, and how they are printed.
#[derive(Args, Debug)]
pub(crate) struct Query {
    /// Of this connection.
    #[arg(long, value_name = "ID")]
    pub conn: Option<ConnectionId>,
    /// At this moment or later: 2026-11-28T09:00:00+08:00, or milliseconds since 1970.
    #[arg(long, value_name = "T", value_parser = moment)]
    pub from: Option<Timestamp>,
    /// Before this moment.
    #[arg(long, value_name = "T", value_parser = moment)]
    pub to: Option<Timestamp>,
    /// Of this level or a higher one: info, warn or error.
    #[arg(long, value_name = "L", value_parser = level)]
    pub level: Option<Level>,
    /// WebSocket or Auth.
    #[arg(long, value_name = "M", value_parser = module)]
    pub module: Option<Module>,
    /// Of this user.
    #[arg(long, value_name = "U")]
    pub user: Option<String>,
    /// With these words in the detail, the user or the connection.
    #[arg(long, value_name = "T")]
    pub text: Option<String>,
    /// So many lines at most; else 100, and all of them with --csv or --json.
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroU32>,
    /// As a table for spreadsheets.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// As one JSON object a line.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub kept: Kept,
}

impl Query {
    pub(crate) fn filter(&self) -> LogFilter {
        LogFilter {
            connection: self.conn.clone(),
            user: self.user.clone(),
            module: self.module,
            level: self.level,
            from: self.from,
            to: self.to,
            text: self.text.clone(),
            ..LogFilter::default()
        }
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(millis) = text.parse() {
        return Ok(Timestamp::from_millis(millis));
    }
    let moment: Option<jiff::Timestamp> = text.parse().ok();
    let millis = moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok());
    let wrong = || "it is neither 2026-11-28T09:00:00+08:00 nor milliseconds since 1970".to_owned();
    millis.map(Timestamp::from_millis).ok_or_else(wrong)
}

fn level(word: &str) -> Result<Level, String> {
    match word.to_ascii_lowercase().as_str() {
        "info" => Ok(Level::Info),
        "warn" => Ok(Level::Warn),
        "error" => Ok(Level::Error),
        _ => Err("there are info, warn and error".into()),
    }
}

fn module(word: &str) -> Result<Module, String> {
    let modules = [Module::WebSocket, Module::Auth];
    let found = modules.into_iter().find(|module| module.name().eq_ignore_ascii_case(word));
    found.ok_or_else(|| "there are WebSocket and Auth".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_its_offset_or_in_milliseconds() {
        // S0-81
        let table = [
            ("1795856400123", Some(1_795_856_400_123)),
            ("2026-11-28T09:00:00Z", Some(1_795_856_400_000)),
            ("2026-11-28T17:00:00.5+08:00", Some(1_795_856_400_500)),
            ("2026-11-28T09:00:00", None),
            ("1969-12-31T00:00:00Z", None),
            ("-1", None),
            ("now", None),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text).ok(), expected.map(Timestamp::from_millis), "{text}");
        }
    }

    #[test]
    fn levels_and_modules_are_known_in_any_case() {
        assert_eq!(level("WARN"), Ok(Level::Warn));
        assert_eq!(module("websocket"), Ok(Module::WebSocket));
        assert!(level("loud").is_err() && module("Poller").is_err());
    }
}
