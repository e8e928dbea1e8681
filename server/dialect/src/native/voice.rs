//! Puts what is to be said into sealed frames of one connection.

use std::sync::Arc;

use engine::{Shared, Window};
use protocol::device::DeviceStatus;
use protocol::frame::{Body, EventId, Offset, Sequence};
use protocol::id::{DeviceId, Epoch};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::native::{
    ConnectFail, FailReason, Prepared, Range, ServerMessage, ServiceRestarted, Snapshot, Stamp,
    SummaryLine,
};

use super::Settings;
use super::cursor::Cursor;
use crate::{Kind, Said};

#[derive(Debug)]
pub(super) struct Voice {
    settings: Arc<Settings>,
    device: DeviceId,
    clock: Clock,
}

impl Voice {
    pub(super) fn new(settings: Arc<Settings>, device: DeviceId) -> Self {
        Self { settings, device, clock: Clock::default() }
    }

    /// Goes by this clock from now on.
    pub(super) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(super) fn time(&self, now: Instant) -> Timestamp {
        self.clock.at(now)
    }

    /// Something for this connection alone, without a number.
    pub(super) fn say(&self, message: &ServerMessage, now: Instant) -> Said {
        self.say_of(None, message, now)
    }

    /// The same about one stream; `None` is the connection's own.
    pub(super) fn say_of(
        &self,
        stream: Option<&StreamName>,
        message: &ServerMessage,
        now: Instant,
    ) -> Said {
        let at = self.time(now);
        let prepared = Prepared::new(&self.settings.seal, message.kind(), at, None, message);
        let kind = match message {
            ServerMessage::HeartbeatAck(_) => Kind::Beat,
            _ => Kind::Answer,
        };
        let text = prepared.stamp(&self.settings.seal, &self.stamp(None, None, stream, false));
        Said { kind, recovered: false, stamps: None, text }
    }

    /// A frame of a stream, encoded once for all.
    pub(super) fn frame(
        &self,
        shared: &Shared,
        seq: Option<Sequence>,
        stream: Option<&StreamName>,
        recovered: bool,
    ) -> Said {
        let prepared = shared.native(&self.settings.seal, self.settings.timed);
        let stamp = self.stamp(seq, Some(&shared.epoch), stream, recovered);
        let text = prepared.stamp(&self.settings.seal, &stamp);
        let stamps = shared.frame.stamps.filter(|_| !recovered);
        Said { kind: kind(&shared.frame.body), recovered, stamps, text }
    }

    /// The whole table under the number of the last frame, in place of the `settled` ones.
    pub(super) fn snapshot(
        &self,
        cursor: &Cursor,
        stream: Option<&StreamName>,
        window: &Window,
        settled: Option<Range>,
    ) -> Said {
        let (seq, shared) = (cursor.number(window.top()), window.snapshot());
        let (Some(_), Body::Snapshot(update)) = (settled, &shared.frame.body) else {
            return self.frame(&shared, Some(seq), stream, false);
        };
        let (update, seal) = (update.clone(), &self.settings.seal);
        let message = ServerMessage::FullSnapshot(Snapshot { update, settles: settled });
        let prepared = Prepared::new(seal, message.kind(), window.at(), None, &message);
        let stamp = self.stamp(Some(seq), Some(window.epoch()), stream, false);
        let text = prepared.stamp(seal, &stamp);
        Said { kind: Kind::Snapshot, recovered: false, stamps: None, text }
    }

    /// Another run has taken over. No frame of a stream has offset 0: that names this event.
    pub(super) fn restarted(&self, restarted: ServiceRestarted, now: Instant) -> Said {
        let (at, epoch) = (self.time(now), restarted.epoch.clone());
        let event = EventId { epoch: epoch.clone(), offset: Offset(0) };
        let (seal, message) = (&self.settings.seal, ServerMessage::ServiceRestarted(restarted));
        let prepared = Prepared::new(seal, message.kind(), at, Some(event), &message);
        let text = prepared.stamp(seal, &self.stamp(None, Some(&epoch), None, false));
        Said { kind: Kind::Event, recovered: false, stamps: None, text }
    }

    /// The device in one line, where the configuration wants it in heartbeat answers (S0-15).
    pub(super) fn summary(&self, window: &Window) -> Option<SummaryLine> {
        let table = window.table();
        self.settings.push.heartbeat_includes_summary.then(|| {
            let fault_codes = table.fault_codes.clone().unwrap_or_default();
            SummaryLine {
                active_alarms: u64::try_from(fault_codes.len()).unwrap_or(u64::MAX),
                device_status: table.device_status.unwrap_or(DeviceStatus::Fault),
                fault_codes,
                links: table.links.unwrap_or_default(),
            }
        })
    }

    fn stamp<'a>(
        &'a self,
        seq: Option<Sequence>,
        epoch: Option<&'a Epoch>,
        stream: Option<&'a StreamName>,
        recovered: bool,
    ) -> Stamp<'a> {
        Stamp { device: &self.device, epoch, recovered, seq, stream }
    }
}

fn kind(body: &Body) -> Kind {
    match body {
        Body::Delta(_) => Kind::Delta,
        Body::Event(_) => Kind::Event,
        Body::Snapshot(_) => Kind::Snapshot,
    }
}

/// `CONNECT_FAIL`: the one frame without a check code, so that nobody can try keys on it.
///
/// A device that was written in a way no device is called is left out: clients read a name there.
pub fn refusal(reason: FailReason, detail: &str, device: &str, at: Timestamp) -> String {
    let data = ServerMessage::ConnectFail(ConnectFail { detail: detail.into(), reason });
    let device: Option<DeviceId> = device.parse().ok();
    let frame = serde_json::json!({
        "data": data, "device_id": device, "timestamp": at, "type": data.kind(),
    });
    frame.to_string()
}
