//! The places there are: a rail at the side, tabs at the foot of a phone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use protocol::user::Right;

use crate::live::Live;
use crate::preference::t;
use crate::text;
use crate::text_commands::COMMANDS;
use crate::text_people::SYSTEM;
use crate::text_records::EVENTS;
use crate::view::icon::{Icon, Shape};

#[component]
pub(super) fn Rail() -> impl IntoView {
    let path = use_location().pathname;
    let here = move |is_here: bool| is_here.then_some("page");
    let is_device = move || path.read().starts_with("/devices/");
    let live = expect_context::<Live>();
    let device = device_href(live).map(|href| {
        view! {
            <a href=href aria-current=move || here(is_device())>
                <Icon shape=Shape::Board/>
                <span>{t(text::DEVICES)}</span>
            </a>
        }
        .into_any()
    });
    // What a role may not see is not offered.
    let records = move || {
        live.may(Right::Records).then(|| {
            view! {
                <a href="/events" aria-current=move || here(path.read().starts_with("/events"))>
                    <Icon shape=Shape::Lines/>
                    <span>{t(EVENTS)}</span>
                </a>
            }
            .into_any()
        })
    };
    let system = move || {
        live.may(Right::Administer).then(|| {
            view! {
                <a href="/system/users" aria-current=move || here(path.read().starts_with("/system"))>
                    <Icon shape=Shape::People/>
                    <span>{t(SYSTEM)}</span>
                </a>
            }
            .into_any()
        })
    };
    view! {
        <nav class="rail" aria-label=t(text::NAVIGATION)>
            <a href="/" aria-current=move || here(path.read().as_str() == "/")>
                <Icon shape=Shape::Tiles/>
                <span>{t(text::OVERVIEW)}</span>
            </a>
            {device}
            <a href="/commands" aria-current=move || here(path.read().as_str() == "/commands")>
                <Icon shape=Shape::Order/>
                <span>{t(COMMANDS)}</span>
            </a>
            {move || records()}
            {move || system()}
        </nav>
    }
    .into_any()
}

/// Where "devices" leads to: the device of this tab's connection.
pub(super) fn device_href(live: Live) -> Option<String> {
    let home = live.page(|page| page.home.clone());
    home.map(|home| format!("/devices/{home}"))
}
