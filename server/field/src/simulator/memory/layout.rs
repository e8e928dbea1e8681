//! The addresses of a simulated board, and what stands there from the beginning.

use std::ops::RangeInclusive;

use super::NoSuchAddress;

/// The one of a list whose first stands at `first`.
pub(super) fn of<T: Copy>(list: &[T], address: u16, first: u16) -> Result<T, NoSuchAddress> {
    let place = address.checked_sub(first).map(usize::from);
    place.and_then(|place| list.get(place)).copied().ok_or(NoSuchAddress)
}

/// What a writable register holds before it is written.
pub(super) fn initial(address: u16) -> u16 {
    let set = INITIAL.iter().find_map(|(first, values)| of(values, address, *first).ok());
    set.unwrap_or(0)
}

pub(super) fn addresses(start: u16, count: u16) -> Result<RangeInclusive<u16>, NoSuchAddress> {
    let last = count.checked_sub(1).and_then(|reach| start.checked_add(reach));
    last.map(|last| start..=last).ok_or(NoSuchAddress)
}

pub(super) fn writable(
    start: u16,
    count: usize,
    is_writable: fn(u16) -> bool,
) -> Result<RangeInclusive<u16>, NoSuchAddress> {
    let places = addresses(start, u16::try_from(count).map_err(|_| NoSuchAddress)?)?;
    if places.clone().all(is_writable) { Ok(places) } else { Err(NoSuchAddress) }
}

pub(super) fn is_writable_register(address: u16) -> bool {
    address == WORK_MODE || PARAMETERS.contains(&address) || CLOCK.contains(&address)
}

pub(super) fn is_writable_coil(address: u16) -> bool {
    OUTPUTS.contains(&address) || COMMANDS.contains(&address)
}

pub(super) const WORK_MODE: u16 = 0x0007;
pub(super) const IGBT_READY: u16 = 0x003F;
pub(super) const OUTPUTS: RangeInclusive<u16> = 0..=15;
pub(super) const COMMANDS: RangeInclusive<u16> = 0x0101..=0x0122;
const PARAMETERS: RangeInclusive<u16> = 0x2200..=0x2237;
pub(super) const HOT: u16 = 0x2230;
pub(super) const CLOCK_FIRST: u16 = 0x3000;
pub(super) const CLOCK: RangeInclusive<u16> = CLOCK_FIRST..=0x3003;

/// The coil that resets faults.
pub(super) const RESET: u16 = 0x0101;

/// Coil and the work mode it asks for.
pub(super) const MODE_COMMANDS: [(u16, u16); 3] = [(0x0120, 3), (0x0121, 4), (0x0122, 0)];

/// Off by hand, and from afar.
pub(super) const MODES_OFF: [u16; 2] = [1, 3];

/// What parameters hold from the beginning, and from which address on.
const INITIAL: [(u16, &[u16]); 4] = [
    (0x2200, &[60, 70, 80, 90, 100, 110, 120, 130, 140, 145, 150]),
    (0x220B, &[500, 400, 300, 200, 100, 80, 60, 40, 20, 10]),
    (0x2215, &[2, 10, 3, 800, 1200, 5, 10]),
    (HOT, &[850]),
];
