//! The registers and coils of a simulated board, and what was written to them.
//!
//! | address | holds |
//! |---|---|
//! | 0x0000 | status: bit 0 running, 1 testing, 2 alarm, 5 fault, 7 parameters ok, 8 contactor closed, 9 memory ok |
//! | 0x0001 | IGBT driver feedback, bits 0–5 |
//! | 0x0002 | inputs: bit 0 contactor closed, 1 SB1, 2 SB2, 9 door closed; as discrete inputs 0–15 too |
//! | 0x0003 | outputs: bit 0 K1, 6 chopper fan, 7 resistor fan, 8 fault lamp, 9 run lamp; as coils 0–15 too |
//! | 0x0004 | faults: bits 0–9 voltage stages 1–10, 10 thyristor, 11 contactor, 12 main board |
//! | 0x0005, 0x0006 | rail potential, polarisation (signed), 0.1 V |
//! | 0x0007 | work mode: 0 automatic, 1 off, 2 on, 3 remote off, 4 remote on; writable |
//! | 0x0008–0x000D | branch currents 1–6, 0.1 A |
//! | 0x000E, 0x000F | branch voltages 1 and 2, 0.1 V |
//! | 0x0010–0x0012 | temperatures of resistor, chopper, cabinet, signed, 0.1 °C |
//! | 0x0013 | humidity, 0.1 % |
//! | 0x0040, 0x0042 | energy in kWh, ambient temperature in °C, float32 ABCD |
//! | 0x0044 | seconds at work, uint32 ABCD |
//! | 0x2200–0x2237 | control parameters; writable |
//! | 0x3000–0x3003 | clock; writable |
//!
//! Coils 0x0101–0x0122 take commands: 0x0120 remote off, 0x0121 remote on, 0x0122 automatic.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::plant::{Measured, Plant};
use crate::map::Area;

/// One unit's memory.
#[derive(Debug)]
pub(super) struct Memory {
    plant: Plant,
    registers: BTreeMap<u16, u16>,
    coils: BTreeMap<u16, bool>,
}

/// There is nothing at that address, or nothing that can be written.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NoSuchAddress;

impl Memory {
    pub(super) fn new(plant: Plant) -> Self {
        Self { plant, registers: BTreeMap::new(), coils: BTreeMap::new() }
    }

    pub(super) fn registers(
        &self,
        start: u16,
        count: u16,
        elapsed: Duration,
    ) -> Result<Vec<u16>, NoSuchAddress> {
        let measured = self.plant.at(elapsed);
        addresses(start, count)?.map(|address| self.register(address, &measured)).collect()
    }

    pub(super) fn bits(
        &self,
        area: Area,
        start: u16,
        count: u16,
        elapsed: Duration,
    ) -> Result<Vec<bool>, NoSuchAddress> {
        let measured = self.plant.at(elapsed);
        let word = match area {
            Area::DiscreteInput => inputs(&measured),
            _ => self.outputs(&measured),
        };
        let bit = |address: u16| match address {
            0..=15 => Ok(word >> address & 1 == 1),
            _ if area == Area::Coil && COMMANDS.contains(&address) => {
                Ok(self.coils.get(&address).copied().unwrap_or(false))
            }
            _ => Err(NoSuchAddress),
        };
        addresses(start, count)?.map(bit).collect()
    }

    /// Writes all of them, or none.
    pub(super) fn write_registers(
        &mut self,
        start: u16,
        values: &[u16],
    ) -> Result<(), NoSuchAddress> {
        let places = writable(start, values.len(), is_writable_register)?;
        self.registers.extend(places.zip(values.iter().copied()));
        Ok(())
    }

    /// Writes all of them, or none.
    pub(super) fn write_coils(&mut self, start: u16, values: &[bool]) -> Result<(), NoSuchAddress> {
        let places = writable(start, values.len(), is_writable_coil)?;
        self.coils.extend(places.clone().zip(values.iter().copied()));
        for (place, _) in places.zip(values).filter(|(_, on)| **on) {
            if let Some((_, mode)) = MODE_COMMANDS.iter().find(|(coil, _)| *coil == place) {
                self.registers.insert(WORK_MODE, *mode);
            }
        }
        Ok(())
    }

    fn register(&self, address: u16, measured: &Measured) -> Result<u16, NoSuchAddress> {
        if let Some(written) = self.registers.get(&address) {
            return Ok(*written);
        }
        let of = |list: &[f64], first: u16| {
            let value = list.get(usize::from(address - first)).copied();
            value.map(tenths).ok_or(NoSuchAddress)
        };
        Ok(match address {
            0x0000 => status(measured),
            0x0001 => IGBT_READY,
            0x0002 => inputs(measured),
            0x0003 => self.outputs(measured),
            0x0004 => measured.faults,
            0x0005 => tenths(measured.rail_potential),
            0x0006 => tenths(measured.polarisation),
            0x0008..=0x000D => of(&measured.branch_currents, 0x0008)?,
            0x000E..=0x000F => of(&measured.branch_voltages, 0x000E)?,
            0x0010 => tenths(measured.resistor),
            0x0011 => tenths(measured.chopper),
            0x0012 => tenths(measured.cabinet),
            0x0013 => tenths(measured.humidity),
            0x0040..=0x0041 => half((measured.energy as f32).to_bits(), address - 0x0040),
            0x0042..=0x0043 => half((measured.ambient as f32).to_bits(), address - 0x0042),
            0x0044..=0x0045 => half(measured.worked, address - 0x0044),
            _ if is_writable_register(address) => 0,
            _ => return Err(NoSuchAddress),
        })
    }

    fn outputs(&self, measured: &Measured) -> u16 {
        let is_faulty = measured.faults != 0;
        let plant = bits_at(&[
            (0, measured.is_contactor_closed),
            (6, measured.is_chopper_fan_on),
            (7, measured.is_resistor_fan_on),
            (8, is_faulty),
            (9, !is_faulty),
        ]);
        self.coils.range(OUTPUTS).fold(plant, |word, (bit, on)| {
            let mask = 1 << bit;
            if *on { word | mask } else { word & !mask }
        })
    }
}

fn addresses(start: u16, count: u16) -> Result<RangeInclusive<u16>, NoSuchAddress> {
    let last = count.checked_sub(1).and_then(|reach| start.checked_add(reach));
    last.map(|last| start..=last).ok_or(NoSuchAddress)
}

fn writable(
    start: u16,
    count: usize,
    is_writable: fn(u16) -> bool,
) -> Result<RangeInclusive<u16>, NoSuchAddress> {
    let places = addresses(start, u16::try_from(count).map_err(|_| NoSuchAddress)?)?;
    if places.clone().all(is_writable) { Ok(places) } else { Err(NoSuchAddress) }
}

fn is_writable_register(address: u16) -> bool {
    address == WORK_MODE || PARAMETERS.contains(&address) || CLOCK.contains(&address)
}

fn is_writable_coil(address: u16) -> bool {
    OUTPUTS.contains(&address) || COMMANDS.contains(&address)
}

fn status(measured: &Measured) -> u16 {
    bits_at(&[
        (0, measured.faults == 0),
        (1, measured.is_testing),
        (2, measured.is_hot),
        (5, measured.faults != 0),
        (7, true),
        (8, measured.is_contactor_closed),
        (9, true),
    ])
}

fn inputs(measured: &Measured) -> u16 {
    bits_at(&[
        (0, measured.is_contactor_closed),
        (1, measured.is_testing),
        (9, measured.is_door_closed),
    ])
}

fn bits_at(bits: &[(u8, bool)]) -> u16 {
    bits.iter().fold(0, |word, (bit, on)| word | u16::from(*on) << bit)
}

/// In tenths, as the board's registers have it; negative numbers in two's complement.
fn tenths(value: f64) -> u16 {
    ((value * 10.0).round() as i16).cast_unsigned()
}

/// The high register of two, or the low one.
fn half(double: u32, which: u16) -> u16 {
    (if which == 0 { double >> 16 } else { double & 0xFFFF }) as u16
}

const WORK_MODE: u16 = 0x0007;
const IGBT_READY: u16 = 0x003F;
const OUTPUTS: RangeInclusive<u16> = 0..=15;
const COMMANDS: RangeInclusive<u16> = 0x0101..=0x0122;
const PARAMETERS: RangeInclusive<u16> = 0x2200..=0x2237;
const CLOCK: RangeInclusive<u16> = 0x3000..=0x3003;

/// Coil and the work mode it asks for.
const MODE_COMMANDS: [(u16, u16); 3] = [(0x0120, 3), (0x0121, 4), (0x0122, 0)];

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(30);

    #[test]
    fn the_map_holds_what_the_plant_measured() {
        let (plant, memory) = (Plant::new(1), Memory::new(Plant::new(1)));
        let measured = plant.at(NOW);
        let registers = memory.registers(0, 20, NOW).unwrap();
        assert_eq!(f64::from(registers[5]), (measured.rail_potential * 10.0).round());
        let polarisation = f64::from(registers[6].cast_signed());
        assert_eq!(polarisation, (measured.polarisation * 10.0).round());
        assert_eq!(registers[4], measured.faults);
        let ambient = memory.registers(0x0042, 2, NOW).unwrap();
        let bits = u32::from(ambient[0]) << 16 | u32::from(ambient[1]);
        assert_eq!(f32::from_bits(bits), measured.ambient as f32);
    }

    #[test]
    fn inputs_and_outputs_are_bits_as_well_as_words() {
        let memory = Memory::new(Plant::new(1));
        for (area, address) in [(Area::DiscreteInput, 2), (Area::Coil, 3)] {
            let word = memory.registers(address, 1, NOW).unwrap()[0];
            let bits = memory.bits(area, 0, 16, NOW).unwrap();
            let joined = bits.iter().rev().fold(0, |word, bit| word << 1 | u16::from(*bit));
            assert_eq!(joined, word, "{area:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut memory = Memory::new(Plant::new(1));
        assert_eq!(memory.write_registers(0x2200, &[7, 8]), Ok(()));
        assert_eq!(memory.registers(0x2200, 3, NOW), Ok(vec![7, 8, 0]));
        assert_eq!(memory.write_coils(3, &[true]), Ok(()));
        assert_eq!(memory.bits(Area::Coil, 3, 1, NOW), Ok(vec![true]));
        assert_eq!(memory.write_coils(0x0121, &[true]), Ok(()));
        assert_eq!(memory.registers(WORK_MODE, 1, NOW), Ok(vec![4]));
    }

    #[test]
    fn what_is_not_there_is_neither_read_nor_written() {
        let mut memory = Memory::new(Plant::new(1));
        for (start, count) in [(0x0014, 1), (0x0010, 5), (0xFFFF, 2), (0, 0)] {
            assert_eq!(memory.registers(start, count, NOW), Err(NoSuchAddress), "{start}+{count}");
        }
        assert_eq!(memory.bits(Area::DiscreteInput, 0x0101, 1, NOW), Err(NoSuchAddress));
        assert_eq!(memory.write_registers(0x0005, &[1]), Err(NoSuchAddress));
        assert_eq!(memory.write_registers(0x2237, &[1, 1]), Err(NoSuchAddress));
        assert_eq!(memory.registers(0x2237, 1, NOW), Ok(vec![0]), "none of the two was written");
    }
}
