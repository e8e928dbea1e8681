//! What a crowd of clients hears in a while.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use super::per_second;
use crate::ear::{Ear, Heard};
use crate::latency::Distribution;
use crate::swarm::Swarm;

#[derive(Debug, Default, Serialize)]
pub struct Crowd {
    pub clients: usize,
    pub live: usize,
    pub seconds: f64,
    pub frames: u64,
    pub frames_per_second: f64,
    pub bytes_per_frame: f64,
    /// From the board's answer to the client; `None` if the server has no stamps.
    pub whole_ms: Option<Distribution>,
    /// The server's share, from the making of the frame.
    pub share_ms: Option<Distribution>,
    /// Since the clients came.
    pub lost: u64,
    pub repaired: u64,
    pub reconnects: u64,
    /// Frames with a wrong check code.
    pub tampered: u64,
}

impl Crowd {
    /// Listens for so long; what was heard before does not count.
    pub async fn listen(swarm: &Swarm<Ear>, period: Duration) -> Self {
        swarm.look(Ear::take).await;
        let start = Instant::now();
        sleep(period).await;
        let heard = swarm.look(Ear::take).await.into_iter().collect();
        let crowd = Self::of(&heard, start.elapsed());
        crowd.with_books(swarm).await
    }

    /// It holds together: everyone is there, and nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.live == self.clients && self.lost == self.repaired
    }

    fn of(heard: &Heard, time: Duration) -> Self {
        Self {
            seconds: time.as_secs_f64(),
            frames: heard.frames,
            frames_per_second: per_second(heard.frames, time),
            bytes_per_frame: heard.bytes as f64 / heard.frames.max(1) as f64,
            whole_ms: heard.whole.distribution(),
            share_ms: heard.share.distribution(),
            ..Self::default()
        }
    }

    async fn with_books(self, swarm: &Swarm<Ear>) -> Self {
        let status = swarm.look(|session, _| session.status()).await;
        Self {
            clients: swarm.len(),
            live: status.iter().filter(|status| status.is_live()).count(),
            lost: status.iter().map(|status| status.lost).sum(),
            repaired: status.iter().map(|status| status.repaired).sum(),
            reconnects: status.iter().map(|status| u64::from(status.reconnects)).sum(),
            tampered: status.iter().map(|status| status.tampered).sum(),
            ..self
        }
    }
}
