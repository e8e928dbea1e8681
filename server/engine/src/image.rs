//! The latest reading of every point of one device, its state, and what of it is news.

mod state;

use std::time::Duration;

use protocol::device::{Links, Peer};
use protocol::frame::{StateChanged, Summary, Update};
use protocol::id::PointKey;
use protocol::journal::Facts;
use protocol::point::{Device, Point, Role};
use protocol::reading::{Quality, Reading, Reason, Value};
use protocol::report::{Reach, Report};
use protocol::time::{Instant, Timestamp};

use self::state::State;

/// What is known of one device.
#[derive(Debug)]
pub struct Image {
    device: Device,
    interval: Duration,
    readings: Vec<Reading>,
    /// When each point was last polled, well or badly.
    polled: Vec<Instant>,
    links: Links,
    /// Polls in a row without a sign of life.
    silent_polls: u32,
    /// The facts of which a change is an event, as far as they are known: from an earlier run at
    /// first, so that what changed in between is an event too.
    facts: Facts,
    /// A fact may have become known or another since the last look.
    is_stirred: bool,
    /// When the next reading goes stale if no poll comes in.
    overdue_at: Option<Instant>,
    state: State,
    since: Timestamp,
    told: Told,
}

/// What the clients have been told.
#[derive(Debug)]
struct Told {
    readings: Vec<Reading>,
    state: State,
}

/// What changed since the last look.
#[derive(Debug, Default)]
pub struct News {
    pub delta: Update,
    pub events: Vec<StateChanged>,
    /// All facts, where one of them became known or another.
    pub facts: Option<Facts>,
}

impl Image {
    /// An image of which nothing is known but the `facts` of an earlier run; its board is polled
    /// every `interval`.
    pub fn new(
        device: Device,
        interval: Duration,
        facts: Facts,
        now: Instant,
        at: Timestamp,
    ) -> Self {
        let readings = vec![Reading::NOT_READ; device.points.len()];
        let polled = vec![now; device.points.len()];
        let links = Links::default();
        let state = State::of(&device, &readings, links);
        let told = Told { readings: readings.clone(), state: state.clone() };
        Self {
            device,
            interval,
            readings,
            polled,
            links,
            silent_polls: 0,
            facts,
            is_stirred: true,
            overdue_at: None,
            state,
            since: at,
            told,
        }
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether its board answers.
    pub fn is_reached(&self) -> bool {
        self.links.board
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The last value of a point, by its place in the device, however old.
    pub fn value(&self, point: usize) -> Option<Value> {
        self.readings.get(point).and_then(|reading| reading.value)
    }

    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.overdue_at = self.next_overdue();
    }

    pub fn set_reach(&mut self, peer: Peer, reached: bool) {
        self.links.set(peer, reached);
    }

    /// Takes in what a poll brought home.
    pub fn take(&mut self, report: &Report, now: Instant, at: Timestamp) {
        let was_lost = self.is_lost();
        self.silent_polls = match report.reach {
            Reach::Answered => 0,
            Reach::Silent => self.silent_polls.saturating_add(1),
            Reach::Away => LOST_AFTER,
        };
        let is_lost = self.is_lost();
        self.is_stirred |= is_lost != was_lost;
        self.links.board = !is_lost && (self.links.board || report.reach == Reach::Answered);
        for (index, result) in &report.results {
            let Some(point) = self.device.points.get(*index) else { continue };
            self.readings[*index] = judge(point, self.readings[*index], *result, is_lost, at);
            self.polled[*index] = now;
        }
        if is_lost {
            self.lose_all(report);
        }
        self.overdue_at = self.next_overdue();
    }

    fn is_lost(&self) -> bool {
        self.silent_polls >= LOST_AFTER
    }

    /// A board that cannot be reached takes the points with it that were not due in this poll.
    fn lose_all(&mut self, report: &Report) {
        let why = report.results.iter().find_map(|(_, result)| result.err());
        for reading in &mut self.readings {
            if reading.quality != Quality::NoComm {
                let why = why.or(Some(Reason::Timeout));
                *reading = Reading { quality: Quality::NoComm, why, ..*reading };
            }
        }
    }

    /// Marks what has not been polled for too long; nobody said why, so it is stale.
    pub fn mark_overdue(&mut self, now: Instant) {
        for index in 0..self.readings.len() {
            if self.overdue_after(index).is_some_and(|due| due <= now) {
                let (quality, why) = (Quality::Stale, Some(Reason::Overdue));
                self.readings[index] = Reading { quality, why, ..self.readings[index] };
            }
        }
        self.overdue_at = self.next_overdue();
    }

    pub fn overdue_at(&self) -> Option<Instant> {
        self.overdue_at
    }

    fn next_overdue(&self) -> Option<Instant> {
        (0..self.readings.len()).filter_map(|index| self.overdue_after(index)).min()
    }

    /// When a reading that is trusted now no longer can be.
    fn overdue_after(&self, index: usize) -> Option<Instant> {
        let is_trusted = self.readings[index].at.is_some()
            && matches!(self.readings[index].quality, Quality::Good | Quality::Uncertain);
        let limit = limit(&self.device.points[index], self.interval);
        is_trusted.then(|| self.polled[index] + limit + TICK)
    }

    /// What changed since the last time this was asked.
    pub fn news(&mut self, at: Timestamp) -> News {
        let state = State::of(&self.device, &self.readings, self.links);
        let mut news = News::default();
        self.tell_points(&mut news);
        let told = &self.told.state;
        if state.status != told.status {
            news.delta.device_status = Some(state.status);
        }
        if state.codes != told.codes {
            news.delta.fault_codes = Some(state.codes.clone());
        }
        if state.links != told.links {
            news.delta.links = Some(state.links);
        }
        if self.state != state {
            self.since = at;
        }
        self.is_stirred |= state != self.told.state;
        self.state = state.clone();
        self.told.state = state;
        if std::mem::take(&mut self.is_stirred) {
            self.tell_facts(&mut news, at);
        }
        news
    }

    /// Each fact that is another than it was known to be is a key event (S0-44).
    fn tell_facts(&mut self, news: &mut News, at: Timestamp) {
        let mut is_new = false;
        let facts = self.state.facts(&self.device, &self.told.readings, self.is_lost());
        for (what, new) in facts {
            if self.facts.get(&what) == Some(&new) {
                continue;
            }
            is_new = true;
            let old = self.facts.insert(what.clone(), new.clone());
            news.events.extend(old.map(|old| StateChanged { at, new, old, what }));
        }
        news.facts = is_new.then(|| self.facts.clone());
    }

    fn tell_points(&mut self, news: &mut News) {
        let points = self.device.points.iter().zip(&self.readings).zip(&mut self.told.readings);
        for ((point, reading), told) in points {
            if !is_news(point, told, reading) {
                continue;
            }
            self.is_stirred |= point.key_event || point.role != Role::None;
            *told = *reading;
            news.delta.points.insert(point.key.clone(), *reading);
        }
    }

    /// Everything, with the latest times. All of it counts as told.
    pub fn table(&mut self) -> Update {
        self.told.readings.clone_from(&self.readings);
        self.told.state = self.state.clone();
        let keys = self.device.points.iter().map(|point| point.key.clone());
        Update {
            device_status: Some(self.state.status),
            fault_codes: Some(self.state.codes.clone()),
            links: Some(self.state.links),
            points: keys.zip(self.readings.iter().copied()).collect(),
            ..Update::default()
        }
    }

    /// The device in one line.
    pub fn summary(&self) -> Summary {
        Summary {
            device_status: self.state.status,
            fault_codes: self.state.codes.clone(),
            links: self.state.links,
            orders: Vec::new(),
            quality: self.readings.iter().map(|r| r.quality).max().unwrap_or(Quality::Uncertain),
            since: self.since,
            values: self.device.overview.iter().filter_map(|key| self.told_value(key)).collect(),
        }
    }

    fn told_value(&self, key: &PointKey) -> Option<(PointKey, Reading)> {
        let index = self.device.points.iter().position(|point| point.key == *key)?;
        Some((key.clone(), self.told.readings[index]))
    }
}

/// Turns the outcome of a poll into a reading, without ever losing the last value.
fn judge(
    point: &Point,
    last: Reading,
    result: Result<Value, Reason>,
    is_lost: bool,
    at: Timestamp,
) -> Reading {
    let failed = |quality, why| Reading { quality, why: Some(why), ..last };
    match result {
        Err(why) if is_lost => failed(Quality::NoComm, why),
        Err(why) => failed(Quality::Bad, why),
        Ok(value) => {
            let value = value.rounded(point.decimals);
            let (quality, why) = match in_range(point, value) {
                true => (Quality::Good, None),
                false => (Quality::Uncertain, Some(Reason::OutOfRange)),
            };
            Reading { quality, at: Some(at), value: Some(value), why }
        }
    }
}

fn in_range(point: &Point, value: Value) -> bool {
    let Some(number) = value.number() else { return true };
    point.min.is_none_or(|min| number >= min) && point.max.is_none_or(|max| number <= max)
}

/// A change of quality always is news; a change of value is, beyond the dead band.
fn is_news(point: &Point, told: &Reading, reading: &Reading) -> bool {
    if (told.quality, told.why) != (reading.quality, reading.why) {
        return true;
    }
    match (told.value, reading.value) {
        (Some(Value::Number(old)), Some(Value::Number(new))) => {
            old != new && (new - old).abs() > point.deadband
        }
        (old, new) => old != new,
    }
}

fn limit(point: &Point, interval: Duration) -> Duration {
    let own = point.stale_ms.map(|millis| Duration::from_millis(u64::from(millis)));
    own.unwrap_or(interval * STALE_POLLS)
}

/// Operators are promised to see within three polls that a value is old (decisions D11).
const STALE_POLLS: u32 = 3;

/// A board that was silent for this many polls cannot be reached.
const LOST_AFTER: u32 = 3;

/// The step of the clock.
const TICK: Duration = Duration::from_millis(1);
