//! The measurements, each by itself; all of them end with a figure that can be compared.

pub mod crowd;
pub mod fan_out;
pub mod frame_cost;
pub mod idle_edges;
pub mod idle_memory;
pub mod many_devices;
pub mod orders;
pub mod run;
pub mod slow_clients;
pub mod storm;

use std::time::Duration;

use serde::Serialize;

use crate::machine::Machine;
use crate::program::Program;
use fan_out::FanOut;
use frame_cost::FrameCost;
use idle_edges::IdleEdges;
use idle_memory::IdleMemory;
use many_devices::ManyDevices;
use orders::Orders;
use slow_clients::SlowClients;
use storm::Storm;

/// How large the measurements are.
#[derive(Clone, Debug)]
pub struct Plan {
    pub program: Program,
    /// How long each figure is measured.
    pub seconds: u64,
    /// How often two things are compared.
    pub rounds: usize,
    /// Clients of a crowd, and of a storm.
    pub clients: usize,
    pub storm: usize,
    pub devices: u16,
    pub edges: usize,
}

/// What a benchmark can measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    FanOut,
    FrameCost,
    IdleMemory,
    Storm,
    ManyDevices,
    SlowClients,
    Orders,
    IdleEdges,
}

/// What was measured, of that which was asked for.
#[derive(Debug, Serialize)]
pub struct Results {
    pub machine: Machine,
    pub fan_out: Option<FanOut>,
    pub frame_cost: Option<FrameCost>,
    pub idle_memory: Option<IdleMemory>,
    pub storm: Option<Storm>,
    pub many_devices: Option<ManyDevices>,
    pub slow_clients: Option<SlowClients>,
    pub orders: Option<Orders>,
    pub idle_edges: Option<IdleEdges>,
}

impl Results {
    /// Measures one part after the other; `say` hears what comes next.
    pub async fn of(plan: &Plan, parts: &[Part], say: impl Fn(&str)) -> anyhow::Result<Self> {
        let machine = Machine::here(plan.program.version().await?);
        let mut results = Self {
            machine,
            fan_out: None,
            frame_cost: None,
            idle_memory: None,
            storm: None,
            many_devices: None,
            slow_clients: None,
            orders: None,
            idle_edges: None,
        };
        for part in parts {
            say(part.name());
            match part {
                Part::FanOut => results.fan_out = Some(fan_out::measure(plan).await?),
                Part::FrameCost => results.frame_cost = Some(frame_cost::measure(plan).await?),
                Part::IdleMemory => results.idle_memory = Some(idle_memory::measure(plan).await?),
                Part::Storm => results.storm = Some(storm::measure(plan).await?),
                Part::ManyDevices => {
                    results.many_devices = Some(many_devices::measure(plan).await?);
                }
                Part::SlowClients => {
                    results.slow_clients = Some(slow_clients::measure(plan).await?);
                }
                Part::Orders => results.orders = Some(orders::measure(plan).await?),
                Part::IdleEdges => results.idle_edges = Some(idle_edges::measure(plan).await?),
            }
        }
        Ok(results)
    }
}

impl Part {
    pub const ALL: [Self; 8] = [
        Self::FanOut,
        Self::FrameCost,
        Self::IdleMemory,
        Self::Storm,
        Self::ManyDevices,
        Self::SlowClients,
        Self::Orders,
        Self::IdleEdges,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::FanOut => "fan-out",
            Self::FrameCost => "frame-cost",
            Self::IdleMemory => "idle-memory",
            Self::Storm => "storm",
            Self::ManyDevices => "many-devices",
            Self::SlowClients => "slow-clients",
            Self::Orders => "orders",
            Self::IdleEdges => "idle-edges",
        }
    }
}

impl Plan {
    fn period(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Of two things that are compared, each is measured for so long at a time.
    fn turn(&self) -> Duration {
        self.period() / 3
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(f64::EPSILON)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The middle one; the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

/// How long all clients may take to arrive.
const ARRIVED_WITHIN: Duration = Duration::from_secs(120);

/// What starts is left alone for a while.
const SETTLE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 100.0]), 3.0);
        assert!(median(vec![]).is_nan());
    }
}
