//! What one client saw happen, in its own order, and which holes it was told of.

use link::{News, Notice, Session};
use protocol::frame::{EventId, KeyEvent};
use protocol::time::Timestamp;

use crate::client::Watch;

/// The diary of a client that follows the stream of its device alone.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    /// Each key event that counted, in the order in which they did.
    pub events: Vec<Entry>,
    /// The first is the time before the client came.
    pub holes: Vec<Hole>,
    /// A restarted server knew the client and told it what it had missed.
    pub restarts: u32,
}

/// One key event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    pub id: EventId,
    pub what: String,
    pub old: String,
    pub new: String,
    /// When it happened, by the server's clock.
    pub at: Timestamp,
}

/// A time in which the client may have missed key events, and was told so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hole {
    /// How far its data reached before; `None` if it had none.
    pub from: Option<Timestamp>,
    /// The time of the snapshot it went on with.
    pub to: Timestamp,
}

impl Hole {
    pub fn excuses(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && at <= self.to
    }
}

impl Watch for Diary {
    fn heard(&mut self, _: &str, _: &Session, _: u64) {}

    fn told(&mut self, news: &News, _: &Session) {
        match news {
            News::Told { snapshot: true, at, .. } if self.holes.is_empty() => {
                self.holes.push(Hole { from: None, to: *at });
            }
            News::Missed { from, to, events: false, .. } => {
                self.holes.push(Hole { from: Some(*from), to: *to });
            }
            News::Notice(Notice::Restarted(_)) => self.restarts += 1,
            News::Happened { event: KeyEvent::StateChanged(change), id, .. } => {
                self.events.push(Entry {
                    id: id.clone(),
                    what: change.what.clone(),
                    old: change.old.clone(),
                    new: change.new.clone(),
                    at: change.at,
                });
            }
            _ => {}
        }
    }
}
