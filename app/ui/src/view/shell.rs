//! What every page has around it: top row, connection bar, rail.

pub(crate) mod frame;
mod help;
mod parts;
pub(crate) mod person;
mod rail;
mod stay;
mod switches;
mod top;

use leptos::prelude::*;

use crate::live::Live;
use crate::preference::t;
use crate::text;
use crate::view::link::bar::ConnectionBar;
use crate::view::link::drawer::LinkDrawer;
use crate::view::sign_in::SignInAgain;
use help::Help;
use parts::FailingParts;
use person::PersonDrawer;
use rail::Rail;
use stay::StayBands;
use top::TopRow;

/// What is open over the page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Open {
    Nothing,
    Link,
    Help,
    Person,
}

#[component]
pub(crate) fn Shell(children: Children) -> impl IntoView {
    let live = expect_context::<Live>();
    let open = RwSignal::new(Open::Nothing);
    let is_demo = live.page(|page| page.demo);
    let demo = is_demo.then(|| {
        view! {
            <aside class="band demo" data-band="demo" aria-label=t(text::DEMO)>
                <b>{t(text::DEMO)}</b>
                <span>{t(text::DEMO_WHY)}</span>
            </aside>
        }
        .into_any()
    });
    view! {
        <div class="app" data-standing=move || live.standing().word()>
            // The router would not move the focus; the browser does.
            <a class="skip" href="#content" rel="external">{t(text::SKIP)}</a>
            <TopRow open/>
            <ConnectionBar/>
            <FailingParts/>
            <StayBands/>
            {demo}
            <noscript><p class="band">{t(text::NO_SCRIPT)}</p></noscript>
            <div class="body">
                <Rail/>
                <main id="content" tabindex="-1">{children()}</main>
                <LinkDrawer open/>
                <PersonDrawer open/>
            </div>
            <Help open/>
            <SignInAgain/>
        </div>
    }
    .into_any()
}
