//! What both records have in common: fields to search by, a table, and the way to what is older.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::time::Timestamp;

use super::TABS;
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::page::system::tabs;
use crate::preference::t;
use crate::query::{ID, Narrowed, Place};
use crate::text::Text;
use crate::text_commands::EXPORT;
use crate::text_records as words;
use crate::view::dom;
use crate::view::errand::Errand;
use crate::view::form::{Field, Form, Kind};
use crate::view::sheet::{Entry, Sheet, show};

/// A record that the server keeps, and how a page of it is shown.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub title: Text,
    pub place: &'static Place,
    /// Where the server tells it; the sheet of all rows is called the same, and `.csv`.
    pub path: &'static str,
    pub columns: &'static [Text],
    /// The fields to search by, which are filters, too.
    pub fields: &'static [(&'static str, &'static str, Text)],
}

/// The way to the other record, the filters, the search, and the rows that this address asks for.
pub(super) fn record(live: Live, kept: Kept, filters: AnyView, entry: Entry) -> AnyView {
    let query = use_query_map();
    let narrowed = move || Narrowed::of(kept.place, &query.read());
    // An hour ago stays the same hour until somebody chooses anew.
    let question = Memo::new(move |_| match after(narrowed().value(ID)) {
        Some(before) => format!("before={before}"),
        None => narrowed().query(live.now_untracked()),
    });
    let sheet = Sheet::new();
    sheet.follow(live, move || format!("{}?limit={ROWS}&{}", kept.path, question.get()));
    let is_link = move || !narrowed().value(ID).is_empty();
    let export = view! {
        // The router would look for a page.
        <a
            href=move || format!("{}.csv?{}", kept.path, question.get())
            rel="external"
            class="chip"
            hidden=is_link
        >
            {t(EXPORT)}
        </a>
    };
    view! {
        {tabs(kept.title, &TABS)}
        <section class="panel" aria-label=t(kept.title)>
            <div class="filters">{filters}</div>
            {search(kept)}
            <p hidden=move || !is_link()>
                {t(words::FROM_HERE)}" "
                <a href=kept.place.path>{t(words::SHOW_ALL)}</a>
            </p>
            {show(live, sheet, kept.columns, entry, export.into_any())}
        </section>
    }
    .into_any()
}

/// What stands in the fields goes into the address, and the other way round.
fn search(kept: Kept) -> AnyView {
    let query = use_query_map();
    let navigate = use_navigate();
    let fields = kept.fields.iter().map(|(filter, id, label)| Field {
        value: Narrowed::of(kept.place, &query.read_untracked()).value(filter).to_owned(),
        ..Field::new(id, *label, Kind::Plain("off"))
    });
    let fields = fields.collect::<Vec<_>>();
    Effect::new(move |_| {
        let narrowed = Narrowed::of(kept.place, &query.read());
        kept.fields.iter().for_each(|(filter, id, _)| dom::set(id, narrowed.value(filter)));
    });
    let navigate = StoredValue::new_local(navigate);
    let send = move |values: Vec<String>| {
        let names = kept.fields.iter().map(|(filter, ..)| *filter);
        let changes: Vec<_> = names.zip(values.iter().map(|value| value.trim())).collect();
        let address = Narrowed::of(kept.place, &query.read_untracked()).with_all(&changes);
        navigate.with_value(|navigate| navigate(&address, NavigateOptions::default()));
    };
    let errand = Errand::new();
    view! {
        <div class="search" role="search">
            <Form fields submit=words::SEARCH errand send=Callback::new(send)/>
        </div>
    }
    .into_any()
}

/// The time of a line, as a link to it that somebody else can open.
pub(super) fn moment(live: Live, place: &'static Place, at: Timestamp, id: u64) -> AnyView {
    let query = use_query_map();
    let link = format!("{}-{id}", at.as_millis());
    let href = format!("{}?{ID}={link}", place.path);
    let is_chosen = move || Narrowed::of(place, &query.read()).value(ID) == link;
    let shown = format::date_time(at, &live.home_zone());
    view! {
        <td><a href=href aria-current=move || is_chosen().then_some("true")>{shown}</a></td>
    }
    .into_any()
}

/// A word that has a name in the language of the page, or the word itself.
pub(super) fn named(text: Option<Text>, word: &str, language: Language) -> String {
    text.map_or(word, |text| text.of(language)).to_owned()
}

/// The place right behind a line: what is before it begins with the line itself.
fn after(link: &str) -> Option<String> {
    let (at, id) = link.split_once('-')?;
    let (at, id): (u64, u64) = (at.parse().ok()?, id.parse().ok()?);
    Some(format!("{at}-{}", id.checked_add(1)?))
}

/// As many as a screen or two show.
const ROWS: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_line_begins_with_it() {
        assert_eq!(after("1763705002123-17").as_deref(), Some("1763705002123-18"));
        let last = format!("1-{}", u64::MAX);
        for foreign in ["", "17", "x-1", "1-x", "1-2&text=x", last.as_str()] {
            assert_eq!(after(foreign), None, "{foreign}");
        }
    }
}
