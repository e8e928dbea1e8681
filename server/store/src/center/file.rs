//! The file of edges' history: what is written to it, and what is removed.

use protocol::id::{EdgeId, Incarnation};
use protocol::status::NumberedRow;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;

use super::ledger::Received;
use crate::number::{at, whole};
use crate::open::{Database, LONG_LOG};
use crate::rows::rows;
use crate::status::columns;

/// What was found of a batch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// How many of its rows were not there yet.
    pub(super) new: u64,
    /// How many came under the number of another row.
    pub(super) reused: u64,
    /// How many of these were not kept, because their number has been given too often.
    pub(super) dropped: u64,
}

/// Writes those rows of a batch that are not there yet.
///
/// A copy of an edge's backlog that was put back gives numbers again that the edge has given before.
/// Rows under such a number are kept under an incarnation of their own.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    Received { edge, batch }: &Received,
    now: Timestamp,
) -> Result<Found, sqlx::Error> {
    sqlx::query(WRITE_EDGE).bind(edge.as_str()).execute(&mut *connection).await?;
    let (mut new, mut others) =
        keep(connection, edge, batch.incarnation.as_str(), &batch.rows, now).await?;
    let reused = others.len() as u64;
    for copy in 2..=MOST_COPIES {
        if others.is_empty() {
            break;
        }
        let incarnation = of_copy(&batch.incarnation, copy);
        let (written, rest) = keep(connection, edge, &incarnation, &others, now).await?;
        (new, others) = (new + written, rest);
    }
    let newest = batch.rows.iter().map(|row| at(row.row.timestamp)).max();
    let query = sqlx::query(COUNT_ROWS).bind(edge.as_str()).bind(whole(new)).bind(newest);
    query.bind(at(now)).execute(connection).await?;
    Ok(Found { new, reused, dropped: others.len() as u64 })
}

/// Writes those rows that are not there yet. How many they were, and the rows in whose place there
/// are others.
async fn keep(
    connection: &mut SqliteConnection,
    edge: &EdgeId,
    incarnation: &str,
    new: &[NumberedRow],
    now: Timestamp,
) -> Result<(u64, Vec<NumberedRow>), sqlx::Error> {
    let (edge, text) =
        (edge.as_str(), rows(new.iter().map(|row| (whole(row.id), columns(&row.row))))?);
    let source = sqlx::query(WRITE_SOURCE).bind(edge).bind(incarnation);
    source.execute(&mut *connection).await?;
    let query = sqlx::query(WRITE_ROWS).bind(edge).bind(incarnation).bind(at(now));
    let written = query.bind(&text).execute(&mut *connection).await?.rows_affected();
    if written >= new.len() as u64 {
        return Ok((written, Vec::new()));
    }
    let query = sqlx::query_scalar(FIND_OTHERS).bind(edge).bind(incarnation).bind(text);
    let places: Vec<i64> = query.fetch_all(connection).await?;
    let row = |place| new.get(usize::try_from(place).ok()?).cloned();
    Ok((written, places.into_iter().filter_map(row).collect()))
}

/// What an incarnation is called whose numbers were given once more: `<incarnation>.2`.
fn of_copy(incarnation: &Incarnation, copy: u32) -> String {
    let suffix = format!(".{copy}");
    let room = LONGEST_NAME.saturating_sub(suffix.len());
    incarnation.as_str().chars().take(room).collect::<String>() + &suffix
}

/// Removes some of the rows that came before `oldest`; whether there may be more.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    oldest: Timestamp,
) -> Result<bool, sqlx::Error> {
    let discount = sqlx::query(DISCOUNT_ROWS).bind(at(oldest)).bind(SLICE);
    discount.execute(&mut *connection).await?;
    let pruned = sqlx::query(PRUNE).bind(at(oldest)).bind(SLICE).execute(connection).await?;
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

/// The places of those rows whose number belongs to a row that says something else.
const FIND_OTHERS: &str = "\
    SELECT key FROM sources CROSS JOIN json_each(?3) CROSS JOIN history \
    WHERE sources.edge = (SELECT id FROM edges WHERE edge = ?1) AND sources.incarnation = ?2 \
    AND history.source = sources.id AND history.id = value ->> 0 \
    AND (history.timestamp, history.record_time, history.status_type, history.bit_position, \
    history.old_value, history.new_value, history.status_name, history.device_id) IS NOT \
    (value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]', \
    value ->> '$[1][4]', value ->> '$[1][5]', value ->> '$[1][6]', value ->> '$[1][7]') \
    ORDER BY key";

const COUNT_ROWS: &str = "\
    UPDATE edges SET rows = rows + ?2, \
    newest = max(coalesce(newest, ?3), coalesce(?3, newest)), received_at = ?4 WHERE edge = ?1";

/// When the last of what is old came, and the first of what is not.
pub(super) const AROUND: &str = "\
    SELECT (SELECT max(received_at) FROM history WHERE received_at < ?1), \
    (SELECT min(received_at) FROM history WHERE received_at >= ?1)";

const DISCOUNT_ROWS: &str = "\
    UPDATE edges SET rows = edges.rows - gone.rows FROM \
    (SELECT edge, count(*) AS rows FROM history WHERE seq IN \
    (SELECT seq FROM history WHERE received_at < ?1 ORDER BY received_at, seq LIMIT ?2) \
    GROUP BY edge) AS gone WHERE gone.edge = edges.id";

const PRUNE: &str = "\
    DELETE FROM history WHERE seq IN \
    (SELECT seq FROM history WHERE received_at < ?1 ORDER BY received_at, seq LIMIT ?2)";

/// How many rows one transaction removes: so few that it holds up no batch.
const SLICE: u32 = 1000;

/// How often one number may be given: far more copies than anybody puts back.
const MOST_COPIES: u32 = 100;

/// Incarnations are identifiers, and this is how long those may be.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Row as _};

    use super::*;

    #[tokio::test]
    async fn what_is_old_is_found_without_a_look_at_the_whole_table() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        CENTER.schema.run_direct(None, &mut connection, false).await.unwrap();
        for sql in [AROUND, DISCOUNT_ROWS, PRUNE] {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(7).bind(7);
            let steps = query.fetch_all(&mut connection).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
            let scans = steps.iter().any(|step| step.contains("SCAN history"));
            let searches = steps.iter().any(|step| step.contains("history_by_arrival"));
            assert!(!scans && searches, "{steps:?}");
        }
    }
}
