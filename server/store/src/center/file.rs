//! The file of edges' history: what is written to it, and what is removed.

use protocol::time::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::ledger::Received;
use crate::number::{at, whole};
use crate::open::{Database, LONG_LOG};
use crate::rows::rows;
use crate::status::columns;

/// Writes those rows of a batch that are not there yet.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    Received { edge, batch }: &Received,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (edge, incarnation) = (edge.as_str(), batch.incarnation.as_str());
    sqlx::query(WRITE_EDGE).bind(edge).execute(&mut *connection).await?;
    let source = sqlx::query(WRITE_SOURCE).bind(edge).bind(incarnation);
    source.execute(&mut *connection).await?;
    let batch_rows = rows(batch.rows.iter().map(|row| (whole(row.id), columns(&row.row))))?;
    let query = sqlx::query(WRITE_ROWS).bind(edge).bind(incarnation).bind(at(now));
    let written = query.bind(batch_rows).execute(&mut *connection).await?.rows_affected();
    let newest = batch.rows.iter().map(|row| at(row.row.timestamp)).max();
    let query = sqlx::query(COUNT_ROWS).bind(edge).bind(whole(written)).bind(newest);
    query.bind(at(now)).execute(connection).await.map(drop)
}

/// Removes some of the rows that came before `oldest`; whether there may be more.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    oldest: Timestamp,
) -> Result<bool, sqlx::Error> {
    let span = sqlx::query(OLDEST).bind(SLICE).fetch_one(&mut *connection).await?;
    let last: Option<i64> = span.try_get(0)?;
    let discount = sqlx::query(DISCOUNT_ROWS).bind(last).bind(at(oldest));
    discount.execute(&mut *connection).await?;
    let pruned = sqlx::query(PRUNE).bind(last).bind(at(oldest)).execute(connection).await?;
    Ok(pruned.rows_affected() >= u64::from(SLICE))
}

/// One that writes; those who read have their own.
pub(super) static CENTER: Database = Database {
    file: CENTER_FILE,
    schema: sqlx::migrate!("migrations/center"),
    connections: 1,
    log_pages: LONG_LOG,
};

/// The name of the center's database in the data directory.
pub const CENTER_FILE: &str = "center.db";

const WRITE_EDGE: &str = "INSERT OR IGNORE INTO edges (edge) VALUES (?)";

const WRITE_SOURCE: &str = "\
    INSERT OR IGNORE INTO sources (edge, incarnation) \
    VALUES ((SELECT id FROM edges WHERE edge = ?), ?)";

const WRITE_ROWS: &str = "\
    INSERT OR IGNORE INTO history (edge, source, received_at, id, timestamp, record_time, \
    status_type, bit_position, old_value, new_value, status_name, device_id) \
    SELECT sources.edge, sources.id, ?3, value ->> 0, value ->> '$[1][0]', value ->> '$[1][1]', \
    value ->> '$[1][2]', value ->> '$[1][3]', value ->> '$[1][4]', value ->> '$[1][5]', \
    value ->> '$[1][6]', value ->> '$[1][7]' \
    FROM sources CROSS JOIN json_each(?4) \
    WHERE sources.edge = (SELECT id FROM edges WHERE edge = ?1) AND sources.incarnation = ?2 \
    ORDER BY key";

const COUNT_ROWS: &str = "\
    UPDATE edges SET rows = rows + ?2, \
    newest = max(coalesce(newest, ?3), coalesce(?3, newest)), received_at = ?4 WHERE edge = ?1";

/// The end of the first slice, in the order in which rows came.
const OLDEST: &str = "SELECT max(seq) FROM (SELECT seq FROM history ORDER BY seq LIMIT ?)";

const DISCOUNT_ROWS: &str = "\
    UPDATE edges SET rows = edges.rows - gone.rows FROM \
    (SELECT edge, count(*) AS rows FROM history WHERE seq <= ?1 AND received_at < ?2 GROUP BY edge) \
    AS gone WHERE gone.edge = edges.id";

const PRUNE: &str = "DELETE FROM history WHERE seq <= ?1 AND received_at < ?2";

/// How many rows one transaction removes: so few that it holds up no batch.
const SLICE: u32 = 1000;
