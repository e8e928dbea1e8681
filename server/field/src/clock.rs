//! A time of day as boards have it in four registers: milliseconds; second and minute; hour and
//! day; month and year. Of two in one register the first has the high byte.

use jiff::civil::DateTime;

/// The registers that show this time.
pub(crate) fn show(time: DateTime) -> [u16; WIDTH] {
    let pair = |high: i8, low: u8| u16::from_be_bytes([high.unsigned_abs(), low]);
    [
        time.millisecond().unsigned_abs(),
        pair(time.second(), time.minute().unsigned_abs()),
        pair(time.hour(), time.day().unsigned_abs()),
        pair(time.month(), (time.year() & 0xFF) as u8),
    ]
}

/// The time that such registers show, if it is one.
pub(crate) fn read(registers: [u16; WIDTH]) -> Option<DateTime> {
    let [millis, seconds, hours, months] = registers;
    let half = |byte: u8| i8::try_from(byte).ok();
    let [second, minute] = seconds.to_be_bytes().map(half);
    let [hour, day] = hours.to_be_bytes().map(half);
    let [month, year] = months.to_be_bytes();
    // More than a second of them is no time either.
    let nanos = i32::from(millis).saturating_mul(1_000_000);
    DateTime::new(year_of(year), half(month)?, day?, hour?, minute?, second?, nanos).ok()
}

/// The low byte of a year (2026 is 0x07EA), or its last two digits: some boards keep no more.
fn year_of(byte: u8) -> i16 {
    let byte = i16::from(byte);
    if byte < 100 { 2000 + byte } else { 0x0700 + byte }
}

pub(crate) const WIDTH: usize = 4;

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_of_day_stands_in_four_registers() {
        let time = datetime(2026, 7, 28, 9, 5, 7, 123_000_000);
        assert_eq!(show(time), [123, 0x0705, 0x091C, 0x07EA]);
        assert_eq!(read([123, 0x0705, 0x091C, 0x07EA]), Some(time));
        assert_eq!(read([123, 0x0705, 0x091C, 0x071A]), Some(time), "two digits");
        for wrong in [[1000, 0, 1, 0x0100], [0, 0x3C00, 1, 0x0100], [0; WIDTH], [0xFFFF; WIDTH]] {
            assert_eq!(read(wrong), None, "{wrong:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in 0..1_500_000_000_i64, millis in 0..1000_i32) {
            let later = jiff::SignedDuration::new(seconds, millis * 1_000_000);
            let time = datetime(2000, 1, 1, 0, 0, 0, 0).checked_add(later).unwrap();
            prop_assert_eq!(read(show(time)), Some(time));
        }
    }
}
