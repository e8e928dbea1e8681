//! One conversation on the host and, under wasm-bindgen-test, in a browser.

use std::time::Duration;

use link::{Action, Config, Event, News, Notice, Policy, Session};
use protocol::digest::{Algorithm, Seal};
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::native::{ClientFrame, ClientMessage, seal_text};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn a_hole_is_asked_for_at_once() {
    // S0-56, S0-57
    let mut session = greeted();
    assert!(asked(&session.handle(heard(&update(2)), AT)).is_empty());
    let later = AT + Duration::from_millis(1);
    let lost = asked(&session.handle(heard(&update(5)), later));
    assert!(
        matches!(&lost[..], [ClientMessage::DataLost { ranges, .. }] if ranges.len() == 1),
        "{lost:?}"
    );
}

#[test]
fn a_damaged_frame_counts_for_nothing() {
    // S0-95
    let mut session = greeted();
    let text = seal_text(&seal(), &update(2)).replace("30.5", "99.5");
    let actions = session.handle(Event::Heard(text), AT);
    assert!(actions.contains(&Action::Apply(News::Notice(Notice::Tampered))), "{actions:?}");
    assert!(!actions.iter().any(|action| matches!(action, Action::Apply(News::Told { .. }))));
}

/// A session that has applied the frame with number 1.
fn greeted() -> Session {
    let config = Config {
        device: "board-1".parse().expect("a plain word"),
        seal: seal(),
        policy: Policy::native(),
        seed: 7,
        clock: Clock::new(AT, Timestamp::from_millis(1_763_689_200_000)),
        resume: None,
    };
    let mut session = Session::new(config, AT);
    assert!(session.handle(Event::Tick, AT).contains(&Action::Dial { connection: None }));
    session.handle(Event::Opened, AT);
    session.handle(heard(GREETING), AT);
    let actions = session.handle(heard(SNAPSHOT), AT);
    let is_told = |action: &Action| matches!(action, Action::Apply(News::Told { .. }));
    assert!(actions.iter().any(is_told), "{actions:?}");
    session
}

fn heard(text: &str) -> Event {
    Event::Heard(seal_text(&seal(), text))
}

fn asked(actions: &[Action]) -> Vec<ClientMessage> {
    let texts = actions.iter().filter_map(|action| match action {
        Action::Send(text) => Some(text),
        _ => None,
    });
    texts.map(|text| ClientFrame::read(text).expect("our own words").message).collect()
}

fn seal() -> Seal {
    Seal::new(Algorithm::Md5, "key")
}

fn update(seq: u64) -> String {
    format!(
        r#"{{"data":{{"points":{{"temperature":{{"q":"good","t":5,"v":30.5}}}}}},"device_id":"board-1","epoch":"e1","seq":{seq},"timestamp":5,"type":"DATA_UPDATE"}}"#
    )
}

const AT: Instant = Instant::from_millis(1_000);

const GREETING: &str = r#"{"data":{"connection_id":"c-1","epoch":"e1","full_snapshot_interval_ms":30000,"heartbeat_interval_ms":10000,"resumed":false,"role":"operator","server_version":"0.1.0","user":"anonymous"},"device_id":"board-1","epoch":"e1","timestamp":5,"type":"CONNECT_SUCCESS"}"#;

const SNAPSHOT: &str = r#"{"data":{"device_status":"working","fault_codes":[],"links":{"board":true,"pscada":false,"system_server":false},"points":{"temperature":{"q":"good","t":5,"v":30.4}}},"device_id":"board-1","epoch":"e1","seq":1,"timestamp":5,"type":"FULL_SNAPSHOT"}"#;
