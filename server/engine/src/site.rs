//! One line a device, gathered for a site's overview.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::frame::{Summary, Update};
use protocol::id::DeviceId;
use protocol::time::Instant;

/// The lines of one site, and which of them are news.
#[derive(Debug, Default)]
pub struct Overview {
    lines: BTreeMap<DeviceId, Summary>,
    changed: BTreeSet<DeviceId>,
    due: Option<Instant>,
}

impl Overview {
    /// Takes in a device's line; a changed one is told a moment later, with its neighbours.
    pub fn set(&mut self, device: &DeviceId, line: Summary, now: Instant) {
        if self.lines.get(device) == Some(&line) {
            return;
        }
        self.lines.insert(device.clone(), line);
        self.changed.insert(device.clone());
        self.due.get_or_insert(now + GATHER);
    }

    /// When the changed lines are to be told.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The changed lines, once they are due.
    pub fn news(&mut self, now: Instant) -> Option<Update> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        self.due = None;
        let line = |id: DeviceId| self.lines.get(&id).map(|line| (id.clone(), line.clone()));
        let devices = std::mem::take(&mut self.changed).into_iter().filter_map(line).collect();
        Some(Update { devices, ..Update::default() })
    }

    /// Every line. All of them count as told.
    pub fn table(&mut self) -> Update {
        self.changed.clear();
        self.due = None;
        Update { devices: self.lines.clone(), ..Update::default() }
    }
}

/// Long enough to gather the boards of a channel into one frame, short beside a poll.
const GATHER: Duration = Duration::from_millis(50);
