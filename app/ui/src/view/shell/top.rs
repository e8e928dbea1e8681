//! The top row: where we are, what is wrong, how the connection is, what time it is.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use protocol::device::DeviceStatus;

use super::Open;
use super::person::PersonButton;
use super::switches::Switches;
use crate::bootstrap::device_of;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text::{self, Text};
use crate::text_commands::COMMANDS;
use crate::view::icon::{Icon, Shape};
use crate::view::link::pill::LinkPill;
use crate::view::reading::name;
use crate::{text_people as people, text_records as words};

#[component]
pub(super) fn TopRow(open: RwSignal<Open>) -> impl IntoView {
    view! {
        <header class="top">
            <Place/>
            <Faults/>
            <LinkPill open/>
            <Clock/>
            <Switches/>
            <PersonButton open/>
        </header>
    }
    .into_any()
}

/// `站点名 / 页名`.
#[component]
fn Place() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let path = use_location().pathname;
    let site = live.page(|page| page.sites.first().map(|site| site.name.clone()));
    let site = move || {
        let site = site.as_ref().map(|site| name(site, language()).to_owned());
        site.unwrap_or_else(|| text::PRODUCT.of(language()).to_owned())
    };
    let page = move || match device_of(&path.read()) {
        Some(id) => live.page(|page| {
            let device = page.devices.iter().find(|device| device.id == id);
            device.map_or_else(|| id.to_string(), |d| name(&d.name, language()).to_owned())
        }),
        None => called(&path.read()).of(language()).to_owned(),
    };
    view! {
        <p class="place">
            <span class="site">{move || site()}</span>
            <span class="slash" aria-hidden="true">"/"</span>
            <span class="page">{move || page()}</span>
        </p>
    }
    .into_any()
}

/// What a page is called that shows no device.
fn called(path: &str) -> Text {
    match path {
        "/" => text::OVERVIEW,
        "/commands" => COMMANDS,
        "/events" => words::EVENTS,
        "/events/audit" => words::AUDIT,
        "/me" => people::ACCOUNT,
        "/system/sessions" => people::SESSIONS,
        "/system/users" => people::USERS,
        _ => text::NOT_FOUND,
    }
}

/// How many devices need a person; calm where none does.
#[component]
fn Faults() -> impl IntoView {
    let live = expect_context::<Live>();
    let devices = live.page(|page| page.devices.iter().map(|d| d.id.clone()).collect::<Vec<_>>());
    let summaries: Vec<_> = devices.iter().map(|device| live.summary(device)).collect();
    let count = StoredValue::new(move |status: DeviceStatus| {
        let is_such = |summary: &ArcRwSignal<Option<_>>| {
            let summary = summary.read();
            summary.as_ref().is_some_and(|s: &protocol::frame::Summary| s.device_status == status)
        };
        summaries.iter().filter(|summary| is_such(summary)).count()
    });
    let many = move |status| count.with_value(|count| count(status));
    let part = move |status: DeviceStatus| {
        let count = many(status);
        let part = (count > 0).then(|| {
            view! {
                <a href="/?only=abnormal" class="count" data-status=status.to_string()>
                    <Icon shape=Shape::of_status(Some(status))/>
                    <b>{count.to_string()}</b>
                    <span>{t(text::status(status))}</span>
                </a>
            }
        });
        part.into_any()
    };
    let is_calm = move || many(DeviceStatus::Fault) + many(DeviceStatus::Alarm) == 0;
    view! {
        <div class="banner">
            {move || part(DeviceStatus::Fault)}
            {move || part(DeviceStatus::Alarm)}
            <span class="calm" hidden=move || !is_calm()>{t(text::NO_FAULTS)}</span>
        </div>
    }
    .into_any()
}

/// The time at the site, by the server's clock.
#[component]
fn Clock() -> impl IntoView {
    let live = expect_context::<Live>();
    let zone = live.home_zone();
    let label = zone.label.clone();
    view! {
        <p class="clock">
            <span class="sr">{t(text::SITE_TIME)}" "</span>
            <time>{move || format::time(live.now(), &zone)}</time>
            " "
            <abbr>{label}</abbr>
        </p>
    }
    .into_any()
}
