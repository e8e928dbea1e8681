//! What a page stands in: the shell, or nothing at all before somebody is let in.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::Shell;
use super::switches::Switches;
use crate::live::Live;
use crate::page::login::LoginPage;
use crate::preference::t;
use crate::text_people as words;
use crate::view::password::MustChange;

/// Whoever is not signed in, or is to choose a password, is shown nothing else.
#[component]
pub(crate) fn Frame(children: Children) -> impl IntoView {
    let live = expect_context::<Live>();
    // Only a full page load leads from one to the other.
    let is_login = use_location().pathname.get_untracked() == "/login";
    let person = live.page(|page| page.person.clone());
    let content = match person {
        Some(person) if person.must_change_password => view! { <MustChange/> }.into_any(),
        None if !is_login => view! { <LoginPage/> }.into_any(),
        _ if is_login => children().into_any(),
        _ => return view! { <Shell>{children()}</Shell> }.into_any(),
    };
    view! {
        <div class="app">
            <div class="body"><main id="content" class="bare">{content}</main></div>
            <footer class="bare" role="group" aria-label=t(words::CHOICES)><Switches/></footer>
        </div>
    }
    .into_any()
}
