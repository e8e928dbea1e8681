//! Rows on their way into SQLite and out of it.

use protocol::id::IdError;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// A JSON array of rows: SQLite takes in as many as there are with one statement.
pub(crate) fn rows<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<String, sqlx::Error> {
    let text = serde_json::to_string(&rows.collect::<Vec<_>>());
    text.map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Why a row cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    #[error(transparent)]
    Column(#[from] sqlx::Error),
    #[error(transparent)]
    Name(#[from] IdError),
    #[error(transparent)]
    Word(#[from] protocol::command::UnknownWord),
    #[error(transparent)]
    Words(#[from] serde_json::Error),
    #[error("{0} is beyond what its column may hold")]
    Beyond(#[from] std::num::TryFromIntError),
}

/// The rows that can be read; of each other it is told that it cannot.
pub(crate) fn readable<T>(
    file: &str,
    rows: Vec<SqliteRow>,
    read: impl Fn(&SqliteRow) -> Result<T, RowError>,
) -> Vec<T> {
    let read = |row| {
        read(&row).inspect_err(|error| {
            tracing::warn!("{file} has a row that cannot be read: {error}");
        })
    };
    rows.into_iter().filter_map(|row| read(row).ok()).collect()
}

pub(crate) fn text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
    row.try_get(column)
}

pub(crate) fn whole_number(row: &SqliteRow, column: &str) -> Result<i64, sqlx::Error> {
    row.try_get(column)
}
