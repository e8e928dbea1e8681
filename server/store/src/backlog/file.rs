//! The file of the backlog: what is written to it, and what is removed.

use protocol::id::Incarnation;
use protocol::status::StatusRow;
use protocol::time::Timestamp;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::Extent;
use crate::number::{at, count, moment, whole};
use crate::open::{Database, LONG_LOG};
use crate::rows::{rows, text};
use crate::status::columns;

/// What is counted of the file, kept in it with each change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) pending: u64,
    pub(super) given_up: u64,
}

/// Begins the life of a file that has none.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let incarnation = Uuid::new_v4().to_string();
    sqlx::query(BEGIN).bind(incarnation).execute(connection).await.map(drop)
}

pub(super) async fn incarnation(
    connection: &mut SqliteConnection,
) -> Result<Incarnation, sqlx::Error> {
    let row = sqlx::query("SELECT incarnation FROM life").fetch_one(connection).await?;
    let incarnation = text(&row, "incarnation")?.parse();
    incarnation.map_err(|error: protocol::id::IdError| sqlx::Error::Decode(error.into()))
}

pub(super) async fn counts(connection: &mut SqliteConnection) -> Result<Counts, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM life").fetch_one(connection).await?;
    let number = |column| Ok::<_, sqlx::Error>(count(row.try_get(column)?));
    Ok(Counts { rows: number("rows")?, pending: number("pending")?, given_up: number("given_up")? })
}

pub(super) async fn keep_counts(
    connection: &mut SqliteConnection,
    counts: Counts,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("UPDATE life SET rows = ?, pending = ?, given_up = ?");
    let query = query.bind(whole(counts.rows)).bind(whole(counts.pending));
    query.bind(whole(counts.given_up)).execute(connection).await.map(drop)
}

pub(super) async fn extent(
    connection: &mut SqliteConnection,
    counts: Counts,
) -> Result<Extent, sqlx::Error> {
    let row = sqlx::query(EXTENT).fetch_one(connection).await?;
    let (oldest, newest): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Extent {
        count: counts.pending,
        oldest: oldest.map(moment),
        newest_id: newest.map(count).unwrap_or_default(),
        given_up: counts.given_up,
    })
}

/// How many rows it wrote.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    new: impl Iterator<Item = &StatusRow>,
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(APPEND).bind(rows(new.map(columns))?);
    Ok(query.execute(connection).await?.rows_affected())
}

/// How many rows had not been uploaded before.
pub(super) async fn upload(
    connection: &mut SqliteConnection,
    ids: &[u64],
    moment: Timestamp,
) -> Result<u64, sqlx::Error> {
    let ids = rows(ids.iter().map(|id| whole(*id)))?;
    let query = sqlx::query(UPLOAD).bind(at(moment)).bind(ids);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn fail(
    connection: &mut SqliteConnection,
    ids: &[u64],
    error: &str,
) -> Result<(), sqlx::Error> {
    let ids = rows(ids.iter().map(|id| whole(*id)))?;
    sqlx::query(FAIL).bind(error).bind(ids).execute(connection).await.map(drop)
}

/// Removes rows that were uploaded before `oldest`, at most so many. How many they were.
pub(super) async fn prune_uploaded(
    connection: &mut SqliteConnection,
    oldest: Timestamp,
    most: u64,
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(PRUNE_UPLOADED).bind(at(oldest)).bind(whole(most));
    Ok(query.execute(connection).await?.rows_affected())
}

/// Gives up the oldest rows that are not uploaded, at most so many. How many they were.
pub(super) async fn prune_pending(
    connection: &mut SqliteConnection,
    most: u64,
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(PRUNE_PENDING).bind(whole(most));
    Ok(query.execute(connection).await?.rows_affected())
}

/// One that writes; those who read have their own.
pub(super) static BACKLOG: Database = Database {
    file: BACKLOG_FILE,
    schema: sqlx::migrate!("migrations/backlog"),
    connections: 1,
    log_pages: LONG_LOG,
};

/// The name of the backlog's database in the data directory.
pub const BACKLOG_FILE: &str = "backlog.db";

const BEGIN: &str = "\
    INSERT OR IGNORE INTO life (id, incarnation, rows, pending, given_up) VALUES (1, ?, 0, 0, 0)";

const EXTENT: &str = "\
    SELECT (SELECT min(timestamp) FROM status_history WHERE upload_status IN (0, 2)), \
    (SELECT seq FROM sqlite_sequence WHERE name = 'status_history')";

const APPEND: &str = "\
    INSERT INTO status_history (timestamp, record_time, status_type, bit_position, old_value, \
    new_value, status_name, device_id) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
    value ->> 6, value ->> 7 FROM json_each(?) ORDER BY key";

/// S0-49.
const UPLOAD: &str = "\
    UPDATE status_history SET upload_status = 1, upload_time = ?, last_error = NULL \
    WHERE id IN (SELECT value FROM json_each(?)) AND upload_status <> 1";

/// S0-50.
const FAIL: &str = "\
    UPDATE status_history SET upload_status = 2, retry_count = retry_count + 1, last_error = ? \
    WHERE id IN (SELECT value FROM json_each(?)) AND upload_status <> 1";

const PRUNE_UPLOADED: &str = "\
    DELETE FROM status_history WHERE id IN (SELECT id FROM status_history \
    WHERE upload_status = 1 AND upload_time < ? ORDER BY upload_time LIMIT ?)";

const PRUNE_PENDING: &str = "\
    DELETE FROM status_history WHERE id IN (SELECT id FROM status_history \
    WHERE upload_status IN (0, 2) ORDER BY timestamp, id LIMIT ?)";
