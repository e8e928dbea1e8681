//! Clients against any server that runs: what comes, how fast, and whether all of it comes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use protocol::id::DeviceId;
use serde::{Deserialize, Serialize};
use tokio::net::lookup_host;

use super::ARRIVED_WITHIN;
use super::crowd::Crowd;
use crate::client::Setup;
use crate::ear::Ear;
use crate::http;
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
    pub server_version: Option<String>,
    pub devices: usize,
    #[serde(flatten)]
    pub crowd: Crowd,
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
    let crowd = Crowd::listen(&swarm, Duration::from_secs(visit.seconds)).await;
    let versions = swarm.look(|session, _| session.status().server_version).await;
    swarm.leave().await;
    let server_version = versions.into_iter().flatten().next();
    Ok(Report { server_version, devices: devices.len(), crowd })
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
