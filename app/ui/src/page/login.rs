//! The way in: it shows nothing of the plant but its name.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::wire::session::SessionGrant;

use crate::live::Live;
use crate::preference::{language, t};
use crate::stay::way_back;
use crate::text;
use crate::text_people as words;
use crate::view::icon::{Icon, Shape};
use crate::view::reading::name;
use crate::view::sign_in::SignInForm;

#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let query = use_query_map();
    let site = live.page(|page| page.sites.first().map(|site| site.name.clone()));
    let notice = live.page(|page| page.notice.clone());
    let notice = move || name(&notice, language()).to_owned();
    let site = site.map(|site| {
        view! { <p class="site">{move || name(&site, language()).to_owned()}</p> }.into_any()
    });
    let done = Callback::new(move |grant: SessionGrant| {
        // Whoever has just given the password does not come to a page that is locked.
        live.back_again(&grant);
        let to = query.read_untracked().get("to");
        // The server makes another page for whoever is signed in.
        drop(location().set_href(way_back(to.as_deref())));
    });
    let form = match live.page(|page| page.is_login_on) {
        true => view! { <SignInForm user=String::new() done/> }.into_any(),
        false => view! {
            <p>{t(words::LOGIN_IS_OFF)}</p>
            <p><a href="/" rel="external">{t(text::BACK)}</a></p>
        }
        .into_any(),
    };
    view! {
        <Title text=move || words::SIGN_IN.of(language())/>
        <section class="panel entrance">
            <h1>{t(text::PRODUCT)}</h1>
            {site}
            <p class="notice">{move || notice()}</p>
            <noscript><p class="wrong">{t(words::NEEDS_SCRIPT)}</p></noscript>
            {form}
            {encryption(live)}
        </section>
    }
    .into_any()
}

fn encryption(live: Live) -> AnyView {
    let is_encrypted = live.page(|page| page.is_encrypted);
    let (shape, said) = match is_encrypted {
        true => (Shape::Lock, words::ENCRYPTED),
        false => (Shape::Triangle, words::NOT_ENCRYPTED),
    };
    view! {
        <p class="encryption" data-encrypted=is_encrypted.to_string()>
            <Icon shape/>
            <span>{t(said)}</span>
        </p>
    }
    .into_any()
}
