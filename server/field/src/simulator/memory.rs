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
use std::time::Duration;

use self::layout::{
    CLOCK, CLOCK_FIRST, COMMANDS, HOT, MODE_COMMANDS, MODES_OFF, RESET, WORK_MODE, addresses,
    initial, is_writable_coil, is_writable_register, of, writable,
};
use self::shown::inputs;
use super::clock::Clock;
use super::feedback::{Feedback, Source};
use super::plant::{Measured, Orders, Plant};
use crate::decode::Cells;
use crate::map::{Area, Mapping};

mod layout;
mod shown;

#[cfg(test)]
mod tests;

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
}
