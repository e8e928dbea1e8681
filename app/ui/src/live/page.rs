//! What pages ask of [`Live`], and what they read there.

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::prelude::*;
use link::Notice;
use link::status::Status;
use protocol::frame::Summary;
use protocol::id::{DeviceId, PointKey};
use protocol::part::{Condition, Part, PartState};
use protocol::point::{Device, Point};
use protocol::reading::{Quality, Reading};
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};

use super::history::History;
use super::{Live, Standing, State};
use crate::bootstrap::{Bootstrap, Happening, Zone};

impl Live {
    /// The page as the server handed it over.
    pub fn page<T>(self, read: impl FnOnce(&Bootstrap) -> T) -> T {
        self.page.with_value(read)
    }

    /// The page shows a device now, or none; every page shows what sites and
    /// the server itself tell.
    pub fn show(self, device: Option<&DeviceId>) {
        let sites = self.page(|page| page.sites.clone());
        let mut wanted: BTreeSet<_> =
            sites.into_iter().map(|site| StreamName::Site(site.id)).collect();
        wanted.extend(device.cloned().map(StreamName::Device));
        wanted.insert(StreamName::System);
        let before = self.wanted.get_untracked();
        if before == wanted {
            return;
        }
        let now = self.now_untracked();
        self.histories.update_value(|histories| {
            let left = |id: &DeviceId| !wanted.contains(&StreamName::Device(id.clone()));
            histories.iter_mut().filter(|((id, _), _)| left(id)).for_each(|(_, h)| h.cut(now));
        });
        self.wanted.set(wanted);
    }

    /// All facts of a device; asks for them where they are not known.
    pub fn facts(self, device: &DeviceId) -> Option<Device> {
        let known = self.facts.with(|facts| facts.get(device).cloned());
        if known.is_none() && self.asked.get_untracked().as_ref() != Some(device) {
            self.asked.set(Some(device.clone()));
        }
        known
    }

    /// The operator wants a new series of tries at once.
    pub fn retry(self) {
        self.retries.update(|count| *count = count.wrapping_add(1));
    }

    pub fn now(self) -> Timestamp {
        self.clock.get().1
    }

    /// The time without following it.
    pub fn now_untracked(self) -> Timestamp {
        self.clock.get_untracked().1
    }

    pub fn zone(self, device: &DeviceId) -> Zone {
        self.page(|page| {
            let site = page.devices.iter().find(|known| known.id == *device);
            site.and_then(|device| page.zones.get(&device.site)).cloned().unwrap_or_default()
        })
    }

    /// The zone of the first site: that of the clock, and of the connection's own times.
    pub fn home_zone(self) -> Zone {
        self.page(|page| {
            let first = page.sites.first().and_then(|site| page.zones.get(&site.id));
            first.cloned().unwrap_or_default()
        })
    }

    pub fn status(self) -> Option<Status> {
        self.status.get()
    }

    pub fn standing(self) -> Standing {
        self.status.with(|status| Standing::of(status.as_ref()))
    }

    /// What the operator should hear of once, as long as it is news.
    pub fn notice(self) -> Option<Notice> {
        let now = self.now();
        self.notice.get().filter(|(_, at)| now.since(*at) <= NOTICE).map(|(notice, _)| notice)
    }

    /// The server's time of a moment of the shell's clock.
    pub fn wall(self, moment: Instant) -> Timestamp {
        let (now, wall) = self.clock.get();
        let ago = now.since(moment);
        let ahead = moment.since(now);
        Timestamp::from_millis((wall + ahead).as_millis().saturating_sub(millis(ago)))
    }

    /// How long until a moment of the shell's clock.
    pub fn until(self, moment: Instant) -> Duration {
        moment.since(self.clock.get().0)
    }

    pub fn reading(self, device: &DeviceId, point: &PointKey) -> ArcRwSignal<Option<Reading>> {
        self.points.of(&(device.clone(), point.clone()))
    }

    pub fn state(self, device: &DeviceId) -> ArcRwSignal<Option<State>> {
        self.states.of(device)
    }

    pub fn summary(self, device: &DeviceId) -> ArcRwSignal<Option<Summary>> {
        self.summaries.of(device)
    }

    /// The parts of the server that fail now.
    pub fn failing(self) -> Vec<(Part, Condition)> {
        let is_failing = |condition: &Condition| condition.state == PartState::Failing;
        let parts = self.parts.get().into_iter();
        parts.filter(|(_, condition)| is_failing(condition)).collect()
    }

    pub fn events(self) -> RwSignal<Vec<Happening>> {
        self.events
    }

    /// How old the news of a stream are: the time for which nobody confirmed them.
    pub fn lag(self, stream: &StreamName) -> Option<Duration> {
        let footing = self.footings.of(stream).get()?;
        Some(self.now().since(footing.confirmed))
    }

    /// How old a value is: a good one holds until its stream was last confirmed.
    pub fn age(self, stream: &StreamName, reading: &Reading) -> Option<Duration> {
        if reading.quality == Quality::Good {
            return self.lag(stream);
        }
        reading.at.map(|at| self.now().since(at))
    }

    /// Whether what a stream told can be taken for the present, as far as the connection goes.
    pub fn is_current(self, stream: &StreamName) -> bool {
        let longest = self.page(|page| Duration::from_millis(page.snapshot_interval_ms)) * 2;
        let told = self.footings.of(stream).get();
        let is_fresh = told.is_none_or(|footing| self.now().since(footing.snapshot) <= longest);
        self.standing() != Standing::Lost && is_fresh
    }

    /// Whether the connection lives, but what it carries has stopped.
    pub fn is_stalled(self) -> bool {
        let wanted = self.wanted.get();
        self.standing() == Standing::Live && wanted.iter().any(|stream| !self.is_current(stream))
    }

    /// A point whose facts the page happens to know.
    pub fn point(self, device: &DeviceId, key: &str) -> Option<Point> {
        let find =
            |device: &Device| device.points.iter().find(|point| point.key.as_str() == key).cloned();
        let known = self.facts.with(|facts| facts.get(device).and_then(find));
        known.or_else(|| {
            self.page(|page| page.devices.iter().find(|known| known.id == *device).and_then(find))
        })
    }

    /// The last ten minutes of a point; seen only from the first call on.
    pub fn history(self, device: &DeviceId, point: &PointKey) -> History {
        let name = (device.clone(), point.clone());
        let known = self.histories.with_value(|histories| histories.get(&name).cloned());
        known.unwrap_or_else(|| {
            let first = History::default();
            self.histories.update_value(|histories| drop(histories.insert(name, first.clone())));
            first
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Long enough to read a notice once.
const NOTICE: Duration = Duration::from_secs(3);
