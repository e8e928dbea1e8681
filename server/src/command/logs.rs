//! `gapless logs`: what happened to connections and sign-ins (S0-78, S0-80, S0-81).

use std::io::{self, BufWriter, Write};

use anyhow::Context as _;
use config::Configuration;
use config::overrides::Variables;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::tz::TimeZone;
use protocol::time::Timestamp;
use protocol::wire::records::{Level, LogRow};
use store::{FILE, LogHistory};
use tokio::runtime::Runtime;

use super::kept;
use crate::cli::{DONE, Query};
use crate::log;

pub(super) fn query(asked: &Query, variables: &Variables) -> anyhow::Result<u8> {
    log::begin(variables, log::QUIET)?;
    let configuration = kept::configuration(&asked.kept, variables)?;
    kept::is_there(&configuration.data_dir, FILE)?;
    match Runtime::new()?.block_on(print(asked, &configuration)) {
        // Whoever reads has read enough.
        Err(error) if is_hung_up(&error) => Ok(DONE),
        printed => printed.map(|()| DONE),
    }
}

async fn print(asked: &Query, configuration: &Configuration) -> anyhow::Result<()> {
    let is_whole = asked.csv || asked.json;
    let most = asked.limit.map(|limit| limit.get() as usize);
    let most = most.unwrap_or(if is_whole { usize::MAX } else { USUAL });
    let zone = configuration.plant.sites.first();
    let zone = zone.and_then(|site| TimeZone::get(&site.zone).ok());
    let history = LogHistory::of(&configuration.data_dir);
    let rows = history.all(asked.filter()).take(most).ready_chunks(TOGETHER);
    let mut parts = Box::pin(rows.map(|part| part.into_iter().collect::<Result<Vec<_>, _>>()));
    let mut out = BufWriter::new(io::stdout().lock());
    if asked.csv {
        out.write_all(&gateway::log_heading()?)?;
    }
    while let Some(rows) = parts.try_next().await.context("cannot read the log")? {
        if asked.csv {
            out.write_all(&gateway::log_lines(&rows, zone.as_ref())?)?;
            continue;
        }
        for row in &rows {
            match asked.json {
                true => writeln!(out, "{}", serde_json::to_string(row)?)?,
                false => writeln!(out, "{}", line(row))?,
            }
        }
    }
    Ok(out.flush()?)
}

/// One line, as S0-78 wants it: when, how much it matters, and what it belongs to.
fn line(row: &LogRow) -> String {
    let level = match row.level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let maybe = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let (connection, user) = (maybe(&row.connection_id), maybe(&row.user));
    let LogRow { module, kind, detail, .. } = row;
    let mut line = format!(
        "{} {level:<5} [{module}] conn={connection} user={user} {kind}: {detail}",
        utc(row.at)
    );
    if let (Some(frames), Some(bytes)) = (row.frames_sent, row.bytes_sent) {
        line += &format!(" frames={frames} bytes={bytes}");
    }
    // What stands in the file may have been put there by anybody.
    line.replace(char::is_control, "\u{FFFD}")
}

fn utc(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{moment:.3}")
}

fn is_hung_up(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// As many lines as somebody at a terminal looks through.
const USUAL: usize = 100;

/// Lines that are written together, where so many are at hand.
const TOGETHER: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> LogRow {
        LogRow {
            at: Timestamp::from_millis(1_795_856_400_120),
            bytes_sent: None,
            connection_id: Some("c-1".into()),
            detail: "from 10.0.0.7".into(),
            device_id: None,
            frames_sent: None,
            id: 7,
            kind: "opened".into(),
            level: Level::Info,
            module: "WebSocket".into(),
            user: Some("li".into()),
        }
    }

    #[test]
    fn a_line_says_when_how_bad_and_of_what() {
        // S0-73, S0-74, S0-75, S0-78
        let closed = LogRow {
            bytes_sent: Some(2048),
            frames_sent: Some(12),
            kind: "closed".into(),
            level: Level::Warn,
            user: None,
            ..row()
        };
        let table = [
            (
                row(),
                "2026-11-28T09:00:00.120Z INFO  [WebSocket] conn=c-1 user=li opened: from 10.0.0.7",
            ),
            (
                closed,
                "2026-11-28T09:00:00.120Z WARN  [WebSocket] conn=c-1 user=- closed: from 10.0.0.7 \
                 frames=12 bytes=2048",
            ),
        ];
        for (row, expected) in table {
            assert_eq!(line(&row), expected);
        }
    }

    #[test]
    fn nothing_in_a_row_begins_another_line() {
        let forged = "x\r\n2026-11-28T09:00:00.000Z INFO  [Auth] \u{1b}[2J";
        let row = LogRow { detail: forged.into(), user: Some(forged.into()), ..row() };
        assert!(!line(&row).contains(char::is_control), "{}", line(&row));
    }

    #[test]
    fn a_moment_that_is_none_is_still_a_line() {
        let row = LogRow { at: Timestamp::from_millis(u64::MAX), ..row() };
        assert!(line(&row).starts_with("9999-12-30T22:00:00.999Z "), "{}", line(&row));
    }
}
