//! How long frames took, as a distribution.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times in microseconds, of which only the shape is kept.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// A distribution, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Distribution {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
    /// How many of a hundred took no longer than so many milliseconds.
    pub curve: Vec<(f64, f64)>,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST, DIGITS);
        Self(histogram.expect("the bounds are constants that fit together"))
    }
}

impl Latencies {
    pub fn add(&mut self, micros: u64) {
        self.0.saturating_record(micros.max(1));
    }

    /// `None` if there is nothing to tell.
    pub fn distribution(&self) -> Option<Distribution> {
        let at = |percent: f64| millis(self.0.value_at_percentile(percent));
        (!self.0.is_empty()).then(|| Distribution {
            count: self.0.len(),
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p999: at(99.9),
            max: millis(self.0.max()),
            curve: CURVE.iter().map(|percent| (*percent, at(*percent))).collect(),
        })
    }
}

impl Extend<u64> for Latencies {
    fn extend<T: IntoIterator<Item = u64>>(&mut self, times: T) {
        times.into_iter().for_each(|micros| self.add(micros));
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Two minutes; what takes longer counts as that.
const LONGEST: u64 = 120_000_000;

/// Three digits are kept of each time.
const DIGITS: u8 = 3;

const CURVE: [f64; 16] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 80.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let mut latencies = Latencies::default();
        assert!(latencies.distribution().is_none());
        latencies.extend((1..=1_000).map(|millis| millis * 1_000));
        let Distribution { count, p50, p99, max, .. } = latencies.distribution().unwrap();
        assert_eq!(count, 1_000);
        for (is, expected) in [(p50, 500.0), (p99, 990.0), (max, 1_000.0)] {
            assert!((is - expected).abs() < expected / 500.0, "{is} is not {expected}");
        }
    }

    #[test]
    fn what_takes_for_ever_counts_as_long() {
        let mut latencies = Latencies::default();
        latencies.extend([u64::MAX, 0]);
        assert_eq!(latencies.distribution().unwrap().count, 2);
    }
}
