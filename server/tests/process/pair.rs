//! An edge and its center as two processes, with a cable between them and a tap at the board.

use std::fs;
use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use crate::cable::Cable;
use crate::client::Client;
use crate::plant::{Plant, is_reached};
use crate::running::Running;
use crate::tap::Tap;
use crate::uplink::{center_folder, edge_folder, rows};

pub(crate) struct Pair {
    pub(crate) above: TempDir,
    pub(crate) below: TempDir,
    pub(crate) cable: Cable,
    pub(crate) tap: Tap,
    pub(crate) center: Running,
    /// `None` until it is started.
    edge: Option<Running>,
    _plant: Plant,
}

/// Who is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Edge,
    Center,
}

impl Pair {
    /// A center that runs, and an edge that does not yet.
    pub(crate) async fn prepare() -> Self {
        let above = center_folder();
        let center = Running::start(above.path());
        let cable = Cable::to(&center.address).await;
        let (below, plant) = edge_folder(&cable.address).await;
        let tap = Tap::to(plant.port).await;
        configure(below.path(), plant.port, tap.port);
        Self { above, below, cable, tap, center, edge: None, _plant: plant }
    }

    pub(crate) async fn start() -> Self {
        let mut pair = Self::prepare().await;
        pair.start_edge();
        pair
    }

    pub(crate) fn start_edge(&mut self) {
        self.edge = Some(Running::start(self.below.path()));
    }

    pub(crate) fn edge(&mut self) -> &mut Running {
        self.edge.as_mut().unwrap()
    }

    pub(crate) fn kill(&mut self, end: End) {
        let victim = match end {
            End::Edge => self.edge(),
            End::Center => &mut self.center,
        };
        victim.signal("-KILL");
        assert_eq!(victim.ended(), None);
    }

    pub(crate) fn start_again(&mut self, end: End) {
        match end {
            End::Edge => self.start_edge(),
            End::Center => {
                self.center = Running::start_at(self.above.path(), &self.center.address);
            }
        }
    }

    /// A client of the edge's board, at the edge.
    pub(crate) async fn client_below(&mut self) -> Client {
        client(&self.edge().address.clone(), "board-1").await
    }

    /// A client of the same board at the center, which has the edge.
    pub(crate) async fn client_above(&self) -> Client {
        client(&self.center.address, "north:board-1").await
    }

    /// The times of those rows at the center that were there before the edge was started.
    pub(crate) async fn told(&self) -> Vec<u64> {
        let rows = rows(&self.center).await.into_iter();
        let mut told: Vec<_> =
            rows.filter(|(_, name)| name == "before").map(|(at, _)| at).collect();
        told.reverse();
        told
    }

    /// The numbers of all rows of the edge, and of those that are marked as uploaded.
    pub(crate) async fn kept(&self) -> (Vec<i64>, Vec<i64>) {
        let mut backlog = open(&self.below.path().join("data/backlog.db")).await;
        let all = "SELECT id FROM status_history ORDER BY id";
        let marked = "SELECT id FROM status_history \
             WHERE upload_status = 1 AND upload_time IS NOT NULL ORDER BY id";
        (numbers(&mut backlog, all).await, numbers(&mut backlog, marked).await)
    }

    /// The numbers of all rows of the center.
    pub(crate) async fn received(&self) -> Vec<i64> {
        let mut center = open(&self.above.path().join("data/center.db")).await;
        numbers(&mut center, "SELECT id FROM history ORDER BY id").await
    }

    /// Keeps the edge from writing to its backlog until it is closed.
    pub(crate) async fn lock_backlog(&self) -> SqliteConnection {
        let mut backlog = open(&self.below.path().join("data/backlog.db")).await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut backlog).await.unwrap();
        backlog
    }
}

/// A point that can be set, behind a tap.
fn configure(folder: &Path, board: u16, tap: u16) {
    let path = folder.join("gapless.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (from, to) = (format!("port = {board}\n"), format!("port = {tap}\n"));
    assert!(text.contains(&from));
    fs::write(path, text.replace(&from, &to)).unwrap();
    let path = folder.join("points.csv");
    let points = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{points}board-1,limit,A,hr,{LIMIT},uint16\n")).unwrap();
}

async fn client(address: &str, device: &str) -> Client {
    let (mut client, _) = Client::dial_to(address, device, None).await;
    while !is_reached(&client.hear().await) {}
    client
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn numbers(connection: &mut SqliteConnection, query: &'static str) -> Vec<i64> {
    sqlx::query_scalar(query).fetch_all(connection).await.unwrap()
}

/// The register of the point that can be set; it does nothing.
pub(crate) const LIMIT: u16 = 0x2237;
