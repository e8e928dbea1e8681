//! What one client saw happen, in its own order, and which holes it was told of.

use link::{News, Session};
use protocol::frame::{EventId, KeyEvent, Sequence};
use protocol::time::Timestamp;
use protocol::wire::native::{ServerFrame, ServerMessage};

use crate::client::Watch;

/// The diary of a client that follows the stream of its device alone.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    /// Each key event that counted, in the order in which they did.
    pub events: Vec<Entry>,
    pub joins: Vec<Join>,
    /// A restarted server knew the client and told it what it had missed.
    pub restarts: u32,
    /// On this connection the server has said that it had been restarted.
    is_told: bool,
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

/// The client began anew: it was told that it may have missed what happened in between.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Join {
    /// How far its data reached before; `None` if it had none.
    pub until: Option<Timestamp>,
    /// The time of the snapshot it began with.
    pub from: Timestamp,
}

impl Join {
    pub fn excuses(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= at) && at <= self.from
    }
}

impl Diary {
    fn note(&mut self, frame: &ServerFrame, session: &Session) {
        match &frame.message {
            ServerMessage::ConnectSuccess(_) => self.is_told = false,
            ServerMessage::ServiceRestarted(_) => {
                self.is_told = true;
                self.restarts += 1;
            }
            ServerMessage::FullSnapshot(snapshot) => {
                let begins = frame.seq == Some(Sequence::FIRST) && !frame.recovered;
                if begins && snapshot.settles.is_none() && !self.is_told {
                    let until = session.status().data_until;
                    self.joins.push(Join { until, from: frame.timestamp });
                }
            }
            _ => {}
        }
    }
}

impl Watch for Diary {
    fn heard(&mut self, text: &str, session: &Session, _: u64) {
        if !text.contains(DELTA)
            && let Ok(frame) = ServerFrame::read(text)
        {
            self.note(&frame, session);
        }
    }

    fn told(&mut self, news: &News, _: &Session) {
        // Other kinds of events may come to be.
        #[allow(irrefutable_let_patterns, reason = "there is one kind of event so far")]
        if let News::Happened { event, id, .. } = news
            && let KeyEvent::StateChanged(change) = event
        {
            self.events.push(Entry {
                id: id.clone(),
                what: change.what.clone(),
                old: change.old.clone(),
                new: change.new.clone(),
                at: change.at,
            });
        }
    }
}

/// Such frames tell nothing that a diary needs.
const DELTA: &str = "\"type\":\"DATA_UPDATE\"";
