//! By what the record is narrowed; all of it stands in the address.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use protocol::command::Origin;
use protocol::point::Name;

use super::query::Narrowed;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::reading::name;

#[component]
pub(super) fn Filters() -> impl IntoView {
    let live = expect_context::<Live>();
    let devices = live.page(|page| page.devices.clone());
    let devices = devices.into_iter().map(|device| (device.id.to_string(), device.name));
    let origins = Origin::ALL.into_iter().rev();
    let origins = origins.map(|origin| (origin.to_string(), own(words::origin(origin))));
    let outcomes = [("SUCCESS", words::SUCCEEDED), ("FAIL", words::FAILED)];
    let ranges = [("1h", words::LAST_HOUR), ("24h", words::LAST_DAY), ("7d", words::LAST_WEEK)];
    let known = |(value, text): (&str, Text)| (value.to_owned(), own(text));
    view! {
        <div class="filters">
            {row("origin", words::SOURCE, origins.collect())}
            {row("status", words::OUTCOME, outcomes.map(known).into())}
            {row("range", words::PERIOD, ranges.map(known).into())}
            {row("device", words::DEVICE, devices.collect())}
        </div>
    }
    .into_any()
}

fn own(text: Text) -> Name {
    Name { zh: text.zh.into(), en: text.en.into() }
}

/// One row of choices, of which one holds.
fn row(filter: &'static str, title: Text, mut choices: Vec<(String, Name)>) -> AnyView {
    choices.insert(0, (String::new(), own(words::ALL)));
    let chips = choices.into_iter().map(|(value, label)| chip(filter, value, label));
    view! {
        <div class="filter-row" role="group" aria-label=t(title)>
            <span class="muted" aria-hidden="true">{t(title)}</span>
            <ul class="chips">{chips.collect_view()}</ul>
        </div>
    }
    .into_any()
}

fn chip(filter: &'static str, value: String, label: Name) -> AnyView {
    let language = language();
    let query = use_query_map();
    let narrowed = move || Narrowed::of(&query.read());
    let chosen = value.clone();
    view! {
        <li>
            <a
                href=move || narrowed().with(filter, &value)
                class="chip"
                aria-current=move || (narrowed().value(filter) == chosen).then_some("true")
            >
                {move || name(&label, language()).to_owned()}
            </a>
        </li>
    }
    .into_any()
}
