//! Accounts: who may come in, as what, and where.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use protocol::id::SiteId;
use protocol::json;
use protocol::user::{Right, Role, Scope};
use protocol::wire::people::{Account, AccountChange, NewAccount};

use super::{TABS, for_those_who_may, tabs};
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::live::call::Call;
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands::CANCEL;
use crate::text_people as words;
use crate::view::confirm::{Confirm, Question};
use crate::view::errand::Errand;
use crate::view::form::{Field, Form, Kind};
use crate::view::hear::hear;
use crate::view::modal::Modal;
use crate::view::sheet::{Entry, Sheet, show};
use crate::view::table::{cell, holding, row};

/// What lies over the page.
#[derive(Clone)]
enum Draft {
    New,
    Change(Account),
}

/// What a row of the table can bring up.
#[derive(Clone, Copy)]
struct Desk {
    live: Live,
    draft: RwSignal<Option<Draft>>,
    asked: RwSignal<Option<Question>>,
}

impl Desk {
    fn edit(self, draft: Draft) {
        self.draft.set(Some(draft));
    }
}

#[component]
pub(crate) fn UsersPage() -> impl IntoView {
    for_those_who_may(Right::Administer, users)
}

fn users(live: Live) -> AnyView {
    let desk = Desk { live, draft: RwSignal::new(None), asked: RwSignal::new(None) };
    let accounts = Sheet::new();
    accounts.follow(live, || "/api/users".into());
    let again = Callback::new(move |()| accounts.again(live));
    let row: Entry =
        Arc::new(move |row, language| Some(entry(desk, json::take(row).ok()?, language)));
    let add = button(desk, words::ADD_USER, String::new(), Box::new(move || desk.edit(Draft::New)));
    view! {
        {tabs(words::USERS, &TABS)}
        <section class="panel" aria-labelledby="users">
            <h2 id="users">{t(words::USERS)}</h2>
            {show(live, accounts, &COLUMNS, row, add)}
        </section>
        <Confirm asked=desk.asked done=again/>
        {editor(live, desk.draft, again)}
    }
    .into_any()
}

fn entry(desk: Desk, account: Account, language: Language) -> AnyView {
    let zone = desk.live.home_zone();
    let at = |at| format::date_time(at, &zone);
    let sites = format::sites(&account.sites);
    let cells = [
        account.name.clone(),
        words::role(account.role).of(language).into(),
        sites.unwrap_or_else(|| words::ALL_SITES.of(language).into()),
        standing(&account, at, desk.live, language),
        account.signed_in_at.map_or_else(|| words::NEVER.of(language).into(), at),
    ];
    let mut cells: Vec<_> = cells.into_iter().map(cell).collect();
    cells.push(holding(actions(desk, account)));
    row(cells)
}

fn standing(
    account: &Account,
    at: impl Fn(protocol::time::Timestamp) -> String,
    live: Live,
    language: Language,
) -> String {
    let word = if account.is_disabled { words::DISABLED } else { words::ENABLED };
    let now = live.now_untracked();
    let until = account.locked_until.filter(|until| *until > now);
    let locked = until.map(|until| words::locked_until(language, &at(until)));
    let is_new = account.must_change_password;
    let is_new = is_new.then(|| words::NOT_CHANGED_YET.of(language).to_owned());
    let parts = [Some(word.of(language).to_owned()), locked, is_new];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn actions(desk: Desk, account: Account) -> AnyView {
    let name = account.name.clone();
    let path = format!("/api/users/{name}");
    let turned = AccountChange {
        is_disabled: !account.is_disabled,
        role: account.role,
        sites: account.sites.clone(),
        password: None,
    };
    let ask = move |title, consequence, call: Call, whom: &str| {
        desk.asked.set(Some(Question { title, whom: whom.into(), consequence, call }));
    };
    let word = if account.is_disabled { words::ENABLE } else { words::DISABLE };
    let turn = Call::put(path.clone()).with(&turned);
    let unlock = Call::post(format!("{path}/unlock"));
    let remove = Call::delete(path);
    let is_locked = account.locked_until.is_some();
    let whom = name.clone();
    let turn = button(
        desk,
        word,
        name.clone(),
        Box::new(move || {
            ask(word, words::CUTS_OFF, turn.clone(), &whom);
        }),
    );
    let whom = name.clone();
    let unlock = is_locked.then(|| {
        button(
            desk,
            words::UNLOCK,
            name.clone(),
            Box::new(move || {
                ask(words::UNLOCK, words::UNLOCK_WHY, unlock.clone(), &whom);
            }),
        )
    });
    let whom = name.clone();
    let remove = button(
        desk,
        words::REMOVE,
        name.clone(),
        Box::new(move || {
            ask(words::REMOVE, words::REMOVE_WHY, remove.clone(), &whom);
        }),
    );
    let change = button(
        desk,
        words::CHANGE,
        name,
        Box::new(move || desk.edit(Draft::Change(account.clone()))),
    );
    view! { <span class="acts">{change}{turn}{unlock}{remove}</span> }.into_any()
}

/// Whose row it stands in is said to those who do not see it.
fn button(desk: Desk, word: Text, whom: String, press: Box<dyn Fn()>) -> AnyView {
    let language = language();
    let label = move || format!("{} {whom}", word.of(language())).trim_end().to_owned();
    view! {
        <button
            type="button"
            aria-label=label
            disabled=move || desk.live.is_locked()
            on:click=hear(move |_: MouseEvent| press())
        >
            {t(word)}
        </button>
    }
    .into_any()
}

/// The form of a new account, or of one that there is.
fn editor(live: Live, draft: RwSignal<Option<Draft>>, done: Callback<()>) -> AnyView {
    let errand = Errand::new();
    let close = move || {
        errand.forget();
        draft.set(None);
    };
    let send = Callback::new(move |values: Vec<String>| {
        let Some(draft) = draft.get_untracked() else { return };
        match call(&draft, &values) {
            None => errand.fail(words::NO_SUCH_SITE),
            Some(call) => errand.run(live, call, move |_| {
                close();
                done.run(());
            }),
        }
    });
    let form = move || {
        draft.get().map(|draft| {
            let (fields, submit, whom, note) = match &draft {
                Draft::New => (new_fields(), words::ADD, None, None),
                Draft::Change(account) => {
                    let note = Some(words::CUTS_OFF);
                    (changed_fields(account), words::SAVE, Some(account.name.clone()), note)
                }
            };
            view! {
                <p><b>{whom}</b></p>
                <p>{note.map(t)}</p>
                <Form fields submit errand send/>
            }
            .into_any()
        })
    };
    let is_open = Memo::new(move |_| draft.read().is_some());
    view! {
        <Modal id="account" is_open title=words::ACCOUNT_OF close=Some(Callback::new(move |()| close()))>
            {move || form()}
            <button type="button" on:click=hear(move |_: MouseEvent| close())>{t(CANCEL)}</button>
        </Modal>
    }
    .into_any()
}

fn new_fields() -> Vec<Field> {
    let password = Kind::Secret("new-password");
    vec![
        Field::new("account-name", words::USER, Kind::Plain("off")),
        role_field(Role::Operator),
        sites_field(&Scope::All),
        Field {
            hint: Some(words::FIRST_PASSWORD_HINT),
            ..Field::new("account-password", words::PASSWORD, password)
        },
    ]
}

fn changed_fields(account: &Account) -> Vec<Field> {
    let password = Kind::Secret("new-password");
    vec![
        role_field(account.role),
        sites_field(&account.sites),
        Field {
            hint: Some(words::FIRST_PASSWORD_HINT),
            ..Field::new("account-password", words::OTHER_PASSWORD, password)
        },
    ]
}

fn role_field(role: Role) -> Field {
    let choices = Role::ALL.map(|role| (role.name().to_owned(), words::role(role)));
    let value = role.name().to_owned();
    Field { value, ..Field::new("account-role", words::ROLE, Kind::Choice(choices.into())) }
}

fn sites_field(sites: &Scope) -> Field {
    Field {
        value: format::sites(sites).unwrap_or_default(),
        hint: Some(words::SITES_HINT),
        ..Field::new("account-sites", words::SITES, Kind::Plain("off"))
    }
}

/// What is asked of the server; `None` where a site cannot be called so.
fn call(draft: &Draft, values: &[String]) -> Option<Call> {
    match (draft, values) {
        (Draft::New, [name, role, sites, password]) => {
            let (role, sites) = (role.parse().ok()?, scope(sites)?);
            let (name, password) = (name.trim().to_owned(), password.clone());
            Some(Call::post("/api/users").with(&NewAccount { name, password, role, sites }))
        }
        (Draft::Change(account), [role, sites, password]) => {
            let change = AccountChange {
                is_disabled: account.is_disabled,
                role: role.parse().ok()?,
                sites: scope(sites)?,
                password: Some(password.clone()).filter(|password| !password.is_empty()),
            };
            Some(Call::put(format!("/api/users/{}", account.name)).with(&change))
        }
        _ => None,
    }
}

/// Nothing is everywhere, and a dash is nowhere, as the table shows it.
fn scope(text: &str) -> Option<Scope> {
    let text = text.trim();
    match text {
        "" => return Some(Scope::All),
        "—" | "-" => return Some(Scope::Sites(BTreeSet::new())),
        _ => {}
    }
    let names = text.split([',', '，', ' ', ';']).filter(|name| !name.is_empty());
    let sites: Option<BTreeSet<SiteId>> = names.map(|name| name.parse().ok()).collect();
    sites.map(Scope::Sites)
}

const COLUMNS: [Text; 6] =
    [words::USER, words::ROLE, words::SITES, words::STANDING, words::LAST_SIGN_IN, words::ACTIONS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn sites(names: &[&str]) -> Option<Scope> {
        Some(Scope::Sites(names.iter().map(|name| name.parse().unwrap()).collect()))
    }

    #[test]
    fn what_is_typed_becomes_a_scope() {
        let table = [
            ("", Some(Scope::All)),
            (" ", Some(Scope::All)),
            ("north", sites(&["north"])),
            ("north, south", sites(&["north", "south"])),
            ("north，south;north", sites(&["north", "south"])),
            ("—", sites(&[])),
            ("北", None),
        ];
        for (text, expected) in table {
            assert_eq!(scope(text), expected, "{text:?}");
        }
        for scope_shown in [Scope::All, sites(&[]).unwrap(), sites(&["a", "b"]).unwrap()] {
            let shown = format::sites(&scope_shown).unwrap_or_default();
            assert_eq!(scope(&shown), Some(scope_shown), "it reads back as it is shown");
        }
    }

    #[test]
    fn an_account_says_how_it_stands_and_what_can_be_done() {
        let shown = |language, change: fn(&mut Account)| {
            crate::first_html::piece(crate::first_html::signed_in(Role::Admin), move |live| {
                let desk = Desk { live, draft: RwSignal::new(None), asked: RwSignal::new(None) };
                let mut account = sample::account();
                change(&mut account);
                entry(desk, account, language)
            })
        };
        let html = shown(Language::Zh, |_| {});
        for text in
            ["wang", "审计员", "启用 · 锁定至 2025-11-21 14:13:22 · 待改密码", "从未", "解锁"]
        {
            assert!(html.contains(text), "{text} is not in {html}");
        }
        let html = shown(Language::En, |account| {
            (account.is_disabled, account.locked_until) = (true, None);
            account.must_change_password = false;
        });
        assert!(html.contains("Auditor") && html.contains(">disabled<"), "{html}");
        assert!(html.contains("启用 wang") && !html.contains("解锁"), "{html}");
        assert!(html.contains("aria-label=\"删除 wang\""), "{html}");
    }

    #[test]
    fn a_form_shows_what_there_is_and_asks_for_the_rest() {
        let html = crate::first_html::piece(crate::first_html::signed_in(Role::Admin), |live| {
            let draft = RwSignal::new(Some(Draft::Change(sample::account())));
            editor(live, draft, Callback::new(|()| ()))
        });
        for text in ["value=\"auditor\" selected", "account-sites", "须重新登录", "留空不变"]
        {
            assert!(html.contains(text), "{text} is not in {html}");
        }
        assert!(!html.contains("account-name"), "a name stays as it is");
    }

    #[test]
    fn a_form_becomes_a_request() {
        let text = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        let new = call(&Draft::New, &text(&[" li ", "viewer", "", "a long password"])).unwrap();
        let body = r#"{"name":"li","password":"a long password","role":"viewer","sites":null}"#;
        assert_eq!(new, Call { body: Some(body.into()), ..Call::post("/api/users") });
        let draft = Draft::Change(sample::account());
        let change = call(&draft, &text(&["auditor", "plant", ""])).unwrap();
        let body = r#"{"is_disabled":false,"role":"auditor","sites":["plant"]}"#;
        assert_eq!(change, Call { body: Some(body.into()), ..Call::put("/api/users/wang") });
        assert_eq!(call(&draft, &text(&["auditor", "a/b", ""])), None);
    }
}
