//! Polls the boards of one channel on time and reports what they said.

use std::time::Duration;

use protocol::report::Report;
use tokio::sync::{mpsc, watch};
use tokio::time::{self, Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::device::PolledDevice;
use crate::line::Line;
use crate::map::{ChannelConfig, LONGEST_POLL, SHORTEST_POLL};

/// What a poll brought home, and how it came about.
#[derive(Clone, Debug)]
pub struct Polled {
    pub report: Report,
    /// When the answer was complete, or given up.
    pub at: Instant,
    pub took: Duration,
}

/// Polls until `stop`, at the interval that `pace` says; ends also when nobody hears its reports.
///
/// A full `outbox` holds the polling up: readings come later then, but none are lost.
pub async fn run(
    config: ChannelConfig,
    pace: watch::Receiver<Duration>,
    outbox: mpsc::Sender<Polled>,
    stop: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = Poller::new(config, outbox).poll_on_time(pace) => {}
    }
}

struct Poller {
    line: Line,
    devices: Vec<PolledDevice>,
    config: ChannelConfig,
    outbox: mpsc::Sender<Polled>,
}

impl Poller {
    fn new(mut config: ChannelConfig, outbox: mpsc::Sender<Polled>) -> Self {
        let line = Line::new(config.transport.clone());
        let targets = std::mem::take(&mut config.targets);
        let devices = targets.into_iter().map(PolledDevice::new).collect();
        Self { line, devices, config, outbox }
    }

    async fn poll_on_time(mut self, mut pace: watch::Receiver<Duration>) {
        let mut last = Instant::now();
        let mut interval = within_range(*pace.borrow_and_update());
        let mut ticks = ticks(last, interval);
        loop {
            tokio::select! {
                tick = ticks.tick() => {
                    last = tick;
                    if self.poll_all(tick, interval).await.is_err() {
                        return;
                    }
                }
                changed = next_pace(&mut pace) => {
                    interval = changed;
                    ticks = self::ticks(last + interval, interval);
                }
            }
        }
    }

    /// Each report leaves as soon as its device is read, not when the slowest is.
    async fn poll_all(
        &mut self,
        tick: Instant,
        interval: Duration,
    ) -> Result<(), mpsc::error::SendError<Polled>> {
        let limit = self.config.timeout_at(interval);
        self.line.begin_round();
        for device in &mut self.devices {
            let began = Instant::now();
            if let Some(report) = device.poll(&mut self.line, tick, limit).await {
                let at = Instant::now();
                self.outbox.send(Polled { report, at, took: at - began }).await?;
            }
        }
        Ok(())
    }
}

/// Ticks that do not drift; those that come too late are left out.
fn ticks(first: Instant, interval: Duration) -> Interval {
    let mut ticks = time::interval_at(first, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

async fn next_pace(pace: &mut watch::Receiver<Duration>) -> Duration {
    match pace.changed().await {
        Ok(()) => within_range(*pace.borrow_and_update()),
        // Nobody can change it any more.
        Err(_) => std::future::pending().await,
    }
}

fn within_range(interval: Duration) -> Duration {
    interval.clamp(SHORTEST_POLL, LONGEST_POLL)
}
