//! What a connection leaves behind: for all that matters a line in the log and one on record.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use dialect::Incident;
use dialect::native::Guest;
use engine::throttle::Throttle;
use protocol::id::{ConnectionId, DeviceId};
use store::{Kind, Record, Records, Sent};

use crate::{Gateway, Hub};

/// One connection's trail.
pub(crate) struct Trail {
    records: Records,
    hub: Hub,
    connection: ConnectionId,
    device: DeviceId,
    user: String,
    throttle: Throttle,
    /// Incidents since the last one that the throttle let through.
    unsaid: u64,
}

impl Trail {
    pub(crate) fn new(gateway: &Gateway, guest: &Guest) -> Self {
        Self {
            records: gateway.records.clone(),
            hub: gateway.hub.clone(),
            connection: guest.connection.clone(),
            device: guest.device.clone(),
            user: guest.user.clone(),
            throttle: Throttle::new(INCIDENTS, INCIDENT_EVERY, gateway.hub.stopwatch().now()),
            unsaid: 0,
        }
    }

    pub(crate) fn opened(&self, peer: Option<SocketAddr>) {
        tracing::info!(target: "WebSocket", "connection {} opened", self.connection);
        self.records.append(self.record(Kind::Opened, from(peer)));
    }

    /// What the client did wrong, or found missing.
    pub(crate) fn incident(&mut self, incident: &Incident) {
        if !self.throttle.admit(self.hub.stopwatch().now()) {
            self.unsaid = self.unsaid.saturating_add(1);
            return;
        }
        let (kind, what, detail) = match incident {
            Incident::Malformed(detail) => (Kind::Malformed, "malformed frame", detail.as_str()),
            Incident::Tampered => (Kind::Tampered, "wrong check code", ""),
            Incident::DataLost(ranges) => (Kind::DataLost, "data lost", ranges.as_str()),
            Incident::Flooded => (Kind::Flooded, "too many frames", ""),
            Incident::NotPermitted(what) => {
                (Kind::NotPermitted, "an order of somebody who may give none", what.as_str())
            }
            Incident::Slow => (Kind::Slow, "too slow", ""),
        };
        tracing::warn!(target: "WebSocket", detail, "connection {}: {what}", self.connection);
        let detail = self.with_unsaid(detail);
        self.records.append(self.record(kind, detail));
    }

    /// The client showed no sign of life for so long.
    pub(crate) fn lost(&self, silent: Duration) {
        let silent_ms = silent.as_millis();
        tracing::warn!(target: "WebSocket", silent_ms, "connection {} is silent", self.connection);
        self.records.append(self.record(Kind::Lost, format!("silent for {silent_ms} ms")));
    }

    pub(crate) fn closed(&mut self, why: &dyn Display, frames_heard: u64, sent: Sent) {
        tracing::info!(
            target: "WebSocket",
            frames_heard,
            frames_said = sent.frames,
            bytes_sent = sent.bytes,
            "connection {} closed: {why}", self.connection,
        );
        let detail = self.with_unsaid(&why.to_string());
        self.records.append(Record { sent: Some(sent), ..self.record(Kind::Closed, detail) });
    }

    fn with_unsaid(&mut self, detail: &str) -> String {
        match std::mem::take(&mut self.unsaid) {
            0 => detail.into(),
            unsaid => format!("({unsaid} more before) {detail}"),
        }
    }

    fn record(&self, kind: Kind, detail: String) -> Record {
        Record {
            at: self.hub.time(),
            kind,
            connection: Some(self.connection.clone()),
            device: Some(self.device.clone()),
            user: Some(self.user.clone()),
            detail,
            sent: None,
        }
    }
}

/// Someone was sent away at the door.
pub(crate) fn refused(gateway: &Gateway, device: &str, why: &str, peer: Option<SocketAddr>) {
    tracing::warn!(target: "WebSocket", detail = why, "a connection was refused");
    gateway.records.append(Record {
        at: gateway.hub.time(),
        kind: Kind::Refused,
        connection: None,
        // What cannot be an id is told in the reason.
        device: device.parse().ok(),
        user: None,
        detail: format!("{}: {why}", from(peer)),
        sent: None,
    });
}

/// Somebody without a valid sign-in came to a socket (S0-86, S0-90).
pub(crate) fn unauthorized(gateway: &Gateway, device: &str, why: &str, peer: Option<SocketAddr>) {
    tracing::warn!(target: "WebSocket", detail = why, "UNAUTHORIZED_CONNECT_ATTEMPT");
    gateway.records.append(Record {
        at: gateway.hub.time(),
        kind: Kind::Unauthorized,
        connection: None,
        device: device.parse().ok(),
        user: None,
        detail: format!("UNAUTHORIZED_CONNECT_ATTEMPT {}: {why}", from(peer)),
        sent: None,
    });
}

fn from(peer: Option<SocketAddr>) -> String {
    match peer {
        Some(peer) => format!("from {peer}"),
        None => "from nowhere".into(),
    }
}

/// So many incidents of a connection are told at once, and then ten a minute: a client that does
/// nothing right shall not fill the disk. The others are counted.
const INCIDENTS: u32 = 10;
const INCIDENT_EVERY: Duration = Duration::from_secs(6);
