//! Figures for people: a table for the terminal, a page with plots.

pub mod chart;
pub mod html;
pub mod markdown;

use crate::latency::Distribution;
use crate::machine::Machine;

/// One figure: what it is, what was measured, and what is promised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    pub what: String,
    pub figure: String,
    pub goal: &'static str,
}

impl Row {
    pub fn new(what: impl Into<String>, figure: impl Into<String>, goal: &'static str) -> Self {
        Self { what: what.into(), figure: figure.into(), goal }
    }
}

/// `p50 1.2, p90 2.3, … ms`
pub fn percentiles(distribution: Option<&Distribution>) -> String {
    distribution.map_or_else(
        || NO_STAMPS.into(),
        |d| {
            format!(
                "p50 {:.2} · p90 {:.2} · p99 {:.2} · p99.9 {:.2} · max {:.2} ms",
                d.p50, d.p90, d.p99, d.p999, d.max
            )
        },
    )
}

/// Where, when and of what something was measured, in one line.
pub fn source(machine: &Machine) -> String {
    let Machine { processor, cores, kernel, date, version, .. } = machine;
    let commit = machine.commit.as_deref().map(|commit| format!(" ({commit})"));
    let commit = commit.unwrap_or_default();
    format!("{version}{commit} · {processor}, {cores} cores · Linux {kernel} · {date}")
}

/// Latency is counted from what the server stamps on its frames, where it can.
const NO_STAMPS: &str = "no stamps";
