//! An order as a row.

use protocol::command::{CommandRecord, Failure, Order, OrderKey, Origin, Outcome, Steps};
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::wire::commands::CommandRow;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::detail::tidy;
use crate::number::{at, count, moment};
use crate::rows::{RowError, text, whole_number};

/// The columns of a record, by their names.
#[derive(Serialize)]
pub(super) struct Columns<'a> {
    accepted_at: i64,
    origin: Origin,
    user: &'a str,
    device: &'a str,
    command_id: &'a str,
    command: &'a str,
    param: Option<&'a str>,
    valid_until: Option<i64>,
    via: &'a str,
    recorded: Option<u32>,
    sent: Option<u32>,
    written: Option<u32>,
    finished_at: Option<i64>,
    failure: Option<Failure>,
    detail: Option<String>,
    verified: Option<bool>,
    old: Option<String>,
    new: Option<String>,
    ms: Option<u32>,
}

impl<'a> From<&'a CommandRecord> for Columns<'a> {
    fn from(record: &'a CommandRecord) -> Self {
        let CommandRecord { order, accepted_at, steps, outcome } = record;
        let outcome = outcome.as_ref();
        Self {
            accepted_at: at(*accepted_at),
            origin: order.key.origin,
            user: &order.key.user,
            device: order.key.device.as_str(),
            command_id: &order.key.id,
            command: &order.command,
            param: order.param.as_deref(),
            valid_until: order.valid_until.map(at),
            via: &order.via,
            recorded: steps.recorded,
            sent: steps.sent,
            written: steps.written,
            finished_at: outcome.map(|outcome| at(outcome.at)),
            failure: outcome.and_then(|outcome| outcome.failure),
            detail: outcome.and_then(|outcome| outcome.detail.as_deref()).map(tidy),
            verified: outcome.and_then(|outcome| outcome.verified),
            old: outcome.and_then(|outcome| json(outcome.old?)),
            new: outcome.and_then(|outcome| json(outcome.new?)),
            ms: outcome.map(|outcome| outcome.ms),
        }
    }
}

fn json(value: Value) -> Option<String> {
    serde_json::to_string(&value).ok()
}

pub(super) fn record(row: &SqliteRow) -> Result<CommandRecord, RowError> {
    let key = OrderKey {
        origin: text(row, "origin")?.parse()?,
        user: text(row, "user")?,
        device: text(row, "device")?.parse()?,
        id: text(row, "command_id")?,
    };
    let valid_until: Option<i64> = row.try_get("valid_until")?;
    let order = Order {
        key,
        command: text(row, "command")?,
        param: row.try_get("param")?,
        valid_until: valid_until.map(moment),
        via: text(row, "via")?,
    };
    let steps = Steps {
        recorded: row.try_get("recorded")?,
        sent: row.try_get("sent")?,
        written: row.try_get("written")?,
    };
    let accepted_at = moment(whole_number(row, "accepted_at")?);
    Ok(CommandRecord { order, accepted_at, steps, outcome: outcome(row)? })
}

fn outcome(row: &SqliteRow) -> Result<Option<Outcome>, RowError> {
    let Some(at) = row.try_get("finished_at")? else { return Ok(None) };
    let (failure, ms): (Option<String>, Option<u32>) =
        (row.try_get("failure")?, row.try_get("ms")?);
    Ok(Some(Outcome {
        at: moment(at),
        failure: failure.map(|failure| failure.parse()).transpose()?,
        detail: row.try_get("detail")?,
        verified: row.try_get("verified")?,
        old: value(row, "old")?,
        new: value(row, "new")?,
        ms: ms.unwrap_or_default(),
    }))
}

fn value(row: &SqliteRow, column: &str) -> Result<Option<Value>, RowError> {
    let text: Option<String> = row.try_get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.flatten())
}

/// The row as it is told to those who ask.
pub(super) fn told(row: &SqliteRow) -> Result<CommandRow, RowError> {
    let id = count(whole_number(row, "id")?);
    let CommandRecord { order, accepted_at, steps, outcome } = record(row)?;
    let status = |outcome: &Outcome| match outcome.failure {
        Some(_) => CommandStatus::Fail,
        None => CommandStatus::Success,
    };
    let OrderKey { origin, user, device, id: command_id } = order.key;
    Ok(CommandRow {
        accepted_at,
        at: outcome.as_ref().map(|outcome| outcome.at),
        command: order.command,
        command_id,
        detail: outcome.as_ref().and_then(|outcome| outcome.detail.clone()),
        device_id: device,
        id,
        ms: outcome.as_ref().map(|outcome| outcome.ms),
        new: outcome.as_ref().and_then(|outcome| outcome.new),
        old: outcome.as_ref().and_then(|outcome| outcome.old),
        origin,
        param: order.param,
        reason: outcome.as_ref().and_then(|outcome| outcome.failure),
        status: outcome.as_ref().map(status),
        steps,
        user,
        verified: outcome.as_ref().and_then(|outcome| outcome.verified),
        via: order.via,
    })
}
