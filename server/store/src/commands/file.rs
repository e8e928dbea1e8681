//! The file of orders: what is written to it, and what is removed.

use std::collections::BTreeMap;

use protocol::command::CommandRecord;
use protocol::time::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::row::Columns;
use super::setting::Setting;
use crate::number::{at, moment};
use crate::open::{Database, LONG_LOG};
use crate::rows::rows;

pub(super) async fn write_records(
    connection: &mut SqliteConnection,
    records: impl Iterator<Item = &CommandRecord>,
) -> Result<(), sqlx::Error> {
    let records = rows(records.map(Columns::from))?;
    sqlx::query(WRITE_RECORDS).bind(records).execute(connection).await.map(drop)
}

pub(super) async fn write_settings<'a>(
    connection: &mut SqliteConnection,
    settings: impl Iterator<Item = (&'a String, &'a Setting)>,
) -> Result<(), sqlx::Error> {
    let row = |(key, setting): (&'a String, &'a Setting)| {
        (key, &setting.value, &setting.configured, at(setting.at))
    };
    let settings = rows(settings.map(row))?;
    sqlx::query(WRITE_SETTINGS).bind(settings).execute(connection).await.map(drop)
}

pub(super) async fn all_settings(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Setting>, sqlx::Error> {
    let found = sqlx::query("SELECT * FROM settings").fetch_all(connection).await?;
    let setting = |row: sqlx::sqlite::SqliteRow| {
        let (value, configured) = (row.try_get("value")?, row.try_get("configured")?);
        Ok((row.try_get("key")?, Setting { value, configured, at: moment(row.try_get("at")?) }))
    };
    found.into_iter().map(setting).collect()
}

/// Removes some of what is older than `oldest`; whether there is more.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    oldest: Timestamp,
) -> Result<bool, sqlx::Error> {
    let pruned = sqlx::query(PRUNE).bind(at(oldest)).bind(SLICE).execute(connection).await?;
    Ok(pruned.rows_affected() >= u64::from(SLICE))
}

/// One writes, and one copies the log; those who read have their own.
pub(super) static COMMANDS: Database = Database {
    file: COMMANDS_FILE,
    schema: sqlx::migrate!("migrations/commands"),
    connections: 2,
    log_pages: LONG_LOG,
};

/// The name of the orders' database in the data directory. A file of its own: nothing that is done
/// to other records holds up an order.
pub const COMMANDS_FILE: &str = "commands.db";

/// An outcome that is on the disk stays.
const WRITE_RECORDS: &str = "\
    INSERT INTO commands (accepted_at, origin, user, device, command_id, command, param, \
    valid_until, via, recorded, sent, written, finished_at, failure, detail, verified, old, new, ms) \
    SELECT value ->> 'accepted_at', value ->> 'origin', value ->> 'user', value ->> 'device', \
    value ->> 'command_id', value ->> 'command', value ->> 'param', value ->> 'valid_until', \
    value ->> 'via', value ->> 'recorded', value ->> 'sent', value ->> 'written', value ->> \
    'finished_at', value ->> 'failure', value ->> 'detail', value ->> 'verified', value ->> \
    'old', value ->> 'new', value ->> 'ms' \
    FROM json_each(?) WHERE true ORDER BY key \
    ON CONFLICT (device, command_id, user, origin, accepted_at) DO UPDATE SET \
    command = excluded.command, param = excluded.param, valid_until = excluded.valid_until, \
    via = excluded.via, recorded = excluded.recorded, sent = excluded.sent, \
    written = excluded.written, finished_at = excluded.finished_at, failure = excluded.failure, \
    detail = excluded.detail, verified = excluded.verified, old = excluded.old, \
    new = excluded.new, ms = excluded.ms \
    WHERE excluded.finished_at IS NOT NULL OR commands.finished_at IS NULL";

const WRITE_SETTINGS: &str = "\
    INSERT INTO settings (key, value, configured, at) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true \
    ON CONFLICT (key) DO UPDATE SET \
    value = excluded.value, configured = excluded.configured, at = excluded.at";

/// When the last of what is old was accepted, and the first of what is not.
pub(super) const AROUND: &str = "\
    SELECT (SELECT max(accepted_at) FROM commands WHERE accepted_at < ?1), \
    (SELECT min(accepted_at) FROM commands WHERE accepted_at >= ?1)";

const PRUNE: &str = "\
    DELETE FROM commands WHERE id IN \
    (SELECT id FROM commands WHERE accepted_at < ? ORDER BY accepted_at LIMIT ?)";

/// How many orders one transaction removes: so few that it holds up no order.
const SLICE: u32 = 500;
