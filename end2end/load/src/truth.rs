//! What is true on the boards, in the words of the point table.

use std::collections::{BTreeMap, BTreeSet};

use protocol::frame::Update;
use protocol::id::DeviceId;
use protocol::reading::{Quality, Value};

use crate::boards::Registers;
use crate::plant::Shape;

/// The registers of every device, in the plant's order.
#[derive(Clone, Debug)]
pub struct Truth {
    pub shape: Shape,
    pub registers: Vec<Registers>,
}

impl Truth {
    pub fn new(shape: Shape) -> Self {
        let registers = vec![Registers::default(); usize::from(shape.devices)];
        Self { shape, registers }
    }

    pub fn of(&self, device: &DeviceId) -> Option<&Registers> {
        let index = self.shape.devices().position(|known| known == *device)?;
        self.registers.get(index)
    }

    /// What is wrong with a table of this device; nothing if it tells the truth.
    pub fn differs(&self, device: &DeviceId, table: &Update) -> Option<String> {
        let registers = self.of(device)?;
        for (key, expected) in self.values(registers) {
            let reading = table.points.get(key.as_str());
            let is_true = reading.is_some_and(|reading| {
                reading.quality == Quality::Good && reading.value.is_some_and(|v| same(v, expected))
            });
            if !is_true {
                return Some(format!("{key} is {expected} on the board and {reading:?} here"));
            }
        }
        let codes: BTreeSet<String> = self.codes(registers);
        let told = table.fault_codes.iter().flatten().map(ToString::to_string).collect();
        (codes != told).then(|| format!("the fault codes are {codes:?} and {told:?} here"))
    }

    /// How the fact of a key event is at the end, as the wire writes it.
    pub fn state(&self, device: &DeviceId, what: &str) -> Option<String> {
        let registers = self.of(device)?;
        let is_on = match what.split_once('/')? {
            ("point", key) => {
                let switch = (0..self.shape.switches).find(|s| self.shape.switch_key(*s) == key)?;
                registers.is_on(switch)
            }
            ("fault_code", code) => self.codes(registers).contains(code),
            _ => return None,
        };
        Some(Value::Switch(is_on).to_string())
    }

    fn values(&self, registers: &Registers) -> BTreeMap<String, Value> {
        let number = |index| {
            let tenths = registers.number(index).unwrap_or(0);
            (self.shape.number_key(index), Value::Number(f64::from(tenths) / 10.0))
        };
        let switch = |index| (self.shape.switch_key(index), Value::Switch(registers.is_on(index)));
        let numbers = (0..self.shape.numbers).map(number);
        numbers.chain((0..self.shape.switches).map(switch)).collect()
    }

    fn codes(&self, registers: &Registers) -> BTreeSet<String> {
        let on = (0..self.shape.switches).filter(|switch| registers.is_on(*switch));
        on.filter_map(|switch| self.shape.fault_code(switch)).collect()
    }
}

fn same(one: Value, other: Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => (one - other).abs() < 0.01,
        (one, other) => one == other,
    }
}
