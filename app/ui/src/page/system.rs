//! What administrators see to: who may come in, and who is here.

pub(crate) mod sessions;
pub(crate) mod users;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use protocol::user::Right;

use crate::live::Live;
use crate::page::missing::Missing;
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_people as words;

/// A page for those who have the right, and a word to the others; the server is asked by nobody else.
pub(crate) fn for_those_who_may(right: Right, page: fn(Live) -> AnyView) -> AnyView {
    let live = expect_context::<Live>();
    live.show(None);
    if untrack(|| live.may(right)) {
        page(live)
    } else {
        view! { <Missing what=words::NO_RIGHT/> }.into_any()
    }
}

/// The title, and the way to the other tab.
pub(crate) fn tabs(title: Text, tabs: &'static [(&'static str, Text)]) -> AnyView {
    let language = language();
    let tab = |&(path, name): &'static (&'static str, Text)| {
        view! { <li><A href=path exact=true attr:class="chip">{t(name)}</A></li> }.into_any()
    };
    view! {
        <Title text=move || title.of(language())/>
        <h1>{t(title)}</h1>
        <nav aria-label=t(title)><ul class="chips">{tabs.iter().map(tab).collect_view()}</ul></nav>
    }
    .into_any()
}

pub(crate) const TABS: [(&str, Text); 2] =
    [("/system/users", words::USERS), ("/system/sessions", words::SESSIONS)];
