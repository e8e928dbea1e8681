//! `[[device]]`: the boards, each at its unit on a channel.

use std::collections::BTreeMap;

use protocol::id::{ChannelId, DeviceId, PointKey, SiteId};
use protocol::point::Name;

use crate::channels::Channels;
use crate::finding::{Findings, Place};
use crate::names::Names;
use crate::parse::{integer, list, parsed};
use crate::section::{Placed, Section};
use crate::sites::{Sites, name};

/// What `[[device]]` says; the points are still missing.
pub(crate) struct Devices {
    pub names: Names<DeviceId>,
    pub list: Vec<Draft>,
}

/// A device without its points.
pub(crate) struct Draft {
    pub id: DeviceId,
    pub place: Place,
    pub site: SiteId,
    pub channel: ChannelId,
    pub unit: u8,
    pub name: Name,
    pub overview: Option<Placed<Vec<PointKey>>>,
    /// As which unit PSCADA finds it.
    pub pscada_unit: Option<Placed<u8>>,
}

pub(crate) fn read(root: &mut Section<'_>, sites: &Sites, channels: &Channels) -> Devices {
    let mut devices = Devices { names: Names::new("device"), list: Vec::new() };
    root.each("device", |section| {
        devices.list.extend(device(section, &mut devices.names, sites, channels));
    });
    check_units(&devices.list, &mut root.notes.findings);
    devices
}

fn device(
    section: &mut Section<'_>,
    names: &mut Names<DeviceId>,
    sites: &Sites,
    channels: &Channels,
) -> Option<Draft> {
    let id = section.require("id", parsed::<DeviceId>);
    if let Some(id) = &id {
        names.enter(id, &mut section.notes.findings);
    }
    let name = name(section, id.as_ref().map_or("", |id| id.value.as_str()));
    let site = section.require("site", parsed::<SiteId>);
    if let Some(site) = &site {
        sites.names.check(&site.value, &site.place, &mut section.notes.findings);
    }
    let channel = section.require("channel", integer(0..=u32::MAX));
    if let Some(channel) = &channel {
        let id = ChannelId(channel.value);
        channels.names.check(&id, &channel.place, &mut section.notes.findings);
    }
    let unit = section.require("unit", integer(0..=u8::MAX));
    let overview = section.read("overview", list(parsed::<PointKey>));
    let pscada_unit = section.read("pscada_unit", integer(1..=247_u8));
    let id = id?;
    Some(Draft {
        id: id.value,
        place: id.place,
        site: site?.value,
        channel: ChannelId(channel?.value),
        unit: unit?.value,
        name,
        overview,
        pscada_unit,
    })
}

/// Two boards that answer to one address would talk at once.
fn check_units(list: &[Draft], findings: &mut Findings) {
    let mut taken: BTreeMap<(ChannelId, u8), &DeviceId> = BTreeMap::new();
    for Draft { id, place, channel, unit, .. } in list {
        match taken.get(&(*channel, *unit)) {
            Some(first) => {
                let text = format!("unit {unit} of channel {channel} is already device `{first}`");
                findings.mistake(place, text);
            }
            None => {
                taken.insert((*channel, *unit), id);
            }
        }
    }
}
