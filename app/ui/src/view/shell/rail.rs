//! The places there are: a rail at the side, tabs at the foot of a phone.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::live::Live;
use crate::preference::t;
use crate::text;
use crate::view::icon::{Icon, Shape};

#[component]
pub(super) fn Rail() -> impl IntoView {
    let device = device_href(expect_context::<Live>()).map(|href| {
        view! {
            <A href=href>
                <Icon shape=Shape::Board/>
                <span>{t(text::DEVICES)}</span>
            </A>
        }
    });
    view! {
        <nav class="rail" aria-label=t(text::NAVIGATION)>
            <A href="/" exact=true>
                <Icon shape=Shape::Tiles/>
                <span>{t(text::OVERVIEW)}</span>
            </A>
            {device}
        </nav>
    }
    .into_any()
}

/// Where "devices" leads to: the device of this tab's connection.
pub(super) fn device_href(live: Live) -> Option<String> {
    let home = live.page(|page| page.home.clone());
    home.map(|home| format!("/devices/{home}"))
}
