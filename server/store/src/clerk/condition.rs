//! How a clerk's disk fares, in words.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::Clerk;
use super::ledger::Ledger;
use super::tray::Desk;
use crate::disk::words;
use crate::open::OpenError;

/// Why something is not on the disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error("cannot write to {file}: {}", words(.cause))]
    Failed { file: &'static str, cause: sqlx::Error },
    #[error("the disk has not answered for {0:?}")]
    TooSlow(Duration),
    #[error("{lost} {things} found no room and are lost")]
    NoRoom { lost: u64, things: &'static str },
}

impl Clerk {
    /// Sees to it that what was not written is tried again, and tells how the disk fares.
    pub(super) fn tell<L: Ledger>(&mut self, outcome: Result<(), WriteError>, desk: &mut Desk<L>) {
        if outcome.is_err() {
            desk.ledger.take_back();
            self.rest_until = Instant::now() + self.times.rest;
        }
        let lost = desk.ledger.take_lost() + self.refused.swap(0, Ordering::Relaxed);
        self.lost += lost;
        if lost > 0 {
            tracing::error!("{lost} {} found no room and are lost", L::THINGS);
        }
        match (outcome, desk.ledger.complaint()) {
            (Err(error), _) => self.complain(&error),
            (Ok(()), _) if lost > 0 => {
                self.fare.fails(WriteError::NoRoom { lost, things: L::THINGS });
                // Where nothing more comes, it is this that shows that the disk works.
                self.prune_at = Instant::now() + self.times.rest;
            }
            (Ok(()), Some(complaint)) => {
                if self.fare.fails(&complaint) {
                    tracing::error!("{complaint}");
                }
            }
            (Ok(()), None) => {
                self.lost = 0;
                if self.fare.works() {
                    tracing::info!("{} are written again", L::THINGS);
                }
            }
        }
    }

    pub(super) fn complain(&self, error: &WriteError) {
        let things = self.things;
        let lost = match self.lost {
            0 => String::new(),
            lost => format!("; {lost} {things} are lost so far"),
        };
        if self.fare.fails(format!("{error}{lost}")) {
            let rest = self.times.rest;
            tracing::error!("{things} cannot be written, next try in {rest:?}: {error}");
        }
    }
}
