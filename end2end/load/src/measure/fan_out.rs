//! One device, read once a second by a thousand clients that all verify what they get.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use super::{ARRIVED_WITHIN, BETWEEN_FRAMES, Plan, SETTLE, per_second};
use crate::client::Setup;
use crate::ear::{Ear, Heard};
use crate::http;
use crate::latency::Distribution;
use crate::plant::Shape;
use crate::stage::Stage;
use crate::swarm::{Swarm, is_whole};

#[derive(Debug, Serialize)]
pub struct FanOut {
    pub clients: usize,
    pub points: u16,
    pub poll_ms: u64,
    pub seconds: f64,
    pub frames: u64,
    pub frames_per_second: f64,
    pub bytes_per_frame: f64,
    /// From the board's answer to the client; `None` if the server has no stamps.
    pub whole_ms: Option<Distribution>,
    /// The server's share, from the making of the frame.
    pub share_ms: Option<Distribution>,
    pub lost: u64,
    pub repaired: u64,
    /// Of one core, in percent.
    pub server_cpu: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<FanOut> {
    let shape = Shape::plain(POINTS, POLL);
    let stage = Stage::set(plan.program.clone(), shape).await?;
    let server = stage.serve().await?;
    let _changing = stage.change_everything().await?;
    let seal = http::seal(stage.address).await?;
    let swarm = Swarm::start(plan.clients, |index| {
        let setup = Setup::new(stage.address, Shape::device(0), seal.clone(), index as u64);
        (Setup { verify_after: BETWEEN_FRAMES, ..setup }, Ear::default())
    });
    let swarm = swarm.await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;
    sleep(SETTLE).await;

    swarm.look(Ear::take).await;
    let (start, before) = (Instant::now(), server.usage()?);
    sleep(plan.period()).await;
    let (heard, time) = (swarm.look(Ear::take).await, start.elapsed());
    let cpu = server.usage()?.cpu.saturating_sub(before.cpu);
    let heard: Heard = heard.into_iter().collect();
    let status = swarm.look(|session, _| session.status()).await;
    Ok(FanOut {
        clients: swarm.len(),
        points: POINTS,
        poll_ms: u64::try_from(POLL.as_millis()).unwrap_or(u64::MAX),
        seconds: time.as_secs_f64(),
        frames: heard.frames,
        frames_per_second: per_second(heard.frames, time),
        bytes_per_frame: heard.bytes as f64 / heard.frames.max(1) as f64,
        whole_ms: heard.whole.distribution(),
        share_ms: heard.share.distribution(),
        lost: status.iter().map(|status| status.lost).sum(),
        repaired: status.iter().map(|status| status.repaired).sum(),
        server_cpu: 100.0 * cpu.as_secs_f64() / time.as_secs_f64(),
    })
}

const POINTS: u16 = 100;
const POLL: Duration = Duration::from_secs(1);
