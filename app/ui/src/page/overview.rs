//! The plant at a glance: five figures, a tile a device, the last events.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::device::DeviceStatus;
use protocol::frame::Summary;
use protocol::point::{Device, Site};
use protocol::stream::StreamName;

use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text::{self, Text};
use crate::view::happenings::Happenings;
use crate::view::reach::reached;
use crate::view::reading::name;
use crate::view::tile::Tile;

#[component]
pub(crate) fn Overview() -> impl IntoView {
    let live = expect_context::<Live>();
    live.show(None);
    let query = use_query_map();
    let only_abnormal = Memo::new(move |_| query.read().get("only").as_deref() == Some("abnormal"));
    let (sites, devices) = live.page(|page| (page.sites.clone(), page.devices.clone()));
    let is_empty = devices.is_empty();
    let groups = sites.into_iter().map(|site| {
        let members = devices.iter().filter(|device| device.site == site.id).cloned().collect();
        view! { <Group site devices=members only_abnormal/> }
    });
    let groups = groups.collect_view();
    let language = language();
    view! {
        <Title text=move || text::OVERVIEW.of(language())/>
        <h1 class="sr">{t(text::OVERVIEW)}</h1>
        <Figures/>
        <p class="filter">
            <a
                href=move || if only_abnormal.get() { "/" } else { "/?only=abnormal" }
                class="chip"
                role="button"
                data-filter="abnormal"
                aria-pressed=move || only_abnormal.get().to_string()
            >
                {t(text::ONLY_ABNORMAL)}
            </a>
        </p>
        {groups}
        <p class="muted" hidden=!is_empty>{t(text::NO_DEVICES)}</p>
        <Happenings most=EVENTS/>
    }
    .into_any()
}

/// The devices of one site, in the order of the configuration, whatever happens to them.
#[component]
fn Group(site: Site, devices: Vec<Device>, only_abnormal: Memo<bool>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let tiles = devices.into_iter().map(|device| {
        let summary = live.summary(&device.id);
        let is_hidden = move || only_abnormal.get() && is_normal(summary.read().as_ref());
        view! { <li hidden=is_hidden><Tile device/></li> }.into_any()
    });
    let tiles = tiles.collect_view();
    let title = site.name.clone();
    view! {
        <section class="group" data-site=site.id.to_string()>
            <h2>{move || name(&title, language()).to_owned()}</h2>
            <ul class="tiles">{tiles}</ul>
        </section>
    }
    .into_any()
}

fn is_normal(summary: Option<&Summary>) -> bool {
    summary.is_some_and(|summary| {
        summary.device_status == DeviceStatus::Working && summary.quality.is_good()
    })
}

/// Five numbers that stay in their place.
#[component]
fn Figures() -> impl IntoView {
    let live = expect_context::<Live>();
    let devices = live.page(|page| page.devices.clone());
    let lines: Arc<[Line]> =
        devices.into_iter().map(|device| (live.summary(&device.id), device)).collect();
    let oldest = {
        let lines = Arc::clone(&lines);
        move || oldest(live, &lines).map_or_else(|| "—".to_owned(), format::age)
    };
    let totals = Memo::new(move |_| {
        let lines = lines.iter().map(|(summary, device)| (summary.get(), device));
        Totals::of(lines)
    });
    let (online, links) = (move || totals.read().online(), move || totals.read().links());
    let fault = move || totals.read().fault.to_string();
    let alarm = move || totals.read().alarm.to_string();
    view! {
        <dl class="figures">
            <Figure id="online" name=text::ONLINE value=Signal::derive(online)/>
            <Figure id="fault" name=text::IN_FAULT value=Signal::derive(fault)/>
            <Figure id="alarm" name=text::IN_ALARM value=Signal::derive(alarm)/>
            <Figure id="oldest" name=text::OLDEST value=Signal::derive(oldest)/>
            <Figure id="links" name=text::LINKS_UP value=Signal::derive(links)/>
        </dl>
    }
    .into_any()
}

#[component]
fn Figure(id: &'static str, name: Text, value: Signal<String>) -> impl IntoView {
    view! {
        <div class="figure" data-figure=id>
            <dt>{t(name)}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

/// A device, and what its site tells of it.
type Line = (ArcRwSignal<Option<Summary>>, Device);

/// The age of the oldest value on any tile, or of the news that nobody confirmed for longest.
fn oldest(live: Live, lines: &[Line]) -> Option<Duration> {
    let ages = lines.iter().flat_map(|(summary, device)| {
        let site = StreamName::Site(device.site.clone());
        let values = summary.get().map(|summary| summary.values).unwrap_or_default();
        let ages: Vec<_> = values.values().map(|reading| live.age(&site, reading)).collect();
        ages.into_iter().chain([live.lag(&site)])
    });
    ages.flatten().max()
}

/// The plant in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    devices: usize,
    online: usize,
    fault: usize,
    alarm: usize,
    links: usize,
    links_up: usize,
}

impl Totals {
    fn of<'a>(lines: impl Iterator<Item = (Option<Summary>, &'a Device)>) -> Self {
        let mut totals = Self::default();
        for (summary, device) in lines {
            totals.devices += 1;
            let Some(summary) = summary else { continue };
            let (up, links) = reached(device, summary.links);
            totals.online += usize::from(summary.links.board);
            totals.fault += usize::from(summary.device_status == DeviceStatus::Fault);
            totals.alarm += usize::from(summary.device_status == DeviceStatus::Alarm);
            totals.links += links;
            totals.links_up += up;
        }
        totals
    }

    fn online(&self) -> String {
        format!("{}/{}", self.online, self.devices)
    }

    fn links(&self) -> String {
        format!("{}/{}", self.links_up, self.links)
    }
}

/// As many events as the overview has room for.
const EVENTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_plant_adds_up() {
        let plant = sample::plant();
        let mut lost = sample::summary();
        lost.links.board = false;
        lost.device_status = DeviceStatus::Fault;
        let lines = [Some(sample::summary()), Some(lost), None].into_iter().zip(&plant.devices);
        let totals = Totals::of(lines);
        assert_eq!(totals.online(), "1/3");
        assert_eq!((totals.fault, totals.alarm), (1, 0));
    }
}
