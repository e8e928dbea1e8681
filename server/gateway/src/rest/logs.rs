//! `GET /api/logs/websocket` and `.csv`: the lifecycle log (S0-80, S0-81).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use jiff::tz::TimeZone;
use protocol::time::Timestamp;
use protocol::wire::records::{Level, LogRow};
use store::{Kind, LogFilter, Module};

use super::query::{Asked, Filter, moment, parsed, put, text, unknown, word};
use super::sheet::{PRIVATE, answer, heading, local, plain, unavailable, written};
use crate::Gateway;
use crate::error::ApiError;

/// One page, the newest first.
pub(crate) async fn page(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, before, limit } = Asked::<LogFilter>::read(&request.uri)?;
    let history = gateway.records.history();
    let page = history.page(&filter, before, limit).await.map_err(unavailable)?;
    Ok((PRIVATE, Json(page)).into_response())
}

/// All pages as one table, told as it is read.
pub(crate) async fn sheet(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, .. } = Asked::<LogFilter>::read(&request.uri)?;
    let (zone, rows) = (gateway.zone(), gateway.records.history().all(filter));
    let cells = move |row: &LogRow| cells(row, local(row.at, zone.as_ref()));
    answer("attachment; filename=\"websocket-log.csv\"", COLUMNS, rows, cells).await
}

/// The names of the columns of the log, as a table for spreadsheets begins.
pub fn log_heading() -> Result<Vec<u8>, csv::Error> {
    heading(COLUMNS)
}

/// Lines of the log as rows of that table, with times in a zone.
pub fn log_lines(rows: &[LogRow], zone: Option<&TimeZone>) -> Result<Vec<u8>, csv::Error> {
    written(rows.iter().map(|row| cells(row, local(row.at, zone))))
}

impl Filter for LogFilter {
    fn narrow(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "connection_id" => put(&mut self.connection, name, parsed(value)),
            "device" => put(&mut self.device, name, parsed(value)),
            "user" => put(&mut self.user, name, text(value)),
            "kind" => put(&mut self.kind, name, word(value, Kind::of)),
            "module" => put(&mut self.module, name, word(value, Module::of)),
            "level" => put(&mut self.level, name, word(value, level)),
            "from" => put(&mut self.from, name, moment(value)),
            "to" => put(&mut self.to, name, moment(value)),
            "text" => put(&mut self.text, name, text(value)),
            other => Err(unknown(other)),
        }
    }

    fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.to)
    }
}

fn level(word: &str) -> Option<Level> {
    match word {
        "INFO" => Some(Level::Info),
        "WARN" => Some(Level::Warn),
        "ERROR" => Some(Level::Error),
        _ => None,
    }
}

fn cells(row: &LogRow, time: String) -> [String; COLUMNS.len()] {
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let maybe = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
    let level = match row.level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    [
        row.id.to_string(),
        time,
        row.at.to_string(),
        level.into(),
        plain(&row.module),
        plain(&row.kind),
        maybe(&row.connection_id),
        maybe(&row.device_id),
        maybe(&row.user),
        plain(&row.detail),
        number(row.frames_sent),
        number(row.bytes_sent),
    ]
}

const COLUMNS: [&str; 12] = [
    "id",
    "at",
    "at_ms",
    "level",
    "module",
    "kind",
    "connection_id",
    "device",
    "user",
    "detail",
    "frames_sent",
    "bytes_sent",
];
