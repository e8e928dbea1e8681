//! By what the record is narrowed; all of it stands in the address.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_query_map;
use protocol::command::Origin;

use super::query::Narrowed;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::reading::name;

#[component]
pub(super) fn Filters() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let query = use_query_map();
    let narrowed = Memo::new(move |_| Narrowed::of(&query.read()));
    let say = move |text: Text| Signal::derive(move || text.of(language()).to_owned());
    let origins = Origin::ALL.into_iter().rev();
    let origins = origins.map(|origin| (origin.to_string(), say(words::origin(origin))));
    let outcomes = [("SUCCESS", words::SUCCEEDED), ("FAIL", words::FAILED)];
    let ranges = [("1h", words::LAST_HOUR), ("24h", words::LAST_DAY), ("7d", words::LAST_WEEK)];
    let devices = live.page(|page| page.devices.clone());
    let devices = devices.into_iter().map(|device| {
        let title = Signal::derive(move || name(&device.name, language()).to_owned());
        (device.id.to_string(), title)
    });
    let owned = move |(value, text): (&str, Text)| (value.to_owned(), say(text));
    view! {
        <div class="filters">
            <Chips name="origin" title=words::SOURCE choices=origins.collect() narrowed/>
            <Chips name="status" title=words::OUTCOME choices=outcomes.map(owned).into() narrowed/>
            <Chips name="range" title=words::PERIOD choices=ranges.map(owned).into() narrowed/>
            <Chips name="device" title=words::DEVICE choices=devices.collect() narrowed/>
        </div>
    }
    .into_any()
}

/// One row of choices, of which one holds.
#[component]
fn Chips(
    name: &'static str,
    title: Text,
    choices: Vec<(String, Signal<String>)>,
    narrowed: Memo<Narrowed>,
) -> impl IntoView {
    let language = language();
    let all = (String::new(), Signal::derive(move || words::ALL.of(language()).to_owned()));
    let chosen = move || {
        narrowed.with(|narrowed| {
            let chosen = match name {
                "device" => &narrowed.device,
                "origin" => &narrowed.origin,
                "range" => &narrowed.range,
                _ => &narrowed.status,
            };
            chosen.clone().unwrap_or_default()
        })
    };
    let chips = [all].into_iter().chain(choices).map(|(value, label)| {
        let is_chosen = {
            let value = value.clone();
            move || (chosen() == value).then_some("true")
        };
        let word = if value.is_empty() { "all".to_owned() } else { value.clone() };
        let href = move || narrowed.with(|narrowed| narrowed.with(name, &value));
        view! {
            <li>
                <A href=href attr:class="chip" attr:data-value=word attr:aria-current=is_chosen>
                    {move || label.get()}
                </A>
            </li>
        }
        .into_any()
    });
    view! {
        <div class="filter-row" data-filter=name role="group" aria-label=t(title)>
            <span class="muted" aria-hidden="true">{t(title)}</span>
            <ul class="chips">{chips.collect_view()}</ul>
        </div>
    }
    .into_any()
}
