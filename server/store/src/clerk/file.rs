//! The file of a clerk: how it is opened, written to and closed.

use sqlx::sqlite::SqlitePool;
use tokio::time::timeout;

use super::Clerk;
use super::condition::WriteError;
use super::ledger::Ledger;
use super::tray::Desk;
use crate::disk::{is_damage, is_passing};
use crate::open::{Look, now};

impl Clerk {
    pub(super) async fn open<L: Ledger>(
        &mut self,
        ledger: &mut L,
    ) -> Result<SqlitePool, WriteError> {
        let (directory, look) = (self.directory.clone(), self.look);
        let opening = L::DATABASE.open_anyway(&directory, look);
        let (pool, set_aside) = self.patiently(opening).await??;
        let is_new = set_aside.is_some();
        if let Some(set_aside) = set_aside {
            self.fare.fails(set_aside);
        }
        let begun = async { ledger.begin(&mut *pool.acquire().await?, is_new).await };
        if let Err(cause) = self.patiently(begun).await? {
            self.look_after(pool, &cause).await?;
            return Err(WriteError::Failed { file: L::DATABASE.file, cause });
        }
        self.look = Look::IfSmall;
        self.reads.become_open(L::DATABASE.reader(&self.directory));
        Ok(pool)
    }

    /// What is wrong with the file shows when it is opened anew.
    pub(super) async fn look_after(
        &mut self,
        pool: SqlitePool,
        error: &sqlx::Error,
    ) -> Result<(), WriteError> {
        if is_passing(error) {
            self.pool = Some(pool);
            return Ok(());
        }
        if is_damage(error) {
            self.look = Look::Whole;
        }
        let reader = self.reads.become_closed();
        self.copying = None;
        self.patiently(async {
            if let Some(reader) = reader {
                reader.close().await;
            }
            pool.close().await;
        })
        .await
    }

    pub(super) async fn end<L: Ledger>(mut self, desk: &Desk<L>) {
        let left = desk.ledger.waiting() + desk.letters.len();
        if left > 0 {
            tracing::error!("{left} {} were not written", L::THINGS);
        }
        self.copying = None;
        let (reader, pool) = (self.reads.become_closed(), self.pool.take());
        for pool in reader.into_iter().chain(pool) {
            if timeout(self.times.patience, pool.close()).await.is_err() {
                let file = L::DATABASE.file;
                tracing::warn!("{file} could not be closed: the disk does not answer");
            }
        }
    }
}

/// Writes a group of what waits, or nothing of it.
pub(super) async fn commit<L: Ledger>(
    pool: &SqlitePool,
    ledger: &mut L,
) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    ledger.write(&mut transaction).await?;
    transaction.commit().await?;
    ledger.done();
    Ok(())
}

/// A transaction of its own: nobody waits for it.
pub(super) async fn prune<L: Ledger>(
    pool: &SqlitePool,
    ledger: &mut L,
) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let is_more = ledger.prune(&mut transaction, now()).await?;
    transaction.commit().await?;
    Ok(is_more)
}
