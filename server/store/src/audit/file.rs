//! The file of the audit trail: what is written to it, and what is forgotten.

use std::time::Duration;

use protocol::time::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::chain::Link;
use super::deed::Columns;
use crate::number::{at, moment};
use crate::open::{Database, USUAL_LOG, ago};
use crate::rows::rows;

/// A row as it is written.
#[derive(Serialize)]
pub(super) struct Written {
    #[serde(flatten)]
    pub(super) row: Columns,
    pub(super) hash: String,
}

pub(super) async fn write_rows(
    connection: &mut SqliteConnection,
    written: &[Written],
) -> Result<(), sqlx::Error> {
    let written = rows(written.iter())?;
    sqlx::query(WRITE).bind(written).execute(connection).await.map(drop)
}

/// The last row that was written, or was forgotten. Its number is the highest that there ever was:
/// where rows are missing at the end, that of a row that is no longer there.
pub(super) async fn last(connection: &mut SqliteConnection) -> Result<Link, sqlx::Error> {
    let sql = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1";
    let found: Option<(i64, String)> = sqlx::query_as(sql).fetch_optional(&mut *connection).await?;
    let end = match found {
        Some((id, hash)) => Link { id, hash },
        None => anchor(&mut *connection).await?.unwrap_or_default(),
    };
    let highest = highest(connection).await?;
    Ok(Link { id: end.id.max(highest), ..end })
}

/// The highest number that a row ever had; 0 before the first.
pub(super) async fn highest(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'audit'";
    let found: Option<i64> = sqlx::query_scalar(sql).fetch_optional(connection).await?;
    Ok(found.unwrap_or_default())
}

/// Where the chain begins.
pub(super) async fn anchor(connection: &mut SqliteConnection) -> Result<Option<Link>, sqlx::Error> {
    let sql = "SELECT id, hash FROM anchor";
    let found: Option<(i64, String)> = sqlx::query_as(sql).fetch_optional(connection).await?;
    Ok(found.map(|(id, hash)| Link { id, hash }))
}

/// Forgets some of the rows before the first that is not older than `keep` at `now`; whether there
/// is more. The chain begins after them from now on.
///
/// Where more time than that lies behind them, it is the clock that leapt, and nothing is forgotten.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    keep: Duration,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let last: Option<(i64, String, i64)> = sqlx::query_as(LAST_TO_FORGET)
        .bind(at(ago(now, keep)))
        .bind(SLICE)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((id, hash, last_at)) = last else { return Ok(false) };
    let next = "SELECT at FROM audit WHERE id > ? ORDER BY id LIMIT 1";
    let next: Option<i64> =
        sqlx::query_scalar(next).bind(id).fetch_optional(&mut *connection).await?;
    if moment(next.unwrap_or_else(|| at(now))).since(moment(last_at)) > keep {
        return Ok(false);
    }
    sqlx::query("INSERT OR REPLACE INTO anchor (only, id, hash) VALUES (0, ?, ?)")
        .bind(id)
        .bind(hash)
        .execute(&mut *connection)
        .await?;
    let forget = sqlx::query("DELETE FROM audit WHERE id <= ?").bind(id);
    Ok(forget.execute(connection).await?.rows_affected() >= SLICE.unsigned_abs())
}

/// A file of its own: nothing that is done to other records touches it.
pub(super) static AUDIT: Database = Database {
    file: AUDIT_FILE,
    schema: sqlx::migrate!("migrations/audit"),
    connections: 2,
    log_pages: USUAL_LOG,
};

/// The name of the audit trail in the data directory.
pub const AUDIT_FILE: &str = "audit.db";

const WRITE: &str = "\
    INSERT INTO audit (id, at, user, role, origin, action, target, before, after, is_done, detail, \
    hash) SELECT value ->> 'id', value ->> 'at', value ->> 'user', value ->> 'role', \
    value ->> 'origin', value ->> 'action', value ->> 'target', value ->> 'before', \
    value ->> 'after', value ->> 'is_done', value ->> 'detail', value ->> 'hash' \
    FROM json_each(?) WHERE true ORDER BY key";

/// Of the oldest rows, as many as are old without a younger one among them.
const LAST_TO_FORGET: &str = "\
    SELECT id, hash, at FROM (SELECT id, hash, at FROM audit ORDER BY id LIMIT ?2) \
    WHERE id < coalesce((SELECT min(id) FROM audit WHERE at >= ?1), 9223372036854775807) \
    ORDER BY id DESC LIMIT 1";

/// How many rows one transaction forgets: so few that it holds up no commit.
const SLICE: i64 = 500;
