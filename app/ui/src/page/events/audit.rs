//! The audit trail: who did what, and what came of it.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::json;
use protocol::user::Right;
use protocol::wire::records::AuditRow;

use super::record::{Kept, moment, named, record};
use crate::choice::Language;
use crate::live::Live;
use crate::page::system::for_those_who_may;
use crate::query::{ID, Place, RANGE};
use crate::text_people::{self as people, FROM, RESULT, WHEN};
use crate::text_records as words;
use crate::view::chips::ranges;
use crate::view::sheet::Entry;
use crate::view::table::cell;

#[component]
pub(crate) fn AuditView() -> impl IntoView {
    for_those_who_may(Right::Records, audit)
}

fn audit(live: Live) -> AnyView {
    let shown: Entry =
        Arc::new(move |row, language| Some(entry(live, json::take(row).ok()?, language)));
    record(live, KEPT, ranges(&PLACE), shown)
}

fn entry(live: Live, line: AuditRow, language: Language) -> AnyView {
    let role = line.role.as_deref().and_then(|role| role.parse().ok());
    let role = role.map(|role| people::role(role).of(language));
    let who = [Some(line.user.as_str()), role].into_iter().flatten().collect::<Vec<_>>();
    let done = if line.is_done { words::DONE } else { words::NOT_DONE };
    let result = [done.of(language), line.detail.as_str()];
    let result: Vec<_> = result.into_iter().filter(|part| !part.is_empty()).collect();
    view! {
        <tr data-level=if line.is_done { "info" } else { "warn" }>
            {moment(live, &PLACE, line.at, line.id)}
            {cell(who.join(" · "))}
            {cell(line.from.clone())}
            {cell(named(words::action(&line.action), &line.action, language))}
            {cell(line.target.clone())}
            {cell(change(&line))}
            {cell(result.join(": "))}
        </tr>
    }
    .into_any()
}

/// `operator → viewer`.
fn change(line: &AuditRow) -> String {
    let shown = |part: &Option<String>| part.clone().unwrap_or_else(|| "—".into());
    match (&line.before, &line.after) {
        (None, None) => String::new(),
        (before, after) => format!("{} → {}", shown(before), shown(after)),
    }
}

const KEPT: Kept = Kept {
    title: words::AUDIT,
    place: &PLACE,
    path: "/api/audit",
    columns: &[WHEN, words::USER, FROM, words::ACTION, words::TARGET, words::CHANGE, RESULT],
    fields: &[
        ("user", "search-user", words::USER),
        ("target", "search-target", words::TARGET),
        ("text", "search-text", words::TEXT),
    ],
};

static PLACE: Place =
    Place { path: "/events/audit", filters: &["user", "action", "target", "text", RANGE, ID] };

#[cfg(test)]
mod tests {
    use protocol::user::Role;

    use super::*;
    use crate::first_html::{piece, signed_in};
    use crate::sample::NOW;

    #[test]
    fn a_deed_says_who_did_what_to_whom_and_what_came_of_it() {
        let line = |is_done| AuditRow {
            action: "account_changed".into(),
            after: Some("viewer".into()),
            at: NOW,
            before: Some("operator".into()),
            detail: "why".into(),
            from: "10.0.0.7".into(),
            hash: "00".into(),
            id: 7,
            is_done,
            role: Some("admin".into()),
            target: "li".into(),
            user: "wang".into(),
        };
        let shown = |language, is_done| {
            piece(signed_in(Role::Auditor), move |live| entry(live, line(is_done), language))
        };
        let table = [
            (Language::Zh, true, ["wang · 管理员", "修改账户", "operator → viewer", "已执行: why"]),
            (
                Language::En,
                false,
                ["wang · Administrator", "changed an account", "→", "not done: why"],
            ),
        ];
        for (language, is_done, texts) in table {
            let html = shown(language, is_done);
            for text in texts {
                assert!(html.contains(text), "{text} is not in {html}");
            }
        }
    }
}
