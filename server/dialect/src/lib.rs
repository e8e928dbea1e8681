//! Five ways to say it: each dialect turns streams into one wire form, and its requests back.
//!
//! A dialect is one connection's state. It is pure: it hears, it is asked what is due, and it
//! answers with actions. Whoever owns the socket carries them out, in order.

use std::ops::Deref;

use engine::Window;
use protocol::command::{Order, Reply};
use protocol::frame::{Offset, Sequence, Stamps};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant};
use protocol::wire::CloseCode;

pub mod native;
pub mod uplink;

/// One connection's way of speaking.
pub trait Dialect {
    /// The socket stands: greet.
    fn open(&mut self, view: &dyn View, now: Instant) -> Vec<Action>;

    /// Something came from the client.
    fn hear(&mut self, heard: Heard<'_>, view: &dyn View, now: Instant) -> Vec<Action>;

    /// The one answer to an order of this client.
    fn answer(&mut self, id: &str, reply: Reply, view: &dyn View, now: Instant) -> Vec<Action>;

    /// What the client is due; asked whenever the socket can take more and a stream moved on.
    ///
    /// Says a batch at most: ask again until nothing comes.
    fn tell(&mut self, view: &dyn View, now: Instant) -> Vec<Action>;

    /// Time has passed.
    fn tick(&mut self, view: &dyn View, now: Instant) -> Vec<Action>;

    /// When a tick will next matter.
    fn wake_at(&self) -> Option<Instant>;

    /// How far the client has come in each stream that it follows.
    fn standing(&self, view: &dyn View) -> Vec<Standing>;
}

/// The streams that this server has, as they stand.
pub trait View {
    /// A stream's window. Let go of one before asking for the next.
    fn window<'a>(&'a self, stream: &StreamName) -> Option<Box<dyn Deref<Target = Window> + 'a>>;

    /// What tells the time of day; it may have been set since it was last asked.
    fn clock(&self) -> Clock;
}

/// What a client can send.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Text(&'a str),
    /// A frame of bytes, which no JSON dialect takes.
    Bytes,
    /// A frame beyond the size limit, which was not read.
    TooBig,
    /// A WebSocket ping or pong: nothing but a sign of life.
    Sign,
}

/// What a dialect wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write this as one frame.
    Say(Said),
    Ask(Request),
    /// Write what was said, then close.
    Close(CloseCode),
}

/// A frame for the client, and what it is to those who count.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub kind: Kind,
    /// It is told late: the client missed it before.
    pub recovered: bool,
    /// When its news came about; `None` where it tells none.
    pub stamps: Option<Stamps>,
    pub text: String,
}

/// What a frame is, in whichever words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// For this client alone.
    Answer,
    /// The answer to a sign of life.
    Beat,
    /// What changed.
    Delta,
    /// A key event.
    Event,
    Snapshot,
}

/// Where a client stands in a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    pub stream: StreamName,
    /// The number of the last frame said.
    pub seq: Sequence,
    /// Frames that wait for the client.
    pub lag: u64,
}

/// What a dialect wants of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Wake me when this stream moves on. Its numbers begin after `base`.
    Follow { stream: StreamName, base: Offset },
    /// No longer.
    Leave(StreamName),
    /// Have this done; the answer is due within 500 ms. From where it came is for the caller to add.
    Order(Order),
    /// The client showed no sign of life for so long.
    Lost(std::time::Duration),
    /// Put on record what went wrong.
    Record(Incident),
    /// Count this.
    Count(Fact),
}

/// What is worth a count, and no line in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// So many gaps of a client were seen to.
    Recovered { path: Path, gaps: u64, remedy: Remedy },
    /// A client that is behind got a snapshot in the place of frames.
    Skipped,
}

/// How it came out that a client misses something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Path {
    /// It found numbers missing.
    DataLost,
    /// It told on its return where it was.
    Resume,
    /// It followed a run that has ended.
    Restart,
}

/// What it got for what it missed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// All of it.
    Frames,
    /// What was left, and a snapshot for the rest.
    Snapshot,
    /// The word that nobody has it any more.
    Gone,
}

/// What is worth a line in the log and in the records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Incident {
    /// A frame that could not be understood, and why.
    Malformed(String),
    /// A frame whose check code is wrong.
    Tampered,
    /// The client found numbers missing.
    DataLost(String),
    /// More frames than the limit.
    Flooded,
    /// An order of somebody who may give none.
    NotPermitted(String),
    /// So far behind that it does better to come back.
    Slow,
}
