//! What earlier runs left behind of orders.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use protocol::command::CommandRecord;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use tokio::time::timeout;

use super::file::{COMMANDS, COMMANDS_FILE, all_settings};
use super::row::record;
use super::setting::Setting;
use crate::journal::PastError;
use crate::number::at;
use crate::open::{Look, OpenError};
use crate::rows::readable;

/// The orders that were accepted at `since` or later, and all those that have no outcome, oldest
/// first; waits for the disk no longer than `within`.
///
/// They are read before a writer starts; a damaged file is left to the writer, who sets it aside.
pub async fn read_recent_commands(
    directory: &Path,
    since: Timestamp,
    within: Duration,
) -> Result<Vec<CommandRecord>, PastError> {
    let read = async {
        let Some(pool) = open(directory).await? else { return Ok(Vec::new()) };
        let found = recent(&pool, since).await;
        pool.close().await;
        found.map_err(failed)
    };
    timeout(within, read).await.unwrap_or(Err(PastError::TooSlow(within)))
}

/// What orders of earlier runs changed for good, by key; see [`super::setting_in_force`].
pub async fn read_settings(
    directory: &Path,
    within: Duration,
) -> Result<BTreeMap<String, Setting>, PastError> {
    let read = async {
        let Some(pool) = open(directory).await? else { return Ok(BTreeMap::new()) };
        let found = async { all_settings(&mut *pool.acquire().await?).await }.await;
        pool.close().await;
        found.map_err(failed)
    };
    timeout(within, read).await.unwrap_or(Err(PastError::TooSlow(within)))
}

/// `None` where there never was a file.
async fn open(directory: &Path) -> Result<Option<SqlitePool>, PastError> {
    let path = directory.join(COMMANDS_FILE);
    match tokio::fs::try_exists(&path).await {
        Ok(true) => Ok(Some(COMMANDS.open(directory, Look::IfSmall).await?)),
        Ok(false) => Ok(None),
        Err(cause) => Err(OpenError::File { path, cause }.into()),
    }
}

async fn recent(pool: &SqlitePool, since: Timestamp) -> Result<Vec<CommandRecord>, sqlx::Error> {
    let connection: &mut SqliteConnection = &mut *pool.acquire().await?;
    let query = sqlx::query(RECENT).bind(at(since)).bind(MOST);
    Ok(readable(COMMANDS_FILE, query.fetch_all(connection).await?, record))
}

fn failed(cause: sqlx::Error) -> PastError {
    PastError::Failed { file: COMMANDS_FILE, cause }
}

/// The newest, in the order in which they were accepted.
const RECENT: &str = "\
    SELECT * FROM commands WHERE id IN ( \
    SELECT id FROM (SELECT id FROM commands WHERE accepted_at >= ?1 \
    ORDER BY accepted_at DESC, id DESC LIMIT ?2) \
    UNION SELECT id FROM (SELECT id FROM commands WHERE finished_at IS NULL \
    ORDER BY accepted_at DESC LIMIT ?2)) \
    ORDER BY accepted_at, id";

/// More than two hundred orders a second for ten minutes.
const MOST: i64 = 150_000;
