//! Compares what givers of orders were answered with what was written to the boards.

use std::collections::BTreeSet;

use link::Progress;
use protocol::command::Failure;
use serde::Serialize;

use super::Absence;
use super::twins::End;
use crate::giver::{Book, Order};
use crate::tap::Written;

/// What came of orders.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Tally {
    pub given: usize,
    pub done: usize,
    /// A higher origin stood in their way.
    pub conflicts: usize,
    /// They were answered as not carried out.
    pub refused: usize,
    /// Nobody knows, and their giver was told so.
    pub unknown: usize,
}

/// All that is known, and what is wrong with it.
pub(super) struct Audit<'a> {
    pub(super) written: &'a [Written],
    pub(super) absences: &'a [Absence],
    pub(super) complaints: Vec<String>,
}

/// What an answer says of the board.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Done,
    Conflict,
    NotDone,
    Unknown,
}

impl Audit<'_> {
    /// Judges the orders that were given at one end.
    pub(super) fn of(&mut self, books: &[Book], end: End) -> Tally {
        let mut tally = Tally::default();
        for (value, order) in books.iter().flat_map(|book| &book.0) {
            tally.given += 1;
            match order.ends.last().map(|(_, progress)| fate(progress)) {
                Some(Fate::Done) => tally.done += 1,
                Some(Fate::Conflict) => tally.conflicts += 1,
                Some(Fate::NotDone) => tally.refused += 1,
                Some(Fate::Unknown) | None => tally.unknown += 1,
            }
            let complaint = self.complaint(*value, order, end);
            let whose = end.blow().split(' ').next().unwrap_or_default();
            self.complaints.extend(complaint.map(|why| format!("{whose} order {value}: {why}")));
        }
        tally
    }

    /// Nothing was written that nobody ordered.
    pub(super) fn of_strangers<'b>(&mut self, books: impl Iterator<Item = &'b Book>) {
        let ordered: BTreeSet<u16> = books.flat_map(|book| book.0.keys().copied()).collect();
        let stranger = self.written.iter().find(|write| !ordered.contains(&write.value));
        self.complaints.extend(stranger.map(|write| format!("nobody ordered {write:?}")));
    }

    fn complaint(&self, value: u16, order: &Order, end: End) -> Option<String> {
        let writes: Vec<_> = self.written.iter().filter(|write| write.value == value).collect();
        if writes.len() > 1 {
            return Some(format!("carried out {} times: {writes:?}", writes.len()));
        }
        let Some(((first_at, _), (_, last))) = order.ends.first().zip(order.ends.last()) else {
            return Some("never came to an end".into());
        };
        let answers: BTreeSet<_> = order.ends.iter().filter_map(|(_, end)| answer(end)).collect();
        if answers.len() > 1 {
            return Some(format!("answered in several ways: {:?}", order.ends));
        }
        if matches!(last, Progress::NoResponse) && !self.was_away(end, order.given_at) {
            return Some("never answered, by a server that was there".into());
        }
        let late = writes.iter().find(|write| write.at > first_at.saturating_add(GRACE));
        if let Some(write) = late {
            return Some(format!("carried out after {:?}: {write:?}", order.ends));
        }
        match (fate(last), writes.first()) {
            (Fate::Done, None) => Some(format!("never carried out, but {last:?}")),
            (Fate::NotDone | Fate::Conflict, Some(write)) => {
                Some(format!("carried out, but {last:?}: {write:?}"))
            }
            _ => None,
        }
    }

    /// Whether its server was killed, or came back, while it could have answered.
    fn was_away(&self, end: End, given_at: u64) -> bool {
        let absences = self.absences.iter().filter(|absence| absence.end == end);
        let life = given_at..=given_at.saturating_add(LIFE);
        let mut absences = absences.filter(|absence| {
            absence.from <= *life.end() && given_at <= absence.to.saturating_add(LIFE)
        });
        absences.next().is_some()
    }
}

fn fate(progress: &Progress) -> Fate {
    use Failure::{DeviceTimeout, Interrupted, NotVerified};
    match progress {
        Progress::Done(result) => match result.reason {
            None => Fate::Done,
            Some(Failure::ConflictHighPriority) => Fate::Conflict,
            Some(DeviceTimeout | Interrupted | NotVerified) => Fate::Unknown,
            Some(_) => Fate::NotDone,
        },
        Progress::Conflict(_) => Fate::Conflict,
        Progress::NotSent | Progress::Rejected(_) | Progress::Tampered => Fate::NotDone,
        Progress::NoResponse | Progress::Sent | Progress::Resent => Fate::Unknown,
    }
}

/// In which words the server answered, if it did.
fn answer(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Done(result) => Some(format!("{:?}", result.reason)),
        Progress::Conflict(_) => Some(format!("{:?}", Some(Failure::ConflictHighPriority))),
        Progress::Rejected(invalid) => Some(invalid.detail.clone()),
        _ => None,
    }
}

/// Two clocks never agree to the millisecond. In microseconds.
const GRACE: u64 = 100_000;

/// How long an order waits for its answer, and then once more. In microseconds.
const LIFE: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use protocol::frame::CommandStatus;
    use protocol::time::Timestamp;
    use protocol::wire::native::CommandResult;

    use super::*;

    fn result(reason: Option<Failure>) -> Progress {
        Progress::Done(CommandResult {
            command_id: "7".into(),
            detail: None,
            executed_at: Timestamp::from_millis(1),
            ms: 1,
            new: None,
            old: None,
            reason,
            status: if reason.is_none() { CommandStatus::Success } else { CommandStatus::Fail },
            verified: None,
        })
    }

    /// What is wrong with an order that was given at 1 s, and answered at 1.5 s.
    fn complaint(ends: &[Progress], writes: &[u64]) -> String {
        let write = |at: &u64| Written { register: 0, value: 7, at: *at };
        let written: Vec<_> = writes.iter().map(write).collect();
        let mut audit = Audit { written: &written, absences: &[], complaints: Vec::new() };
        let ends = ends.iter().map(|end| (1_500_000, end.clone())).collect();
        let book = Book([(7, Order { given_at: 1_000_000, ends })].into());
        audit.of(std::slice::from_ref(&book), End::Edge);
        audit.of_strangers([book].iter());
        audit.complaints.join("; ")
    }

    #[test]
    fn what_was_answered_as_it_is_is_not_complained_of() {
        assert_eq!(complaint(&[result(None)], &[1_200_000]), "");
        assert_eq!(complaint(&[result(Some(Failure::DeviceOffline))], &[]), "");
        assert_eq!(complaint(&[result(Some(Failure::DeviceTimeout))], &[1_200_000]), "");
        assert_eq!(complaint(&[Progress::NotSent], &[]), "");
    }

    #[test]
    fn an_order_that_acts_twice_or_late_or_against_its_answer_is_found() {
        let timeout = result(Some(Failure::DeviceTimeout));
        for (ends, writes, expected) in [
            (vec![result(None)], vec![1_200_000, 1_300_000], "carried out 2 times"),
            (vec![timeout.clone()], vec![3_000_000], "carried out after"),
            (vec![result(None)], vec![], "never carried out"),
            (vec![result(Some(Failure::DeviceOffline))], vec![1_200_000], "carried out, but"),
            (vec![result(None), timeout], vec![1_200_000], "in several ways"),
            (vec![Progress::NoResponse], vec![], "never answered"),
            (vec![], vec![], "never came to an end"),
        ] {
            let found = complaint(&ends, &writes);
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }

    #[test]
    fn what_nobody_ordered_is_found() {
        let written = [Written { register: 0, value: 9, at: 1 }];
        let mut audit = Audit { written: &written, absences: &[], complaints: Vec::new() };
        audit.of_strangers([].iter());
        assert!(audit.complaints[0].contains("nobody ordered"));
    }
}
