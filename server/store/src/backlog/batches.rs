//! Rows on their way up, oldest first.

use futures_util::TryStreamExt as _;
use protocol::id::Incarnation;
use protocol::status::{NumberedRow, StatusBatch};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::file::{BACKLOG_FILE, incarnation};
use crate::reads::HistoryError;
use crate::rows::whole_number;
use crate::status::numbered;

/// A place among the rows that are not uploaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    incarnation: Incarnation,
    timestamp: i64,
    id: i64,
}

/// Rows, and the place after the last of them.
struct Stretch {
    incarnation: Incarnation,
    rows: Vec<NumberedRow>,
    end: Option<Cursor>,
}

pub(super) async fn after(
    pool: &SqlitePool,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<StatusBatch, HistoryError> {
    let Stretch { incarnation, rows, .. } = read(pool, cursor, limit).await?;
    Ok(StatusBatch { incarnation, rows })
}

pub(super) async fn many_after(
    pool: &SqlitePool,
    cursor: Option<&Cursor>,
    most: u32,
) -> Result<(Vec<StatusBatch>, Option<Cursor>), HistoryError> {
    let Stretch { incarnation, mut rows, end } =
        read(pool, cursor, most.saturating_mul(LARGEST_BATCH)).await?;
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let later = rows.split_off(rows.len().min(LARGEST_BATCH as usize));
        batches.push(StatusBatch { incarnation: incarnation.clone(), rows });
        rows = later;
    }
    Ok((batches, end))
}

async fn read(
    pool: &SqlitePool,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Stretch, HistoryError> {
    let mut connection = pool.acquire().await?;
    let incarnation = incarnation(&mut connection).await?;
    // A cursor of another life of the file says nothing about this one.
    let cursor = cursor.filter(|cursor| cursor.incarnation == incarnation);
    let (rows, end) = stretch(&mut connection, cursor, limit).await?;
    let end = end.map(|(timestamp, id)| Cursor { incarnation: incarnation.clone(), timestamp, id });
    Ok(Stretch { incarnation, rows, end: end.or_else(|| cursor.cloned()) })
}

async fn stretch(
    connection: &mut SqliteConnection,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<NumberedRow>, Option<(i64, i64)>), sqlx::Error> {
    let (timestamp, id) = cursor.map_or((i64::MIN, 0), |cursor| (cursor.timestamp, cursor.id));
    let query = sqlx::query(PENDING_AFTER).bind(timestamp).bind(id).bind(limit);
    let (mut found, mut rows, mut end) = (query.fetch(connection), Vec::new(), None);
    while let Some(row) = found.try_next().await? {
        end = Some((whole_number(&row, "timestamp")?, whole_number(&row, "id")?));
        match numbered(&row) {
            Ok(one) => rows.push(one),
            Err(error) => {
                tracing::warn!("{BACKLOG_FILE} has a row that cannot be read: {error}");
            }
        }
    }
    Ok((rows, end))
}

/// S0-48.
const LARGEST_BATCH: u32 = 100;

/// S0-47.
const PENDING_AFTER: &str = "\
    SELECT id, timestamp, record_time, status_type, bit_position, old_value, new_value, \
    status_name, device_id FROM status_history \
    WHERE upload_status IN (0, 2) AND (timestamp, id) > (?, ?) ORDER BY timestamp, id LIMIT ?";
