//! `gapless simulate`: boards alone, to try any Modbus master on, with faults by switch.

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::str::FromStr;

use field::simulator::{Board, Fault, FaultError, Faults};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What boards to run.
#[derive(Clone, Debug)]
pub(crate) struct Simulation {
    /// Where the first board listens; the others take the ports behind it, or any with port 0.
    pub listen: SocketAddr,
    pub boards: u16,
    pub faults: Vec<Switch>,
}

/// `board-1=hang`: what is to be wrong with one board.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Switch {
    pub board: String,
    pub fault: Fault,
}

/// Why a text switches nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SwitchError {
    #[error("`{0}` is not <board>=<fault>, such as board-1=hang")]
    Form(String),
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// Why boards cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimulateError {
    #[error("there is no port for {board}: {listen} is too high")]
    Ports { board: String, listen: SocketAddr },
    #[error("{board} cannot listen at {address}")]
    Bind { board: String, address: SocketAddr, source: io::Error },
    #[error("there is no {0} to switch")]
    Unknown(String),
    #[error("the addresses cannot be printed")]
    Print(#[from] io::Error),
}

impl FromStr for Switch {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let form = || SwitchError::Form(text.into());
        let (board, fault) = text.trim().split_once('=').ok_or_else(form)?;
        Ok(Self { board: board.into(), fault: fault.parse()? })
    }
}

/// Runs boards until `stop`; lines such as `board-1=hang` on standard input switch them.
pub(crate) async fn run(plan: Simulation, stop: CancellationToken) -> Result<(), SimulateError> {
    let mut tasks = JoinSet::new();
    let mut switches = Vec::new();
    let mut addresses = String::new();
    for index in 0..plan.boards {
        let name = format!("board-{}", index.saturating_add(1));
        let board = bind(&name, plan.listen, index).await?;
        addresses.push_str(&format!("{name} {} unit {UNIT}\n", board.local_addr()));
        switches.push((name, board.faults()));
        tasks.spawn(board.run(stop.clone()));
    }
    plan.faults.iter().try_for_each(|switch| turn(&switches, switch))?;
    io::stdout().lock().write_all(addresses.as_bytes())?;
    std::thread::spawn(move || listen_to_switches(&switches));
    while tasks.join_next().await.is_some() {}
    Ok(())
}

async fn bind(name: &str, listen: SocketAddr, index: u16) -> Result<Board, SimulateError> {
    let ports = || SimulateError::Ports { board: name.into(), listen };
    let mut address = listen;
    if listen.port() != 0 {
        address.set_port(listen.port().checked_add(index).ok_or_else(ports)?);
    }
    let bound = Board::bind(address, &[UNIT], index.into()).await;
    bound.map_err(|source| SimulateError::Bind { board: name.into(), address, source })
}

fn turn(boards: &[(String, Faults)], switch: &Switch) -> Result<(), SimulateError> {
    let board = boards.iter().find(|(name, _)| *name == switch.board);
    let (_, faults) = board.ok_or_else(|| SimulateError::Unknown(switch.board.clone()))?;
    faults.set(switch.fault);
    Ok(())
}

/// Ends with the input, or with the process.
fn listen_to_switches(boards: &[(String, Faults)]) {
    for line in io::stdin().lock().lines().map_while(Result::ok).filter(|line| !line.is_empty()) {
        let turned = line.parse::<Switch>().map_err(|error| error.to_string());
        let turned =
            turned.and_then(|switch| turn(boards, &switch).map_err(|error| error.to_string()));
        match turned {
            Ok(()) => tracing::info!("switched {line}"),
            Err(error) => tracing::warn!("{error}"),
        }
    }
}

/// As in the sample, which reads these boards when they listen from port 5021 on.
const UNIT: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_name_a_board_and_its_fault() {
        let hang = Switch { board: "board-1".into(), fault: Fault::Hang };
        assert_eq!("board-1=hang".parse(), Ok(hang));
        for text in ["board-1", "board-1=tired", "=", ""] {
            assert!(text.parse::<Switch>().is_err(), "{text:?}");
        }
    }
}
