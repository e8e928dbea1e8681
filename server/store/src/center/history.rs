//! The history of edges, for those who ask: newest first, a page at a time.

use std::num::NonZeroU32;

use protocol::id::{DeviceId, EdgeId, Incarnation};
use protocol::status::NumberedRow;
use protocol::time::Timestamp;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row as _};

use super::file::CENTER_FILE;
use crate::number::{at, count, moment};
use crate::place::Place;
use crate::reads::{HistoryError, Reads};
use crate::rows::{RowError, readable, text, whole_number};
use crate::status::numbered;

/// What edges have told, for readers. Cheap to clone; nobody who writes waits for it.
#[derive(Clone, Debug)]
pub struct EdgeHistory {
    reads: Reads,
}

/// Which rows of an edge are wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgeFilter {
    pub edge: EdgeId,
    pub device: Option<DeviceId>,
    /// What happened at this moment or later.
    pub from: Option<Timestamp>,
    /// What happened before this moment.
    pub to: Option<Timestamp>,
}

/// Some rows, newest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgePage {
    /// Where what is older begins; `None` where there is no more.
    pub next: Option<Place>,
    pub rows: Vec<EdgeRow>,
}

/// A row as it came from its edge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgeRow {
    pub incarnation: Incarnation,
    pub received_at: Timestamp,
    pub row: NumberedRow,
}

/// How much is kept of an edge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgeExtent {
    pub edge: EdgeId,
    pub rows: u64,
    /// When the newest of them happened, by the edge's clock.
    pub newest: Option<Timestamp>,
    /// When the last batch came.
    pub received_at: Option<Timestamp>,
}

impl EdgeHistory {
    pub(super) fn new(reads: Reads) -> Self {
        Self { reads }
    }

    /// The newest rows before a place, at most `limit` of them.
    pub async fn page(
        &self,
        filter: &EdgeFilter,
        before: Option<Place>,
        limit: NonZeroU32,
    ) -> Result<EdgePage, HistoryError> {
        let pool = self.reads.pool().await?;
        let wanted = limit.min(LARGEST_PAGE).get() as usize;
        let mut found = filter.page(before, wanted + 1).build().fetch_all(&pool).await?;
        let is_more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| is_more).map(place).transpose()?;
        Ok(EdgePage { next, rows: readable(CENTER_FILE, found, edge_row) })
    }

    /// How much is kept of each edge that ever told something.
    pub async fn extents(&self) -> Result<Vec<EdgeExtent>, HistoryError> {
        let pool = self.reads.pool().await?;
        let found = sqlx::query("SELECT * FROM edges ORDER BY edge").fetch_all(&pool).await?;
        Ok(readable(CENTER_FILE, found, edge_extent))
    }
}

impl EdgeFilter {
    fn page(&self, before: Option<Place>, most: usize) -> QueryBuilder<Sqlite> {
        let index = if self.device.is_some() { "history_by_device" } else { "history_by_edge" };
        let mut query = QueryBuilder::new(
            "SELECT history.*, (SELECT incarnation FROM sources WHERE sources.id = source) \
             AS incarnation FROM history INDEXED BY ",
        );
        query.push(index).push(" WHERE edge = (SELECT id FROM edges WHERE edge = ");
        query.push_bind(self.edge.to_string()).push(")");
        if let Some(device) = &self.device {
            query.push(" AND device_id = ").push_bind(device.to_string());
        }
        query.push(" AND timestamp >= ").push_bind(at(self.from.unwrap_or_default()));
        query.push(" AND timestamp < ").push_bind(self.to.map_or(i64::MAX, at));
        if let Some(before) = before {
            query.push(" AND (timestamp, seq) < (").push_bind(at(before.moment));
            query.push(", ").push_bind(before.id).push(")");
        }
        query.push(" ORDER BY timestamp DESC, seq DESC LIMIT ").push_bind(most as i64);
        query
    }
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place { moment: moment(row.try_get("timestamp")?), id: row.try_get("seq")? })
}

fn edge_row(row: &SqliteRow) -> Result<EdgeRow, RowError> {
    Ok(EdgeRow {
        incarnation: text(row, "incarnation")?.parse()?,
        received_at: moment(whole_number(row, "received_at")?),
        row: numbered(row)?,
    })
}

fn edge_extent(row: &SqliteRow) -> Result<EdgeExtent, RowError> {
    let (newest, received_at): (Option<i64>, Option<i64>) =
        (row.try_get("newest")?, row.try_get("received_at")?);
    Ok(EdgeExtent {
        edge: text(row, "edge")?.parse()?,
        rows: count(whole_number(row, "rows")?),
        newest: newest.map(moment),
        received_at: received_at.map(moment),
    })
}

const LARGEST_PAGE: NonZeroU32 = NonZeroU32::new(1000).expect("a thousand is not zero");

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;
    use crate::center::file::CENTER;

    #[tokio::test]
    async fn no_page_looks_at_the_whole_table() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await;
        let pool = pool.unwrap();
        CENTER.schema.run(&pool).await.unwrap();
        for device in [None, Some("board-1".parse().unwrap())] {
            let edge = "north".parse().unwrap();
            let filter = EdgeFilter { edge, device, from: None, to: None };
            for before in [None, Some(Place { moment: Timestamp::from_millis(7), id: 7 })] {
                let sql = format!("EXPLAIN QUERY PLAN {}", filter.page(before, 100).sql().as_str());
                let steps = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
                let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
                let scans = steps.iter().any(|s| s.contains("SCAN") || s.contains("TEMP B-TREE"));
                assert!(!scans && steps[0].contains("SEARCH history"), "{steps:?}");
            }
        }
    }
}
