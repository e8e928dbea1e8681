//! What a clerk has to know of what it writes.

use std::fmt;

use protocol::time::Timestamp;
use sqlx::SqliteConnection;

use crate::open::Database;

/// What waits for one database, and how it gets there.
pub(crate) trait Ledger: fmt::Debug + Send {
    type Letter: fmt::Debug + Send;

    const DATABASE: &'static Database;

    /// What it holds, in the plural.
    const THINGS: &'static str;

    /// Takes in what was handed in.
    fn take(&mut self, letter: Self::Letter);

    /// Whether more can be taken in. Where it cannot, those who hand in wait.
    fn has_room(&self) -> bool;

    /// How much waits for the disk.
    fn waiting(&self) -> usize;

    /// The database was opened; `is_new` where a damaged one was set aside for it.
    fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        is_new: bool,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Writes what waits: all of it, or as much as one transaction shall hold.
    fn write(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What was written is on the disk.
    fn done(&mut self);

    /// What was written may not be on the disk: it waits again, before what came since.
    fn take_back(&mut self);

    /// Forgets some of what is old at `now`: so little that it holds up no commit. Whether there is
    /// more of it.
    fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// How much found no room since the last time.
    fn take_lost(&mut self) -> u64;

    /// What operators are to be told, although the disk works.
    fn complaint(&self) -> Option<String> {
        None
    }
}
