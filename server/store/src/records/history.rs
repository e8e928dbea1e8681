//! The lifecycle log, for those who ask: newest first, a page at a time (S0-80, S0-81).

use std::num::NonZeroU32;
use std::path::Path;

use futures_util::stream::{self, Stream, TryStreamExt as _};
use protocol::id::{ConnectionId, DeviceId};
use protocol::time::Timestamp;
use protocol::wire::records::{Level, LogPage, LogRow};
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row as _};

use super::kind::{Kind, Module, name_of};
use crate::number::{at, count, moment};
use crate::open::{FILE, RECORDS};
use crate::place::Place;
use crate::reads::{HistoryError, Reads};
use crate::rows::{RowError, readable, text};

/// The lifecycle log, for readers. Cheap to clone; nobody who writes waits for it.
#[derive(Clone, Debug)]
pub struct LogHistory {
    reads: Reads,
}

/// Which lines are wanted: those of which all of this holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogFilter {
    pub connection: Option<ConnectionId>,
    pub device: Option<DeviceId>,
    pub user: Option<String>,
    pub kind: Option<Kind>,
    pub module: Option<Module>,
    /// Of this level or a higher one.
    pub level: Option<Level>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// What stands somewhere in its detail, its user or its connection, in whatever case.
    pub text: Option<String>,
}

impl LogHistory {
    pub(crate) fn new(reads: Reads) -> Self {
        Self { reads }
    }

    /// The log of a data directory, for another process than the server.
    pub fn of(directory: &Path) -> Self {
        let reads = Reads::default();
        reads.become_open(RECORDS.reader(directory));
        Self { reads }
    }

    /// The newest lines before a place, at most `limit` of them.
    ///
    /// One page looks at five thousand lines at most: where few of them are wanted it holds fewer
    /// than `limit`, or none at all, and still names the next.
    pub async fn page(
        &self,
        filter: &LogFilter,
        before: Option<Place>,
        limit: NonZeroU32,
    ) -> Result<LogPage, HistoryError> {
        let pool = self.reads.pool().await?;
        let wanted = limit.min(LARGEST_PAGE).get() as usize;
        let mut found = filter.page(before, wanted + 1).build().fetch_all(&pool).await?;
        let next = if found.len() > wanted {
            found.truncate(wanted);
            found.last().map(place).transpose()?
        } else {
            filter.last_looked_at(&pool, before).await?
        };
        let rows = readable(FILE, found, told);
        Ok(LogPage { next: next.map(|next| next.to_string()), rows })
    }

    /// All lines that are wanted, newest first. What is read on the way is held for one page only.
    pub fn all(
        &self,
        filter: LogFilter,
    ) -> impl Stream<Item = Result<LogRow, HistoryError>> + Send + use<> {
        let start = Some((self.clone(), filter, None));
        let pages = stream::try_unfold(start, |state| async move {
            let Some((history, filter, before)) = state else { return Ok(None) };
            let page = history.page(&filter, before, LARGEST_PAGE).await?;
            let next = page.next.and_then(|next| next.parse().ok());
            let rows = stream::iter(page.rows.into_iter().map(Ok));
            let next = next.map(|next| (history, filter, Some(next)));
            Ok::<_, HistoryError>(Some((rows, next)))
        });
        pages.try_flatten()
    }
}

/// How the lines that are looked at are found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lead {
    Connection,
    User,
    Device,
    Kind,
    Trouble,
    Module,
    Time,
}

impl LogFilter {
    /// The condition that leaves the fewest lines, as far as that can be told.
    fn lead(&self) -> Lead {
        let is_trouble = self.level.is_some_and(|level| level > Level::Info);
        let leads = [
            (self.connection.is_some(), Lead::Connection),
            (self.user.is_some(), Lead::User),
            (self.device.is_some(), Lead::Device),
            (self.kind.is_some(), Lead::Kind),
            (is_trouble, Lead::Trouble),
            (self.module.is_some(), Lead::Module),
        ];
        leads.into_iter().find(|(is_given, _)| *is_given).map_or(Lead::Time, |(_, lead)| lead)
    }

    fn page(&self, before: Option<Place>, most: usize) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT * FROM (");
        self.look_at("*", before, &mut query);
        query.push(") WHERE true");
        Lead::ALL.into_iter().for_each(|condition| self.push(condition, &mut query));
        if self.level == Some(Level::Error) {
            query.push(" AND level = 'ERROR'");
        }
        if let Some(text) = &self.text {
            query.push(" AND instr(lower(concat_ws(' ', detail, user, connection)), lower(");
            query.push_bind(text.clone()).push("))");
        }
        query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(most as i64);
        query
    }

    /// The place of the last line that a page looks at; `None` where it looks at the oldest.
    async fn last_looked_at(
        &self,
        pool: &SqlitePool,
        before: Option<Place>,
    ) -> Result<Option<Place>, sqlx::Error> {
        let mut query = QueryBuilder::new("SELECT * FROM (");
        self.look_at("at, id", before, &mut query);
        query.push(") LIMIT 1 OFFSET ").push_bind(MOST_LOOKED_AT - 1);
        let found = query.build().fetch_optional(pool).await?;
        found.as_ref().map(place).transpose()
    }

    /// The lines that a page looks at: all from one stretch of one index.
    fn look_at(
        &self,
        columns: &'static str,
        before: Option<Place>,
        query: &mut QueryBuilder<Sqlite>,
    ) {
        query.push("SELECT ").push(columns).push(" FROM records INDEXED BY ");
        query.push(self.lead().index()).push(" WHERE true");
        self.push(self.lead(), query);
        query.push(" AND at >= ").push_bind(at(self.from.unwrap_or_default()));
        query.push(" AND at < ").push_bind(self.to.map_or(i64::MAX, at));
        if let Some(before) = before {
            query.push(" AND (at, id) < (").push_bind(at(before.moment));
            query.push(", ").push_bind(before.id).push(")");
        }
        query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(MOST_LOOKED_AT);
    }

    fn push(&self, condition: Lead, query: &mut QueryBuilder<Sqlite>) {
        let (column, value) = match condition {
            Lead::Connection => {
                ("connection", self.connection.as_ref().map(|connection| connection.to_string()))
            }
            Lead::User => ("user", self.user.clone()),
            Lead::Device => ("device", self.device.as_ref().map(|device| device.to_string())),
            Lead::Kind => ("kind", self.kind.map(|kind| kind.word().to_owned())),
            Lead::Module => ("module", self.module.map(|module| module.name().to_owned())),
            Lead::Trouble if self.level.is_some_and(|level| level > Level::Info) => {
                query.push(" AND level <> 'INFO'");
                return;
            }
            Lead::Trouble | Lead::Time => return,
        };
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
}

impl Lead {
    const ALL: [Self; 7] = [
        Self::Connection,
        Self::User,
        Self::Device,
        Self::Kind,
        Self::Trouble,
        Self::Module,
        Self::Time,
    ];

    fn index(self) -> &'static str {
        match self {
            Self::Connection => "records_by_connection",
            Self::User => "records_by_user",
            Self::Device => "records_by_device",
            Self::Kind => "records_by_kind",
            Self::Trouble => "records_of_trouble",
            Self::Module => "records_by_module",
            Self::Time => "records_by_time",
        }
    }
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place { moment: moment(row.try_get("at")?), id: row.try_get("id")? })
}

fn told(row: &SqliteRow) -> Result<LogRow, RowError> {
    let number = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(count));
    let level = text(row, "level")?;
    let levels = [Level::Info, Level::Warn, Level::Error];
    Ok(LogRow {
        at: moment(row.try_get("at")?),
        bytes_sent: number("bytes_sent")?,
        connection_id: row.try_get("connection")?,
        detail: text(row, "detail")?,
        device_id: row.try_get("device")?,
        frames_sent: number("frames_sent")?,
        id: count(row.try_get("id")?),
        kind: text(row, "kind")?,
        // What a later version wrote is at least worth a look.
        level: levels.into_iter().find(|known| name_of(*known) == level).unwrap_or(Level::Warn),
        module: text(row, "module")?,
        user: row.try_get("user")?,
    })
}

const LARGEST_PAGE: NonZeroU32 = NonZeroU32::new(1000).expect("a thousand is not zero");

/// Whatever is asked for among a million lines, a page is there within 200 ms.
const MOST_LOOKED_AT: i64 = 5_000;

#[cfg(test)]
mod tests {
    use sqlx::Execute as _;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn no_filter_makes_a_page_look_at_the_whole_table() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await;
        let pool = pool.unwrap();
        RECORDS.schema.run(&pool).await.unwrap();
        let (none, text) = (LogFilter::default(), Some("x".into()));
        for filter in [
            LogFilter { connection: Some("c-1".parse().unwrap()), ..none.clone() },
            LogFilter { user: text.clone(), ..none.clone() },
            LogFilter { device: Some("board-1".parse().unwrap()), ..none.clone() },
            LogFilter { kind: Some(Kind::Tampered), ..none.clone() },
            LogFilter { level: Some(Level::Warn), ..none.clone() },
            LogFilter { level: Some(Level::Error), ..none.clone() },
            LogFilter { module: Some(Module::Auth), ..none.clone() },
            LogFilter { text, ..none.clone() },
            none,
        ] {
            for before in [None, Some(Place { moment: Timestamp::from_millis(7), id: 7 })] {
                let mut query = filter.page(before, 100);
                let sql = query.build().sql().as_str().to_owned();
                let mut plan = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN ");
                plan.push(&sql);
                let steps = sqlx::query(sqlx::AssertSqlSafe(plan.sql().as_str().to_owned()));
                let steps = steps.fetch_all(&pool).await.unwrap();
                let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
                let index = format!("USING INDEX {}", filter.lead().index());
                assert!(
                    steps.iter().any(|s| s.contains("SEARCH") && s.contains(&index)),
                    "{steps:?}"
                );
                assert!(!steps.iter().any(|s| s.contains("SCAN records")), "{steps:?}");
                assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{steps:?}");
            }
        }
    }
}
