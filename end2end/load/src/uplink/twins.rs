//! An edge and its center as two processes: a line between them, and taps at the edge's boards.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use protocol::id::DeviceId;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::Absence;
use crate::boards::Boards;
use crate::center::{TOKEN, configuration};
use crate::chance::Chance;
use crate::plant::Shape;
use crate::program::{Program, Server, free_address};
use crate::proxy::{Fault, Proxy};
use crate::script::Script;
use crate::tap::{Tap, Written};
use crate::{clock, http};

pub(super) struct Twins {
    program: Program,
    pub(super) shape: Shape,
    boards: Boards,
    taps: Vec<Tap>,
    line: Proxy,
    center: House,
    edge: House,
}

/// One of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Center,
    Edge,
}

/// Where one of them lives; `None` while it is killed.
struct House {
    address: SocketAddr,
    folder: TempDir,
    server: Option<Server>,
}

/// How the center says an edge stands.
#[derive(Debug, Deserialize)]
struct Standing {
    backlog: u64,
    reached: bool,
    received: u64,
}

impl Twins {
    pub(super) async fn start(program: Program, shape: Shape) -> anyhow::Result<Self> {
        let (boards, mut taps) = (Boards::start(&shape).await?, Vec::new());
        for board in &boards.addresses {
            taps.push(Tap::start(*board).await?);
        }
        let (mut center, mut edge) = (House::new().await?, House::new().await?);
        let line = Proxy::start(center.address).await?;
        fs::write(center.folder.path().join("gapless.toml"), of_center(&shape))?;
        let addresses: Vec<_> = taps.iter().map(|tap| tap.address).collect();
        let path = shape.write(edge.folder.path(), &addresses)?;
        let text = fs::read_to_string(&path)? + &of_edge(line.address);
        fs::write(&path, text)?;
        center.serve(&program).await?;
        edge.serve(&program).await?;
        Ok(Self { program, shape, boards, taps, line, center, edge })
    }

    pub(super) fn address(&self, end: End) -> SocketAddr {
        match end {
            End::Center => self.center.address,
            End::Edge => self.edge.address,
        }
    }

    /// A device, as one of them calls it.
    pub(super) fn device(&self, end: End, index: u16) -> DeviceId {
        let device = Shape::device(index);
        match end {
            End::Edge => device,
            End::Center => format!("{EDGE}:{device}").parse().expect("two names are an identifier"),
        }
    }

    pub(super) async fn play(&self, chance: Chance) -> anyhow::Result<Script> {
        let script = Script::start(self.shape.clone(), &self.boards.addresses, chance);
        script.await.context("the boards cannot be written to")
    }

    /// Gives the line between them this fault, and whatever connects from now on, too.
    pub(super) async fn spoil(&self, fault: Fault) {
        self.line.greet(fault).await;
        self.line.strike(fault, 100, Chance::new(0)).await;
    }

    pub(super) async fn calm(&self) {
        self.line.calm().await;
    }

    /// Kills one of them, and starts it again.
    pub(super) async fn kill(&mut self, end: End) -> anyhow::Result<Absence> {
        let house = match end {
            End::Center => &mut self.center,
            End::Edge => &mut self.edge,
        };
        let mut absence = Absence::begin(end);
        if let Some(server) = house.server.take() {
            server.kill().await?;
        }
        absence.killed_at = clock::wall();
        house.serve(&self.program).await?;
        absence.to = clock::micros();
        Ok(absence)
    }

    /// Waits until the center has the edge, and all that the edge has to tell.
    pub(super) async fn becomes_whole(&self, within: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + within;
        while let Some(complaint) = self.complaint().await {
            anyhow::ensure!(Instant::now() < end, "after {within:?} {complaint}");
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// What keeps the two of them from being one.
    pub(super) async fn complaint(&self) -> Option<String> {
        match self.standing().await {
            Err(error) => Some(format!("the center does not say how the edge stands: {error:#}")),
            Ok(standing) if !standing.reached => Some("the edge is not connected".into()),
            Ok(Standing { received: 0, .. }) => Some("the edge has told nothing".into()),
            Ok(Standing { backlog, .. }) => {
                (backlog > 0).then(|| format!("{backlog} rows of the edge are not marked"))
            }
        }
    }

    async fn standing(&self) -> anyhow::Result<Standing> {
        let edges = http::get(self.center.address, "/api/edges").await?;
        let edges: Vec<Standing> = serde_json::from_str(&edges)?;
        edges.into_iter().next().context("the center expects no edge")
    }

    /// What was written to any board, in the order in which it was.
    pub(super) fn written(&self) -> Vec<Written> {
        let mut written: Vec<_> = self.taps.iter().flat_map(Tap::written).collect();
        written.sort_by_key(|write| write.at);
        written
    }
}

impl House {
    async fn new() -> anyhow::Result<Self> {
        let (address, folder) = (free_address().await?, tempfile::tempdir()?);
        Ok(Self { address, folder, server: None })
    }

    async fn serve(&mut self, program: &Program) -> anyhow::Result<()> {
        self.server = Some(program.serve(self.folder.path(), self.address, None).await?);
        Ok(())
    }
}

impl End {
    pub(super) fn blow(self) -> &'static str {
        match self {
            Self::Center => "center killed",
            Self::Edge => "edge killed",
        }
    }
}

fn of_center(shape: &Shape) -> String {
    let devices: Vec<_> = shape.devices().map(|device| device.to_string()).collect();
    let settings: Vec<_> = (0..shape.settings).map(Shape::setting_key).collect();
    configuration(&[EDGE.into()], &devices, &settings)
}

/// A short hold: whoever was kept away can act again soon.
fn of_edge(center: SocketAddr) -> String {
    format!(
        "[uplink]\nurl = \"ws://{center}/ws/uplink\"\nedge = \"{EDGE}\"\ntoken = \"{TOKEN}\"\n\
         [arbiter]\nhold = \"1s\"\n"
    )
}

pub(super) const EDGE: &str = "edge";

const LOOK_AGAIN: Duration = Duration::from_millis(50);
