//! The log: what happened to connections and sign-ins (S0-80, S0-81).

use std::sync::Arc;

use leptos::prelude::*;
use protocol::json;
use protocol::user::Right;
use protocol::wire::records::{Level, LogRow};

use super::record::{Kept, moment, named, record};
use crate::choice::Language;
use crate::live::Live;
use crate::page::system::for_those_who_may;
use crate::query::{ID, Place, RANGE};
use crate::text::frames_and_bytes;
use crate::text_people::{CONNECTION, CONNECTIONS, DEVICE, WHEN};
use crate::text_records as words;
use crate::view::chips::{ranges, row, texts};
use crate::view::sheet::Entry;
use crate::view::table::{cell, holding};

#[component]
pub(crate) fn LogView() -> impl IntoView {
    for_those_who_may(Right::Records, log)
}

fn log(live: Live) -> AnyView {
    let levels = texts(&[("WARN", words::WARNINGS), ("ERROR", words::ERRORS)]);
    let modules = texts(&[("WebSocket", CONNECTIONS), ("Auth", words::SIGNING_IN)]);
    let filters = vec![
        row(&PLACE, "level", words::LEVEL, levels),
        row(&PLACE, "module", words::MODULE, modules),
        ranges(&PLACE),
    ];
    let shown: Entry =
        Arc::new(move |row, language| Some(entry(live, json::take(row).ok()?, language)));
    record(live, KEPT, filters.into_any(), shown)
}

fn entry(live: Live, line: LogRow, language: Language) -> AnyView {
    let connection = line.connection_id.map(|id| {
        // All that happened to it, whatever else the page was narrowed to.
        let href = format!("{}?connection_id={id}", PLACE.path);
        view! { <a href=href><code>{id}</code></a> }.into_any()
    });
    let sent = line.frames_sent.zip(line.bytes_sent);
    let sent = sent.map(|(frames, bytes)| frames_and_bytes(language, frames, bytes));
    let detail = [Some(line.detail).filter(|detail| !detail.is_empty()), sent];
    let detail: Vec<_> = detail.into_iter().flatten().collect();
    let level = words::level(line.level).of(language).to_owned();
    view! {
        <tr data-level=word(line.level)>
            {moment(live, &PLACE, line.at, line.id)}
            {cell(level)}
            {cell(named(words::kind(&line.kind), &line.kind, language))}
            {cell(line.device_id.unwrap_or_default())}
            {holding(connection.into_any())}
            {cell(line.user.unwrap_or_default())}
            {cell(detail.join(" · "))}
        </tr>
    }
    .into_any()
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

const KEPT: Kept = Kept {
    title: words::EVENTS,
    place: &PLACE,
    path: "/api/logs/websocket",
    columns: &[WHEN, words::LEVEL, words::KIND, DEVICE, CONNECTION, words::USER, words::DETAIL],
    fields: &[
        ("connection_id", "search-connection", CONNECTION),
        ("user", "search-user", words::USER),
        ("text", "search-text", words::TEXT),
    ],
};

static PLACE: Place = Place {
    path: "/events",
    filters: &["connection_id", "device", "kind", "level", "module", "user", "text", RANGE, ID],
};

#[cfg(test)]
mod tests {
    use protocol::user::Role;

    use super::*;
    use crate::first_html::{piece, signed_in};
    use crate::sample::NOW;

    #[test]
    fn a_line_leads_to_itself_and_to_all_of_its_connection() {
        // S0-80
        let line = |kind: &str| LogRow {
            at: NOW,
            bytes_sent: Some(300),
            connection_id: Some("c-1".into()),
            detail: "code 4401".into(),
            device_id: Some("board-1".into()),
            frames_sent: Some(3),
            id: 7,
            kind: kind.into(),
            level: Level::Warn,
            module: "WebSocket".into(),
            user: Some("li".into()),
        };
        let shown = |language, kind| {
            piece(signed_in(Role::Admin), move |live| entry(live, line(kind), language))
        };
        let html = shown(Language::Zh, "closed");
        let links = ["href=\"/events?id=1763705002123-7\"", "href=\"/events?connection_id=c-1\""];
        let words = ["2025-11-21 14:03:22", "警告", "连接关闭", "code 4401 · 3 帧 · 1 KB"];
        for text in links.into_iter().chain(words) {
            assert!(html.contains(text), "{text} is not in {html}");
        }
        let html = shown(Language::En, "something_new");
        assert!(html.contains("something_new") && html.contains("Warning"), "{html}");
    }
}
