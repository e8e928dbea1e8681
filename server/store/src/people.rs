//! Accounts, who is signed in to them, and who tried to.
//!
//! Whatever is written is on the disk when the call returns: a password that was changed must not
//! come back after a power cut.

mod account;
mod session;

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use crate::disk::words;
use crate::open::{Database, Look, OpenError, USUAL_LOG};

pub use account::{AccountRow, SignInRow};
pub use session::SessionRow;

/// The book of people. Cheap to clone; all clones share one connection.
#[derive(Clone, Debug)]
pub struct People {
    pool: SqlitePool,
}

/// Why the book of people cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {PEOPLE_FILE}: {}", words(.0))]
pub struct PeopleError(#[from] sqlx::Error);

impl People {
    /// Opens the book in a data directory; it is made where it is missing.
    pub async fn open(directory: &Path) -> Result<Self, OpenError> {
        let (pool, _) = PEOPLE.open_anyway(directory, Look::Whole).await?;
        Ok(Self { pool })
    }

    /// Another number than before, if another process has changed something.
    pub async fn version(&self) -> Result<i64, PeopleError> {
        Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(&self.pool).await?)
    }

    /// Writes everything to the one file, and lets go of it.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// One connection: what `PRAGMA data_version` says is about all others.
static PEOPLE: Database = Database {
    file: PEOPLE_FILE,
    schema: sqlx::migrate!("migrations/people"),
    connections: 1,
    log_pages: USUAL_LOG,
};

/// The name of the book of people in the data directory.
pub const PEOPLE_FILE: &str = "people.db";
