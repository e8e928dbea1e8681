//! The audit trail, for those who ask: newest first, a page at a time.

use std::num::NonZeroU32;

use futures_util::stream::{self, Stream, TryStreamExt as _};
use protocol::time::Timestamp;
use protocol::wire::records::{AuditPage, AuditRow};
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{FromRow as _, Row as _};

use super::chain::Sealed;
use super::deed::Action;
use super::file::AUDIT_FILE;
use crate::number::{at, count, moment};
use crate::place::Place;
use crate::reads::{HistoryError, Reads};
use crate::rows::{RowError, readable};

/// The audit trail, for readers. Cheap to clone; nobody who writes waits for it.
#[derive(Clone, Debug)]
pub struct AuditHistory {
    reads: Reads,
}

/// Which rows are wanted: those of which all of this holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditFilter {
    pub user: Option<String>,
    pub action: Option<Action>,
    pub target: Option<String>,
    /// Done at this moment or later.
    pub from: Option<Timestamp>,
    /// Done before this moment.
    pub to: Option<Timestamp>,
    /// What stands somewhere in its detail, its origin or its values.
    pub text: Option<String>,
}

impl AuditHistory {
    pub(super) fn new(reads: Reads) -> Self {
        Self { reads }
    }

    /// The newest rows before a place, at most `limit` of them. Of a million rows one page looks at
    /// five thousand at most, and may hold fewer than `limit`, and still names the next.
    pub async fn page(
        &self,
        filter: &AuditFilter,
        before: Option<Place>,
        limit: NonZeroU32,
    ) -> Result<AuditPage, HistoryError> {
        let pool = self.reads.pool().await?;
        let wanted = limit.min(LARGEST_PAGE).get() as usize;
        let mut found = filter.look_at(before).build().fetch_all(&pool).await?;
        let is_all = found.len() < MOST_LOOKED_AT;
        let mut last = found.last().map(place).transpose()?.filter(|_| !is_all);
        found.retain(|row| filter.text.as_ref().is_none_or(|text| has(row, text)));
        if found.len() > wanted {
            found.truncate(wanted);
            last = found.last().map(place).transpose()?;
        }
        let rows = readable(AUDIT_FILE, found, told);
        Ok(AuditPage { next: last.map(|last| last.to_string()), rows })
    }

    /// All rows that are wanted, newest first. What is read on the way is held for one page only.
    pub fn all(
        &self,
        filter: AuditFilter,
    ) -> impl Stream<Item = Result<AuditRow, HistoryError>> + Send + use<> {
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

impl AuditFilter {
    /// All from one stretch of one index.
    fn look_at(&self, before: Option<Place>) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT * FROM audit WHERE at >= ");
        query.push_bind(at(self.from.unwrap_or_default()));
        query.push(" AND at < ").push_bind(self.to.map_or(i64::MAX, at));
        let action = self.action.map(|action| action.word().to_owned());
        let columns = [("target", &self.target), ("user", &self.user), ("action", &action)];
        for (column, value) in columns {
            if let Some(value) = value {
                query.push(" AND ").push(column).push(" = ").push_bind(value.clone());
            }
        }
        if let Some(before) = before {
            query.push(" AND (at, id) < (").push_bind(at(before.moment));
            query.push(", ").push_bind(before.id).push(")");
        }
        query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(MOST_LOOKED_AT as i64);
        query
    }
}

/// Whether a text stands somewhere in a row, in whatever case.
fn has(row: &SqliteRow, text: &str) -> bool {
    let text = text.to_lowercase();
    let mut columns = ["detail", "origin", "target", "user", "before", "after"].into_iter();
    columns.any(|column| {
        let value: Result<Option<String>, _> = row.try_get(column);
        value.ok().flatten().is_some_and(|value| value.to_lowercase().contains(&text))
    })
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place { moment: moment(row.try_get("at")?), id: row.try_get("id")? })
}

fn told(row: &SqliteRow) -> Result<AuditRow, RowError> {
    let Sealed { row, hash } = Sealed::from_row(row)?;
    Ok(AuditRow {
        action: row.action,
        after: row.after,
        at: moment(row.at),
        before: row.before,
        detail: row.detail,
        from: row.origin,
        hash,
        id: count(row.id),
        is_done: row.is_done,
        role: row.role,
        target: row.target,
        user: row.user,
    })
}

const LARGEST_PAGE: NonZeroU32 = NonZeroU32::new(1000).expect("a thousand is not zero");

/// Whatever is asked for among a million rows, a page is there in a moment.
const MOST_LOOKED_AT: usize = 5_000;
