//! The clock as PSCADA reads and sets it: the time of day in the zone of a site.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use protocol::time::Timestamp;

use crate::clock::{self, WIDTH};

/// The registers that show `now` in `zone`.
pub(super) fn show(now: Timestamp, zone: &TimeZone) -> [u16; WIDTH] {
    let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    clock::show(zone.to_datetime(moment))
}

/// The moment that such registers mean; nothing where there is none.
pub(super) fn read(registers: [u16; WIDTH], zone: &TimeZone) -> Option<Timestamp> {
    let time = clock::read(registers)?;
    let moment = zone.to_ambiguous_timestamp(time).compatible().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Timestamp::from_millis)
}

/// The clock registers that a master has written so far, until all four are there.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    clocks: BTreeMap<(u8, u16), Half>,
}

#[derive(Clone, Debug)]
struct Half {
    since: Timestamp,
    registers: [Option<u16>; WIDTH],
}

impl Staged {
    /// Takes in registers of the clock at `clock`; gives all four once the last is there.
    pub(super) fn put(
        &mut self,
        clock: (u8, u16),
        written: impl IntoIterator<Item = (usize, u16)>,
        now: Timestamp,
    ) -> Option<[u16; WIDTH]> {
        self.clocks.retain(|_, half| now.since(half.since) <= FORGOTTEN_AFTER);
        let fresh = || Half { since: now, registers: [None; WIDTH] };
        let half = self.clocks.entry(clock).or_insert_with(fresh);
        for (at, register) in written {
            if let Some(place) = half.registers.get_mut(at) {
                *place = Some(register);
            }
        }
        let [Some(a), Some(b), Some(c), Some(d)] = half.registers else { return None };
        self.clocks.remove(&clock);
        Some([a, b, c, d])
    }
}

/// A time that took longer to write is no longer the time.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-07-28 09:05:07.123 in Shanghai.
    const MOMENT: Timestamp = Timestamp::from_millis(1_785_200_707_123);
    const REGISTERS: [u16; 4] = [123, 0x0705, 0x091C, 0x07EA];

    #[test]
    fn a_moment_is_shown_and_read_in_the_zone_of_its_site() {
        assert_eq!(show(MOMENT, &shanghai()), REGISTERS);
        assert_eq!(read(REGISTERS, &shanghai()), Some(MOMENT));
        let two_digits = [123, 0x0705, 0x091C, 0x071A];
        assert_eq!(read(two_digits, &shanghai()), Some(MOMENT));
        let utc = Timestamp::from_millis(MOMENT.as_millis() + 8 * 3_600_000);
        assert_eq!(read(REGISTERS, &TimeZone::UTC), Some(utc));
    }

    #[test]
    fn a_time_that_cannot_be_is_none() {
        let table = [
            [1000, 0x0705, 0x091C, 0x071A],
            [123, 0x0705, 0x091E, 0x021A],
            [0, 0, 1, 0x0164],
            [0xFFFF; 4],
            [0; 4],
        ];
        for registers in table {
            assert_eq!(read(registers, &shanghai()), None, "{registers:x?}");
        }
    }

    #[test]
    fn any_moment_can_be_shown() {
        for millis in [0, u64::MAX, 1_785_200_707_123] {
            show(Timestamp::from_millis(millis), &shanghai());
        }
    }

    #[test]
    fn registers_written_one_by_one_take_effect_with_the_last() {
        let clock = (94, 0x3000);
        let mut staged = Staged::default();
        for (at, register) in REGISTERS.into_iter().enumerate() {
            let whole = staged.put(clock, [(at, register)], MOMENT);
            assert_eq!(whole, (at == 3).then_some(REGISTERS), "register {at}");
        }
        assert_eq!(staged.put(clock, [(3, 1)], MOMENT), None, "a new time begins");
    }

    #[test]
    fn half_a_time_is_soon_forgotten() {
        let (clock, mut staged) = ((94, 0x3000), Staged::default());
        assert_eq!(staged.put(clock, [(0, 1), (1, 2), (2, 3)], MOMENT), None);
        let later = MOMENT + Duration::from_secs(11);
        assert_eq!(staged.put(clock, [(3, 4)], later), None);
    }

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").expect("a zone that is there")
    }
}
