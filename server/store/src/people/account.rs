//! Accounts, and the attempts to sign in to them.

use protocol::id::UserId;
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::{People, PeopleError};
use crate::detail::tidy;
use crate::number::{at, moment};

/// One account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountRow {
    pub name: UserId,
    /// What the password is checked against, as a PHC string.
    pub hash: String,
    pub role: Role,
    pub sites: Scope,
    pub created_at: Timestamp,
    pub password_at: Timestamp,
    pub is_disabled: bool,
    pub must_change: bool,
    pub signed_in_at: Option<Timestamp>,
    /// When somebody last took a lock off it.
    pub unlocked_at: Option<Timestamp>,
}

/// One attempt to sign in to an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignInRow {
    pub at: Timestamp,
    pub account: UserId,
    /// From which address.
    pub origin: String,
    /// Why it failed, in a word; `None` where it did not.
    pub reason: Option<String>,
}

impl People {
    pub async fn account(&self, name: &str) -> Result<Option<AccountRow>, PeopleError> {
        let query = sqlx::query_as("SELECT * FROM accounts WHERE name = ?").bind(name);
        Ok(query.fetch_optional(&self.pool).await?)
    }

    /// All accounts, in the order of their names.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, PeopleError> {
        let query = sqlx::query_as("SELECT * FROM accounts ORDER BY name");
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Adds an account; `false` where there is one of that name.
    pub async fn add_account(&self, account: &AccountRow) -> Result<bool, PeopleError> {
        let sql = "INSERT INTO accounts (name, hash, role, sites, created_at, password_at, \
                   is_disabled, must_change, signed_in_at, unlocked_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql)
            .bind(account.name.as_str())
            .bind(&account.hash)
            .bind(account.role.name())
            .bind(written(&account.sites))
            .bind(at(account.created_at))
            .bind(at(account.password_at))
            .bind(account.is_disabled)
            .bind(account.must_change)
            .bind(account.signed_in_at.map(at))
            .bind(account.unlocked_at.map(at));
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Makes an account what it is said to be, but for when it was made; `false` where there is
    /// none.
    pub async fn put_account(&self, account: &AccountRow) -> Result<bool, PeopleError> {
        let sql = "UPDATE accounts SET hash = ?, role = ?, sites = ?, password_at = ?, \
                   is_disabled = ?, must_change = ?, signed_in_at = ?, unlocked_at = ? \
                   WHERE name = ?";
        let query = sqlx::query(sql)
            .bind(&account.hash)
            .bind(account.role.name())
            .bind(written(&account.sites))
            .bind(at(account.password_at))
            .bind(account.is_disabled)
            .bind(account.must_change)
            .bind(account.signed_in_at.map(at))
            .bind(account.unlocked_at.map(at))
            .bind(account.name.as_str());
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Notes that somebody signed in, and nothing else: who changed the account meanwhile has.
    pub async fn note_signed_in(&self, name: &UserId, now: Timestamp) -> Result<(), PeopleError> {
        let query = sqlx::query("UPDATE accounts SET signed_in_at = ? WHERE name = ?");
        query.bind(at(now)).bind(name.as_str()).execute(&self.pool).await?;
        Ok(())
    }

    /// Puts another hash of the same password in the place of the one it was made from.
    pub async fn replace_hash(
        &self,
        name: &UserId,
        old: &str,
        new: &str,
    ) -> Result<bool, PeopleError> {
        let query = sqlx::query("UPDATE accounts SET hash = ? WHERE name = ? AND hash = ?");
        let query = query.bind(new).bind(name.as_str()).bind(old);
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Removes an account with all that belongs to it; `false` where there is none.
    pub async fn remove_account(&self, name: &UserId) -> Result<bool, PeopleError> {
        let query = sqlx::query("DELETE FROM accounts WHERE name = ?").bind(name.as_str());
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Puts an attempt on record; of each account the newest hundred are kept.
    pub async fn note_sign_in(&self, row: &SignInRow) -> Result<(), PeopleError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO sign_ins (at, account, origin, reason) VALUES (?, ?, ?, ?)")
            .bind(at(row.at))
            .bind(row.account.as_str())
            .bind(tidy(&row.origin))
            .bind(&row.reason)
            .execute(&mut *transaction)
            .await?;
        let sql = "DELETE FROM sign_ins WHERE account = ?1 AND id <= (SELECT id FROM sign_ins \
                   WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
        let prune = sqlx::query(sql).bind(row.account.as_str()).bind(KEPT);
        prune.execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// The newest attempts to sign in to an account, newest first.
    pub async fn sign_ins(&self, account: &UserId) -> Result<Vec<SignInRow>, PeopleError> {
        let query = sqlx::query_as("SELECT * FROM sign_ins WHERE account = ? ORDER BY id DESC");
        Ok(query.bind(account.as_str()).fetch_all(&self.pool).await?)
    }
}

fn written(sites: &Scope) -> Option<String> {
    match sites {
        Scope::All => None,
        Scope::Sites(_) => serde_json::to_string(sites).ok(),
    }
}

impl FromRow<'_, SqliteRow> for AccountRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let time = |column| Ok::<_, sqlx::Error>(moment(row.try_get(column)?));
        let maybe =
            |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(moment));
        let role: String = row.try_get("role")?;
        let sites: Option<String> = row.try_get("sites")?;
        let sites = sites.map_or(Ok(Scope::All), |sites| serde_json::from_str(&sites));
        Ok(Self {
            name: super::session::id(row, "name")?,
            hash: row.try_get("hash")?,
            role: role.parse().map_err(|error| unreadable("role", error))?,
            sites: sites.map_err(|error| unreadable("sites", error))?,
            created_at: time("created_at")?,
            password_at: time("password_at")?,
            is_disabled: row.try_get("is_disabled")?,
            must_change: row.try_get("must_change")?,
            signed_in_at: maybe("signed_in_at")?,
            unlocked_at: maybe("unlocked_at")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for SignInRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            at: moment(row.try_get("at")?),
            account: super::session::id(row, "account")?,
            origin: row.try_get("origin")?,
            reason: row.try_get("reason")?,
        })
    }
}

pub(super) fn unreadable(
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.into(), source: error.into() }
}

/// Attempts of one account that are kept: who looks for a stranger looks at the newest.
const KEPT: i64 = 100;
