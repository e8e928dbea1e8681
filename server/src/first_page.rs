//! What a page shows before its first frame arrives: read from the streams, never asked of anyone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{header, request::Parts};
use gateway::{Gateway, Hub, PageVisitor};
use jiff::tz::TimeZone;
use protocol::point::{Name, Plant, Site};
use protocol::time::Timestamp;
use protocol::user::Scope;
use ui::{Bootstrap, Choice, Person, Told, Zone, device_of};

use crate::paces::Paces;

/// Makes the first content of every page.
#[derive(Clone)]
pub(crate) struct FirstPage {
    pub hub: Hub,
    pub plant: Arc<Plant>,
    pub paces: Paces,
    pub snapshot_interval: Duration,
    /// What whoever signs in is to read.
    pub notice: Name,
    pub is_login_on: bool,
    pub lock_after: Option<Duration>,
}

impl FirstPage {
    /// The content of the page that this request asks for.
    pub(crate) fn make(&self, request: &Parts) -> Bootstrap {
        let page = device_of(request.uri.path());
        let cookies = request.headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let now = self.hub.time();
        let choice = Choice::from_cookies(cookies.unwrap_or_default());
        let own = self.own(request, choice, now);
        let Some(plant) = self.plant_for(request) else { return own };
        let facts = Bootstrap::of(&plant, page.as_ref());
        let told = |(update, at)| Told { at, update };
        let values = facts.streams().filter_map(|stream| {
            let table = self.hub.table(&stream)?;
            Some((stream, told(table)))
        });
        let values = values.collect();
        let zones = facts.sites.iter().map(|site| (site.id.clone(), zone(site, now))).collect();
        Bootstrap {
            now,
            version: own.version,
            choice: own.choice,
            person: own.person,
            is_login_on: own.is_login_on,
            is_encrypted: own.is_encrypted,
            notice: own.notice,
            snapshot_interval_ms: millis(self.snapshot_interval).into(),
            zones,
            poll_ms: self.poll_ms(),
            values,
            ..facts
        }
    }

    /// What whoever asks may see of the plant; `None`: nothing, because they are still to sign in,
    /// or to choose a password of their own.
    fn plant_for(&self, request: &Parts) -> Option<Cow<'_, Plant>> {
        let visitor = request.extensions.get::<PageVisitor>()?;
        if visitor.must_change_password {
            return None;
        }
        if visitor.sites == Scope::All {
            return Some(Cow::Borrowed(&*self.plant));
        }
        let mut plant = (*self.plant).clone();
        plant.sites.retain(|site| visitor.sites.holds(&site.id));
        plant.devices.retain(|device| visitor.sites.holds(&device.site));
        Some(Cow::Owned(plant))
    }

    /// What a page tells of itself and of whoever asks for it, and nothing of the plant.
    fn own(&self, request: &Parts, choice: Choice, now: Timestamp) -> Bootstrap {
        let visitor = request.extensions.get::<PageVisitor>();
        let person = |visitor: &PageVisitor| Person {
            user: visitor.user.clone(),
            role: visitor.role,
            sites: visitor.sites.clone(),
            expires: visitor.expires,
            lock_after_ms: self.lock_after.map(|after| millis(after).into()),
            must_change_password: visitor.must_change_password,
        };
        Bootstrap {
            now,
            choice,
            version: env!("CARGO_PKG_VERSION").into(),
            person: visitor.map(person),
            is_login_on: self.is_login_on,
            is_encrypted: Gateway::is_encrypted(request),
            notice: self.notice.clone(),
            ..Bootstrap::default()
        }
    }

    fn poll_ms(&self) -> BTreeMap<protocol::id::DeviceId, u32> {
        let paces = self.paces.all();
        let pace = |channel| paces.get(&channel).copied().map(millis);
        let devices = self.plant.devices.iter();
        devices.filter_map(|device| Some((device.id.clone(), pace(device.channel)?))).collect()
    }
}

/// The offset and the name of a site's zone now; UTC where the zone is not known.
fn zone(site: &Site, now: Timestamp) -> Zone {
    let zone = TimeZone::get(&site.zone).unwrap_or(TimeZone::UTC);
    let moment = i64::try_from(now.as_millis()).ok();
    let moment = moment.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    let offset = zone.to_offset_info(moment.unwrap_or_default());
    Zone { offset_minutes: offset.offset().seconds() / 60, label: offset.abbreviation().to_owned() }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
