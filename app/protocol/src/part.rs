//! The parts of the server that operators rely on without seeing them, and how each fares.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A part of the server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Who did what; without it nothing dangerous is done.
    Audit,
    /// What the system server has not been told yet (S0-46).
    Backlog,
    /// What became of orders; without it none is carried out.
    Commands,
    /// What edges have told this server, where it is their center.
    History,
    /// What lets clients come back after a restart without a hole (S0-67).
    Journal,
    /// What was done and what went wrong, for thirty days (S0-72).
    Records,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audit => "audit",
            Self::Backlog => "backlog",
            Self::Commands => "commands",
            Self::History => "history",
            Self::Journal => "journal",
            Self::Records => "records",
        })
    }
}

/// How a part fares.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Condition {
    pub since: Timestamp,
    pub state: PartState,
    /// In words, where it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Whether a part does its work.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    Working,
    Failing,
}

impl fmt::Display for PartState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Working => "working",
            Self::Failing => "failing",
        })
    }
}
