//! Who is signed in: a button in the top row, and what it opens.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::Open;
use crate::live::Live;
use crate::live::call::Call;
use crate::preference::{language, t};
use crate::text;
use crate::text_people as words;
use crate::view::errand::Errand;
use crate::view::hear::hear;
use crate::view::icon::{Icon, Shape};

/// Nothing where nobody has to sign in.
#[component]
pub(super) fn PersonButton(open: RwSignal<Open>) -> impl IntoView {
    let live = expect_context::<Live>();
    if !live.page(|page| page.is_login_on) {
        return ().into_any();
    }
    let language = language();
    let is_open = move || open.get() == Open::Person;
    let toggle =
        move |_: MouseEvent| open.set(if is_open() { Open::Nothing } else { Open::Person });
    let user = move || live.person().map(|person| person.user);
    view! {
        <button
            type="button"
            class="switch"
            data-switch="person"
            aria-label=move || format!("{}: {}", words::ACCOUNT.of(language()), user().unwrap_or_default())
            aria-expanded=move || is_open().to_string()
            aria-controls="person"
            on:click=hear(toggle)
        >
            <Icon shape=Shape::Person/>
            <span>{move || user()}</span>
        </button>
    }
    .into_any()
}

/// Role and time left, and what can be done about them.
#[component]
pub(super) fn PersonDrawer(open: RwSignal<Open>) -> impl IntoView {
    let live = expect_context::<Live>();
    if !live.page(|page| page.is_login_on) {
        return ().into_any();
    }
    let user = move || live.person().map(|person| person.user);
    let close = move |_: MouseEvent| open.set(Open::Nothing);
    view! {
        <aside
            id="person"
            class="drawer"
            aria-labelledby="person-title"
            hidden=move || open.get() != Open::Person
        >
            <header>
                <h2 id="person-title">{move || user()}</h2>
                <button type="button" on:click=hear(close)>{t(text::CLOSE)}</button>
            </header>
            <dl class="facts">{person_facts(live)}</dl>
            <ul class="choices-of-person">
                <li><a href="/me" on:click=hear(close)>{t(words::MY_SIGN_INS)}</a></li>
                <li><a href="/me#password" on:click=hear(close)>{t(words::CHANGE_PASSWORD)}</a></li>
                <li>{sign_out(live)}</li>
            </ul>
        </aside>
    }
    .into_any()
}

pub(crate) fn person_facts(live: Live) -> AnyView {
    let language = language();
    let facts = move || {
        let Some(person) = live.person() else { return Vec::new() };
        let role = words::role(person.role).of(language());
        let may = words::role_why(person.role).of(language());
        let sites = crate::format::sites(&person.sites);
        let sites = sites.unwrap_or_else(|| words::ALL_SITES.of(language()).into());
        let facts = [
            (words::ROLE, Some(format!("{role} · {may}"))),
            (words::SITES, Some(sites)),
            (words::TIME_LEFT, live.stay().left()),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    };
    let row = |(name, value)| view! { <dt>{t(name)}</dt><dd>{value}</dd> }.into_any();
    let rows = move || facts().into_iter().map(row).collect_view().into_any();
    view! { {move || rows()} }.into_any()
}

/// Leaves the page, too: nothing of the plant stays on the screen.
pub(crate) fn sign_out(live: Live) -> AnyView {
    let errand = Errand::new();
    let leave = move |_: MouseEvent| {
        errand.run(live, Call::post("/api/logout"), |_| drop(location().set_href("/login")));
    };
    view! {
        <button type="button" on:click=hear(leave)>{t(words::SIGN_OUT)}</button>
        {errand.wrong()}
    }
    .into_any()
}
