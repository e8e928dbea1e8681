//! The center's half of an uplink: takes an edge's history batch by batch, and hands orders down.
//!
//! Every batch gets one answer, and only what is on the disk is called uploaded. A batch counts in
//! its turn alone, so that what was kept has no holes (S0-46 to S0-51).

mod answers;
mod rows;

use std::time::Duration;

use protocol::digest::Seal;
use protocol::id::{ConnectionId, DeviceId, EdgeId, Epoch};
use protocol::job::Execution;
use protocol::status::StatusBatch;
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::cut::{CutError, cut};
use protocol::wire::native::{
    ConnectFail, ConnectSuccess, ConnectionLost, FailReason, HeartbeatAck, Invalid, InvalidCode,
    ServerMessage, Tampered,
};
use protocol::wire::uplink::{
    Command, Downward, EdgeFrame, EdgeMessage, Standing, Unread, Upload, UploadFailed, Uploaded,
    write_sealed,
};

use self::rows::Rows;
use crate::{Heard, Incident};

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Guest {
    pub edge: EdgeId,
    pub connection: ConnectionId,
    /// Under the edge's token.
    pub seal: Seal,
    /// The run of this server.
    pub epoch: Epoch,
    pub heartbeat_interval: Duration,
    pub server_version: String,
}

/// One connection of an edge.
#[derive(Debug)]
pub struct Uplink {
    guest: Guest,
    rows: Rows,
    line: Line,
    /// The line is another than was last told.
    is_news: bool,
    told_at: Option<Instant>,
    heard_at: Instant,
    is_closed: bool,
}

/// What a center shows of an edge.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Rows that the edge still has to upload.
    pub backlog: u64,
    /// The age of the oldest of these.
    pub delay: Duration,
}

/// What is to be done about an edge, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write this as one frame.
    Say(String),
    /// Put these rows on record, all of them or none; [`Uplink::stored`] is to tell the outcome.
    Store(StatusBatch),
    /// How the edge stands.
    Tell(Line),
    /// What came of an order.
    Executed {
        device: DeviceId,
        id: String,
        execution: Execution,
    },
    /// The edge showed no sign of life for so long.
    Lost(Duration),
    Record(Incident),
    /// Write what was said, then close.
    Close(CloseCode),
}

impl Uplink {
    pub fn new(guest: Guest, now: Instant) -> Self {
        Self {
            guest,
            rows: Rows::default(),
            line: Line::default(),
            is_news: true,
            told_at: None,
            heard_at: now,
            is_closed: false,
        }
    }

    /// The socket stands: greet.
    pub fn open(&mut self, clock: &Clock, now: Instant) -> Vec<Action> {
        let Guest { edge, connection, epoch, .. } = &self.guest;
        let success = ServerMessage::ConnectSuccess(ConnectSuccess {
            connection_id: connection.clone(),
            epoch: epoch.clone(),
            full_snapshot_interval_ms: 0,
            heartbeat_interval_ms: millis(self.guest.heartbeat_interval),
            resumed: false,
            role: ROLE.into(),
            server_version: self.guest.server_version.clone(),
            user: edge.to_string(),
        });
        let mut actions = vec![self.say(&success, clock, now)];
        actions.extend(self.tell(now));
        actions
    }

    /// Something came from the edge.
    pub fn hear(&mut self, heard: Heard<'_>, clock: &Clock, now: Instant) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        self.heard_at = now;
        let invalid = |code, detail: &str| Invalid::new(code, detail);
        let mut actions = match heard {
            Heard::Sign => Vec::new(),
            Heard::Text(text) => self.read(text, clock, now),
            Heard::Bytes => {
                let invalid = invalid(InvalidCode::NotText, "a frame is text, not bytes");
                self.reject(invalid, clock, now)
            }
            Heard::TooBig => {
                let invalid = invalid(InvalidCode::TooBig, "a frame is larger than 64 KiB");
                let mut actions = self.reject(invalid, clock, now);
                actions.push(self.close(CloseCode::TooBig));
                actions
            }
        };
        actions.extend(self.tell(now));
        actions
    }

    /// What became of the rows that were last to be stored: they are on the disk, or why they are
    /// not known to be.
    pub fn stored(
        &mut self,
        outcome: Result<(), String>,
        clock: &Clock,
        now: Instant,
    ) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        let mut actions = Vec::new();
        match outcome {
            Ok(()) => {
                let batches = self.rows.kept();
                let uploaded = |batch| Downward::Uploaded(Uploaded { batch });
                actions.extend(batches.map(|batch| self.send(&uploaded(batch), clock, now)));
                self.is_news = true;
            }
            Err(reason) => {
                for batch in self.rows.lost() {
                    actions.push(self.refuse(batch, &reason, clock, now));
                }
            }
        }
        actions.extend(self.rows.next().map(Action::Store));
        actions.extend(self.tell(now));
        actions
    }

    /// Hands an order down.
    pub fn order(&self, command: Command, clock: &Clock, now: Instant) -> Action {
        self.send(&Downward::Command(command), clock, now)
    }

    /// Time has passed.
    pub fn tick(&mut self, clock: &Clock, now: Instant) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        if now < self.silent_at() {
            return self.tell(now).into_iter().collect();
        }
        let silent = now.since(self.heard_at);
        let lost = ServerMessage::ConnectionLost(ConnectionLost {
            at: clock.at(now),
            connection_id: self.guest.connection.clone(),
            silent_ms: millis(silent),
        });
        let said = self.say(&lost, clock, now);
        vec![said, Action::Lost(silent), self.close(CloseCode::Silent)]
    }

    /// When a tick will next matter.
    pub fn wake_at(&self) -> Option<Instant> {
        let tell_at = self.told_at.filter(|_| self.is_news).map(|told| told + BREATH);
        let wake_at = tell_at.map_or_else(|| self.silent_at(), |at| at.min(self.silent_at()));
        (!self.is_closed).then_some(wake_at)
    }

    fn silent_at(&self) -> Instant {
        self.heard_at + self.guest.heartbeat_interval * MISSED_BEATS
    }

    /// How the edge stands, if that is due.
    fn tell(&mut self, now: Instant) -> Option<Action> {
        let is_fresh = self.told_at.is_some_and(|told| now < told + BREATH);
        if is_fresh || !std::mem::take(&mut self.is_news) {
            return None;
        }
        self.told_at = Some(now);
        Some(Action::Tell(self.line))
    }

    fn read(&mut self, text: &str, clock: &Clock, now: Instant) -> Vec<Action> {
        match self.verified(text) {
            Ok(frame) => self.on_frame(frame, clock, now),
            Err(Unverified::Unread(Unread::Other(invalid))) => self.reject(invalid, clock, now),
            Err(Unverified::Unread(Unread::Upload { batch, reason })) => {
                vec![
                    self.refuse(batch, &reason, clock, now),
                    Action::Record(Incident::Malformed(reason)),
                ]
            }
            Err(Unverified::Tampered) => {
                let detail = "the check code does not fit the text".into();
                let tampered = ServerMessage::DataTampered(Tampered { command_id: None, detail });
                let said = self.say(&tampered, clock, now);
                vec![said, Action::Record(Incident::Tampered)]
            }
        }
    }

    /// Checks that a frame is whole before it is read: what is not sealed is nobody's word.
    fn verified(&self, text: &str) -> Result<EdgeFrame, Unverified> {
        match cut(text) {
            Ok(cut) if self.guest.seal.matches(&cut.pieces, cut.checksum) => {
                EdgeFrame::read(text).map_err(Unverified::Unread)
            }
            Ok(_) => Err(Unverified::Tampered),
            Err(error) => {
                let invalid = match error {
                    CutError::Missing => Invalid::missing("checksum"),
                    error => Invalid::new(InvalidCode::JsonSyntax, error.to_string()),
                };
                Err(Unverified::Unread(Unread::Other(invalid)))
            }
        }
    }

    fn on_frame(&mut self, frame: EdgeFrame, clock: &Clock, now: Instant) -> Vec<Action> {
        let EdgeFrame { device_id, message, timestamp } = frame;
        match message {
            EdgeMessage::Heartbeat => {
                self.is_news = true;
                vec![self.beat(timestamp, clock, now)]
            }
            EdgeMessage::Standing(standing) => {
                self.stands(standing, timestamp);
                Vec::new()
            }
            EdgeMessage::Upload(upload) => self.upload(upload, timestamp, clock, now),
            answer => match answers::execution(device_id, answer) {
                Some((device, id, execution)) => vec![Action::Executed { device, id, execution }],
                // Answers to nothing: the edge tells that it could not understand us.
                None => Vec::new(),
            },
        }
    }

    fn upload(
        &mut self,
        upload: Upload,
        timestamp: Timestamp,
        clock: &Clock,
        now: Instant,
    ) -> Vec<Action> {
        let (batch, standing) = (upload.batch, upload.standing());
        match self.rows.take(upload) {
            Ok(()) => {
                self.stands(standing, timestamp);
                self.rows.next().map(Action::Store).into_iter().collect()
            }
            Err(error) => {
                let reason = error.to_string();
                let refused = self.refuse(batch, &reason, clock, now);
                vec![refused, Action::Record(Incident::Malformed(reason))]
            }
        }
    }

    /// Both times are the edge's own: its clock may be wrong.
    fn stands(&mut self, standing: Standing, timestamp: Timestamp) {
        self.line.backlog = standing.pending;
        self.line.delay = standing.oldest.map(|at| timestamp.since(at)).unwrap_or_default();
        self.is_news = true;
    }

    fn beat(&self, echo: Timestamp, clock: &Clock, now: Instant) -> Action {
        let (server_time, streams) = (clock.at(now), Vec::new());
        let ack = HeartbeatAck { echo, server_time, streams, summary: None };
        self.say(&ServerMessage::HeartbeatAck(ack), clock, now)
    }

    fn refuse(&self, batch: u64, reason: &str, clock: &Clock, now: Instant) -> Action {
        let failed = UploadFailed { batch, reason: reason.into() };
        self.send(&Downward::UploadFailed(failed), clock, now)
    }

    /// Says what is wrong with a frame; the connection stays.
    fn reject(&self, invalid: Invalid, clock: &Clock, now: Instant) -> Vec<Action> {
        let incident = Incident::Malformed(invalid.detail.clone());
        let said = self.say(&ServerMessage::InvalidCommandFormat(invalid), clock, now);
        vec![said, Action::Record(incident)]
    }

    fn say(&self, message: &ServerMessage, clock: &Clock, now: Instant) -> Action {
        let Guest { seal, edge, .. } = &self.guest;
        let (kind, at) = (message.kind(), clock.at(now));
        Action::Say(write_sealed(seal, kind, edge.as_str(), at, message))
    }

    fn send(&self, word: &Downward, clock: &Clock, now: Instant) -> Action {
        Action::Say(word.write(&self.guest.seal, self.guest.edge.as_str(), clock.at(now)))
    }

    fn close(&mut self, code: CloseCode) -> Action {
        self.is_closed = true;
        Action::Close(code)
    }
}

/// `CONNECT_FAIL`, the one frame without a check code: the stranger has no key that is ours.
pub fn refusal(reason: FailReason, detail: &str, edge: &str, at: Timestamp) -> String {
    let fail = ServerMessage::ConnectFail(ConnectFail { detail: detail.into(), reason });
    let (data, kind) = (&fail, fail.kind());
    serde_json::json!({ "data": data, "device_id": edge, "timestamp": at, "type": kind })
        .to_string()
}

/// Why a frame is not carried out.
enum Unverified {
    Unread(Unread),
    Tampered,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What an edge is to its center.
const ROLE: &str = "edge";

/// S0-39: as many heartbeats may be missed.
const MISSED_BEATS: u32 = 3;

/// Whoever watches an edge is told of it once a second at most.
const BREATH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
