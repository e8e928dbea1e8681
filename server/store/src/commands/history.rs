//! Orders as they were put on record, for those who ask: newest first, a page at a time.

use std::num::NonZeroU32;

use futures_util::stream::{self, Stream, TryStreamExt as _};
use protocol::command::{Failure, Origin};
use protocol::frame::CommandStatus;
use protocol::id::DeviceId;
use protocol::time::Timestamp;
use protocol::wire::commands::{CommandPage, CommandRow};
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row as _};

use super::file::COMMANDS_FILE;
use super::row::told;
use crate::number::{at, moment};
use crate::place::Place;
use crate::reads::{HistoryError, Reads};
use crate::rows::readable;

/// The record of orders, for readers. Cheap to clone; nobody who writes waits for it.
#[derive(Clone, Debug)]
pub struct CommandHistory {
    reads: Reads,
}

/// Which orders are wanted: those of which all of this holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommandFilter {
    pub device: Option<DeviceId>,
    pub origin: Option<Origin>,
    pub user: Option<String>,
    pub command: Option<String>,
    pub status: Option<CommandStatus>,
    pub failure: Option<Failure>,
    /// Accepted at this moment or later.
    pub from: Option<Timestamp>,
    /// Accepted before this moment.
    pub to: Option<Timestamp>,
    /// What stands somewhere in its id, its parameter, its detail, its user or its `via`.
    pub text: Option<String>,
}

impl CommandHistory {
    pub(super) fn new(reads: Reads) -> Self {
        Self { reads }
    }

    /// The newest orders before a place, at most `limit` of them.
    ///
    /// One page looks at five thousand orders at most: where few of them are wanted it holds fewer
    /// than `limit`, or none at all, and still names the next.
    pub async fn page(
        &self,
        filter: &CommandFilter,
        before: Option<Place>,
        limit: NonZeroU32,
    ) -> Result<CommandPage, HistoryError> {
        let pool = self.reads.pool().await?;
        let limit = limit.min(LARGEST_PAGE);
        let wanted = limit.get() as usize;
        let mut found = filter.page(before, wanted + 1).build().fetch_all(&pool).await?;
        let next = if found.len() > wanted {
            found.truncate(wanted);
            found.last().map(place).transpose()?
        } else {
            filter.last_looked_at(&pool, before).await?
        };
        let rows = readable(COMMANDS_FILE, found, told);
        Ok(CommandPage { next: next.map(|next| next.to_string()), rows })
    }

    /// All orders that are wanted, newest first. What is read on the way is held for one page only.
    pub fn all(
        &self,
        filter: CommandFilter,
    ) -> impl Stream<Item = Result<CommandRow, HistoryError>> + Send + use<> {
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

/// How the orders that are looked at are found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lead {
    Device,
    User,
    Failure,
    Failed,
    Command,
    Origin,
    Time,
}

impl CommandFilter {
    /// The condition that leaves the fewest orders, as far as that can be told.
    fn lead(&self) -> Lead {
        let leads = [
            (self.failure.is_some(), Lead::Failure),
            (self.device.is_some(), Lead::Device),
            (self.user.is_some(), Lead::User),
            (self.status == Some(CommandStatus::Fail), Lead::Failed),
            (self.command.is_some(), Lead::Command),
            (self.origin.is_some(), Lead::Origin),
        ];
        leads.into_iter().find(|(is_given, _)| *is_given).map_or(Lead::Time, |(_, lead)| lead)
    }

    fn page(&self, before: Option<Place>, most: usize) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT * FROM (");
        self.look_at("*", before, &mut query);
        query.push(") WHERE true");
        Lead::ALL.into_iter().for_each(|condition| self.push(condition, &mut query));
        if self.status == Some(CommandStatus::Success) {
            query.push(" AND finished_at IS NOT NULL AND failure IS NULL");
        }
        if let Some(text) = &self.text {
            query.push(
                " AND instr(lower(concat_ws(' ', command_id, param, detail, user, via)), lower(",
            );
            query.push_bind(text.clone()).push("))");
        }
        query.push(" ORDER BY accepted_at DESC, id DESC LIMIT ").push_bind(most as i64);
        query
    }

    /// The place of the last order that a page looks at; `None` where it looks at the oldest.
    async fn last_looked_at(
        &self,
        pool: &SqlitePool,
        before: Option<Place>,
    ) -> Result<Option<Place>, sqlx::Error> {
        let mut query = QueryBuilder::new("SELECT * FROM (");
        self.look_at("accepted_at, id", before, &mut query);
        query.push(") LIMIT 1 OFFSET ").push_bind(MOST_LOOKED_AT - 1);
        let found = query.build().fetch_optional(pool).await?;
        found.as_ref().map(place).transpose()
    }

    /// The orders that a page looks at: all from one stretch of one index.
    fn look_at(
        &self,
        columns: &'static str,
        before: Option<Place>,
        query: &mut QueryBuilder<Sqlite>,
    ) {
        query.push("SELECT ").push(columns).push(" FROM commands INDEXED BY ");
        query.push(self.lead().index()).push(" WHERE true");
        self.push(self.lead(), query);
        query.push(" AND accepted_at >= ").push_bind(at(self.from.unwrap_or_default()));
        query.push(" AND accepted_at < ").push_bind(self.to.map_or(i64::MAX, at));
        if let Some(before) = before {
            query.push(" AND (accepted_at, id) < (").push_bind(at(before.moment));
            query.push(", ").push_bind(before.id).push(")");
        }
        query.push(" ORDER BY accepted_at DESC, id DESC LIMIT ").push_bind(MOST_LOOKED_AT);
    }

    fn push(&self, condition: Lead, query: &mut QueryBuilder<Sqlite>) {
        let (column, value) = match condition {
            Lead::Failure => {
                let failure = self.failure.map(|failure| failure.word().to_owned());
                ("failure IS NOT NULL AND failure", failure)
            }
            Lead::Device => ("device", self.device.as_ref().map(|device| device.to_string())),
            Lead::User => ("user", self.user.clone()),
            Lead::Command => ("command", self.command.clone()),
            Lead::Origin => ("origin", self.origin.map(|origin| origin.to_string())),
            Lead::Failed if self.status == Some(CommandStatus::Fail) => {
                query.push(" AND failure IS NOT NULL");
                return;
            }
            Lead::Failed | Lead::Time => return,
        };
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
}

impl Lead {
    const ALL: [Self; 7] = [
        Self::Failure,
        Self::Device,
        Self::User,
        Self::Failed,
        Self::Command,
        Self::Origin,
        Self::Time,
    ];

    fn index(self) -> &'static str {
        match self {
            Self::Failure => "commands_by_failure",
            Self::Device => "commands_by_device",
            Self::User => "commands_by_user",
            Self::Failed => "commands_failed",
            Self::Command => "commands_by_command",
            Self::Origin => "commands_by_origin",
            Self::Time => "commands_by_time",
        }
    }
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place { moment: moment(row.try_get("accepted_at")?), id: row.try_get("id")? })
}

const LARGEST_PAGE: NonZeroU32 = NonZeroU32::new(1000).expect("a thousand is not zero");

/// Whatever is asked for among a million orders, a page is there within 50 ms.
const MOST_LOOKED_AT: i64 = 5_000;

#[cfg(test)]
mod tests {
    use sqlx::Execute as _;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;
    use crate::commands::file::COMMANDS;

    #[tokio::test]
    async fn no_filter_makes_a_page_look_at_the_whole_table() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await;
        let pool = pool.unwrap();
        COMMANDS.schema.run(&pool).await.unwrap();
        let (status, text) = (Some(CommandStatus::Fail), Some("x".into()));
        let none = CommandFilter::default();
        let device = Some("board-1".parse().unwrap());
        for filter in [
            CommandFilter { failure: Some(Failure::Busy), ..none.clone() },
            CommandFilter { device, ..none.clone() },
            CommandFilter { user: text.clone(), ..none.clone() },
            CommandFilter { status, ..none.clone() },
            CommandFilter { command: text.clone(), ..none.clone() },
            CommandFilter { origin: Some(Origin::Local), ..none.clone() },
            CommandFilter { text, ..none.clone() },
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
                assert!(!steps.iter().any(|s| s.contains("SCAN commands")), "{steps:?}");
                assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{steps:?}");
            }
        }
    }
}
