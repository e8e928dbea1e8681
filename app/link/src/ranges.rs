//! A set of numbers, kept as ranges: a hole of a million costs as much as a hole of one.

use std::collections::BTreeMap;

/// Numbers as ranges that neither touch nor overlap; both ends belong to a range.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, to)| number <= *to)
    }

    /// The ranges in rising order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().map(|(from, to)| (*from, *to))
    }

    /// How many numbers there are.
    pub(crate) fn count(&self) -> u64 {
        self.iter().fold(0, |sum: u64, (from, to)| sum.saturating_add(width(from, to)))
    }

    /// Adds `from..=to`; an inverted range adds nothing.
    pub(crate) fn insert(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let (mut start, mut end) = (from, to);
        let touching = self.0.range(..=to.saturating_add(1)).rev();
        let touching: Vec<_> =
            touching.take_while(|(_, end)| end.saturating_add(1) >= from).map(pair).collect();
        for (first, last) in touching {
            self.0.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.0.insert(start, end);
        if self.0.len() > MOST_RANGES {
            self.0.pop_first();
        }
    }

    /// Takes `from..=to` out and says how many numbers of it there were.
    pub(crate) fn remove(&mut self, from: u64, to: u64) -> u64 {
        if from > to {
            return 0;
        }
        let cut = self.0.range(..=to).rev().take_while(|(_, end)| **end >= from);
        let cut: Vec<_> = cut.map(pair).collect();
        let mut removed = 0u64;
        for (first, last) in cut {
            self.0.remove(&first);
            if first < from {
                self.0.insert(first, from - 1);
            }
            if last > to {
                self.0.insert(to + 1, last);
            }
            removed = removed.saturating_add(width(first.max(from), last.min(to)));
        }
        removed
    }

    /// The ranges, joined where need be until they are no more than `most`.
    pub(crate) fn at_most(&self, most: usize) -> Vec<(u64, u64)> {
        let mut ranges: Vec<_> = self.iter().collect();
        if let Some((_, last)) = ranges.last().copied().filter(|_| ranges.len() > most) {
            ranges.truncate(most);
            if let Some(end) = ranges.last_mut() {
                end.1 = last;
            }
        }
        ranges
    }
}

fn pair((from, to): (&u64, &u64)) -> (u64, u64) {
    (*from, *to)
}

fn width(from: u64, to: u64) -> u64 {
    to.saturating_sub(from).saturating_add(1)
}

/// What is older than so many ranges is older than what any server keeps: it is forgotten.
const MOST_RANGES: usize = 4096;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges(pairs: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::default();
        pairs.iter().for_each(|(from, to)| ranges.insert(*from, *to));
        ranges
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let table = [
            (vec![(1, 2), (3, 4)], vec![(1, 4)]),
            (vec![(1, 2), (4, 5)], vec![(1, 2), (4, 5)]),
            (vec![(1, 2), (4, 5), (3, 3)], vec![(1, 5)]),
            (vec![(5, 9), (1, 20)], vec![(1, 20)]),
            (vec![(4, 3)], vec![]),
        ];
        for (inserted, expected) in table {
            assert_eq!(ranges(&inserted).iter().collect::<Vec<_>>(), expected, "{inserted:?}");
        }
    }

    #[test]
    fn too_many_ranges_are_joined_at_the_end() {
        let many = ranges(&[(1, 1), (3, 3), (5, 5), (7, 7)]);
        assert_eq!(many.at_most(2), [(1, 1), (3, 7)]);
        assert_eq!(many.at_most(4).len(), 4);
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        let mut all = ranges(&[(0, u64::MAX), (7, u64::MAX)]);
        assert_eq!(all.count(), u64::MAX);
        assert_eq!(all.remove(1, u64::MAX), u64::MAX);
        assert_eq!(all.iter().collect::<Vec<_>>(), [(0, 0)]);
    }

    #[test]
    fn holes_without_end_do_not_fill_the_memory() {
        let mut holes = Ranges::default();
        (0..20_000).for_each(|number| holes.insert(number * 2, number * 2));
        assert_eq!(holes.count(), MOST_RANGES as u64);
        assert!(holes.contains(39_998), "the newest are kept");
    }

    proptest! {
        #[test]
        fn they_hold_what_a_set_would_hold(
            steps in prop::collection::vec((any::<bool>(), 0..60u64, 0..60u64), 0..40),
        ) {
            let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
            for (insert, from, to) in steps {
                if insert {
                    ranges.insert(from, to);
                    model.extend(from..=to);
                } else {
                    let before = model.len();
                    model.retain(|number| *number < from || *number > to);
                    prop_assert_eq!(ranges.remove(from, to), (before - model.len()) as u64);
                }
            }
            let numbers: Vec<_> = ranges.iter().flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(numbers, model.iter().copied().collect::<Vec<_>>());
            prop_assert!((0..61).all(|number| ranges.contains(number) == model.contains(&number)));
        }
    }
}
