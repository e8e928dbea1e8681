//! The lifecycle log: who came and went, what was sent, what went wrong (S0-72 to S0-81), and each
//! authentication that failed (S0-90).

mod history;
mod kind;

use std::ops::Range;
use std::time::Duration;

use protocol::id::{ConnectionId, DeviceId, IdError};
use protocol::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use crate::age::{Old, look};
use crate::detail::tidy;
use crate::number::{at, count, whole};
use crate::open::{Store, ago};

pub use history::{LogFilter, LogHistory};
pub use kind::{Kind, Module};

/// One line of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub at: Timestamp,
    pub kind: Kind,
    /// `None` for those who did not get as far as a connection.
    pub connection: Option<ConnectionId>,
    pub device: Option<DeviceId>,
    pub user: Option<String>,
    /// In words. Kept as one short line, and without anything that looks like a token.
    pub detail: String,
    /// What a connection was sent, once it is closed.
    pub sent: Option<Sent>,
}

/// What went out to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sent {
    pub frames: u64,
    pub bytes: u64,
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the records cannot be read: {0}")]
pub struct ReadError(#[from] sqlx::Error);

impl Store {
    /// The oldest records of a connection, up to `most`.
    pub async fn records_of(
        &self,
        connection: &ConnectionId,
        most: u32,
    ) -> Result<Vec<Record>, ReadError> {
        let query =
            sqlx::query_as("SELECT * FROM records WHERE connection = ? ORDER BY at, id LIMIT ?");
        Ok(query.bind(connection.as_str()).bind(most).fetch_all(&self.pool).await?)
    }

    /// The oldest records of a span of time, up to `most`.
    pub async fn records_between(
        &self,
        span: Range<Timestamp>,
        most: u32,
    ) -> Result<Vec<Record>, ReadError> {
        let query = sqlx::query_as(
            "SELECT * FROM records WHERE at >= ? AND at < ? ORDER BY at, id LIMIT ?",
        );
        let query = query.bind(whole(span.start.as_millis())).bind(whole(span.end.as_millis()));
        Ok(query.bind(most).fetch_all(&self.pool).await?)
    }

    /// Writes all of them or none.
    pub(crate) async fn append(&self, records: &[Record]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for record in records {
            write(&mut transaction, record).await?;
            if record.kind.is_failed_authentication() {
                write_event(&mut transaction, record).await?;
            }
        }
        transaction.commit().await
    }

    /// Removes what is older than `age` at `now`, of failed authentications what is older than
    /// `security`. Whether some of it was left, because the clock is not believed.
    pub(crate) async fn prune(
        &self,
        age: Duration,
        security: Duration,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let tables = [
            (AROUND_RECORDS, "DELETE FROM records WHERE at < ?", age),
            (AROUND_EVENTS, "DELETE FROM event_records WHERE at < ?", security),
        ];
        let (mut connection, mut is_doubted) = (self.pool.acquire().await?, false);
        for (around, forget, age) in tables {
            match look(&mut connection, around, now, age).await? {
                Old::Nothing => {}
                Old::MayGo => {
                    let forget = sqlx::query(forget).bind(at(ago(now, age)));
                    forget.execute(&mut *connection).await?;
                }
                Old::Doubted => is_doubted = true,
            }
        }
        Ok(is_doubted)
    }
}

async fn write(connection: &mut SqliteConnection, record: &Record) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO records (at, kind, connection, device, user, detail, frames_sent, \
               bytes_sent, module, level) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(at(record.at))
        .bind(record.kind)
        .bind(record.connection.as_ref().map(ConnectionId::as_str))
        .bind(record.device.as_ref().map(DeviceId::as_str))
        .bind(record.user.as_deref().map(tidy))
        .bind(tidy(&record.detail))
        .bind(record.sent.map(|sent| whole(sent.frames)))
        .bind(record.sent.map(|sent| whole(sent.bytes)))
        .bind(record.kind.module().name())
        .bind(kind::name_of(record.kind.level()));
    query.execute(connection).await.map(drop)
}

async fn write_event(
    connection: &mut SqliteConnection,
    record: &Record,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO event_records (at, kind, user, device, detail) VALUES (?, ?, ?, ?, ?)";
    let query = sqlx::query(sql)
        .bind(at(record.at))
        .bind(record.kind.event())
        .bind(record.user.as_deref().map(tidy))
        .bind(record.device.as_ref().map(DeviceId::as_str))
        .bind(tidy(&record.detail));
    query.execute(connection).await.map(drop)
}

impl FromRow<'_, SqliteRow> for Record {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let sent = match (row.try_get("frames_sent")?, row.try_get("bytes_sent")?) {
            (Some(frames), Some(bytes)) => {
                Some(Sent { frames: count(frames), bytes: count(bytes) })
            }
            _ => None,
        };
        Ok(Self {
            at: Timestamp::from_millis(count(row.try_get("at")?)),
            kind: row.try_get("kind")?,
            connection: id(row, "connection")?,
            device: id(row, "device")?,
            user: row.try_get("user")?,
            detail: row.try_get("detail")?,
            sent,
        })
    }
}

fn id<T: TryFrom<String, Error = IdError>>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<T>, sqlx::Error> {
    let text: Option<String> = row.try_get(column)?;
    text.map(T::try_from)
        .transpose()
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: error.into() })
}

/// When the last of what is old was put on record, and the first of what is not.
const AROUND_RECORDS: &str = "\
    SELECT (SELECT max(at) FROM records WHERE at < ?1), \
    (SELECT min(at) FROM records WHERE at >= ?1)";

const AROUND_EVENTS: &str = "\
    SELECT (SELECT max(at) FROM event_records WHERE at < ?1), \
    (SELECT min(at) FROM event_records WHERE at >= ?1)";
