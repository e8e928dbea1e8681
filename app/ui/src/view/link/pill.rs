//! The quiet pill in the top row: `● 在线 18 ms`.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use link::status::LinkState;

use crate::live::Live;
use crate::preference::{language, t};
use crate::text;
use crate::view::hear::hear;
use crate::view::icon::{Icon, Shape};
use crate::view::shell::Open;

#[component]
pub(crate) fn LinkPill(open: RwSignal<Open>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let state = move || live.status().map_or(LinkState::Dialing { tries: 0 }, |s| s.state);
    let shape = Signal::derive(move || Shape::of_standing(live.standing()));
    let rtt = move || {
        let status = live.status().filter(link::status::Status::is_live)?;
        status.rtt.map(round_trip)
    };
    let is_open = move || open.get() == Open::Link;
    let toggle = move |_: MouseEvent| open.set(if is_open() { Open::Nothing } else { Open::Link });
    view! {
        <button
            type="button"
            class="pill"
            data-link-state=move || super::word(&state())
            aria-expanded=move || is_open().to_string()
            aria-controls="link-details"
            title=t(text::LINK_DETAILS)
            on:click=hear(toggle)
        >
            <Icon shape/>
            <span>{move || text::link(&state()).of(language())}</span>
            <span class="rtt">{move || rtt()}</span>
        </button>
    }
    .into_any()
}

/// Whole milliseconds; less than one is still a time.
pub(crate) fn round_trip(rtt: Duration) -> String {
    format!("{} ms", rtt.as_millis().max(1))
}
