//! One device, read once a second by a thousand clients that all verify what they get.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::{ARRIVED_WITHIN, Plan, SETTLE, millis};
use crate::client::Setup;
use crate::ear::Ear;
use crate::http;
use crate::plant::Shape;
use crate::stage::Stage;
use crate::swarm::{Swarm, is_whole};

#[derive(Debug, Serialize)]
pub struct FanOut {
    pub points: u16,
    pub poll_ms: u64,
    #[serde(flatten)]
    pub crowd: Crowd,
    /// Of one core, in percent.
    pub server_cpu: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<FanOut> {
    let stage = Stage::set(plan.program.clone(), Shape::plain(POINTS, POLL)).await?;
    let server = stage.serve().await?;
    let _changing = stage.change_everything().await?;
    let swarm = crowd(&stage, plan.clients, BETWEEN_FRAMES).await?;
    sleep(SETTLE).await;

    let (start, before) = (Instant::now(), server.usage()?);
    let crowd = Crowd::listen(&swarm, plan.period()).await;
    let (time, after) = (start.elapsed(), server.usage()?);
    let server_cpu = after.share(before, time);
    Ok(FanOut { points: POINTS, poll_ms: millis(POLL), crowd, server_cpu })
}

/// Clients of the stage's first device that verify so long after a frame came.
pub(super) async fn crowd(
    stage: &Stage,
    clients: usize,
    verify_after: Duration,
) -> anyhow::Result<Swarm<Ear>> {
    let seal = http::seal(stage.address).await?;
    let swarm = Swarm::start(clients, |index| {
        let setup = Setup::new(stage.address, Shape::device(0), seal.clone(), index as u64);
        (Setup { verify_after, ..setup }, Ear::default())
    });
    let swarm = swarm.await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;
    Ok(swarm)
}

const POINTS: u16 = 100;
const POLL: Duration = Duration::from_secs(1);

/// Clients that verify on a small machine do so between two frames.
const BETWEEN_FRAMES: Duration = Duration::from_millis(300);
