//! The pages an operator sees: what is known of the plant, as markup.
//!
//! On the server: provide a [`Bootstrap`] as a context of the request, then render [`shell`].
//! In the browser: `let live = Live::open(); provide_context(live);`, start what feeds it, then
//! hydrate [`App`].

mod bootstrap;
mod choice;
#[cfg(test)]
mod contrast;
#[cfg(test)]
mod first_html;
mod format;
mod live;
mod order;
#[expect(unreachable_pub, reason = "`#[component]` makes the types of its arguments public")]
mod page;
mod preference;
mod query;
#[cfg(test)]
mod sample;
mod stay;
pub mod text;
mod text_commands;
mod text_people;
mod text_records;
#[expect(unreachable_pub, reason = "`#[component]` makes the types of its arguments public")]
mod view;

use leptos::config::LeptosOptions;
use leptos::prelude::*;
use leptos_meta::{Html, MetaTags, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

pub use bootstrap::{Bootstrap, Happening, Person, Told, What, Zone, device_of};
pub use choice::{Choice, Language, Theme};
pub use live::{Answer, Ask, Call, Footing, Given, Live, Method, RecordWish, State, Then, Wish};

use page::commands::CommandsPage;
use page::device::DevicePage;
use page::events::audit::AuditView;
use page::events::log::LogView;
use page::login::LoginPage;
use page::me::MePage;
use page::missing::Missing;
use page::overview::Overview;
use page::system::sessions::SessionsPage;
use page::system::users::UsersPage;
use preference::Preference;
use view::shell::frame::Frame;

/// The document around the pages; the server renders it for each request.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link id="leptos" rel="stylesheet" href="/pkg/gapless.css"/>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The console. It shows the [`Live`] of its context, or opens one.
#[component]
pub fn App() -> impl IntoView {
    let live = use_context::<Live>().unwrap_or_else(Live::open);
    provide_context(live);
    provide_meta_context();
    let preference = Preference::provide(live.page(|page| page.choice));
    view! {
        <Html
            attr:lang=move || preference.language().tag()
            attr:data-theme=move || preference.theme().word()
        />
        <Router>
            <Frame>
                <FlatRoutes fallback=|| view! { <Missing/> }>
                    <Route path=path!("/") view=Overview/>
                    <Route path=path!("/devices/:id") view=DevicePage/>
                    <Route path=path!("/commands") view=CommandsPage/>
                    <Route path=path!("/events") view=LogView/>
                    <Route path=path!("/events/audit") view=AuditView/>
                    <Route path=path!("/login") view=LoginPage/>
                    <Route path=path!("/me") view=MePage/>
                    <Route path=path!("/system/sessions") view=SessionsPage/>
                    <Route path=path!("/system/users") view=UsersPage/>
                </FlatRoutes>
            </Frame>
        </Router>
    }
}
