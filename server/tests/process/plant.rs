//! A plant of one board that the test itself plays, and what the journal keeps of it.

use std::fs;
use std::path::Path;

use field::simulator::{Board, Faults};
use protocol::frame::KeyEvent;
use protocol::journal::{Happened, Past};
use protocol::wire::native::{ServerFrame, ServerMessage};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::running::PATIENCE;

/// Runs until it is dropped.
pub(crate) struct Plant {
    pub(crate) faults: Faults,
    pub(crate) port: u16,
    _running: DropGuard,
}

impl Plant {
    /// Begins to run, and is configured in the folder.
    pub(crate) async fn begin(folder: &Path) -> Self {
        let board = Board::bind("127.0.0.1:0".parse().unwrap(), &[16], 0).await.unwrap();
        let stop = CancellationToken::new();
        let (faults, port) = (board.faults(), board.local_addr().port());
        tokio::spawn(board.run(stop.clone()));
        let text = format!(
            "[[site]]\nid = \"north\"\n\n\
             [[channel]]\nid = 1\ntransport = \"tcp\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             poll_interval = \"100ms\"\n\n\
             [[device]]\nid = \"board-1\"\nsite = \"north\"\nchannel = 1\nunit = 16\n"
        );
        fs::write(folder.join("gapless.toml"), text).unwrap();
        let points =
            "device,point_id,type,area,address,datatype\nboard-1,temperature,T,hr,16,int16\n";
        fs::write(folder.join("points.csv"), points).unwrap();
        Self { faults, port, _running: stop.drop_guard() }
    }
}

/// Waits until the journal on the disk holds what is wanted.
pub(crate) async fn kept(folder: &Path, is_wanted: impl Fn(&Happened) -> bool) {
    let data = folder.join("data");
    let kept = async {
        loop {
            let past: Past = store::read_past(&data, PATIENCE).await.unwrap_or_default();
            if past.events.iter().any(&is_wanted) {
                return;
            }
        }
    };
    timeout(PATIENCE, kept).await.expect("the journal does not hold it");
}

/// Whether this is what is told of a board that is lost, or found again.
pub(crate) fn is_board(event: &KeyEvent, reached: bool) -> bool {
    let KeyEvent::StateChanged(change) = event else { return false };
    change.what == "link/board" && change.new == reached.to_string()
}

/// Whether a frame tells that the board is reached.
pub(crate) fn is_reached(frame: &ServerFrame) -> bool {
    let update = match &frame.message {
        ServerMessage::FullSnapshot(snapshot) => &snapshot.update,
        ServerMessage::DataUpdate(update) => update,
        _ => return false,
    };
    update.links.is_some_and(|links| links.board)
}
