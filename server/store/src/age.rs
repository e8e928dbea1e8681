//! Whether what is old may go.

use std::mem;
use std::time::Duration;

use protocol::time::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use crate::number::{at, moment};
use crate::open::ago;

/// What is older than it is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Old {
    Nothing,
    MayGo,
    /// Nothing came for so long after it that the clock is rather wrong.
    Doubted,
}

/// Looks for what is older than `keep` at `now`. `around` asks when the last row before a moment
/// came, and when the first that did not come before it.
///
/// A clock that leaps ahead makes everything old at once. What lies further before the rows that
/// came next, or before `now`, than rows are kept is therefore left alone, until that is old too.
pub(crate) async fn look(
    connection: &mut SqliteConnection,
    around: &'static str,
    now: Timestamp,
    keep: Duration,
) -> Result<Old, sqlx::Error> {
    let found = sqlx::query(around).bind(at(ago(now, keep))).fetch_one(connection).await?;
    let (last, next): (Option<i64>, Option<i64>) = (found.try_get(0)?, found.try_get(1)?);
    Ok(match last {
        None => Old::Nothing,
        Some(last) if moment(last) < ago(next.map_or(now, moment), keep) => Old::Doubted,
        Some(_) => Old::MayGo,
    })
}

/// Whether it was told that the clock is not believed.
#[derive(Debug, Default)]
pub(crate) struct Doubt(bool);

impl Doubt {
    /// Tells of a doubt once, until there is none.
    pub(crate) fn tell(&mut self, is_doubted: bool, things: &str) {
        if !mem::replace(&mut self.0, is_doubted) && is_doubted {
            tracing::warn!(
                "old {things} are not removed: nothing came for longer than they are kept, \
                 or the clock was or is ahead"
            );
        }
    }
}
