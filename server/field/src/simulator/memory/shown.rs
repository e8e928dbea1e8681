//! What the registers of a simulated board show of its plant.

use super::layout::{IGBT_READY, OUTPUTS, is_writable_register, of};
use super::{Memory, NoSuchAddress};
use crate::simulator::plant::Measured;

impl Memory {
    pub(super) fn register(&self, address: u16, measured: &Measured) -> Result<u16, NoSuchAddress> {
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

    pub(super) fn outputs(&self, measured: &Measured) -> u16 {
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

pub(super) fn inputs(measured: &Measured) -> u16 {
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
