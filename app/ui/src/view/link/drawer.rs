//! All there is to know of the connection, behind the pill.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use link::status::{LinkState, Status};

use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text::{self, Text};
use crate::view::hear::hear;
use crate::view::link::pill::round_trip;
use crate::view::shell::Open;

#[component]
pub(crate) fn LinkDrawer(open: RwSignal<Open>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let facts = move || {
        let facts = live.status().map(|status| facts(live, &status, language()));
        let row = |(name, value): (Text, String)| view! { <dt>{t(name)}</dt><dd>{value}</dd> };
        facts.map(|facts| facts.into_iter().map(row).collect_view()).into_any()
    };
    let connection = Signal::derive(move || live.status()?.connection.map(|id| id.to_string()));
    view! {
        <aside
            id="link-details"
            class="drawer"
            aria-labelledby="link-title"
            hidden=move || open.get() != Open::Link
        >
            <header>
                <h2 id="link-title">{t(text::SERVER)}</h2>
                <button type="button" on:click=hear(move |_: MouseEvent| open.set(Open::Nothing))>{t(text::CLOSE)}</button>
            </header>
            <dl class="facts">{move || facts()}</dl>
            <ConnectionId connection/>
            <p class="muted">{t(text::SERVER_VERSION)}" "{live.page(|page| page.version.clone())}</p>
        </aside>
    }
    .into_any()
}

/// The id that support asks for, with a button that copies it where the browser permits.
#[component]
fn ConnectionId(connection: Signal<Option<String>>) -> impl IntoView {
    let language = language();
    let is_copied = RwSignal::new(false);
    let copy = move |_: MouseEvent| {
        if let Some(id) = connection.get() {
            is_copied.set(copy(&id));
        }
    };
    let label = move || if is_copied.get() { text::COPIED } else { text::COPY };
    view! {
        <p class="connection-id" hidden=move || connection.read().is_none()>
            <span class="muted">{t(text::CONNECTION_ID)}</span>
            <code data-connection-id="">{move || connection.get()}</code>
            <button type="button" on:click=hear(copy)>{move || label().of(language())}</button>
        </p>
    }
    .into_any()
}

fn facts(live: Live, status: &Status, language: Language) -> Vec<(Text, String)> {
    let zone = live.home_zone();
    let since = match status.state {
        LinkState::Live { since } => Some(since),
        _ => status.ended.map(|(_, at)| at),
    };
    let facts = [
        (text::STATE, Some(text::link(&status.state).of(language).into())),
        (text::SINCE, since.map(|at| format::date_time(live.wall(at), &zone))),
        (text::LAST_DATA, status.data_until.map(|at| format::time(at, &zone))),
        (text::RTT, status.rtt.map(round_trip)),
        (text::MISSED_BEATS, Some(status.missed_beats.to_string())),
        (text::GAPS, Some(format!("{} / {}", status.lost, status.repaired))),
        (text::TAMPERED, Some(status.tampered.to_string())),
        (text::RECONNECTS, Some(status.reconnects.to_string())),
        (text::LAST_ENDING, status.ended.map(|(why, _)| text::ending(why).of(language).into())),
        (text::SEQUENCE, status.seq.map(|seq| seq.to_string())),
        (text::EPOCH, status.epoch.as_ref().map(ToString::to_string)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Plain http has no clipboard: a person can still select the text.
fn copy(text: &str) -> bool {
    let window = window();
    if !window.is_secure_context() {
        return false;
    }
    let _ = window.navigator().clipboard().write_text(text);
    true
}
