//! Rows of choices by which a page is narrowed; what is chosen stands in the address.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use protocol::point::Name;

use crate::preference::{language, t};
use crate::query::{Narrowed, Place, RANGE};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::reading::name;

pub(crate) fn own(text: Text) -> Name {
    Name { zh: text.zh.into(), en: text.en.into() }
}

/// How far back.
pub(crate) fn ranges(place: &'static Place) -> AnyView {
    let ranges = [("1h", words::LAST_HOUR), ("24h", words::LAST_DAY), ("7d", words::LAST_WEEK)];
    row(place, RANGE, words::PERIOD, texts(&ranges))
}

pub(crate) fn texts(choices: &[(&str, Text)]) -> Vec<(String, Name)> {
    choices.iter().map(|(value, text)| ((*value).to_owned(), own(*text))).collect()
}

/// One row of choices, of which one holds.
pub(crate) fn row(
    place: &'static Place,
    filter: &'static str,
    title: Text,
    mut choices: Vec<(String, Name)>,
) -> AnyView {
    choices.insert(0, (String::new(), own(words::ALL)));
    let chips = choices.into_iter().map(|(value, label)| chip(place, filter, value, label));
    view! {
        <div class="filter-row" role="group" aria-label=t(title)>
            <span class="muted" aria-hidden="true">{t(title)}</span>
            <ul class="chips">{chips.collect_view()}</ul>
        </div>
    }
    .into_any()
}

fn chip(place: &'static Place, filter: &'static str, value: String, label: Name) -> AnyView {
    let language = language();
    let query = use_query_map();
    let narrowed = move || Narrowed::of(place, &query.read());
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
