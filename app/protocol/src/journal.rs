//! What is kept of the last minutes, so that a restart loses nothing: words between Station and disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::CommandRecord;
use crate::frame::{KeyEvent, Offset};
use crate::id::{ConnectionId, DeviceId, Epoch, UserId};
use crate::small::SmallMap;
use crate::stream::StreamName;
use crate::time::Timestamp;

/// One thing worth keeping. A later entry about the same stay or device replaces the earlier.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The Station starts to run; what follows happens in this run.
    Began {
        at: Timestamp,
        epoch: Epoch,
    },
    Happened(Happened),
    /// A device's facts, all of them. It follows the events that made them what they are.
    Known {
        device: DeviceId,
        facts: Facts,
    },
    Stayed(Stay),
}

/// A key event, and its place in its stream (S0-65).
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    pub at: Timestamp,
    pub epoch: Epoch,
    pub event: KeyEvent,
    pub offset: Offset,
    pub stream: StreamName,
}

/// What key events tell about a device: `what` of a [`crate::frame::StateChanged`], and its value.
pub type Facts = BTreeMap<String, String>;

/// One client's stay: where its numbers begin in each stream (S0-70).
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    pub bases: SmallMap<StreamName, Base>,
    pub connection: ConnectionId,
    pub device: DeviceId,
    /// When its last socket closed; `None` while one is open.
    pub left: Option<Timestamp>,
    /// `None` where sign-in is off.
    pub user: Option<UserId>,
}

/// Where a connection's numbers of a stream begin: with the frame after `offset`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Base {
    pub epoch: Epoch,
    pub offset: Offset,
}

/// One run of the Station.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    pub epoch: Epoch,
    pub started_at: Timestamp,
    /// When it was last known to run.
    pub alive_at: Timestamp,
}

/// What earlier runs left behind, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The orders of the last ten minutes.
    pub commands: Vec<CommandRecord>,
    pub events: Vec<Happened>,
    pub known: BTreeMap<DeviceId, Facts>,
    pub runs: Vec<Run>,
    pub stays: Vec<Stay>,
}
