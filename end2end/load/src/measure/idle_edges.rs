//! What a center weighs whose edges have nothing to tell.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::wire::native::seal_text;
use protocol::wire::uplink::{EdgeMessage, Standing, seal};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::{ARRIVED_WITHIN, Plan};
use crate::center::{TOKEN, configuration};
use crate::clock;
use crate::program::{Program, free_address};

#[derive(Debug, Serialize)]
pub struct IdleEdges {
    pub edges: usize,
    /// How long they had nothing to tell.
    pub seconds: u64,
    pub memory_bytes: u64,
}

pub async fn measure(plan: &Plan) -> anyhow::Result<IdleEdges> {
    let program = Program { stamps: false, ..plan.program.clone() };
    let (folder, address) = (tempfile::tempdir()?, free_address().await?);
    let names: Vec<String> = (0..plan.edges).map(|n| format!("edge-{n}")).collect();
    let text = configuration(&names, &["board-1".into()], &[]);
    std::fs::write(folder.path().join("gapless.toml"), text)?;
    let server = program.serve(folder.path(), address, None).await?;
    let mut edges = Vec::new();
    for name in &names {
        edges.push(Edge::dial(address, name).await?);
    }
    let (start, mut beats) = (Instant::now(), interval(BEAT));
    while start.elapsed() < plan.period() * WINDOW {
        beats.tick().await;
        for edge in &mut edges {
            edge.beat().await?;
        }
    }
    let seconds = start.elapsed().as_secs();
    Ok(IdleEdges { edges: edges.len(), seconds, memory_bytes: server.usage()?.memory })
}

/// An edge that says only that it is there.
struct Edge {
    name: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Edge {
    async fn dial(center: SocketAddr, name: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{center}/ws/uplink?edge={name}").into_client_request()?;
        let bearer = format!("Bearer {TOKEN}").parse()?;
        request.headers_mut().insert("authorization", bearer);
        let (socket, _) = connect_async_with_config(request, None, true).await?;
        let mut edge = Self { name: name.into(), socket };
        let greeting = edge.hear().await?;
        anyhow::ensure!(greeting.contains("CONNECT_SUCCESS"), "{name} is sent away: {greeting}");
        Ok(edge)
    }

    async fn beat(&mut self) -> anyhow::Result<()> {
        for message in [EdgeMessage::Standing(Standing::default()), EdgeMessage::Heartbeat] {
            let text = seal_text(&seal(TOKEN), &message.write(&self.name, clock::wall()));
            self.socket.send(Message::text(text)).await?;
        }
        self.hear().await.map(drop)
    }

    async fn hear(&mut self) -> anyhow::Result<String> {
        let heard = timeout(ARRIVED_WITHIN, self.socket.next()).await?;
        Ok(heard.context("the center has hung up")??.into_text()?.to_string())
    }
}

/// As an edge does.
const BEAT: Duration = Duration::from_secs(10);

/// Sixty seconds a figure, as usual, become the five minutes that a window holds.
const WINDOW: u32 = 5;
