//! A page and a server on a virtual wire: the page is the real session, the server writes frames.

use std::time::Duration;

use link::{Action, Config, Event, News, Notice, Policy, Resumption, Session};
use protocol::digest::{Algorithm, Seal};
use protocol::frame::{EventId, Sequence, StateChanged, Update};
use protocol::id::DeviceId;
use protocol::reading::{Quality, Reading, Value};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::native::{
    ClientFrame, ClientMessage, ConnectFail, ConnectSuccess, FailReason, HeartbeatAck, Prepared,
    Range, ServerMessage, Snapshot, Stamp, StreamState,
};

pub(crate) const EPOCH: &str = "epoch-1";

pub(crate) fn seal() -> Seal {
    Seal::new(Algorithm::Md5, "key")
}

pub(crate) fn device() -> DeviceId {
    "board-1".parse().unwrap()
}

pub(crate) fn own() -> StreamName {
    StreamName::Device(device())
}

pub(crate) fn range(from: u64, to: u64) -> Range {
    (Sequence(from), Sequence(to))
}

pub(crate) fn points(points: &[(&str, f64)]) -> Update {
    let reading = |value: f64| Reading {
        quality: Quality::Good,
        at: Some(Timestamp::from_millis(1)),
        value: Some(Value::Number(value)),
        why: None,
    };
    let points = points.iter().map(|(key, value)| (key.parse().unwrap(), reading(*value)));
    Update { points: points.collect(), ..Update::default() }
}

/// A frame in the making.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) message: ServerMessage,
    pub(crate) seq: Option<u64>,
    pub(crate) epoch: &'static str,
    pub(crate) recovered: bool,
    pub(crate) event: Option<EventId>,
    pub(crate) stream: Option<StreamName>,
    pub(crate) at: u64,
}

impl Frame {
    pub(crate) fn new(message: impl Into<ServerMessage>) -> Self {
        Self {
            message: message.into(),
            seq: None,
            epoch: EPOCH,
            recovered: false,
            event: None,
            stream: None,
            at: 1_000,
        }
    }

    pub(crate) fn delta(seq: u64, told: &[(&str, f64)]) -> Self {
        Self { seq: Some(seq), ..Self::new(ServerMessage::DataUpdate(points(told))) }
    }

    pub(crate) fn snapshot(seq: u64, told: &[(&str, f64)]) -> Self {
        let snapshot = Snapshot { update: points(told), settles: None };
        Self { seq: Some(seq), ..Self::new(ServerMessage::FullSnapshot(snapshot)) }
    }

    pub(crate) fn settling(seq: u64, told: &[(&str, f64)], settles: Range) -> Self {
        let snapshot = Snapshot { update: points(told), settles: Some(settles) };
        Self { seq: Some(seq), ..Self::new(ServerMessage::FullSnapshot(snapshot)) }
    }

    pub(crate) fn event(seq: u64, id: &str) -> Self {
        let change = StateChanged {
            at: Timestamp::from_millis(900),
            new: "fault".into(),
            old: "working".into(),
            what: "device_status".into(),
        };
        let event = Some(id.parse().unwrap());
        Self { seq: Some(seq), event, ..Self::new(ServerMessage::StateChanged(change)) }
    }

    pub(crate) fn recovered(self) -> Self {
        Self { recovered: true, ..self }
    }

    pub(crate) fn of(self, stream: &str) -> Self {
        Self { stream: Some(stream.parse().unwrap()), ..self }
    }

    pub(crate) fn under(self, epoch: &'static str) -> Self {
        Self { epoch, ..self }
    }

    pub(crate) fn text(&self, seal: &Seal) -> String {
        let at = Timestamp::from_millis(self.at);
        let (kind, event) = (self.message.kind(), self.event.clone());
        let stamp = Stamp {
            device: &device(),
            epoch: Some(&self.epoch.parse().unwrap()),
            recovered: self.recovered,
            seq: self.seq.map(Sequence),
            stream: self.stream.as_ref(),
        };
        Prepared::new(seal, kind, at, event, &self.message).stamp(seal, &stamp)
    }
}

pub(crate) fn success(id: &str, epoch: &'static str, resumed: bool) -> Frame {
    let success = ConnectSuccess {
        connection_id: id.parse().unwrap(),
        epoch: epoch.parse().unwrap(),
        full_snapshot_interval_ms: 30_000,
        heartbeat_interval_ms: 10_000,
        resumed,
        role: "operator".into(),
        server_version: "0.1.0".into(),
        user: "anonymous".into(),
    };
    Frame::new(ServerMessage::ConnectSuccess(success)).under(epoch)
}

/// CONNECT_FAIL as it goes over the wire: the one frame without a check code.
pub(crate) fn failure(reason: FailReason) -> String {
    let data = ServerMessage::ConnectFail(ConnectFail { detail: "no".into(), reason });
    let data = serde_json::to_value(&data).unwrap();
    serde_json::json!({ "data": data, "timestamp": 1, "type": "CONNECT_FAIL" }).to_string()
}

pub(crate) fn ack(echo: Timestamp, streams: &[(&StreamName, u64, u64)]) -> Frame {
    let state = |(stream, seq, lag): &(&StreamName, u64, u64)| StreamState {
        epoch: EPOCH.parse().unwrap(),
        lag: *lag,
        seq: Sequence(*seq),
        stream: (*stream).clone(),
    };
    Frame::new(ServerMessage::HeartbeatAck(HeartbeatAck {
        echo,
        server_time: Timestamp::from_millis(2_000),
        streams: streams.iter().map(state).collect(),
        summary: None,
    }))
}

/// The real session, and everything it wanted done.
pub(crate) struct Page {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<ClientFrame>,
    pub(crate) news: Vec<News>,
    pub(crate) dials: Vec<(Instant, Option<String>)>,
    pub(crate) hung_up: Vec<(Instant, CloseCode)>,
    pub(crate) remembered: Option<Resumption>,
}

impl Page {
    pub(crate) fn new(seed: u64) -> Self {
        Self::resuming(seed, None)
    }

    pub(crate) fn resuming(seed: u64, resume: Option<Resumption>) -> Self {
        let now = Instant::from_millis(1_000_000);
        let clock = Clock::new(now, Timestamp::from_millis(5_000_000));
        let (seal, policy) = (seal(), Policy::native());
        let config = Config { device: device(), seal, policy, seed, clock, resume };
        let mut page = Self {
            session: Session::new(config, now),
            now,
            sent: Vec::new(),
            news: Vec::new(),
            dials: Vec::new(),
            hung_up: Vec::new(),
            remembered: None,
        };
        page.tell(Event::Tick);
        page
    }

    /// A page whose connection stands and whose stream began with `a` = 1.
    pub(crate) fn live() -> Self {
        let mut page = Self::new(7);
        page.greeted(success("c-1", EPOCH, false));
        page.hear(Frame::snapshot(1, &[("a", 1.0), ("b", 1.0)]));
        page.forget();
        page
    }

    pub(crate) fn greeted(&mut self, success: Frame) {
        self.tell(Event::Opened);
        self.hear(success);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        for action in self.session.handle(event, self.now) {
            match action {
                Action::Dial { connection } => {
                    self.dials.push((self.now, connection.map(String::from)));
                }
                Action::Send(text) => self.sent.push(ClientFrame::read(&text).unwrap()),
                Action::HangUp(code) => self.hung_up.push((self.now, code)),
                Action::Apply(news) => self.news.push(news),
                Action::Announce(status) => assert_eq!(status, self.session.status()),
                Action::Remember(resumption) => self.remembered = Some(resumption),
            }
        }
    }

    pub(crate) fn hear(&mut self, frame: Frame) {
        self.tell(Event::Heard(frame.text(&seal())));
    }

    pub(crate) fn closed(&mut self, code: u16) {
        self.tell(Event::Closed(CloseCode::from(code)));
    }

    /// Lets time pass, with a tick whenever one is due.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.session.wake_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Event::Tick);
            let next = self.session.wake_at();
            assert!(next.is_none_or(|next| next > self.now), "a tick must get something done");
        }
        self.now = end;
    }

    /// Answers the last heartbeat.
    pub(crate) fn answer(&mut self, streams: &[(&StreamName, u64, u64)]) {
        let is_beat = |frame: &&ClientFrame| frame.message == ClientMessage::Heartbeat;
        let beat = self.sent.iter().rev().find(is_beat).map(|beat| beat.timestamp);
        self.hear(ack(beat.unwrap_or_default(), streams));
    }

    /// Drops what was seen so far.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        self.news.clear();
        self.dials.clear();
        self.hung_up.clear();
    }

    pub(crate) fn said(&self) -> Vec<ClientMessage> {
        let beats = |message: &ClientMessage| *message != ClientMessage::Heartbeat;
        self.sent.iter().map(|frame| frame.message.clone()).filter(beats).collect()
    }

    /// The ranges asked for, one list a request.
    pub(crate) fn asked(&self) -> Vec<Vec<Range>> {
        let ranges = |message| match message {
            ClientMessage::DataLost { ranges, .. } => Some(ranges),
            _ => None,
        };
        self.said().into_iter().filter_map(ranges).collect()
    }

    pub(crate) fn beats(&self) -> usize {
        self.sent.iter().filter(|frame| frame.message == ClientMessage::Heartbeat).count()
    }

    pub(crate) fn value(&self, key: &str) -> Option<f64> {
        self.value_of(&own(), key)
    }

    pub(crate) fn value_of(&self, stream: &StreamName, key: &str) -> Option<f64> {
        self.session.table(stream)?.points.get(key)?.value?.number()
    }

    pub(crate) fn happened(&self) -> Vec<String> {
        let id = |news: &News| match news {
            News::Happened { id, .. } => Some(id.to_string()),
            _ => None,
        };
        self.news.iter().filter_map(id).collect()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        let notice = |news: &News| match news {
            News::Notice(notice) => Some(notice.clone()),
            _ => None,
        };
        self.news.iter().filter_map(notice).collect()
    }

    pub(crate) fn confirmed(&self) -> usize {
        self.news.iter().filter(|news| matches!(news, News::Confirmed { .. })).count()
    }
}
