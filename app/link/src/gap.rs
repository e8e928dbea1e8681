//! Finds the holes in a stream.

use crate::ranges::Ranges;

/// Follows the numbers of one stream and remembers which are missing.
#[derive(Clone, Debug)]
pub(crate) struct Gaps {
    /// The number that is due.
    next: u64,
    /// Found missing, and still wanted.
    missing: Ranges,
    /// Nobody holds them any more; only a snapshot makes up for them.
    gone: Ranges,
    /// Came by recovery before their turn.
    ahead: Ranges,
    /// Came by recovery, but damaged. A snapshot does not make up for the key events among them.
    doubtful: Ranges,
}

/// What an arriving number means to the stream so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// The number that was due.
    Due,
    /// A number that had been missing.
    Wanted,
    /// A number seen before.
    Repeated,
    /// A number by recovery that nobody had missed yet.
    Ahead,
    /// A new number, but so many before it were lost on the way.
    Skipped(u64),
}

impl Gaps {
    /// Starts to follow a stream whose last number was `last`; 0 for one that begins.
    pub(crate) fn after(last: u64) -> Self {
        Self {
            next: last.saturating_add(1),
            missing: Ranges::default(),
            gone: Ranges::default(),
            ahead: Ranges::default(),
            doubtful: Ranges::default(),
        }
    }

    /// The last number that the stream is known to have reached.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// The last number up to which nothing is missing.
    pub(crate) fn unbroken(&self) -> u64 {
        let first = |ranges: &Ranges| ranges.iter().next().map(|(from, _)| from);
        let hole = [first(&self.missing), first(&self.gone)].into_iter().flatten().min();
        hole.unwrap_or(self.next).saturating_sub(1)
    }

    /// Whether something has to be asked for.
    pub(crate) fn is_broken(&self) -> bool {
        !self.missing.is_empty() || !self.gone.is_empty() || !self.doubtful.is_empty()
    }

    /// How many numbers are missing and wanted.
    pub(crate) fn missing(&self) -> u64 {
        self.missing.count()
    }

    /// The numbers to ask for, in at most so many ranges.
    pub(crate) fn wanted(&self, most: usize) -> Vec<(u64, u64)> {
        let mut wanted = self.missing.clone();
        for (from, to) in self.gone.iter().chain(self.doubtful.iter()) {
            wanted.insert(from, to);
        }
        wanted.at_most(most)
    }

    /// Takes note of a frame in its turn.
    pub(crate) fn arrive(&mut self, number: u64) -> Arrival {
        self.doubtful.remove(number, number);
        if number < self.next {
            return self.fill(number);
        }
        match self.reach(number.saturating_sub(1)) {
            0 => {
                self.pass(number);
                Arrival::Due
            }
            lost => {
                self.pass(number);
                Arrival::Skipped(lost)
            }
        }
    }

    /// Takes note of a recovered frame: it never moves the number that is due.
    pub(crate) fn recover(&mut self, number: u64) -> Arrival {
        self.doubtful.remove(number, number);
        if number < self.next {
            return self.fill(number);
        }
        if self.ahead.contains(number) {
            return Arrival::Repeated;
        }
        self.ahead.insert(number, number);
        Arrival::Ahead
    }

    /// Learns that everything up to `number` was sent; says how many of these never came.
    pub(crate) fn reach(&mut self, number: u64) -> u64 {
        if number < self.next {
            return 0;
        }
        let mut lost = Ranges::default();
        lost.insert(self.next, number);
        for (from, to) in self.ahead.iter() {
            lost.remove(from, to);
        }
        lost.iter().for_each(|(from, to)| self.missing.insert(from, to));
        self.pass(number);
        lost.count()
    }

    /// Takes note of a snapshot that carries `number` and stands for `settled`.
    ///
    /// Unless it stands for its own number too, a frame of that number was sent before it.
    /// The answer: how many missing numbers it made up for, how many more it found missing.
    pub(crate) fn settle(&mut self, number: u64, settled: (u64, u64)) -> (u64, u64) {
        let (from, to) = settled;
        self.ahead.insert(from.max(self.next), to);
        let lost = self.reach(number);
        let repaired = self.missing.remove(from, to);
        self.mend(number);
        (repaired, lost)
    }

    /// A recovered frame came damaged, and this was its number.
    pub(crate) fn doubt(&mut self, number: u64) {
        self.doubtful.insert(number, number);
    }

    /// Learns that nobody holds these numbers any more.
    pub(crate) fn give_up(&mut self, from: u64, to: u64) {
        self.doubtful.remove(from, to);
        let mut given = self.missing.clone();
        given.remove(0, from.saturating_sub(1));
        given.remove(to.saturating_add(1), u64::MAX);
        for (from, to) in given.iter() {
            self.missing.remove(from, to);
            self.gone.insert(from, to);
        }
    }

    /// A snapshot of this number makes up for everything before it that is gone.
    pub(crate) fn mend(&mut self, number: u64) {
        self.gone.remove(0, number);
    }

    fn fill(&mut self, number: u64) -> Arrival {
        let was_gone = self.gone.remove(number, number) > 0;
        match self.missing.remove(number, number) {
            0 if was_gone => Arrival::Wanted,
            0 => Arrival::Repeated,
            _ => Arrival::Wanted,
        }
    }

    fn pass(&mut self, number: u64) {
        self.next = self.next.max(number.saturating_add(1));
        self.ahead.remove(0, number);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Arrival::*;
    use super::*;

    fn wanted(gaps: &Gaps) -> Vec<(u64, u64)> {
        gaps.wanted(64)
    }

    #[test]
    fn arrivals() {
        // S0-56
        let table = [
            (vec![1, 2, 3], vec![Due, Due, Due]),
            (vec![1, 1], vec![Due, Repeated]),
            (vec![10, 11], vec![Skipped(9), Due]),
            (vec![1, 3, 2, 2], vec![Due, Skipped(1), Wanted, Repeated]),
            (vec![u64::MAX, 1], vec![Skipped(u64::MAX - 1), Wanted]),
        ];
        for (numbers, expected) in table {
            let mut gaps = Gaps::after(0);
            let arrivals: Vec<_> = numbers.iter().map(|&n| gaps.arrive(n)).collect();
            assert_eq!(arrivals, expected, "after {numbers:?}");
        }
    }

    #[test]
    fn recovered_frames_never_move_the_number_that_is_due() {
        let mut gaps = Gaps::after(10);
        assert_eq!(
            (gaps.recover(11), gaps.recover(12), gaps.recover(12)),
            (Ahead, Ahead, Repeated)
        );
        assert_eq!(gaps.last(), 10);
        assert_eq!(gaps.arrive(13), Due, "what came by recovery is not missing");
        assert_eq!(gaps.recover(12), Repeated);
        assert!(!gaps.is_broken());
    }

    #[test]
    fn a_lost_tail_is_found_by_the_number_last_written() {
        let mut gaps = Gaps::after(4);
        assert_eq!((gaps.reach(3), gaps.reach(7)), (0, 3));
        assert_eq!(wanted(&gaps), [(5, 7)]);
        assert_eq!((gaps.last(), gaps.unbroken()), (7, 4));
    }

    #[test]
    fn a_snapshot_settles_what_it_stands_for_and_no_more() {
        let mut gaps = Gaps::after(4);
        gaps.arrive(8);
        assert_eq!(gaps.settle(12, (6, 12)), (2, 0), "5 is still missing");
        assert_eq!((gaps.last(), wanted(&gaps)), (12, vec![(5, 5)]));
        assert_eq!(gaps.settle(20, (15, 20)), (0, 2), "13 and 14 are nowhere");
        assert_eq!(gaps.arrive(21), Due);
        assert_eq!(gaps.settle(22, (5, 5)), (1, 1), "22 itself was sent, and never came");
    }

    #[test]
    fn what_is_gone_is_asked_for_until_a_snapshot_comes() {
        let mut gaps = Gaps::after(4);
        gaps.arrive(9);
        gaps.give_up(5, 6);
        gaps.give_up(1, 4);
        assert_eq!(wanted(&gaps), [(5, 8)]);
        gaps.mend(10);
        assert_eq!(wanted(&gaps), [(7, 8)]);
    }

    proptest! {
           /// Whatever is lost, recovering every gap once delivers every number exactly once.
           #[test]
           fn recovering_gaps_completes_the_stream(
               lost in prop::collection::btree_set(1..99u64, 0..50),
           ) {
               let (mut gaps, mut delivered) = (Gaps::after(0), Vec::new());
               for sent in (1..=100).filter(|number| !lost.contains(number)) {
                   if let Skipped(_) = gaps.arrive(sent) {
                       for recovered in gaps.wanted(64).into_iter().flat_map(|(from, to)| from..=to) {
                           prop_assert_eq!(gaps.recover(recovered), Wanted);
                           delivered.push(recovered);
                       }
                   }
                   delivered.push(sent);
               }
               prop_assert!(!gaps.is_broken());
               prop_assert_eq!(delivered, (1..=100).collect::<Vec<_>>());
           }

           #[test]
           fn no_order_of_numbers_makes_it_panic(
               steps in prop::collection::vec((0..6u8, any::<u64>(), any::<u64>()), 0..40),
           ) {
               let mut gaps = Gaps::after(0);
               for (step, one, other) in steps {
                   match step {
                       0 => {
                           gaps.arrive(one);
                       },
                       1 => {
                           gaps.recover(one);
                       },
                       2 => {
                           gaps.reach(one);
                       },
                       3 => {
    gaps.settle(one, (one.min(other), other));
    },
                       4 => gaps.give_up(one, other),
                       _ => gaps.mend(one),
                   }
                   prop_assert!(gaps.unbroken() <= gaps.last());
               }
           }
       }
}
