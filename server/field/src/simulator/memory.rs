//! The registers and coils of a simulated board, and what was written to them.
//!
//! | address | holds |
//! |---|---|
//! | 0x0000 | status: bit 0 running (on, and no fault), 1 testing, 2 alarm, 5 fault, 7 parameters ok, 8 contactor closed, 9 memory ok |
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
//! | 0x2200–0x220A | protection stages 1–11, V; writable, as all that follows |
//! | 0x220B–0x2214 | their delays, stages 1–10, 10 ms |
//! | 0x2215–0x221B | closing delay s, continuous action s, actions, breaking current A, thyristor current A, deviation V, record period ms |
//! | 0x2230 | from which temperature on the resistor is too hot, signed, 0.1 °C |
//! | 0x2200–0x2237 | other control parameters; they do nothing |
//! | 0x3000–0x3003 | clock: ms; s, min; h, day; month, low byte of the year. It runs on from what is written, and ignores what is no time |
//!
//! Coils 0x0101–0x0122 take commands: 0x0101 resets the faults that are active, 0x0120 remote off,
//! 0x0121 remote on, 0x0122 automatic. They read back as they were written, but each of the last
//! three goes OFF when another comes ON.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::clock::Clock;
use super::feedback::{Feedback, Source};
use super::plant::{Measured, Orders, Plant};
use crate::decode::Cells;
use crate::map::{Area, Mapping};

/// One unit's memory.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    plant: Plant,
    /// For how long it has been on.
    now: Duration,
    registers: BTreeMap<u16, u16>,
    coils: BTreeMap<u16, bool>,
    reset_at: Option<f64>,
    clock: Clock,
    feedback: Feedback,
}

/// There is nothing at that address, or nothing that can be written.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NoSuchAddress;

impl Memory {
    pub(super) fn new(plant: Plant) -> Self {
        Self {
            plant,
            now: Duration::ZERO,
            registers: BTreeMap::new(),
            coils: BTreeMap::new(),
            reset_at: None,
            clock: Clock::default(),
            feedback: Feedback::default(),
        }
    }

    /// Tells it how late it is; what is written, is written now.
    pub(super) fn pass(&mut self, now: Duration) {
        self.now = now;
    }

    /// What is written to one place shows at the other, too.
    pub(super) fn wire(&mut self, written: &Mapping, shown: &Mapping) {
        self.feedback.wire(written, shown);
    }

    /// What it shows from there on; holding and input registers are the same.
    pub(super) fn read(
        &self,
        area: Area,
        start: u16,
        count: u16,
        elapsed: Duration,
    ) -> Result<Cells, NoSuchAddress> {
        let places = addresses(start, count)?;
        let is_wired = self.feedback.is_within(area, &places);
        let word = |place| self.word(self.feedback.source(area, place), elapsed);
        let words = || places.map(word);
        Ok(match (area.holds_bits(), is_wired) {
            (true, false) => Cells::Bits(self.bits(area, start, count, elapsed)?),
            (true, true) => {
                Cells::Bits(words().map(|word| Ok(word? != 0)).collect::<Result<_, _>>()?)
            }
            (false, false) => Cells::Registers(self.registers(start, count, elapsed)?),
            (false, true) => Cells::Registers(words().collect::<Result<_, _>>()?),
        })
    }

    /// For a bit 0 or not.
    fn word(&self, source: Source, elapsed: Duration) -> Result<u16, NoSuchAddress> {
        let Source { area, address, mask } = source;
        let cells = if area.holds_bits() {
            self.bits(area, address, 1, elapsed)?.into_iter().map(u16::from).collect()
        } else {
            self.registers(address, 1, elapsed)?
        };
        cells.first().map(|word| word & mask).ok_or(NoSuchAddress)
    }

    fn registers(
        &self,
        start: u16,
        count: u16,
        elapsed: Duration,
    ) -> Result<Vec<u16>, NoSuchAddress> {
        let measured = self.measured(elapsed);
        let clock = self.clock.registers(elapsed);
        let register = |address| match address {
            CLOCK_FIRST.. => of(&clock, address, CLOCK_FIRST),
            _ => self.register(address, &measured),
        };
        addresses(start, count)?.map(register).collect()
    }

    fn bits(
        &self,
        area: Area,
        start: u16,
        count: u16,
        elapsed: Duration,
    ) -> Result<Vec<bool>, NoSuchAddress> {
        let measured = self.measured(elapsed);
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
        let is_time = places.clone().any(|place| CLOCK.contains(&place));
        let mut clock = self.clock.registers(self.now);
        for (place, value) in places.zip(values.iter().copied()) {
            let hand = place.checked_sub(CLOCK_FIRST).and_then(|at| clock.get_mut(usize::from(at)));
            match hand {
                Some(hand) => *hand = value,
                None => drop(self.registers.insert(place, value)),
            }
        }
        if is_time {
            self.clock.set(clock, self.now);
        }
        Ok(())
    }

    /// Writes all of them, or none.
    pub(super) fn write_coils(&mut self, start: u16, values: &[bool]) -> Result<(), NoSuchAddress> {
        let places = writable(start, values.len(), is_writable_coil)?;
        self.coils.extend(places.clone().zip(values.iter().copied()));
        for (place, _) in places.zip(values).filter(|(_, on)| **on) {
            self.obey(place);
        }
        Ok(())
    }

    /// A command coil has come ON.
    fn obey(&mut self, coil: u16) {
        if coil == RESET {
            self.reset_at = Some(self.now.as_secs_f64());
        }
        if let Some((_, mode)) = MODE_COMMANDS.iter().find(|(command, _)| *command == coil) {
            let others = MODE_COMMANDS.map(|(command, _)| (command, command == coil));
            self.coils.extend(others);
            self.registers.insert(WORK_MODE, *mode);
        }
    }

    fn measured(&self, elapsed: Duration) -> Measured {
        let hot = f64::from(self.parameter(HOT).cast_signed()) / 10.0;
        self.plant.under(&Orders { reset_at: self.reset_at, hot }, elapsed)
    }

    /// What was written there, or stood there from the beginning.
    fn parameter(&self, address: u16) -> u16 {
        self.registers.get(&address).copied().unwrap_or_else(|| initial(address))
    }

    fn is_off(&self) -> bool {
        MODES_OFF.contains(&self.parameter(WORK_MODE))
    }

    fn register(&self, address: u16, measured: &Measured) -> Result<u16, NoSuchAddress> {
        Ok(match address {
            0x0000 => self.status(measured),
            0x0001 => IGBT_READY,
            0x0002 => inputs(measured),
            0x0003 => self.outputs(measured),
            0x0004 => measured.faults,
            0x0005 => tenths(measured.rail_potential),
            0x0006 => tenths(measured.polarisation),
            0x0008..=0x000D => tenths(of(&measured.branch_currents, address, 0x0008)?),
            0x000E..=0x000F => tenths(of(&measured.branch_voltages, address, 0x000E)?),
            0x0010 => tenths(measured.resistor),
            0x0011 => tenths(measured.chopper),
            0x0012 => tenths(measured.cabinet),
            0x0013 => tenths(measured.humidity),
            0x0040..=0x0041 => half((measured.energy as f32).to_bits(), address - 0x0040),
            0x0042..=0x0043 => half((measured.ambient as f32).to_bits(), address - 0x0042),
            0x0044..=0x0045 => half(measured.worked, address - 0x0044),
            _ if is_writable_register(address) => self.parameter(address),
            _ => return Err(NoSuchAddress),
        })
    }

    fn status(&self, measured: &Measured) -> u16 {
        let is_faulty = measured.faults != 0;
        bits_at(&[
            (0, !is_faulty && !self.is_off()),
            (1, measured.is_testing),
            (2, measured.is_hot),
            (5, is_faulty),
            (7, true),
            (8, measured.is_contactor_closed),
            (9, true),
        ])
    }

    fn outputs(&self, measured: &Measured) -> u16 {
        let is_faulty = measured.faults != 0;
        let plant = bits_at(&[
            (0, measured.is_contactor_closed),
            (6, measured.is_chopper_fan_on),
            (7, measured.is_resistor_fan_on),
            (8, is_faulty),
            (9, !is_faulty && !self.is_off()),
        ]);
        self.coils.range(OUTPUTS).fold(plant, |word, (bit, on)| {
            let mask = 1 << bit;
            if *on { word | mask } else { word & !mask }
        })
    }
}

/// The one of a list whose first stands at `first`.
fn of<T: Copy>(list: &[T], address: u16, first: u16) -> Result<T, NoSuchAddress> {
    let place = address.checked_sub(first).map(usize::from);
    place.and_then(|place| list.get(place)).copied().ok_or(NoSuchAddress)
}

/// What a writable register holds before it is written.
fn initial(address: u16) -> u16 {
    let set = INITIAL.iter().find_map(|(first, values)| of(values, address, *first).ok());
    set.unwrap_or(0)
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
const HOT: u16 = 0x2230;
const CLOCK_FIRST: u16 = 0x3000;
const CLOCK: RangeInclusive<u16> = CLOCK_FIRST..=0x3003;

/// The coil that resets faults.
const RESET: u16 = 0x0101;

/// Coil and the work mode it asks for.
const MODE_COMMANDS: [(u16, u16); 3] = [(0x0120, 3), (0x0121, 4), (0x0122, 0)];

/// Off by hand, and from afar.
const MODES_OFF: [u16; 2] = [1, 3];

/// What parameters hold from the beginning, and from which address on.
const INITIAL: [(u16, &[u16]); 4] = [
    (0x2200, &[60, 70, 80, 90, 100, 110, 120, 130, 140, 145, 150]),
    (0x220B, &[500, 400, 300, 200, 100, 80, 60, 40, 20, 10]),
    (0x2215, &[2, 10, 3, 800, 1200, 5, 10]),
    (HOT, &[850]),
];

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
        assert_eq!(memory.registers(0x2200, 3, NOW), Ok(vec![7, 8, 80]));
        assert_eq!(memory.write_coils(3, &[true]), Ok(()));
        assert_eq!(memory.bits(Area::Coil, 3, 1, NOW), Ok(vec![true]));
    }

    #[test]
    fn it_is_switched_on_and_off_from_afar() {
        // S0-17
        let mut memory = Memory::new(Plant::new(1));
        let calm = (0..60).map(Duration::from_secs).find(|at| Plant::new(1).at(*at).faults == 0);
        let calm = calm.unwrap();
        for (coil, mode, running) in
            [(0x0120, 3, 0), (0x0121, 4, 1), (0x0120, 3, 0), (0x0122, 0, 1)]
        {
            assert_eq!(memory.write_coils(coil, &[true]), Ok(()));
            assert_eq!(memory.registers(WORK_MODE, 1, calm), Ok(vec![mode]), "{coil:#x}");
            assert_eq!(memory.registers(0, 1, calm).unwrap()[0] & 1, running, "{coil:#x}");
            let coils = memory.bits(Area::Coil, 0x0120, 3, calm).unwrap();
            let on: Vec<_> = (0x0120..).zip(coils).filter(|(_, on)| *on).collect();
            assert_eq!(on, [(coil, true)]);
        }
        assert_eq!(memory.write_registers(WORK_MODE, &[1]), Ok(()));
        assert_eq!(memory.registers(0, 1, calm).unwrap()[0] & 1, 0, "off by hand");
    }

    #[test]
    fn active_faults_are_reset() {
        // S0-20
        let mut memory = Memory::new(Plant::new(1));
        let faulty = |at: &Duration| Plant::new(1).at(*at).faults != 0;
        let at = (0..100).map(Duration::from_secs).find(faulty).unwrap();
        assert_ne!(memory.registers(4, 1, at), Ok(vec![0]));
        memory.pass(at);
        assert_eq!(memory.write_coils(RESET, &[true]), Ok(()));
        assert_eq!(memory.registers(4, 1, at), Ok(vec![0]));
        assert_eq!(memory.registers(0, 1, at).unwrap()[0] & 1 << 5, 0);
    }

    #[test]
    fn the_temperature_threshold_decides_what_is_hot() {
        // S0-18
        let mut memory = Memory::new(Plant::new(1));
        assert_eq!(memory.registers(HOT, 1, NOW), Ok(vec![850]));
        for (threshold, hot) in [(-400, 1), (1200, 0)] {
            assert_eq!(memory.write_registers(HOT, &[i16::cast_unsigned(threshold)]), Ok(()));
            let status = memory.registers(0, 1, NOW).unwrap()[0];
            assert_eq!(status >> 2 & 1, hot, "{threshold}");
        }
    }

    #[test]
    fn the_clock_runs_on_from_what_was_written() {
        let mut memory = Memory::new(Plant::new(1));
        let clock = |memory: &Memory, at| memory.registers(CLOCK_FIRST, 4, at).unwrap();
        assert_eq!(clock(&memory, NOW), [0, 30 << 8, 1, 0x01D0], "30 s after its beginning");
        memory.pass(NOW);
        let evening = [250, 58 << 8 | 59, 23 << 8 | 31, 12 << 8 | 0xEA];
        assert_eq!(memory.write_registers(CLOCK_FIRST, &evening), Ok(()));
        assert_eq!(clock(&memory, NOW), evening);
        let later = NOW + Duration::from_secs(2);
        assert_eq!(clock(&memory, later), [250, 0, 1, 1 << 8 | 0xEB]);
        assert_eq!(memory.write_registers(0x3003, &[13 << 8]), Ok(()));
        assert_eq!(clock(&memory, NOW), evening, "there is no such month");
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
