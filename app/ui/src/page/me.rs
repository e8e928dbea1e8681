//! One's own account: who tried to sign in to it, and its password.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::wire::people::SignInLine;

use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text_people as words;
use crate::view::password::PasswordForm;
use crate::view::sheet::{Sheet, SheetView};
use crate::view::shell::person::PersonFacts;
use crate::view::table::{cell, row};

#[component]
pub(crate) fn MePage() -> impl IntoView {
    let live = expect_context::<Live>();
    live.show(None);
    let language = language();
    let lines = Sheet::<SignInLine>::list();
    lines.follow(live, || "/api/sign-ins".into());
    let is_changed = RwSignal::new(false);
    let user = move || live.person().map(|person| person.user);
    let rows = move || {
        let rows = lines.rows().into_iter();
        rows.map(|line| entry(live, line, language())).collect_view().into_any()
    };
    view! {
        <Title text=move || words::ACCOUNT.of(language())/>
        <h1>{move || user()}</h1>
        <dl class="facts"><PersonFacts/></dl>
        <section class="panel" aria-labelledby="sign-ins">
            <h2 id="sign-ins">{t(words::MY_SIGN_INS)}</h2>
            <SheetView
                remark=Signal::derive(move || lines.remark(language()))
                columns=&[words::WHEN, words::FROM, words::RESULT]
                rows=ViewFn::from(rows)
            />
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
