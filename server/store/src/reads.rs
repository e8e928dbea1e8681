//! The way of readers to a database that its writer has opened.

use std::time::Duration;

use sqlx::sqlite::SqlitePool;
use tokio::sync::watch;
use tokio::time::timeout;

/// Tells readers which file is the one that is written to: a damaged one is set aside under them.
#[derive(Clone, Debug)]
pub(crate) struct Reads(watch::Sender<Option<SqlitePool>>);

/// Why something kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("it is not open: its disk fails, or the server has just started")]
    NotOpen,
    #[error("it cannot be read: {0}")]
    Failed(#[from] sqlx::Error),
}

impl Reads {
    pub(crate) fn become_open(&self, pool: SqlitePool) {
        self.0.send_replace(Some(pool));
    }

    /// Whoever reads on what this returns may finish.
    pub(crate) fn become_closed(&self) -> Option<SqlitePool> {
        self.0.send_replace(None)
    }

    /// Waits a moment for a writer that has just been started.
    pub(crate) async fn pool(&self) -> Result<SqlitePool, HistoryError> {
        let mut pools = self.0.subscribe();
        let open = timeout(PATIENCE, pools.wait_for(Option::is_some)).await;
        let pool = open.ok().and_then(|open| open.ok()?.clone());
        pool.ok_or(HistoryError::NotOpen)
    }
}

impl Default for Reads {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

/// Whoever asks sees a page or the reason why not within a second.
const PATIENCE: Duration = Duration::from_secs(1);
