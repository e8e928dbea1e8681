//! What earlier runs left behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use protocol::frame::Offset;
use protocol::id::{DeviceId, IdError};
use protocol::journal::{Facts, Happened, Past, Stay};
use protocol::stream::StreamNameError;
use protocol::time::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteConnection};
use tokio::time::timeout;

use super::KEEP;
use super::file::{JOURNAL, JOURNAL_FILE, kept_since, runs};
use crate::disk::words;
use crate::number::{count, whole};
use crate::open::{Look, OpenError, now};

/// Why the past is not known.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    #[error("the disk did not answer within {0:?}")]
    TooSlow(Duration),
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error("cannot read {file}: {}", words(.cause))]
    Failed { file: &'static str, cause: sqlx::Error },
}

/// Why a row cannot be used.
#[derive(Debug, thiserror::Error)]
enum RowError {
    #[error(transparent)]
    Column(#[from] sqlx::Error),
    #[error(transparent)]
    Name(#[from] IdError),
    #[error(transparent)]
    Stream(#[from] StreamNameError),
    #[error(transparent)]
    Words(#[from] serde_json::Error),
}

/// What earlier runs left behind; waits for the disk no longer than `patience`.
///
/// That is the five minutes before the last run was last known alive, and those before now. It is
/// read before a writer starts; a damaged file is left to the writer, who sets it aside.
pub async fn read_past(directory: &Path, patience: Duration) -> Result<Past, PastError> {
    let read = timeout(patience, read(directory)).await;
    read.unwrap_or(Err(PastError::TooSlow(patience)))
}

async fn read(directory: &Path) -> Result<Past, PastError> {
    let path = directory.join(JOURNAL_FILE);
    match tokio::fs::try_exists(&path).await {
        Ok(true) => {}
        Ok(false) => return Ok(Past::default()),
        Err(cause) => return Err(OpenError::File { path, cause }.into()),
    }
    let pool = JOURNAL.open(directory, Look::Whole).await?;
    let past = gather(&pool).await;
    pool.close().await;
    past.map_err(|cause| PastError::Failed { file: JOURNAL_FILE, cause })
}

async fn gather(pool: &SqlitePool) -> Result<Past, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut runs = runs(&mut connection).await?;
    let since = kept_since(&runs, now(), KEEP);
    let last = runs.pop();
    runs.retain(|run| run.alive_at >= since);
    runs.extend(last);
    let events = all(&mut connection, EVENTS, since, happened).await?;
    let known = all(&mut connection, KNOWN, since, facts).await?;
    let stays = all(&mut connection, STAYS, since, stay).await?;
    let known = known.into_iter().collect::<BTreeMap<_, _>>();
    Ok(Past { events, known, runs, stays, ..Past::default() })
}

/// All rows of a query that can be read.
async fn all<T>(
    connection: &mut SqliteConnection,
    query: &'static str,
    since: Timestamp,
    read: impl Fn(&SqliteRow) -> Result<T, RowError>,
) -> Result<Vec<T>, sqlx::Error> {
    let mut rows = sqlx::query(query).bind(whole(since.as_millis())).fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        match read(&row) {
            Ok(one) => found.push(one),
            Err(error) => tracing::warn!("the journal has a row that cannot be read: {error}"),
        }
    }
    Ok(found)
}

fn happened(row: &SqliteRow) -> Result<Happened, RowError> {
    Ok(Happened {
        at: Timestamp::from_millis(count(row.try_get("at")?)),
        epoch: text(row, "epoch")?.parse()?,
        event: serde_json::from_str(&text(row, "event")?)?,
        offset: Offset(count(row.try_get("offset")?)),
        stream: text(row, "stream")?.parse()?,
    })
}

fn facts(row: &SqliteRow) -> Result<(DeviceId, Facts), RowError> {
    Ok((text(row, "device")?.parse()?, serde_json::from_str(&text(row, "facts")?)?))
}

fn stay(row: &SqliteRow) -> Result<Stay, RowError> {
    let left: Option<i64> = row.try_get("left")?;
    let user: Option<String> = row.try_get("user")?;
    Ok(Stay {
        bases: serde_json::from_str(&text(row, "bases")?)?,
        connection: text(row, "connection")?.parse()?,
        device: text(row, "device")?.parse()?,
        left: left.map(|left| Timestamp::from_millis(count(left))),
        user: user.map(|user| user.parse()).transpose()?,
    })
}

fn text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
    row.try_get(column)
}

const EVENTS: &str = "SELECT * FROM events WHERE at >= ? ORDER BY id";

/// Facts are kept for ever.
const KNOWN: &str = "SELECT * FROM known WHERE ? IS NOT NULL ORDER BY device";

/// Those who left come first; who had not left may come back.
const STAYS: &str = "\
    SELECT * FROM stays WHERE left IS NULL OR left >= ? ORDER BY left IS NULL, left, connection";
