//! Sign-ins that hold.

use protocol::id::UserId;
use protocol::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::account::unreadable;
use super::{People, PeopleError};
use crate::detail::tidy;
use crate::number::{at, moment};

/// One sign-in, and what prolongs it.
#[derive(Clone, Eq, PartialEq)]
pub struct SessionRow {
    pub id: String,
    pub account: UserId,
    pub since: Timestamp,
    /// Until when it holds unless it is prolonged.
    pub until: Timestamp,
    /// When it was last prolonged.
    pub renewed_at: Timestamp,
    /// Until when it can be prolonged.
    pub refresh_until: Timestamp,
    /// SHA-256 of the refresh token that holds, and of the one before it.
    pub refresh_hash: String,
    pub spent_hash: Option<String>,
    /// From which address.
    pub origin: String,
}

/// What opens the session stays out of logs.
impl std::fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, account, until, .. } = self;
        let mut shown = f.debug_struct("SessionRow");
        shown.field("id", id).field("account", account).field("until", until);
        shown.finish_non_exhaustive()
    }
}

impl People {
    /// All sign-ins, those that have ended too.
    pub async fn sessions(&self) -> Result<Vec<SessionRow>, PeopleError> {
        Ok(sqlx::query_as("SELECT * FROM sessions ORDER BY since").fetch_all(&self.pool).await?)
    }

    pub async fn put_session(&self, session: &SessionRow) -> Result<(), PeopleError> {
        let sql = "INSERT OR REPLACE INTO sessions (id, account, since, until, renewed_at, \
                   refresh_until, refresh_hash, spent_hash, origin) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let query = sqlx::query(sql)
            .bind(&session.id)
            .bind(session.account.as_str())
            .bind(at(session.since))
            .bind(at(session.until))
            .bind(at(session.renewed_at))
            .bind(at(session.refresh_until))
            .bind(&session.refresh_hash)
            .bind(&session.spent_hash)
            .bind(tidy(&session.origin));
        query.execute(&self.pool).await?;
        Ok(())
    }

    pub async fn remove_session(&self, id: &str) -> Result<(), PeopleError> {
        sqlx::query("DELETE FROM sessions WHERE id = ?").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Whoever is signed in to the account has to sign in again.
    pub async fn remove_sessions_of(&self, account: &UserId) -> Result<(), PeopleError> {
        let query = sqlx::query("DELETE FROM sessions WHERE account = ?").bind(account.as_str());
        query.execute(&self.pool).await?;
        Ok(())
    }

    /// Removes sign-ins that have ended and that nothing can prolong.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<(), PeopleError> {
        let sql = "DELETE FROM sessions WHERE until <= ?1 AND refresh_until <= ?1";
        sqlx::query(sql).bind(at(now)).execute(&self.pool).await?;
        Ok(())
    }
}

impl FromRow<'_, SqliteRow> for SessionRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            account: id(row, "account")?,
            since: moment(row.try_get("since")?),
            until: moment(row.try_get("until")?),
            renewed_at: moment(row.try_get("renewed_at")?),
            refresh_until: moment(row.try_get("refresh_until")?),
            refresh_hash: row.try_get("refresh_hash")?,
            spent_hash: row.try_get("spent_hash")?,
            origin: row.try_get("origin")?,
        })
    }
}

pub(super) fn id(row: &SqliteRow, column: &str) -> Result<UserId, sqlx::Error> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error| unreadable(column, error))
}
