//! The last events of the plant, newest first.

use leptos::prelude::*;
use protocol::device::{DeviceStatus, Peer};
use protocol::frame::{CommandExecuted, StateChanged};
use protocol::time::Timestamp;

use crate::bootstrap::{Happening, What};
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::live::events::HOLE_IN_VALUES;
use crate::preference::{language, t};
use crate::text;
use crate::text_commands as words;
use crate::view::progress::{failure, who};
use crate::view::reading::name;

#[component]
pub(crate) fn Happenings(most: usize) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let lines = move || {
        let events = live.events().get();
        let shown = events.into_iter().take(most);
        shown.map(|happening| line(live, &happening, language())).collect_view().into_any()
    };
    let is_empty = move || live.events().with(Vec::is_empty);
    view! {
        <section class="panel" aria-labelledby="last-events">
            <h2 id="last-events">{t(text::LAST_EVENTS)}</h2>
            <p class="muted" hidden=move || !is_empty()>{t(text::NO_EVENTS)}</p>
            <ol class="events">{move || lines()}</ol>
        </section>
    }
    .into_any()
}

fn line(live: Live, happening: &Happening, language: Language) -> impl IntoView + use<> {
    let zone = live.zone(&happening.device);
    let at = happening.what.at();
    let shown = format::moment(at, live.now_untracked(), &zone);
    let device = live.page(|page| {
        let known = page.devices.iter().find(|device| device.id == happening.device);
        known.map_or_else(|| happening.device.to_string(), |d| name(&d.name, language).to_owned())
    });
    view! {
        <li data-event=kind(&happening.what)>
            <time datetime=format::iso(at)>{shown}</time>
            <b>{device}</b>
            <span>{sentence(live, happening, language)}</span>
        </li>
    }
    .into_any()
}

fn kind(what: &What) -> String {
    match what {
        What::Executed(executed) => format!("command/{}", executed.command),
        What::Changed(change) => change.what.clone(),
    }
}

fn sentence(live: Live, happening: &Happening, language: Language) -> String {
    match &happening.what {
        What::Executed(executed) => command(live, executed, language),
        What::Changed(change) => changed(live, happening, change, language),
    }
}

/// `设置温度报警阈值 30.5 → 32 · 本地 anonymous · 完成`.
fn command(live: Live, executed: &CommandExecuted, language: Language) -> String {
    let title = live.title(&executed.command);
    let title = title.map_or_else(|| executed.command.clone(), |t| name(&t, language).to_owned());
    let change = match (executed.old, executed.new, &executed.param) {
        (Some(old), Some(new), Some(_)) => format!(" {old} → {new}"),
        (_, _, Some(param)) => format!(" {param}"),
        _ => String::new(),
    };
    let outcome = match executed.reason {
        None => words::SUCCEEDED.of(language).to_owned(),
        reason => failure(reason, None, language).text,
    };
    let who = who(executed.origin, &executed.user, language);
    format!("{title}{change} · {who} · {outcome}")
}

fn changed(live: Live, happening: &Happening, fact: &StateChanged, language: Language) -> String {
    let StateChanged { old, new, what, .. } = fact;
    let change = |what: &str, old: &str, new: &str| format!("{what} {old} → {new}");
    match what.split_once('/') {
        Some(("fault_code", code)) => {
            let raised = if new == "ON" { text::EVENT_RAISED } else { text::EVENT_CLEARED };
            format!("{} {code} {}", text::EVENT_FAULT.of(language), raised.of(language))
        }
        Some(("link", word)) => change(
            Peer::ALL
                .into_iter()
                .find(|peer| peer.to_string() == word)
                .map_or(word, |peer| text::peer(peer).of(language)),
            reach(old, language),
            reach(new, language),
        ),
        Some(("hole", _)) => hole(live, happening, fact, language),
        Some(("point", key)) => change(&point(live, happening, key, language), old, new),
        _ => change(text::EVENT_STATUS.of(language), status(old, language), status(new, language)),
    }
}

/// `数据缺失 12:00:01 – 12:00:09`.
fn hole(live: Live, happening: &Happening, fact: &StateChanged, language: Language) -> String {
    let StateChanged { old, new, what, .. } = fact;
    let zone = live.zone(&happening.device);
    let time = |millis: &str| {
        format::time(Timestamp::from_millis(millis.parse().unwrap_or_default()), &zone)
    };
    let text = if what == HOLE_IN_VALUES { text::HOLE_IN_VALUES } else { text::HOLE_IN_ALL };
    format!("{} {} – {}", text.of(language), time(old), time(new))
}

fn point(live: Live, happening: &Happening, key: &str, language: Language) -> String {
    let known = live.point(&happening.device, key);
    known.map_or_else(|| key.to_owned(), |point| name(&point.name, language).to_owned())
}

fn reach(word: &str, language: Language) -> &'static str {
    if word == "true" { text::UP.of(language) } else { text::DOWN.of(language) }
}

fn status(word: &str, language: Language) -> &'static str {
    use DeviceStatus::{Alarm, Fault, Testing, Working};
    let known = [Working, Testing, Alarm, Fault].into_iter().find(|s| s.to_string() == word);
    known.map_or(text::UNKNOWN, text::status).of(language)
}
