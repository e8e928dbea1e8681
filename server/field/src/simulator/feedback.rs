//! Where a simulated board shows once more what is written to it, as a plant does that answers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::decode::order_word;
use crate::map::{Area, Mapping};

/// The places that follow others.
#[derive(Clone, Debug, Default)]
pub(super) struct Feedback(BTreeMap<(Area, u16), Source>);

/// What one place shows: those bits of another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Source {
    pub(super) area: Area,
    pub(super) address: u16,
    pub(super) mask: u16,
}

impl Feedback {
    /// From now on `shown` follows `written`; both hold the same kind of value.
    pub(super) fn wire(&mut self, written: &Mapping, shown: &Mapping) {
        let bit = written.bit.map(|bit| 1u16.checked_shl(bit.into()).unwrap_or(0));
        let mask = bit.map_or(u16::MAX, |mask| order_word(written.byte_order, mask));
        for place in 0..written.width() {
            let (area, address) = (written.area, written.address.saturating_add(place));
            let at = (shown.area, shown.address.saturating_add(place));
            self.0.insert(at, Source { area, address, mask });
        }
    }

    pub(super) fn is_within(&self, area: Area, places: &RangeInclusive<u16>) -> bool {
        self.0.range((area, *places.start())..=(area, *places.end())).next().is_some()
    }

    /// Where to look for what stands there.
    pub(super) fn source(&self, area: Area, address: u16) -> Source {
        let own = Source { area, address, mask: u16::MAX };
        self.0.get(&(area, address)).copied().unwrap_or(own)
    }
}
