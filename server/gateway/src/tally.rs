//! What one connection has done, and its share in what is counted of all.

use std::sync::Arc;

use dialect::{Kind, Request, Said};
use protocol::frame::Stamps;
use protocol::time::Instant;

use crate::Stopwatch;
use crate::metrics::{Flushed, Metrics, Slow};
use crate::wire::Wire;

/// One connection's tally. Nothing in it is locked, and little of it done for each frame.
#[derive(Debug)]
pub(crate) struct Tally {
    metrics: Arc<Metrics>,
    /// Frames heard.
    pub(crate) heard: u64,
    pub(crate) heard_at: Instant,
    /// Frames said.
    pub(crate) said: u64,
    /// As it was at the last flush.
    flushed: Flushed,
    /// When the latest news came about that has been said and not flushed.
    latest: Option<Stamps>,
}

impl Tally {
    pub(crate) fn new(metrics: Arc<Metrics>, now: Instant) -> Self {
        metrics.connections.inc();
        let flushed = Flushed::default();
        Self { metrics, heard: 0, heard_at: now, said: 0, flushed, latest: None }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard += 1;
        self.heard_at = now;
    }

    pub(crate) fn said(&mut self, said: &Said) {
        self.said += 1;
        self.latest = said.stamps.or(self.latest);
        self.metrics.said(said.kind, said.recovered);
    }

    /// What was said is on its way, as far as the system took it.
    pub(crate) fn flushed(&mut self, wire: &Wire, stopwatch: Stopwatch) {
        let now = Flushed { frames: self.said, bytes: wire.sent(), writes: wire.writes() };
        let before = std::mem::replace(&mut self.flushed, now);
        if now.writes > before.writes {
            self.metrics.flushed(now.since(before));
        }
        if !wire.is_blocked()
            && let Some(stamps) = self.latest.take()
        {
            self.metrics.pushed(stamps, stopwatch.micros(tokio::time::Instant::now()));
        }
    }

    /// The system takes more again, after it took none.
    pub(crate) fn cleared(&self) {
        self.metrics.slow(Slow::Batch);
    }

    pub(crate) fn closed_as_slow(&self) {
        self.metrics.slow(Slow::Closed);
    }

    pub(crate) fn lags(&self, frames: u64) {
        self.metrics.lags(frames);
    }

    pub(crate) fn asked(&self, request: &Request) {
        match request {
            Request::Record(incident) => self.metrics.happened(incident),
            Request::Count(fact) => self.metrics.learned(*fact),
            Request::Follow { .. } | Request::Leave(_) | Request::Lost(_) | Request::Order(_) => {}
        }
    }
}

/// However a connection ends, it is open no more.
impl Drop for Tally {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

/// A client that shows it is there shows how far it is, too.
pub(crate) fn is_sample(said: &Said) -> bool {
    said.kind == Kind::Beat
}
