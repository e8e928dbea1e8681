//! Who is signed in, and which connections there are; both as of a few seconds ago.

use std::sync::Arc;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use protocol::json;
use protocol::time::Timestamp;
use protocol::user::Right;
use protocol::wire::people::SessionLine;
use serde::Deserialize;

use super::{TABS, for_those_who_may, tabs};
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::live::call::Call;
use crate::preference::t;
use crate::text::{self, Text};
use crate::text_people as words;
use crate::view::confirm::{Confirm, Question};
use crate::view::hear::hear;
use crate::view::sheet::{Entry, Sheet, show};
use crate::view::table::{cell, holding, row};

/// A connection as `GET /api/connections` tells it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Connection {
    connection: String,
    device: String,
    peer: Option<String>,
    resumed: bool,
    role: String,
    since: Timestamp,
    user: String,
    /// Its socket takes no more for now.
    blocked: bool,
    bytes_sent: u64,
    frames_sent: u64,
    /// Frames that wait.
    lag: u64,
    streams: Vec<Stream>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Stream {
    stream: String,
}

#[component]
pub(crate) fn SessionsPage() -> impl IntoView {
    for_those_who_may(Right::Administer, sessions)
}

fn sessions(live: Live) -> AnyView {
    let asked = RwSignal::new(None::<Question>);
    let sign_ins = Sheet::new();
    let connections = Sheet::new();
    sign_ins.follow(live, || "/api/sessions".into());
    connections.follow(live, || "/api/connections".into());
    sign_ins.repeat(live);
    connections.repeat(live);
    let again = move || {
        sign_ins.again(live);
        connections.again(live);
    };
    let sign_in_row: Entry =
        Arc::new(move |row, language| Some(sign_in(live, json::take(row).ok()?, asked, language)));
    let connection_row: Entry =
        Arc::new(move |row, language| Some(connection(live, &json::take(row).ok()?, language)));
    view! {
        {tabs(words::SESSIONS, &TABS)}
        <p class="more">
            <button type="button" on:click=hear(move |_: MouseEvent| again())>{t(words::REFRESH)}</button>
        </p>
        <section class="panel" aria-labelledby="sessions">
            <h2 id="sessions">{t(words::SIGN_INS)}</h2>
            {show(live, sign_ins, &SIGN_IN_COLUMNS, sign_in_row, ().into_any())}
        </section>
        <section class="panel" aria-labelledby="connections">
            <h2 id="connections">{t(words::CONNECTIONS)}</h2>
            {show(live, connections, &CONNECTION_COLUMNS, connection_row, ().into_any())}
        </section>
        <Confirm asked done=Callback::new(move |()| again())/>
    }
    .into_any()
}

fn sign_in(
    live: Live,
    line: SessionLine,
    asked: RwSignal<Option<Question>>,
    language: Language,
) -> AnyView {
    let zone = live.home_zone();
    let at = |at| format::moment(at, live.now_untracked(), &zone);
    let role = words::role(line.role).of(language).to_owned();
    let cells = [line.user.clone(), role, line.from.clone(), at(line.since), at(line.expires)];
    let mut cells: Vec<_> = cells.into_iter().map(cell).collect();
    let whom = format!("{} · {}", line.user, line.from);
    let kick = move |_: MouseEvent| {
        asked.set(Some(Question {
            title: words::KICK,
            whom: whom.clone(),
            consequence: words::KICK_WHY,
            call: Call::delete(format!("/api/sessions/{}", line.id)),
        }));
    };
    cells.push(holding(match line.is_own {
        true => view! { <span class="muted">{words::OWN.of(language)}</span> }.into_any(),
        false => view! {
            <button
                type="button"
                aria-label=format!("{}: {}", words::KICK.of(language), line.user)
                disabled=move || live.is_locked()
                on:click=hear(kick)
            >
                {words::KICK.of(language)}
            </button>
        }
        .into_any(),
    }));
    row(cells)
}

fn connection(live: Live, line: &Connection, language: Language) -> AnyView {
    let since = format::moment(line.since, live.now_untracked(), &live.home_zone());
    let streams: Vec<_> = line.streams.iter().map(|line| line.stream.as_str()).collect();
    let user = format!("{} · {}", line.user, known_role(&line.role, language));
    let href = format!("/events?connection_id={}", line.connection);
    let name = view! { <a href=href><code>{line.connection.clone()}</code></a> }.into_any();
    let mut queue = line.lag.to_string();
    if line.blocked {
        queue = format!("{queue} · {}", words::BLOCKED.of(language));
    }
    let mut peer = line.peer.clone().unwrap_or_default();
    if line.resumed {
        peer = format!("{peer} · {}", words::RESUMED.of(language));
    }
    let sent = text::frames_and_bytes(language, line.frames_sent, line.bytes_sent);
    row(vec![
        cell(user),
        cell(peer),
        holding(name),
        cell(line.device.clone()),
        cell(since),
        cell(streams.join(", ")),
        cell(queue),
        cell(sent),
    ])
}

/// A role of ours has a name; other words stay as they are.
fn known_role(word: &str, language: Language) -> String {
    let role: Result<protocol::user::Role, _> = word.parse();
    role.map_or_else(|_| word.to_owned(), |role| words::role(role).of(language).to_owned())
}

const SIGN_IN_COLUMNS: [Text; 6] =
    [words::USER, words::ROLE, words::FROM, words::SINCE, words::UNTIL, words::ACTIONS];

const CONNECTION_COLUMNS: [Text; 8] = [
    words::USER,
    words::FROM,
    words::CONNECTION,
    words::DEVICE,
    words::SINCE,
    words::STREAMS,
    words::QUEUE,
    words::SENT,
];

#[cfg(test)]
mod tests {
    use protocol::user::Role;

    use super::*;
    use crate::first_html::{piece, signed_in};
    use crate::sample::NOW;

    fn connections() -> Vec<Connection> {
        json::read(TOLD).unwrap()
    }

    #[test]
    fn a_connection_is_read_as_the_gateway_writes_it() {
        let read = connections();
        let [connection] = &read[..] else { panic!("one connection") };
        assert_eq!((connection.user.as_str(), connection.lag), ("li", 1));
        assert_eq!(connection.streams[0].stream, "device/board-1");
    }

    #[test]
    fn a_connection_says_whose_it_is_and_how_it_fares() {
        let shown = |language| {
            piece(signed_in(Role::Admin), move |live| connection(live, &connections()[0], language))
        };
        for (language, texts) in [
            (Language::Zh, ["li · 操作员", "1 · 接收阻塞", "3 帧 · 1 KB", "续连"]),
            (Language::En, ["li · Operator", "1 · takes no more", "3 frames · 1 KB", "resumed"]),
        ] {
            let html = shown(language);
            for text in texts.into_iter().chain(["href=\"/events?connection_id=c-1\""]) {
                assert!(html.contains(text), "{text} is not in {html}");
            }
        }
    }

    #[test]
    fn nobody_signs_themselves_out_by_mistake() {
        let shown = |is_own| {
            let line = SessionLine {
                expires: NOW,
                from: "10.0.0.7".into(),
                id: "s-1".into(),
                is_own,
                role: Role::Viewer,
                since: NOW,
                user: "li".into(),
            };
            piece(signed_in(Role::Admin), move |live| {
                sign_in(live, line, RwSignal::new(None), Language::Zh)
            })
        };
        assert!(shown(true).contains("本次登录") && !shown(true).contains("<button"));
        assert!(shown(false).contains("强制下线: li"));
    }

    /// As the gateway writes it.
    const TOLD: &str = r#"[{"connection":"c-1","device":"board-1","peer":"10.0.0.7:50000","resumed":true,"role":"operator","since":1,"user":"li","blocked":true,"heard_at":2,"bytes_sent":300,"frames_sent":3,"lag":1,"streams":[{"stream":"device/board-1","seq":7,"lag":1}]}]"#;
}
