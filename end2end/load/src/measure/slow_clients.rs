//! What clients that read slowly do to those that do not.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::fan_out::crowd;
use super::{Plan, median, millis};
use crate::counter::{Counters, Pace};
use crate::latency::Distribution;
use crate::plant::Shape;
use crate::stage::Stage;

#[derive(Debug, Serialize)]
pub struct SlowClients {
    pub clients: usize,
    pub slow: usize,
    pub slow_bytes_per_second: usize,
    pub poll_ms: u64,
    pub points: u16,
    pub rounds: Vec<Round>,
    /// Medians over the rounds, of those that read at once; `None` if the server has no stamps.
    pub p99_all_fast_ms: Option<f64>,
    pub p99_some_slow_ms: Option<f64>,
    pub ratio: Option<f64>,
    pub memory_per_slow_client: f64,
}

#[derive(Debug, Serialize)]
pub struct Round {
    pub all_fast_ms: Option<Distribution>,
    pub some_slow_ms: Option<Distribution>,
    pub memory_per_slow_client: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<SlowClients> {
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds.max(1) {
        let (all_fast_ms, fast_memory) = round(plan, Pace::Fast).await?;
        let (some_slow_ms, slow_memory) = round(plan, Pace::Slow(SLOWLY)).await?;
        let memory_per_slow_client = (slow_memory - fast_memory) / SLOW as f64;
        rounds.push(Round { all_fast_ms, some_slow_ms, memory_per_slow_client });
    }
    let p99 = |pick: fn(&Round) -> &Option<Distribution>| {
        let all: Option<Vec<_>> = rounds.iter().map(|r| Some(pick(r).as_ref()?.p99)).collect();
        all.map(median)
    };
    let ratio = |round: &Round| {
        Some(round.some_slow_ms.as_ref()?.p99 / round.all_fast_ms.as_ref()?.p99.max(0.001))
    };
    let ratios: Option<Vec<_>> = rounds.iter().map(ratio).collect();
    Ok(SlowClients {
        clients: CLIENTS,
        slow: SLOW,
        slow_bytes_per_second: SLOWLY,
        poll_ms: millis(POLL),
        points: POINTS,
        p99_all_fast_ms: p99(|round| &round.all_fast_ms),
        p99_some_slow_ms: p99(|round| &round.some_slow_ms),
        ratio: ratios.map(median),
        memory_per_slow_client: median(rounds.iter().map(|r| r.memory_per_slow_client).collect()),
        rounds,
    })
}

/// The times of those that read at once, and by how much the server grew.
async fn round(plan: &Plan, pace: Pace) -> anyhow::Result<(Option<Distribution>, f64)> {
    let stage = Stage::set(plan.program.clone(), Shape::plain(POINTS, POLL)).await?;
    let server = stage.serve().await?;
    let _changing = stage.change_everything().await?;
    let swarm = crowd(&stage, CLIENTS - SLOW, POLL / 3).await?;
    let before = server.usage()?.memory;
    let path = format!("/ws/device?device_id={}", Shape::device(0));
    let others = Counters::start(server.address, &path, SLOW, pace).await?;
    sleep(UNTIL_BLOCKED).await;

    let heard = Crowd::listen(&swarm, plan.turn()).await;
    let grown = server.usage()?.memory as f64 - before as f64;
    others.leave().await;
    Ok((heard.whole_ms, grown))
}

const CLIENTS: usize = 200;
const SLOW: usize = 20;
const SLOWLY: usize = 1_000;
const POINTS: u16 = 100;

/// Five times as often as the crowd's device: the system holds some hundred kilobytes back for each
/// slow client, and until these are full nobody is slow.
const POLL: Duration = Duration::from_millis(200);
const UNTIL_BLOCKED: Duration = Duration::from_secs(20);
