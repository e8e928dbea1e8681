//! Clients against any server that runs: what comes, how fast, and whether all of it comes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use protocol::id::DeviceId;
use serde::{Deserialize, Serialize};
use tokio::net::lookup_host;
use tokio::time::sleep;

use super::{ARRIVED_WITHIN, per_second};
use crate::client::Setup;
use crate::ear::{Ear, Heard};
use crate::http;
use crate::latency::Distribution;
use crate::swarm::{Swarm, is_whole};

/// Whom to visit, with how many, and how long.
#[derive(Clone, Debug)]
pub struct Visit {
    /// `http://127.0.0.1:8080`
    pub url: String,
    /// All clients follow this device; where it is not set they spread over all there are.
    pub device: Option<DeviceId>,
    pub clients: usize,
    pub seconds: u64,
    pub verify_after: Duration,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub clients: usize,
    pub devices: usize,
    pub seconds: f64,
    pub frames: u64,
    pub frames_per_second: f64,
    pub bytes_per_frame: f64,
    /// From the board's answer to the client; `None` if the server has no stamps.
    pub whole_ms: Option<Distribution>,
    pub share_ms: Option<Distribution>,
    pub live: usize,
    pub lost: u64,
    pub repaired: u64,
    pub reconnects: u64,
    /// Frames with a wrong check code.
    pub tampered: u64,
}

#[derive(Deserialize)]
struct Listed {
    id: DeviceId,
}

pub async fn run(visit: Visit) -> anyhow::Result<Report> {
    let address = address(&visit.url).await?;
    let seal = http::seal(address).await?;
    let devices = match &visit.device {
        Some(device) => vec![device.clone()],
        None => devices(address).await?,
    };
    let swarm = Swarm::start(visit.clients, |index| {
        let device = devices[index % devices.len()].clone();
        let setup = Setup::new(address, device, seal.clone(), index as u64);
        (Setup { verify_after: visit.verify_after, ..setup }, Ear::default())
    });
    let swarm = swarm.await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;

    swarm.look(Ear::take).await;
    let start = Instant::now();
    sleep(Duration::from_secs(visit.seconds)).await;
    let (heard, time) = (swarm.look(Ear::take).await, start.elapsed());
    let heard: Heard = heard.into_iter().collect();
    let status = swarm.look(|session, _| session.status()).await;
    let report = Report {
        clients: swarm.len(),
        devices: devices.len(),
        seconds: time.as_secs_f64(),
        frames: heard.frames,
        frames_per_second: per_second(heard.frames, time),
        bytes_per_frame: heard.bytes as f64 / heard.frames.max(1) as f64,
        whole_ms: heard.whole.distribution(),
        share_ms: heard.share.distribution(),
        live: status.iter().filter(|status| status.is_live()).count(),
        lost: status.iter().map(|status| status.lost).sum(),
        repaired: status.iter().map(|status| status.repaired).sum(),
        reconnects: status.iter().map(|status| u64::from(status.reconnects)).sum(),
        tampered: status.iter().map(|status| status.tampered).sum(),
    };
    swarm.leave().await;
    Ok(report)
}

async fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let host = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let mut found = lookup_host(host).await.with_context(|| format!("no server at {url}"))?;
    found.next().with_context(|| format!("no server at {url}"))
}

async fn devices(address: SocketAddr) -> anyhow::Result<Vec<DeviceId>> {
    let listed: Vec<Listed> = serde_json::from_str(&http::get(address, "/api/devices").await?)?;
    anyhow::ensure!(!listed.is_empty(), "the server has no devices");
    Ok(listed.into_iter().map(|listed| listed.id).collect())
}
