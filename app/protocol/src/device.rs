//! The state of a device as a whole, and which of its peers can be reached.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a device is doing (S0-6), from calm to urgent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    Working,
    Testing,
    Alarm,
    Fault,
}

impl fmt::Display for DeviceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Working => "working",
            Self::Testing => "testing",
            Self::Alarm => "alarm",
            Self::Fault => "fault",
        })
    }
}

/// Who can be at the other end of a device's three links (S0-8).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    Board,
    Pscada,
    SystemServer,
}

impl Peer {
    pub const ALL: [Self; 3] = [Self::Board, Self::Pscada, Self::SystemServer];
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Board => "board",
            Self::Pscada => "pscada",
            Self::SystemServer => "system_server",
        })
    }
}

/// The reach of each peer: whether it can be spoken to now (S0-8).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Links {
    pub board: bool,
    pub pscada: bool,
    pub system_server: bool,
}

impl Links {
    pub fn reaches(&self, peer: Peer) -> bool {
        match peer {
            Peer::Board => self.board,
            Peer::Pscada => self.pscada,
            Peer::SystemServer => self.system_server,
        }
    }

    pub fn set(&mut self, peer: Peer, reached: bool) {
        match peer {
            Peer::Board => self.board = reached,
            Peer::Pscada => self.pscada = reached,
            Peer::SystemServer => self.system_server = reached,
        }
    }
}
