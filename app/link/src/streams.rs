//! All streams of a session: that of its own device, and those the page shows beside it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::frame::Update;
use protocol::id::DeviceId;
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};
use protocol::wire::native::{
    ClientMessage, ConnectSuccess, DataRecovered, Position, ServerFrame, ServiceRestarted,
    StreamState, Subscribed,
};

use crate::event::{Kept, News};
use crate::policy::Policy;
use crate::stream::Stream;
use crate::vitals::Vitals;

/// The streams, and what has to be said for them.
#[derive(Debug)]
pub(crate) struct Streams {
    policy: Policy,
    own: StreamName,
    /// Holds the own stream at all times.
    all: BTreeMap<StreamName, Stream>,
}

impl Streams {
    pub(crate) fn new(policy: Policy, device: DeviceId, kept: Vec<Kept>, now: Instant) -> Self {
        let own = StreamName::Device(device);
        let mut all = BTreeMap::from([(own.clone(), Stream::new(own.clone(), now))]);
        all.extend(kept.into_iter().map(|kept| (kept.stream.clone(), Stream::kept(kept, now))));
        Self { policy, own, all }
    }

    pub(crate) fn table(&self, name: &StreamName) -> Option<&Update> {
        self.all.get(name).map(Stream::facts)
    }

    /// The stream that the connection itself carries.
    pub(crate) fn own(&self) -> Option<&Stream> {
        self.all.get(&self.own)
    }

    pub(crate) fn is_own(&self, name: &StreamName) -> bool {
        *name == self.own
    }

    /// Whether any stream can be taken up where it was left.
    pub(crate) fn can_resume(&self) -> bool {
        self.all.values().any(|stream| stream.position().is_some())
    }

    /// What another page needs to go on.
    pub(crate) fn keep(&self) -> Vec<Kept> {
        self.all.values().filter_map(Stream::keep).collect()
    }

    /// Follows these beside the own stream and no others; the answer is what to say about it.
    pub(crate) fn want(
        &mut self,
        mut names: BTreeSet<StreamName>,
        now: Instant,
    ) -> Vec<ClientMessage> {
        names.remove(&self.own);
        let dropped: Vec<_> =
            self.beside().filter(|name| !names.contains(*name)).cloned().collect();
        dropped.iter().for_each(|name| drop(self.all.remove(name)));
        names.retain(|name| !self.all.contains_key(name));
        let added: Vec<_> = names.iter().map(StreamName::to_string).collect();
        self.all.extend(names.into_iter().map(|name| (name.clone(), Stream::new(name, now))));
        let dropped: Vec<_> = dropped.iter().map(StreamName::to_string).collect();
        let said = [ClientMessage::Unsubscribe(dropped), ClientMessage::Subscribe(added)];
        said.into_iter().filter(|message| !says_nothing(message)).collect()
    }

    /// Starts on a new connection; the answer is what to say first, and what the page must know.
    pub(crate) fn connect(
        &mut self,
        success: &ConnectSuccess,
        now: Instant,
        vitals: &mut Vitals,
    ) -> (Vec<ClientMessage>, Vec<News>) {
        let mut said = Vec::new();
        let mut news = Vec::new();
        if success.resumed {
            said.push(ClientMessage::Resume(self.positions()));
        }
        for (name, stream) in &mut self.all {
            match stream.position().filter(|_| success.resumed) {
                Some(position) if position.epoch == success.epoch => {
                    news.extend(stream.resume(now, &self.policy));
                }
                Some(_) => stream.restart(success.epoch.clone(), vitals),
                None if *name == self.own => stream.join(success.epoch.clone(), vitals),
                None => stream.ask(now),
            }
        }
        said.push(ClientMessage::Subscribe(self.beside().map(StreamName::to_string).collect()));
        said.retain(|message| !says_nothing(message));
        (said, news)
    }

    /// The server goes on under another epoch, on this same connection.
    pub(crate) fn restart(&mut self, restarted: &ServiceRestarted, vitals: &mut Vitals) {
        let epoch = &restarted.epoch;
        for stream in self.all.values_mut() {
            if stream.is_granted() && !stream.is_of(epoch) {
                stream.restart(epoch.clone(), vitals);
            }
            if restarted.down_from.is_none() {
                stream.doubt_events();
            }
        }
    }

    pub(crate) fn grant(&mut self, subscribed: &Subscribed, vitals: &mut Vitals) {
        for granted in &subscribed.streams {
            if let Some(stream) = self.beside_mut(&granted.stream) {
                stream.grant(granted.epoch.clone(), vitals);
            }
        }
        for refused in &subscribed.refused {
            let name = refused.stream.parse().ok();
            if let Some(stream) = name.and_then(|name| self.beside_mut(&name)) {
                stream.refuse();
            }
        }
    }

    /// Takes a numbered frame.
    pub(crate) fn hear(
        &mut self,
        frame: ServerFrame,
        now: Instant,
        vitals: &mut Vitals,
    ) -> Vec<News> {
        let stream = self.of(frame.stream.as_ref());
        stream.map(|stream| stream.hear(frame, now, vitals)).unwrap_or_default()
    }

    /// Takes what a damaged frame claims to be.
    pub(crate) fn claim(&mut self, frame: &ServerFrame, now: Instant, vitals: &mut Vitals) {
        if let Some(stream) = self.of(frame.stream.as_ref()) {
            stream.claim(frame, now, vitals);
        }
    }

    /// Takes the server's word on how far each stream has come.
    pub(crate) fn reach(
        &mut self,
        states: &[StreamState],
        at: Timestamp,
        now: Instant,
        vitals: &mut Vitals,
    ) -> Vec<News> {
        let mut confirm =
            |state: &StreamState| self.all.get_mut(&state.stream)?.reach(state, at, now, vitals);
        states.iter().filter_map(&mut confirm).collect()
    }

    /// Takes the answer to a request for lost frames.
    pub(crate) fn give_up(
        &mut self,
        frame: &ServerFrame,
        answer: &DataRecovered,
        now: Instant,
        vitals: &mut Vitals,
    ) {
        if let Some(stream) = self.of(frame.stream.as_ref()) {
            stream.give_up(&answer.epoch, &answer.gone, now, vitals);
        }
    }

    /// Asks again for streams whose subscription went without an answer.
    pub(crate) fn unanswered(&mut self, now: Instant) -> Option<ClientMessage> {
        let mut names = Vec::new();
        for (name, stream) in &mut self.all {
            if stream.is_unanswered(now, &self.policy) {
                stream.ask(now);
                names.push(name.to_string());
            }
        }
        Some(ClientMessage::Subscribe(names)).filter(|message| !says_nothing(message))
    }

    /// What to ask for now.
    pub(crate) fn lost(&mut self, now: Instant) -> Vec<ClientMessage> {
        let ask = |(name, stream): (&StreamName, &mut Stream)| {
            let (epoch, ranges) = stream.lost(now, &self.policy)?;
            let stream = Some(name.clone()).filter(|name| *name != self.own);
            Some(ClientMessage::DataLost { stream, epoch, ranges })
        };
        self.all.iter_mut().filter_map(ask).collect()
    }

    /// When something has to be asked for.
    pub(crate) fn ask_at(&self) -> Option<Instant> {
        self.all.values().filter_map(Stream::ask_at).min()
    }

    fn positions(&self) -> Vec<Position> {
        let own = self.own().and_then(Stream::position);
        let own = own.map(|position| Position { stream: None, ..position });
        let beside = self.all.values().filter_map(Stream::position);
        own.into_iter()
            .chain(beside.filter(|position| position.stream.as_ref() != Some(&self.own)))
            .collect()
    }

    fn beside(&self) -> impl Iterator<Item = &StreamName> {
        self.all.keys().filter(|name| **name != self.own)
    }

    /// The own stream is neither granted nor refused: it comes with the connection.
    fn beside_mut(&mut self, name: &StreamName) -> Option<&mut Stream> {
        self.all.get_mut(name).filter(|_| *name != self.own)
    }

    fn of(&mut self, name: Option<&StreamName>) -> Option<&mut Stream> {
        let name = name.unwrap_or(&self.own);
        self.all.get_mut(name)
    }
}

fn says_nothing(message: &ClientMessage) -> bool {
    match message {
        ClientMessage::Subscribe(names) | ClientMessage::Unsubscribe(names) => names.is_empty(),
        _ => false,
    }
}
