//! What stands where nothing is.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

use crate::preference::t;
use crate::text::{self, Text};

/// A page for an address that leads nowhere.
#[component]
pub(crate) fn Missing(#[prop(default = text::NOT_FOUND)] what: Text) -> impl IntoView {
    view! {
        <Title text=t(what)/>
        <section class="panel missing">
            <h1>{t(what)}</h1>
            <p><A href="/">{t(text::BACK)}</A></p>
        </section>
    }
    .into_any()
}
