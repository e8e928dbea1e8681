//! Rows of the history, as the edge and the center both keep them.

use protocol::status::{NumberedRow, StatusRow};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::number::{at, count, moment};
use crate::rows::{RowError, text, whole_number};

/// A row's columns, in the order in which they are written.
pub(crate) fn columns(row: &StatusRow) -> impl Serialize {
    (
        at(row.timestamp),
        at(row.record_time),
        &row.status_type,
        row.bit_position,
        &row.old_value,
        &row.new_value,
        &row.status_name,
        &row.device_id,
    )
}

pub(crate) fn numbered(row: &SqliteRow) -> Result<NumberedRow, RowError> {
    Ok(NumberedRow { id: count(whole_number(row, "id")?), row: status(row)? })
}

pub(crate) fn status(row: &SqliteRow) -> Result<StatusRow, RowError> {
    let bit: Option<i64> = row.try_get("bit_position")?;
    Ok(StatusRow {
        bit_position: bit.map(u8::try_from).transpose()?,
        device_id: text(row, "device_id")?.parse()?,
        new_value: text(row, "new_value")?,
        old_value: text(row, "old_value")?,
        record_time: moment(whole_number(row, "record_time")?),
        status_name: text(row, "status_name")?,
        status_type: text(row, "status_type")?,
        timestamp: moment(whole_number(row, "timestamp")?),
    })
}
