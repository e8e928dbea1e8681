//! What a connection costs on which next to nothing happens.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use super::{Plan, SETTLE};
use crate::counter::{Counters, Pace};
use crate::plant::Shape;
use crate::program::Program;
use crate::stage::Stage;

#[derive(Debug, Serialize)]
pub struct IdleMemory {
    pub connections: usize,
    pub before_bytes: u64,
    pub after_bytes: u64,
    pub bytes_per_connection: f64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<IdleMemory> {
    let program = Program { stamps: false, ..plan.program.clone() };
    let stage = Stage::set(program, Shape::plain(1, Duration::from_secs(10))).await?;
    let server = stage.serve().await?;
    let path = format!("/ws/device?device_id={}", Shape::device(0));
    sleep(SETTLE).await;
    let before = server.usage()?.memory;
    let clients = Counters::start(server.address, &path, plan.storm, Pace::Fast).await?;
    sleep(SETTLE).await;
    let after = server.usage()?.memory;
    anyhow::ensure!(clients.count().ended == 0, "clients were sent away");
    clients.leave().await;
    let per_connection = after.saturating_sub(before) as f64 / plan.storm.max(1) as f64;
    Ok(IdleMemory {
        connections: plan.storm,
        before_bytes: before,
        after_bytes: after,
        bytes_per_connection: per_connection,
    })
}
