//! All orders: those that wait, are carried out or hold their target, and those on record.

mod filters;
mod history;
mod queue;
mod table;

use leptos::prelude::*;
use leptos_meta::Title;

use crate::live::Live;
use crate::preference::{language, t};
use crate::query::{Place, RANGE};
use crate::text_commands as words;
use filters::Filters;
use history::History;
use queue::Queue;

#[component]
pub(crate) fn CommandsPage() -> impl IntoView {
    expect_context::<Live>().show(None);
    let language = language();
    view! {
        <Title text=move || words::COMMANDS.of(language())/>
        <h1>{t(words::COMMANDS)}</h1>
        <Queue/>
        <section class="panel" aria-labelledby="history">
            <h2 id="history">{t(words::HISTORY)}</h2>
            <Filters/>
            <History/>
        </section>
    }
    .into_any()
}

static PLACE: Place = Place { path: "/commands", filters: &["device", "origin", "status", RANGE] };
