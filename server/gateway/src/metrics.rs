//! What is counted, for `/metrics`: one value each, shared by all who count.

mod children;
mod histogram;
mod orders;
mod process;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dialect::{Fact, Incident, Kind, Path, Remedy};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};
use protocol::command::{Failure, Origin};
use protocol::frame::{Body, Stamps};
use protocol::id::DeviceId;
use protocol::point::Plant;
use protocol::reading::Reason;
use protocol::report::{Reach, Report};
use protocol::wire::native::FailReason;
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;
use children::{Children, Labels};
use histogram::Histogram;
use orders::Orders;
use scene::Scene;

/// Everything that is counted. No label tells who a client is, and each has few values.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) connections: Gauge,
    handshakes: Children<Counter>,
    handshake_time: Histogram,
    reconnects: Counter,
    messages: Children<Counter>,
    bytes_out: Counter,
    writes: Counter,
    frames_per_write: Histogram,
    push_latency: Histogram,
    whole_latency: Histogram,
    lag: Histogram,
    slow_actions: Children<Counter>,
    gaps: Counter,
    repaired: Counter,
    detected: Children<Counter>,
    recoveries: Children<Counter>,
    recovered_frames: Counter,
    tampered: Counter,
    published: Children<Counter>,
    polls: Children<Histogram>,
    /// Where the boards stand among `polls`.
    boards: BTreeMap<DeviceId, usize>,
    poll_errors: Family<Labels, Counter>,
    orders: Orders,
}

/// How a handshake came out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handshake {
    Admitted,
    Resumed,
    ForeignOrigin,
    Malformed,
    UnknownDevice,
    Full,
    Unauthorized,
    UnsupportedVersion,
    StationGone,
    Broken,
}

/// What is done about a client that reads too slowly, from mild to harsh.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slow {
    /// What waited for it went out as one batch.
    Batch,
    /// It got a snapshot in the place of frames.
    Snapshot,
    /// It was sent away, to come back.
    Closed,
}

/// What a flush brought on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flushed {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) writes: u64,
}

impl Metrics {
    pub(crate) fn new(plant: &Plant) -> Self {
        let boards = plant.devices.iter().map(|device| device.id.clone());
        let paths = PATHS.iter().flat_map(|path| REMEDIES.iter().map(move |remedy| (path, remedy)));
        let recoveries = paths.map(|(path, remedy)| {
            vec![("path", (*path).to_owned()), ("result", (*remedy).to_owned())]
        });
        Self {
            connections: Gauge::default(),
            handshakes: Children::of("result", HANDSHAKES, Counter::default),
            handshake_time: Histogram::of_time(),
            reconnects: Counter::default(),
            messages: Children::of("kind", KINDS, Counter::default),
            bytes_out: Counter::default(),
            writes: Counter::default(),
            frames_per_write: Histogram::of_frames(),
            push_latency: Histogram::of_time(),
            whole_latency: Histogram::of_time(),
            lag: Histogram::of_frames(),
            slow_actions: Children::of("level", LEVELS, Counter::default),
            gaps: Counter::default(),
            repaired: Counter::default(),
            detected: Children::of("by", FINDERS, Counter::default),
            recoveries: Children::new(recoveries, Counter::default),
            recovered_frames: Counter::default(),
            tampered: Counter::default(),
            published: Children::of("kind", BODIES, Counter::default),
            polls: Children::of("board", boards.clone(), Histogram::of_time),
            boards: boards.enumerate().map(|(place, id)| (id, place)).collect(),
            poll_errors: Family::default(),
            orders: Orders::new(),
        }
    }

    /// A poll has ended that took so long.
    pub fn polled(&self, report: &Report, took: Duration) {
        let place = self.boards.get(&report.device);
        if let Some(histogram) = place.and_then(|place| self.polls.at(*place)) {
            histogram.observe_time(took);
        }
        for kind in errors(report) {
            let labels = vec![("board", report.device.to_string()), ("kind", kind)];
            self.poll_errors.get_or_create(&labels).inc();
        }
    }

    /// An order came to its end so long after it was accepted; without a failure it went well.
    pub fn commanded(&self, origin: Origin, failure: Option<Failure>, ms: u32) {
        self.orders.ended(origin, failure, ms);
    }

    pub(crate) fn shook_hands(&self, result: Handshake, took: Duration) {
        count(&self.handshakes, result as usize);
        self.handshake_time.observe_time(took);
        if let Handshake::Resumed = result {
            self.reconnects.inc();
        }
    }

    pub(crate) fn said(&self, kind: Kind, recovered: bool) {
        count(&self.messages, kind as usize);
        if recovered {
            self.recovered_frames.inc();
        }
    }

    pub(crate) fn flushed(&self, flushed: Flushed) {
        self.frames_per_write.observe(flushed.frames);
        self.bytes_out.inc_by(flushed.bytes);
        self.writes.inc_by(flushed.writes);
    }

    /// News with these stamps has been handed to the system now.
    pub(crate) fn pushed(&self, stamps: Stamps, now_micros: u64) {
        self.push_latency.observe(now_micros.saturating_sub(stamps.made));
        self.whole_latency.observe(now_micros.saturating_sub(stamps.due));
    }

    pub(crate) fn lags(&self, frames: u64) {
        self.lag.observe(frames);
    }

    pub(crate) fn slow(&self, level: Slow) {
        count(&self.slow_actions, level as usize);
    }

    pub(crate) fn happened(&self, incident: &Incident) {
        if let Incident::Tampered = incident {
            self.tampered.inc();
        }
    }

    pub(crate) fn learned(&self, fact: Fact) {
        let Fact::Recovered { path, gaps, remedy } = fact else {
            return self.slow(Slow::Snapshot);
        };
        count(&self.recoveries, path as usize * REMEDIES.len() + remedy as usize);
        self.gaps.inc_by(gaps);
        if remedy != Remedy::Gone {
            self.repaired.inc_by(gaps);
        }
        let finder = usize::from(path != Path::DataLost);
        self.detected.at(finder).map(|counter| counter.inc_by(gaps));
    }

    pub(crate) fn published(&self, body: &Body) {
        count(
            &self.published,
            match body {
                Body::Delta(_) => 0,
                Body::Event(_) => 1,
                Body::Snapshot(_) => 2,
            },
        );
    }
}

impl Flushed {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            frames: self.frames.saturating_sub(before.frames),
            bytes: self.bytes.saturating_sub(before.bytes),
            writes: self.writes.saturating_sub(before.writes),
        }
    }
}

impl Handshake {
    pub(crate) fn refused(reason: FailReason) -> Self {
        match reason {
            FailReason::DeviceNotFound => Self::UnknownDevice,
            FailReason::Limit => Self::Full,
            FailReason::Unauthorized => Self::Unauthorized,
            FailReason::UnsupportedVersion => Self::UnsupportedVersion,
        }
    }
}

fn count(children: &Children<Counter>, place: usize) {
    if let Some(counter) = children.at(place) {
        counter.inc();
    }
}

/// What went wrong in a poll, each thing once.
fn errors(report: &Report) -> BTreeSet<String> {
    let reasons = report.results.iter().filter_map(|(_, result)| result.err());
    let mut kinds: BTreeSet<_> = reasons
        .map(|reason| match reason {
            Reason::Exception(_) => "exception".to_owned(),
            plain => plain.to_string(),
        })
        .collect();
    match report.reach {
        Reach::Silent if kinds.is_empty() => drop(kinds.insert("silent".into())),
        Reach::Away if kinds.is_empty() => drop(kinds.insert("away".into())),
        _ => {}
    }
    kinds
}

/// All of it under its names, and what the streams and the process show when they are asked.
pub(crate) fn registry(hub: &Hub, stop: &CancellationToken) -> Registry {
    let (mut registry, metrics) = (Registry::default(), hub.metrics());
    add_connections(&mut registry, metrics);
    add_speed(&mut registry, metrics);
    add_gaps(&mut registry, metrics);
    let own = &mut registry;
    add(own, "gw_stream_frames", "Frames that streams have got", &metrics.published);
    add(own, "poll_duration_seconds", "How long polls took", &metrics.polls);
    add(own, "poll_errors", "Polls in which this went wrong", &metrics.poll_errors);
    metrics.orders.add_to(own);
    registry.register_collector(Box::new(Scene { hub: hub.clone(), stop: stop.clone() }));
    registry
}

fn add_connections(to: &mut Registry, metrics: &Metrics) {
    add(to, "ws_connections", "Open connections", &metrics.connections);
    add(to, "ws_reconnects", "Connections that were taken up again", &metrics.reconnects);
    add(to, "gw_ws_handshakes", "Handshakes, by how they came out", &metrics.handshakes);
    add(to, "gw_ws_handshake_seconds", "How long they took", &metrics.handshake_time);
    add(to, "gw_md5_fail", "Frames with a wrong check code", &metrics.tampered);
}

fn add_speed(to: &mut Registry, metrics: &Metrics) {
    add(to, "ws_messages_sent", "Frames said to clients", &metrics.messages);
    add(to, "gw_bytes_out", "Bytes handed to the system", &metrics.bytes_out);
    add(to, "gw_writes", "Writes that handed them over", &metrics.writes);
    add(to, "gw_frames_per_write", "Frames that left together", &metrics.frames_per_write);
    let help = "From the making of a frame to its last byte handed over, once a flush";
    add(to, "gw_push_latency_seconds", help, &metrics.push_latency);
    let help = "From the answer to a poll to the last byte handed over, once a flush";
    add(to, "e2e_latency_seconds", help, &metrics.whole_latency);
    let help = "Frames that waited for a client, at each of its heartbeats";
    add(to, "gw_client_lag_frames", help, &metrics.lag);
    add(to, "gw_slow_actions", "What was done about slow clients", &metrics.slow_actions);
}

fn add_gaps(to: &mut Registry, metrics: &Metrics) {
    add(to, "ws_gaps", "Gaps that clients had", &metrics.gaps);
    add(
        to,
        "ws_gap_repaired",
        "Of these, those made good by frames or a snapshot",
        &metrics.repaired,
    );
    add(to, "gw_gap_detected", "Gaps, by who found them", &metrics.detected);
    add(to, "gw_recover", "How gaps were seen to", &metrics.recoveries);
    add(to, "gw_recovered_frames", "Frames told late", &metrics.recovered_frames);
}

fn add<M: Metric + Clone>(to: &mut Registry, name: &str, help: &str, metric: &M) {
    to.register(name, help, metric.clone());
}

// Each in the order of its enum.
const HANDSHAKES: [&str; 10] = [
    "admitted",
    "resumed",
    "foreign_origin",
    "malformed",
    "unknown_device",
    "full",
    "unauthorized",
    "unsupported_version",
    "station_gone",
    "broken",
];
const KINDS: [&str; 5] = ["answer", "heartbeat", "delta", "event", "snapshot"];
const LEVELS: [&str; 3] = ["batch", "snapshot", "closed"];
const PATHS: [&str; 3] = ["data_lost", "resume", "restart"];
const REMEDIES: [&str; 3] = ["frames", "snapshot", "gone"];
const FINDERS: [&str; 2] = ["client", "server"];
const BODIES: [&str; 3] = ["delta", "event", "snapshot"];
