//! The runs before this one, and the windows of a Station that comes after them.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::frame::{Body, Frame};
use protocol::id::Epoch;
use protocol::journal::{Happened, Past, Run};
use protocol::point::Plant;
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};

use super::{Shared, Window};

/// The runs before this one.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    pub runs: Vec<Run>,
    pub started_at: Timestamp,
    /// When, on the clock that orders events.
    pub began: Instant,
}

/// The windows of a Station that starts now under `epoch`, after these runs.
pub fn windows(
    plant: &Plant,
    epoch: &Epoch,
    past: Past,
    now: Instant,
    at: Timestamp,
) -> BTreeMap<StreamName, Window> {
    let history = Arc::new(History { runs: past.runs, started_at: at, began: now });
    let mut earlier: BTreeMap<StreamName, Vec<Arc<Shared>>> = BTreeMap::new();
    for Happened { at, epoch, event, offset, stream } in past.events {
        let frame = Frame { offset, at, body: Body::Event(event), stamps: None };
        let shared = Arc::new(Shared::new(epoch, frame));
        earlier.entry(stream).or_default().push(shared);
    }
    let window = |stream: StreamName| {
        let earlier = earlier.remove(&stream).unwrap_or_default();
        let window = Window::after(epoch.clone(), Arc::clone(&history), earlier);
        (stream, window)
    };
    crate::station::streams(plant).map(window).collect()
}
