//! What one pushed frame costs the server, beside what it costs a plain one in the same run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::process::Command;
use tokio::time::sleep;

use super::{Plan, SETTLE, median, per_second};
use crate::counter::{Counters, Pace};
use crate::plant::Shape;
use crate::program::{Program, Server, free_address, start};
use crate::stage::Stage;

#[derive(Debug, Serialize)]
pub struct FrameCost {
    pub clients: usize,
    pub per_second: u32,
    pub rounds: Vec<Round>,
    /// Medians over the rounds, in microseconds of the server's time.
    pub gapless_us: f64,
    pub bare_us: f64,
    pub ratio: f64,
}

#[derive(Debug, Serialize)]
pub struct Round {
    pub gapless: Cost,
    pub bare: Cost,
    pub ratio: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    pub us_per_frame: f64,
    pub frames_per_second: f64,
    pub bytes_per_frame: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<FrameCost> {
    // No stamps: what they cost is not the frame's.
    let program = Program { stamps: false, ..plan.program.clone() };
    let shape = Shape { name_length: NAME, ..Shape::plain(POINTS, EVERY) };
    let stage = Stage::set(program, shape).await?;
    let gapless = stage.serve().await?;
    let _changing = stage.change_everything().await?;
    let bare = start_bare().await?;
    let device = format!("/ws/device?device_id={}", Shape::device(0));
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds.max(1) {
        let ours = cost(plan, &gapless, &device).await?;
        let theirs = cost(plan, &bare, "/ws").await?;
        let ratio = ours.us_per_frame / theirs.us_per_frame;
        rounds.push(Round { gapless: ours, bare: theirs, ratio });
    }
    let of = |pick: fn(&Round) -> f64| median(rounds.iter().map(pick).collect());
    Ok(FrameCost {
        clients: plan.clients,
        per_second: PER_SECOND,
        gapless_us: of(|round| round.gapless.us_per_frame),
        bare_us: of(|round| round.bare.us_per_frame),
        ratio: of(|round| round.ratio),
        rounds,
    })
}

async fn cost(plan: &Plan, server: &Server, path: &str) -> anyhow::Result<Cost> {
    let clients = Counters::start(server.address, path, plan.clients, Pace::Fast).await?;
    sleep(SETTLE).await;
    let (start, usage, count) = (Instant::now(), server.usage()?, clients.count());
    sleep(plan.turn()).await;
    let (time, after, end) = (start.elapsed(), server.usage()?, clients.count());
    clients.leave().await;
    anyhow::ensure!(end.ended == 0, "{} clients were sent away", end.ended);
    let frames = end.frames.saturating_sub(count.frames);
    anyhow::ensure!(frames > 0, "{path} sent no frames");
    let cpu = after.cpu.saturating_sub(usage.cpu);
    Ok(Cost {
        us_per_frame: cpu.as_secs_f64() * 1e6 / frames as f64,
        frames_per_second: per_second(frames, time),
        bytes_per_frame: end.bytes.saturating_sub(count.bytes) as f64 / frames as f64,
    })
}

async fn start_bare() -> anyhow::Result<Server> {
    let address: SocketAddr = free_address().await?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", "--listen", &address.to_string(), "--bytes", &BYTES.to_string()]);
    command.args(["--every-ms", &EVERY.as_millis().to_string()]);
    Server::new(address, start(&mut command, None)?).becomes_ready().await
}

/// So many points with names so long make a frame of about so many bytes.
const BYTES: usize = 512;
const POINTS: u16 = 5;
const NAME: usize = 21;

const EVERY: Duration = Duration::from_millis(100);
const PER_SECOND: u32 = 10;
