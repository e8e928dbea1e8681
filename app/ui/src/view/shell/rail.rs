//! The places there are: a rail at the side, tabs at the foot of a phone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::live::Live;
use crate::preference::t;
use crate::text;
use crate::text_commands::COMMANDS;
use crate::view::icon::{Icon, Shape};

#[component]
pub(super) fn Rail() -> impl IntoView {
    let path = use_location().pathname;
    let here = move |is_here: bool| is_here.then_some("page");
    let is_device = move || path.read().starts_with("/devices/");
    let device = device_href(expect_context::<Live>()).map(|href| {
        view! {
            <a href=href aria-current=move || here(is_device())>
                <Icon shape=Shape::Board/>
                <span>{t(text::DEVICES)}</span>
            </a>
        }
        .into_any()
    });
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
        </nav>
    }
    .into_any()
}

/// Where "devices" leads to: the device of this tab's connection.
pub(super) fn device_href(live: Live) -> Option<String> {
    let home = live.page(|page| page.home.clone());
    home.map(|home| format!("/devices/{home}"))
}
