//! What is looked up when somebody asks: the streams as they stand, and the process.

use std::fmt;

use dialect::View as _;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use protocol::part::PartState;
use tokio_util::sync::CancellationToken;

use super::children::Labels;
use super::process;
use crate::hub::Hub;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) hub: Hub,
    pub(super) stop: CancellationToken,
}

/// All of one name: what is told about it, and a value for each set of labels.
struct Look {
    name: &'static str,
    help: &'static str,
    values: Vec<(Labels, u64)>,
}

impl Collector for Scene {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Look { name, help, values } in self.streams() {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in values {
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Connections still to be closed, once the server stops";
        let still_open = self.hub.metrics().connections.get().max(0);
        gauge(
            &mut encoder,
            "gw_drain_remaining",
            help,
            match self.stop.is_cancelled() {
                true => still_open,
                false => 0,
            },
        )?;
        process(&mut encoder)
    }
}

impl Scene {
    fn streams(&self) -> [Look; 4] {
        let mut top = Look::new("gw_stream_top", "The offset of the last frame");
        let mut ring = Look::new("gw_ring_bytes", "Bytes of frames held for repairs, about");
        let mut stale = Look::new("point_stale", "Points whose value is not good");
        let mut failing = Look::new("part_failing", "Whether a part of the server fails");
        let mut bytes = 0;
        for stream in self.hub.streams() {
            let Some(window) = self.hub.window(stream) else { continue };
            top.values.push((vec![("stream", stream.to_string())], window.top().0));
            bytes += window.held() as u64;
            let table = window.table();
            if let Some(device) = stream.device() {
                let bad = table.points.values().filter(|reading| !reading.quality.is_good());
                stale.values.push((vec![("board", device.to_string())], bad.count() as u64));
            }
            for (part, condition) in &table.parts {
                let fails = u64::from(condition.state == PartState::Failing);
                failing.values.push((vec![("part", part.to_string())], fails));
            }
        }
        ring.values.push((Labels::new(), bytes));
        [top, ring, stale, failing]
    }
}

impl Look {
    fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, values: Vec::new() }
    }
}

fn process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    if let Some(bytes) = process::resident_bytes() {
        gauge(encoder, "process_resident_memory_bytes", "Memory in use", bytes as f64)?;
    }
    if let Some(files) = process::open_files() {
        gauge(encoder, "process_open_fds", "Open files and sockets", files as f64)?;
    }
    if let Some(at) = process::started_at() {
        gauge(encoder, "process_start_time_seconds", "When the process began", at)?;
    }
    let cpu = ConstCounter::new(process::cpu_time().as_secs_f64());
    let help = "Processor time used";
    cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?)
}

fn gauge<N>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    value: N,
) -> fmt::Result
where
    ConstGauge<N>: EncodeMetric,
{
    let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(value).encode(encoder)
}
