//! A rail potential limiting cabinet as a function of time: the same seed lives the same life.

use std::f64::consts::TAU;
use std::time::Duration;

/// One cabinet beside a track.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    seed: u64,
}

/// All that its board can measure, in volts, amperes, degrees Celsius and per cent.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub rail_potential: f64,
    pub polarisation: f64,
    pub branch_currents: [f64; 6],
    pub branch_voltages: [f64; 2],
    pub resistor: f64,
    pub chopper: f64,
    pub cabinet: f64,
    pub humidity: f64,
    pub ambient: f64,
    /// In kilowatt-hours, since it was put to work.
    pub energy: f64,
    /// In seconds, since it was put to work.
    pub worked: u32,
    /// One bit for each fault that is active, as in the board's fault word.
    pub faults: u16,
    pub is_contactor_closed: bool,
    pub is_door_closed: bool,
    pub is_chopper_fan_on: bool,
    pub is_resistor_fan_on: bool,
    pub is_testing: bool,
    pub is_hot: bool,
}

/// What its board was told, as far as it changes what is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orders {
    /// Faults that began before were reset then, in seconds; they do not come back.
    pub reset_at: Option<f64>,
    /// From which temperature of the resistor on it is too hot.
    pub hot: f64,
}

impl Default for Orders {
    fn default() -> Self {
        Self { reset_at: None, hot: HOT }
    }
}

impl Plant {
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// How the cabinet is so long after it was switched on, if nobody told it anything.
    pub fn at(&self, elapsed: Duration) -> Measured {
        self.under(&Orders::default(), elapsed)
    }

    /// How the cabinet is under these orders.
    pub fn under(&self, orders: &Orders, elapsed: Duration) -> Measured {
        let now = elapsed.as_secs_f64();
        let faults = self.faults(now, orders.reset_at);
        let is_contactor_closed = faults & VOLTAGE_STAGES != 0;
        let push = self.train_push(now);
        let ambient = 24.0 + 3.0 * self.wave(1, 1_800.0, now);
        let resistor = ambient + 0.25 * self.train_heat(now);
        let chopper = ambient + 0.15 * self.train_heat(now);
        let free = 4.0 + 1.5 * self.wave(2, 97.0, now) + 0.3 * self.wave(3, 7.0, now) + push;
        // A closed contactor ties the rail to the ground.
        let rail_potential = if is_contactor_closed { 0.05 * free } else { free };
        Measured {
            rail_potential,
            polarisation: 2.0 * self.wave(4, 210.0, now) - 0.02 * push,
            branch_currents: std::array::from_fn(|branch| self.branch_current(branch, push, now)),
            branch_voltages: [rail_potential + 0.2, 0.97 * rail_potential],
            resistor,
            chopper,
            cabinet: ambient + 0.12 * (resistor - ambient),
            humidity: 45.0 + 8.0 * self.wave(5, 2_400.0, now),
            ambient,
            energy: 1_250.0 + 0.01 * now,
            worked: WORKED_BEFORE.saturating_add(u32::try_from(elapsed.as_secs()).unwrap_or(0)),
            faults,
            is_contactor_closed,
            is_door_closed: !self.happens(DOOR, now),
            is_chopper_fan_on: chopper > CHOPPER_FAN,
            is_resistor_fan_on: resistor > RESISTOR_FAN,
            is_testing: self.happens(TEST, now),
            is_hot: resistor > orders.hot,
        }
    }

    fn branch_current(&self, branch: usize, push: f64, now: f64) -> f64 {
        let share = 0.9 + 0.05 * branch as f64;
        let ripple = 0.4 * self.wave(10 + branch as u64, 11.0, now);
        (2.0 + share * push + ripple).max(0.0)
    }

    /// How far the trains that pass just now lift the rail, in volts.
    fn train_push(&self, now: f64) -> f64 {
        self.trains(now, |since, weight| {
            let passing = (0.0..PASSAGE).contains(&since);
            if passing { weight * (0.5 * TAU * since / PASSAGE).sin().powi(2) } else { 0.0 }
        })
    }

    /// What the trains of the last quarter of an hour left in the resistor.
    fn train_heat(&self, now: f64) -> f64 {
        self.trains(now, |since, weight| {
            let since = since.max(0.0);
            weight * (1.0 - (-since / WARMING).exp()) * (-since / COOLING).exp()
        })
    }

    /// The sum of an effect over the trains so far, given the seconds since each and its weight.
    fn trains(&self, now: f64, effect: impl Fn(f64, f64) -> f64) -> f64 {
        let latest = (now / HEADWAY).floor() as i64;
        let trains = latest - TRAINS_FELT..=latest;
        let passed = trains.map(|train| {
            let delay = 15.0 * self.chance(20, train);
            let weight = 30.0 + 50.0 * self.chance(21, train);
            effect(now - train as f64 * HEADWAY - delay, weight)
        });
        passed.sum()
    }

    /// A fault that was reset in its episode is gone for the rest of it.
    fn faults(&self, now: f64, reset_at: Option<f64>) -> u16 {
        let episode = FAULT.episode(now);
        let was_reset = reset_at.is_some_and(|reset_at| {
            FAULT.episode(reset_at) == episode && self.happens(FAULT, reset_at)
        });
        if was_reset {
            return 0;
        }
        let which = (self.chance(30, episode) * FAULT_BITS.len() as f64) as usize;
        let bit = FAULT_BITS.get(which).copied().unwrap_or(0);
        if self.happens(FAULT, now) { 1 << bit } else { 0 }
    }

    /// Whether an event that comes once in a while is going on.
    fn happens(&self, event: Event, now: f64) -> bool {
        let episode = event.episode(now);
        let slack = event.every - event.lasts - event.earliest;
        let start = event.earliest + slack * self.chance(event.salt, episode);
        let since = now.rem_euclid(event.every) - start;
        (0.0..event.lasts).contains(&since)
    }

    /// From -1 to 1 and back within `period` seconds.
    fn wave(&self, salt: u64, period: f64, now: f64) -> f64 {
        (TAU * (now / period + self.chance(salt, 0))).sin()
    }

    /// A number from 0 to 1 that is the same whenever it is asked for.
    fn chance(&self, salt: u64, index: i64) -> f64 {
        let mixed = mix(self.seed ^ mix(salt ^ mix(index.cast_unsigned())));
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The finalizer of SplitMix64: every bit of the input stirs every bit of the output.
fn mix(input: u64) -> u64 {
    let mut mixed = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Something that comes once in each stretch of time, all in seconds.
#[derive(Clone, Copy)]
struct Event {
    salt: u64,
    every: f64,
    earliest: f64,
    lasts: f64,
}

impl Event {
    fn episode(self, now: f64) -> i64 {
        (now / self.every).floor() as i64
    }
}

/// Whoever looks at the demonstration for two minutes sees a fault come and go.
const FAULT: Event = Event { salt: 31, every: 100.0, earliest: 15.0, lasts: 18.0 };
const TEST: Event = Event { salt: 32, every: 240.0, earliest: 30.0, lasts: 20.0 };
const DOOR: Event = Event { salt: 33, every: 150.0, earliest: 10.0, lasts: 12.0 };

/// Bits of the fault word: voltage stages 1 to 3, thyristor, contactor, main board.
const FAULT_BITS: [u8; 6] = [0, 1, 2, 10, 11, 12];
const VOLTAGE_STAGES: u16 = 0x03FF;

/// Seconds between trains, and for which one is felt.
const HEADWAY: f64 = 45.0;
const PASSAGE: f64 = 12.0;
const TRAINS_FELT: i64 = 20;
const WARMING: f64 = 10.0;
const COOLING: f64 = 150.0;

/// In degrees Celsius.
const RESISTOR_FAN: f64 = 70.0;
const CHOPPER_FAN: f64 = 52.0;
const HOT: f64 = 85.0;

/// A thousand hours, in seconds.
const WORKED_BEFORE: u32 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Half an hour, five times a second.
    fn life(seed: u64) -> impl Iterator<Item = Measured> {
        let plant = Plant::new(seed);
        (0..9_000).map(move |step| plant.at(Duration::from_millis(step * 200)))
    }

    #[test]
    fn the_same_seed_lives_the_same_life() {
        assert!(life(7).eq(life(7)));
        assert!(life(7).zip(life(8)).all(|(one, other)| one != other));
    }

    #[test]
    fn values_stay_where_a_cabinet_keeps_them() {
        for measured in life(1) {
            assert!((0.0..150.0).contains(&measured.rail_potential), "{measured:?}");
            assert!((-10.0..10.0).contains(&measured.polarisation), "{measured:?}");
            assert!((-40.0..120.0).contains(&measured.resistor), "{measured:?}");
            assert!(measured.branch_currents.iter().all(|current| (0.0..150.0).contains(current)));
            assert!((0.0..100.0).contains(&measured.humidity), "{measured:?}");
        }
    }

    #[test]
    fn temperatures_have_inertia() {
        let resistor: Vec<_> = life(2).map(|measured| measured.resistor).collect();
        let steepest =
            resistor.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(steepest < 0.8, "{steepest} degrees in 200 ms");
        let (low, high) = resistor
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), &at| (low.min(at), high.max(at)));
        assert!(high - low > 10.0, "only from {low} to {high}");
    }

    #[test]
    fn everything_that_can_switch_does() {
        let switches: [fn(&Measured) -> bool; 7] = [
            |measured| measured.faults != 0,
            |measured| measured.is_contactor_closed,
            |measured| measured.is_door_closed,
            |measured| measured.is_chopper_fan_on,
            |measured| measured.is_resistor_fan_on,
            |measured| measured.is_testing,
            |measured| measured.rail_potential > 30.0,
        ];
        for (which, is_on) in switches.iter().enumerate() {
            let on = life(3).filter(is_on).count();
            assert!((1..9_000).contains(&on), "switch {which} is on {on} times of 9000");
        }
    }

    #[test]
    fn a_fault_comes_and_goes_within_two_minutes() {
        let active: Vec<_> = life(4).map(|measured| measured.faults != 0).collect();
        for two_minutes in active.chunks(600) {
            assert!(two_minutes.contains(&true) && two_minutes.contains(&false));
        }
    }

    #[test]
    fn a_fault_that_is_reset_stays_away_until_the_next() {
        let plant = Plant::new(5);
        let seconds = |step: u32| Duration::from_secs(step.into());
        let faulty = |step: &u32| plant.at(seconds(*step)).faults != 0;
        let begun = (0..100).find(faulty).unwrap();
        let reset_at = Some(f64::from(begun));
        let orders = Orders { reset_at, ..Orders::default() };
        let gone = (begun..100).all(|step| plant.under(&orders, seconds(step)).faults == 0);
        assert!(gone, "reset after {begun} s");
        let next = (100..200).find(faulty).unwrap();
        assert_ne!(plant.under(&orders, seconds(next)).faults, 0);
        let early = Orders { reset_at: Some(f64::from(begun) - 1.0), ..orders };
        assert_ne!(plant.under(&early, seconds(begun)).faults, 0, "there was nothing to reset");
    }
}
