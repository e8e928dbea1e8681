//! What a stream tells in sum, whatever the order in which its frames came.

use std::collections::BTreeMap;

use protocol::frame::Update;
use protocol::id::{DeviceId, PointKey};
use protocol::part::Part;

/// The fold of all updates, each fact as of the highest number that told it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    facts: Update,
    /// The number that told a fact, where it is above `whole`.
    told: BTreeMap<Fact, u64>,
    /// The number of the last snapshot; 0 as long as there was none.
    whole: u64,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fact {
    Status,
    FaultCodes,
    Links,
    Device(DeviceId),
    Part(Part),
    Point(PointKey),
}

impl Table {
    /// A table that was whole at this number.
    pub(crate) fn kept(facts: Update, whole: u64) -> Self {
        Self { facts, told: BTreeMap::new(), whole }
    }

    pub(crate) fn facts(&self) -> &Update {
        &self.facts
    }

    /// Whether a snapshot has ever filled it.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole > 0
    }

    /// The numbers begin anew; what is known stands until it is told otherwise.
    pub(crate) fn renumber(&mut self) {
        self.told.clear();
        self.whole = 0;
    }

    /// Takes in a delta and leaves of it what nothing newer has replaced.
    pub(crate) fn change(&mut self, number: u64, mut delta: Update) -> Update {
        // A snapshot stands in for the frame whose number it carries.
        if number <= self.whole {
            return Update::default();
        }
        self.sift(number, &mut delta);
        self.facts.fold(&delta);
        delta
    }

    /// Takes in a snapshot; says whether it told anything that was not replaced already.
    pub(crate) fn replace(&mut self, number: u64, mut snapshot: Update) -> bool {
        if number < self.whole {
            return false;
        }
        self.sift(number, &mut snapshot);
        self.told.retain(|_, told| *told > number);
        self.whole = number;
        self.forget_untold();
        self.facts.fold(&snapshot);
        true
    }

    /// Takes out of `update` what a higher number has told.
    fn sift(&mut self, number: u64, update: &mut Update) {
        let mut is_new = |fact: Fact| {
            let is_new = self.told.get(&fact).is_none_or(|told| *told <= number);
            if is_new {
                self.told.insert(fact, number);
            }
            is_new
        };
        update.points.retain(|key, _| is_new(Fact::Point(key.clone())));
        update.devices.retain(|id, _| is_new(Fact::Device(id.clone())));
        update.parts.retain(|part, _| is_new(Fact::Part(*part)));
        update.device_status = update.device_status.filter(|_| is_new(Fact::Status));
        update.fault_codes = update.fault_codes.take().filter(|_| is_new(Fact::FaultCodes));
        update.links = update.links.filter(|_| is_new(Fact::Links));
    }

    /// Drops every fact that stands below the last snapshot.
    fn forget_untold(&mut self) {
        let told = &self.told;
        self.facts.points.retain(|key, _| told.contains_key(&Fact::Point(key.clone())));
        self.facts.devices.retain(|id, _| told.contains_key(&Fact::Device(id.clone())));
        self.facts.parts.retain(|part, _| told.contains_key(&Fact::Part(*part)));
        self.facts.device_status =
            self.facts.device_status.filter(|_| told.contains_key(&Fact::Status));
        let codes = self.facts.fault_codes.take();
        self.facts.fault_codes = codes.filter(|_| told.contains_key(&Fact::FaultCodes));
        self.facts.links = self.facts.links.filter(|_| told.contains_key(&Fact::Links));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::reading::{Reading, Value};

    use super::*;

    fn update(points: &[(&str, f64)]) -> Update {
        let reading = |value| Reading { value: Some(Value::Number(value)), ..Reading::NOT_READ };
        let point = |(key, value): &(&str, f64)| (key.parse().unwrap(), reading(*value));
        Update { points: points.iter().map(point).collect(), ..Update::default() }
    }

    #[test]
    fn an_older_delta_leaves_newer_values_alone() {
        let mut table = Table::default();
        assert!(table.replace(1, update(&[("a", 1.0), ("b", 1.0)])));
        table.change(4, update(&[("a", 4.0)]));
        let fresh = table.change(3, update(&[("a", 3.0), ("b", 3.0)]));
        assert_eq!(fresh, update(&[("b", 3.0)]));
        assert_eq!(*table.facts(), update(&[("a", 4.0), ("b", 3.0)]));
    }

    #[test]
    fn a_snapshot_replaces_all_that_is_not_newer() {
        let mut table = Table::default();
        table.replace(1, update(&[("a", 1.0), ("old", 1.0)]));
        table.change(9, update(&[("a", 9.0)]));
        assert!(table.replace(8, update(&[("a", 8.0), ("b", 8.0)])));
        assert_eq!(*table.facts(), update(&[("a", 9.0), ("b", 8.0)]));
        assert!(!table.replace(7, update(&[("b", 7.0)])), "an older snapshot tells nothing");
        assert!(table.change(8, update(&[("b", 0.0)])).is_empty(), "the snapshot stands for it");
    }

    #[test]
    fn numbers_that_begin_anew_replace_everything() {
        let mut table = Table::default();
        table.replace(50, update(&[("a", 50.0), ("b", 50.0)]));
        table.change(51, update(&[("a", 51.0)]));
        table.renumber();
        assert!(!table.is_whole());
        table.replace(1, update(&[("a", 1.0)]));
        assert_eq!(*table.facts(), update(&[("a", 1.0)]));
    }

    proptest! {
        #[test]
        fn any_order_adds_up_to_the_same(
            frames in prop::collection::vec((any::<bool>(), prop::collection::btree_map("[a-d]", 0..99u8, 1..4)), 1..20)
                .prop_flat_map(|frames| (Just(frames.clone()), Just((0..frames.len()).collect::<Vec<_>>()).prop_shuffle())),
        ) {
            let (frames, order) = frames;
            let all = ["a", "b", "c", "d"];
            // A snapshot tells every point; a delta some.
            let body = |index: usize| {
                let (is_snapshot, points) = &frames[index];
                let known = |key: &&str| (*is_snapshot).then_some(0).or_else(|| points.get(*key).copied());
                let points: Vec<_> = all.iter().filter_map(|key| Some((*key, f64::from(known(key)?)))).collect();
                (*is_snapshot || index == 0, update(&points))
            };
            let apply = |order: &mut dyn Iterator<Item = usize>| {
                let mut table = Table::default();
                for index in order {
                    let number = index as u64 + 1;
                    let (is_snapshot, update) = body(index);
                    if is_snapshot {
                        table.replace(number, update);
                    } else {
                        table.change(number, update);
                    }
                }
                table.facts
            };
            prop_assert_eq!(apply(&mut (0..frames.len())), apply(&mut order.into_iter()));
        }
    }
}
