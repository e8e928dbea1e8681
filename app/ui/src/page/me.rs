//! One's own account: who tried to sign in to it, and its password.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::json;
use protocol::wire::people::SignInLine;

use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text_people as words;
use crate::view::password::PasswordForm;
use crate::view::sheet::{Entry, Sheet, show};
use crate::view::shell::person::person_facts;
use crate::view::table::{cell, row};

#[component]
pub(crate) fn MePage() -> impl IntoView {
    let live = expect_context::<Live>();
    live.show(None);
    let language = language();
    let lines = Sheet::new();
    lines.follow(live, || "/api/sign-ins".into());
    let is_changed = RwSignal::new(false);
    let user = move || live.person().map(|person| person.user);
    let row: Entry =
        Arc::new(move |row, language| Some(entry(live, json::take(row).ok()?, language)));
    let columns = &[words::WHEN, words::FROM, words::RESULT];
    view! {
        <Title text=move || words::ACCOUNT.of(language())/>
        <h1>{move || user()}</h1>
        <dl class="facts">{person_facts(live)}</dl>
        <section class="panel" aria-labelledby="sign-ins">
            <h2 id="sign-ins">{t(words::MY_SIGN_INS)}</h2>
            {show(live, lines, columns, row, ().into_any())}
        </section>
        <section class="panel" aria-labelledby="password">
            <h2 id="password">{t(words::CHANGE_PASSWORD)}</h2>
            <PasswordForm done=Callback::new(move |()| is_changed.set(true))/>
            <p role="status">{move || is_changed.get().then(|| words::CHANGED.of(language()))}</p>
        </section>
    }
    .into_any()
}

fn entry(live: Live, line: SignInLine, language: Language) -> AnyView {
    let at = format::date_time(line.at, &live.home_zone());
    let result = match line.reason {
        None => words::SUCCEEDED.of(language).to_owned(),
        Some(reason) => words::reason(&reason).map_or(reason, |known| known.of(language).into()),
    };
    row(vec![cell(at), cell(line.from), cell(result)])
}
