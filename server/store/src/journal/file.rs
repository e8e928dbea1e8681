//! The journal's file: what is written to it, and what is removed.

use std::path::Path;
use std::time::Duration;

use protocol::id::DeviceId;
use protocol::journal::{Facts, Happened, Run, Stay};
use protocol::time::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row as _, SqliteConnection};

use crate::number::{count, whole};
use crate::open::{Database, Look, OpenError, SetAside, USUAL_LOG, ago};

/// The open file.
#[derive(Debug)]
pub(super) struct File {
    pool: SqlitePool,
}

/// What one transaction writes, each a JSON array of rows: SQLite takes in as many as there are
/// with one statement.
#[derive(Debug)]
pub(super) struct Batch {
    runs: String,
    events: String,
    known: String,
    stays: String,
}

/// What a transaction removes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pruning {
    pub(super) now: Timestamp,
    pub(super) keep: Duration,
    /// Who is still here has told the run that goes on.
    pub(super) is_settled: bool,
}

impl Batch {
    pub(super) fn new<'a>(
        runs: impl Iterator<Item = &'a Run>,
        events: impl IntoIterator<Item = &'a Happened>,
        known: impl Iterator<Item = (&'a DeviceId, &'a Facts)>,
        stays: impl Iterator<Item = &'a Stay>,
    ) -> Result<Self, serde_json::Error> {
        let run = |run: &'a Run| (&run.epoch, at(run.started_at), at(run.alive_at));
        let event = |one: &'a Happened| {
            (at(one.at), &one.epoch, &one.stream, whole(one.offset.0), &one.event)
        };
        let stay = |stay: &'a Stay| {
            let left = stay.left.map(at);
            (&stay.connection, &stay.device, &stay.user, left, &stay.bases)
        };
        Ok(Self {
            runs: rows(runs.map(run))?,
            events: rows(events.into_iter().map(event))?,
            known: rows(known)?,
            stays: rows(stays.map(stay))?,
        })
    }
}

impl File {
    /// Opens the journal of a data directory. A damaged one is set aside.
    pub(super) async fn open(directory: &Path) -> Result<(Self, Option<SetAside>), OpenError> {
        let (pool, set_aside) = JOURNAL.open_anyway(directory, Look::Whole).await?;
        Ok((Self { pool }, set_aside))
    }

    /// Writes everything to the one file, and lets go of it.
    pub(super) async fn close(self) {
        self.pool.close().await;
    }

    /// Writes all of it or nothing. Whether there is more to prune.
    pub(super) async fn commit(
        &self,
        batch: &Batch,
        pruning: Option<Pruning>,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let Batch { runs, events, known, stays } = batch;
        let writes = [
            (runs, WRITE_RUNS),
            (events, WRITE_EVENTS),
            (known, WRITE_KNOWN),
            (stays, WRITE_STAYS),
        ];
        for (rows, statement) in writes {
            if rows != NO_ROWS {
                sqlx::query(statement).bind(rows).execute(&mut *transaction).await?;
            }
        }
        let is_more = match pruning {
            Some(pruning) => prune(&mut transaction, pruning).await?,
            None => false,
        };
        transaction.commit().await?;
        Ok(is_more)
    }
}

async fn prune(connection: &mut SqliteConnection, pruning: Pruning) -> Result<bool, sqlx::Error> {
    let runs = runs(connection).await?;
    let oldest = whole(kept_since(&runs, pruning.now, pruning.keep).as_millis());
    let old = sqlx::query(PRUNE_OLD_EVENTS).bind(oldest).execute(&mut *connection).await?;
    let many = sqlx::query(PRUNE_MANY_EVENTS).bind(MOST_EVENTS).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM stays WHERE left < ?").bind(oldest).execute(&mut *connection).await?;
    sqlx::query(PRUNE_MANY_STAYS).bind(MOST_STAYS).execute(&mut *connection).await?;
    if pruning.is_settled {
        sqlx::query(PRUNE_LOST_STAYS).execute(&mut *connection).await?;
    }
    sqlx::query(PRUNE_RUNS).bind(oldest).bind(MOST_RUNS).execute(&mut *connection).await?;
    if many.rows_affected() > 0 {
        tracing::warn!("the journal holds more than {MOST_EVENTS} events: the oldest go");
    }
    Ok(old.rows_affected().max(many.rows_affected()) >= SLICE)
}

/// The last runs, oldest first.
pub(super) async fn runs(connection: &mut SqliteConnection) -> Result<Vec<Run>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM runs ORDER BY id DESC LIMIT ?").bind(MOST_RUNS);
    let mut runs = Vec::new();
    for row in rows.fetch_all(connection).await? {
        let epoch: String = row.try_get("epoch")?;
        let started_at = Timestamp::from_millis(count(row.try_get("started_at")?));
        let alive_at = Timestamp::from_millis(count(row.try_get("alive_at")?));
        match epoch.parse() {
            Ok(epoch) => runs.push(Run { epoch, started_at, alive_at }),
            Err(error) => tracing::warn!("the journal has a run that cannot be read: {error}"),
        }
    }
    runs.reverse();
    Ok(runs)
}

/// From when on things are kept: `keep` before the last run was last known alive, or before `now`.
/// A run that is younger than that hands on what it found.
pub(super) fn kept_since(runs: &[Run], now: Timestamp, keep: Duration) -> Timestamp {
    let mut since = ago(now, keep);
    for run in runs.iter().rev() {
        since = since.min(ago(run.alive_at, keep));
        if run.alive_at.since(run.started_at) >= keep {
            break;
        }
    }
    since
}

fn rows<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&rows.collect::<Vec<_>>())
}

fn at(timestamp: Timestamp) -> i64 {
    whole(timestamp.as_millis())
}

/// One that writes; the past is read before.
pub(super) static JOURNAL: Database = Database {
    file: JOURNAL_FILE,
    schema: sqlx::migrate!("migrations/journal"),
    connections: 1,
    log_pages: USUAL_LOG,
};

/// The name of the journal's database in the data directory. A file of its own: what holds up the
/// records holds up no event, and a damage of one leaves the other alone.
pub const JOURNAL_FILE: &str = "journal.db";

const NO_ROWS: &str = "[]";

const WRITE_RUNS: &str = "\
    INSERT INTO runs (epoch, started_at, alive_at) \
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true ORDER BY key \
    ON CONFLICT (epoch) DO UPDATE SET alive_at = excluded.alive_at";

const WRITE_EVENTS: &str = "\
    INSERT OR IGNORE INTO events (at, epoch, stream, offset, event) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
    FROM json_each(?) ORDER BY key";

const WRITE_KNOWN: &str = "\
    INSERT INTO known (device, facts) \
    SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true \
    ON CONFLICT (device) DO UPDATE SET facts = excluded.facts";

const WRITE_STAYS: &str = "\
    INSERT OR REPLACE INTO stays (connection, device, user, left, bases, run) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, \
    (SELECT max(id) FROM runs) FROM json_each(?)";

const PRUNE_OLD_EVENTS: &str = "\
    DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? ORDER BY at LIMIT 5000)";

const PRUNE_MANY_EVENTS: &str = "\
    DELETE FROM events WHERE id IN (SELECT id FROM events \
    WHERE id <= (SELECT max(id) FROM events) - ? ORDER BY id LIMIT 5000)";

const PRUNE_MANY_STAYS: &str = "\
    DELETE FROM stays WHERE connection IN \
    (SELECT connection FROM stays ORDER BY left DESC NULLS FIRST LIMIT -1 OFFSET ?)";

const PRUNE_LOST_STAYS: &str = "\
    DELETE FROM stays WHERE left IS NULL AND run IS NOT (SELECT max(id) FROM runs)";

const PRUNE_RUNS: &str = "\
    DELETE FROM runs WHERE id <> (SELECT max(id) FROM runs) \
    AND (alive_at < ? OR id <= (SELECT max(id) FROM runs) - ?)";

/// How many events one transaction removes: so few that it holds up no commit.
const SLICE: u64 = 5000;

/// Events on the disk: more than fifteen hundred a second for five minutes. A wall clock that
/// jumped back makes things look younger than they are, and they must not grow without bound.
const MOST_EVENTS: i64 = 500_000;

/// Runs on the disk, should the Station begin again and again.
const MOST_RUNS: i64 = 100;

/// Stays on the disk: ten times as many as there may be clients.
const MOST_STAYS: i64 = 100_000;
