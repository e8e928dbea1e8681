//! The chain of hashes, and whether it holds.

use std::path::Path;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Row as _};

use super::deed::Columns;
use super::file::{AUDIT, AUDIT_FILE, anchor, highest};
use crate::disk::words;

/// The end of the chain so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) id: i64,
    /// Empty before the first row.
    pub(super) hash: String,
}

impl Link {
    /// The hash of the row that comes next.
    pub(super) fn seal(&self, row: &Columns) -> String {
        let text = serde_json::to_string(row).unwrap_or_default();
        let mut digest = Sha256::new();
        digest.update(self.hash.as_bytes());
        digest.update(text.as_bytes());
        let hash = digest.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A chain that holds from its first row to its last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    pub rows: u64,
    /// The number of the last row; 0 where there is none.
    pub last: i64,
    /// Its hash. Whoever wrote it down elsewhere knows that nothing was cut off the end.
    pub hash: String,
}

/// Where a chain breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Broken {
    #[error("row {0} is not what was written")]
    Changed(i64),
    #[error("row {expected} is missing; row {found} follows")]
    Missing { expected: i64, found: i64 },
    #[error("rows {from} to {to} are missing at the end")]
    CutOff { from: i64, to: i64 },
}

/// Why it is not known that a chain holds.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the audit trail was tampered with: {0}")]
    Broken(#[from] Broken),
    #[error("{AUDIT_FILE} cannot be read: {}", words(.0))]
    Unreadable(#[from] sqlx::Error),
}

/// Follows the chain of a data directory from its first row to its last, while the server may go on
/// writing to it.
pub async fn verify_audit(directory: &Path) -> Result<Verified, VerifyError> {
    let pool = AUDIT.reader(directory);
    let verified = verify(&pool).await;
    pool.close().await;
    verified
}

async fn verify(pool: &SqlitePool) -> Result<Verified, VerifyError> {
    // One moment for all that is read.
    let mut transaction = pool.begin().await?;
    let written = highest(&mut transaction).await?;
    let mut link = anchor(&mut transaction).await?.unwrap_or_default();
    let mut verified = 0;
    {
        let mut rows = sqlx::query_as("SELECT * FROM audit ORDER BY id").fetch(&mut *transaction);
        while let Some(Sealed { row, hash }) = rows.try_next().await? {
            link = next(&link, &row, hash)?;
            verified += 1;
        }
    }
    if link.id < written {
        return Err(Broken::CutOff { from: link.id + 1, to: written }.into());
    }
    Ok(Verified { rows: verified, last: link.id, hash: link.hash })
}

fn next(link: &Link, row: &Columns, hash: String) -> Result<Link, Broken> {
    let expected = link.id.saturating_add(1);
    if row.id != expected {
        return Err(Broken::Missing { expected, found: row.id });
    }
    match link.seal(row) == hash {
        true => Ok(Link { id: row.id, hash }),
        false => Err(Broken::Changed(row.id)),
    }
}

/// A row and the hash that was written with it.
pub(super) struct Sealed {
    pub(super) row: Columns,
    pub(super) hash: String,
}

impl FromRow<'_, SqliteRow> for Sealed {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let columns = Columns {
            id: row.try_get("id")?,
            at: row.try_get("at")?,
            user: row.try_get("user")?,
            role: row.try_get("role")?,
            origin: row.try_get("origin")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            before: row.try_get("before")?,
            after: row.try_get("after")?,
            is_done: row.try_get("is_done")?,
            detail: row.try_get("detail")?,
        };
        Ok(Self { row: columns, hash: row.try_get("hash")? })
    }
}
