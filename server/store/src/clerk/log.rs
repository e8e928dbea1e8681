//! A log on its way into its file, beside the commits that follow.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use sqlx::sqlite::SqlitePool;
use tokio::time::sleep;

/// The log on its way into the file.
pub(super) type Copying = Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send>>;

/// Copies the log, as far as nobody reads it. Commits go on meanwhile, on another connection.
pub(super) async fn copy(pool: SqlitePool, after: Duration) -> Result<(), sqlx::Error> {
    sleep(after).await;
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await.map(drop)
}

pub(super) async fn copied(copying: &mut Option<Copying>) -> Result<(), sqlx::Error> {
    match copying {
        Some(copying) => copying.await,
        None => pending().await,
    }
}
