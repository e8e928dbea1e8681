//! What those see who look after the server, and who may.

mod exposition;

use std::time::Duration;

use gateway::serve_aside;
use protocol::frame::Sequence;
use protocol::wire::native::{ClientMessage, Position, ServerMessage};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::house::client::Client;
use crate::house::{House, Rules, TOKEN, web};
use exposition::Exposition;

async fn look(house: &House) -> Exposition {
    let answer = web::get(house.address, "/metrics", &[]).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    Exposition::read(body)
}

/// Looks until it is so.
async fn look_until(house: &House, is_so: impl Fn(&Exposition) -> bool) -> Exposition {
    loop {
        let seen = look(house).await;
        if is_so(&seen) {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

async fn connections(house: &House, query: &str) -> Vec<Value> {
    let answer = web::get(house.address, &format!("/api/connections{query}"), &[]).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn a_join_and_what_it_is_told_are_counted() {
    // S0-53
    let house = House::open().await;
    let before = look(&house).await;
    assert_eq!(before.value("ws_connections", ""), Some(0.0));
    let (mut client, _) = Client::join(&house).await;
    house.poll("board-1", 20.0).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_UPDATE").await;
    client.say(ClientMessage::Heartbeat).await;
    client.hear_until(|frame| frame.message.kind() == "HEARTBEAT_ACK").await;

    let is_counted = |seen: &Exposition| seen.value("e2e_latency_seconds_count", "") >= Some(1.0);
    let seen = look_until(&house, is_counted).await;
    let table = [
        ("ws_connections", "", 1.0),
        ("gw_ws_handshakes_total", "result=admitted", 1.0),
        ("gw_ws_handshakes_total", "result=resumed", 0.0),
        ("gw_ws_handshake_seconds_count", "", 1.0),
        ("ws_reconnects_total", "", 0.0),
        ("ws_messages_sent_total", "kind=snapshot", 1.0),
        ("ws_messages_sent_total", "kind=heartbeat", 1.0),
        ("gw_client_lag_frames_count", "", 1.0),
        ("gw_client_lag_frames_bucket", "le=0", 1.0),
        ("point_stale", "board=board-1", 0.0),
        ("point_stale", "board=board-2", 1.0),
        ("gw_drain_remaining", "", 0.0),
        ("ws_gaps_total", "", 0.0),
        ("commands_total", "origin=pscada,result=device_timeout", 0.0),
        ("command_latency_seconds_count", "origin=local,result=success", 0.0),
    ];
    for (name, labels, expected) in table {
        assert_eq!(seen.value(name, labels), Some(expected), "{name} {labels}");
    }
    for (name, labels) in [
        ("ws_messages_sent_total", "kind=delta"),
        ("gw_stream_frames_total", "kind=delta"),
        ("gw_stream_frames_total", "kind=snapshot"),
        ("gw_stream_top", "stream=device/board-1"),
        ("gw_stream_top", "stream=site/plant"),
        ("gw_ring_bytes", ""),
        ("gw_bytes_out_total", ""),
        ("gw_writes_total", ""),
        ("gw_frames_per_write_count", ""),
        ("gw_push_latency_seconds_count", ""),
        ("process_resident_memory_bytes", ""),
        ("process_cpu_seconds_total", ""),
        ("process_open_fds", ""),
        ("process_start_time_seconds", ""),
    ] {
        assert!(seen.value(name, labels) > Some(0.0), "{name} {labels}");
    }
    let (push, whole) = ("gw_push_latency_seconds_sum", "e2e_latency_seconds_sum");
    assert!(seen.value(whole, "") >= seen.value(push, ""), "a poll comes before its frame");
}

#[tokio::test]
async fn what_a_client_found_missing_is_counted_as_found_and_made_good() {
    // S0-57, S0-58
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    for temperature in [20.0, 21.0] {
        house.poll("board-1", temperature).await;
        client.hear_until(|frame| frame.message.kind() == "DATA_UPDATE").await;
    }
    client.miss(&[(2, 2), (3, 3)]).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_RECOVERED").await;
    let is_counted = |seen: &Exposition| seen.value("gw_recovered_frames_total", "") > Some(0.0);
    let seen = look_until(&house, is_counted).await;
    let table = [
        ("ws_gaps_total", "", 2.0),
        ("ws_gap_repaired_total", "", 2.0),
        ("gw_gap_detected_total", "by=client", 2.0),
        ("gw_gap_detected_total", "by=server", 0.0),
        ("gw_recover_total", "path=data_lost,result=frames", 1.0),
        ("gw_recover_total", "path=data_lost,result=gone", 0.0),
        ("gw_recovered_frames_total", "", 2.0),
    ];
    for (name, labels, expected) in table {
        assert_eq!(seen.value(name, labels), Some(expected), "{name} {labels}");
    }
}

#[tokio::test]
async fn a_return_is_counted_and_so_is_what_it_missed() {
    // S0-65
    let house = House::open().await;
    let (mut client, welcome) = Client::join(&house).await;
    client.socket.close(None).await.unwrap();
    look_until(&house, |seen| seen.value("ws_connections", "") == Some(0.0)).await;
    house.poll("board-1", 20.0).await;
    let query = format!("device_id=board-1&connection_id={}", welcome.connection_id);
    let mut client = Client::dial_at(&house, &query, &[]).await.unwrap();
    client.go_on_after(Sequence::FIRST);
    client.hear_until(|frame| frame.message.kind() == "CONNECT_SUCCESS").await;
    let position = Position { epoch: welcome.epoch, seq: Sequence::FIRST, stream: None };
    client.say(ClientMessage::Resume(vec![position])).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_UPDATE").await;
    let is_counted = |seen: &Exposition| seen.value("gw_recovered_frames_total", "") > Some(0.0);
    let seen = look_until(&house, is_counted).await;
    let table = [
        ("ws_reconnects_total", "", 1.0),
        ("gw_ws_handshakes_total", "result=resumed", 1.0),
        ("gw_gap_detected_total", "by=server", 1.0),
        ("gw_recover_total", "path=resume,result=frames", 1.0),
    ];
    for (name, labels, expected) in table {
        assert_eq!(seen.value(name, labels), Some(expected), "{name} {labels}");
    }
    assert_eq!(connections(&house, "").await[0]["resumed"], true);
}

#[tokio::test]
async fn a_wrong_check_code_and_a_refusal_are_counted() {
    // S0-93
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    client.say_text(r#"{"checksum":"00","data":{},"type":"HEARTBEAT"}"#).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_TAMPERED").await;
    let foreign = [("origin", "http://evil.example")];
    assert!(Client::dial_at(&house, "device_id=board-1", &foreign).await.is_err());
    let mut lost = Client::dial_at(&house, "device_id=board-9", &[]).await.unwrap();
    lost.hear_close().await;
    web::get(house.address, "/ws/device?device_id=board-1", &[]).await;

    let is_counted = |seen: &Exposition| seen.value("gw_md5_fail_total", "") == Some(1.0);
    let seen = look_until(&house, is_counted).await;
    for result in ["foreign_origin", "unknown_device", "malformed", "admitted"] {
        let labels = format!("result={result}");
        assert_eq!(seen.value("gw_ws_handshakes_total", &labels), Some(1.0), "{result}");
    }
    assert_eq!(seen.value("ws_connections", ""), Some(1.0));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_shown_and_what_is_done_about_it_counted() {
    let rules =
        Rules { points: 400, heartbeat_interval: Duration::from_secs(60), ..Rules::default() };
    let house = House::open_with(rules).await;
    let (mut slow, _) = Client::join(&house).await;
    let (_quick, _) = Client::join(&house).await;
    let mut temperature = 0.0;
    let blocked = loop {
        temperature += 1.0;
        house.poll("board-1", temperature).await;
        let list = connections(&house, "?top=1").await;
        assert_eq!(list.len(), 1);
        if list[0]["blocked"] == true && list[0]["lag"].as_u64() > Some(0) {
            break list[0].clone();
        }
    };
    assert_eq!(blocked["streams"][0]["stream"], "device/board-1");
    assert_eq!(blocked["streams"][0]["lag"], blocked["lag"]);
    let last = slow.hear_until(|frame| frame.seq > Some(Sequence(2))).await;
    assert!(matches!(last.message, ServerMessage::DataUpdate(_)), "{last:?}");
    let is_counted = |seen: &Exposition| {
        let level = |level| seen.value("gw_slow_actions_total", level);
        level("level=batch") > Some(0.0) && level("level=closed") == Some(0.0)
    };
    loop {
        // It reads again, until nothing waits.
        slow.hear().await;
        if is_counted(&look(&house).await) {
            break;
        }
    }
}

#[tokio::test]
async fn polls_are_counted_by_board_and_by_what_went_wrong() {
    use protocol::reading::Reason;
    use protocol::report::{Reach, Report};
    let house = House::open().await;
    let report = |reach, results| Report { device: "board-1".parse().unwrap(), reach, results };
    let polls = [
        report(Reach::Silent, vec![(0, Err(Reason::Timeout)), (1, Err(Reason::Timeout))]),
        report(Reach::Answered, vec![(0, Err(Reason::Exception(2)))]),
        report(Reach::Away, vec![]),
    ];
    for poll in polls {
        house.hub.metrics().polled(&poll, Duration::from_millis(20));
    }
    let seen = look(&house).await;
    assert_eq!(seen.value("poll_duration_seconds_count", "board=board-1"), Some(3.0));
    assert_eq!(seen.value("poll_duration_seconds_count", "board=board-2"), Some(0.0));
    assert_eq!(seen.value("poll_duration_seconds_bucket", "board=board-1,le=0.01"), Some(0.0));
    assert_eq!(seen.value("poll_duration_seconds_bucket", "board=board-1,le=0.025"), Some(3.0));
    for kind in ["timeout", "exception", "away"] {
        let labels = format!("board=board-1,kind={kind}");
        assert_eq!(seen.value("poll_errors_total", &labels), Some(1.0), "{kind}");
    }
}

#[tokio::test]
async fn a_part_that_fails_is_seen() {
    use engine::Event;
    use protocol::part::{Condition, Part, PartState};
    use protocol::time::Timestamp;
    let house = House::open().await;
    for (state, expected) in [(PartState::Failing, 1.0), (PartState::Working, 0.0)] {
        let condition = Condition { since: Timestamp::default(), state, why: None };
        house.hub.tell(Event::Fared { part: Part::Journal, condition }).await.unwrap();
        let seen = |seen: &Exposition| seen.value("part_failing", "part=journal");
        look_until(&house, |now| seen(now) == Some(expected)).await;
    }
}

#[tokio::test]
async fn no_label_tells_who_a_client_is() {
    let house = House::open().await;
    let (mut client, welcome) = Client::join(&house).await;
    client.say_text("{}").await;
    client.hear_until(|frame| frame.message.kind() == "INVALID_COMMAND_FORMAT").await;
    let seen = look(&house).await;
    let allowed =
        ["board", "by", "kind", "le", "level", "origin", "part", "path", "result", "stream"];
    let labels = seen.labels();
    assert!(labels.iter().all(|(name, _)| allowed.contains(&name.as_str())), "{labels:?}");
    let id = welcome.connection_id.as_str();
    assert!(labels.iter().all(|(_, value)| !value.contains(id) && value != "anonymous"));
}

#[tokio::test]
async fn who_is_neither_near_nor_known_finds_nothing() {
    let house = House::open().await;
    let (right, short) = (format!("Bearer {TOKEN}"), format!("Bearer {}", &TOKEN[1..]));
    let table = [
        (vec![], true),
        (vec![("x-forwarded-for", "127.0.0.1")], false),
        (vec![("forwarded", "for=127.0.0.1")], false),
        (vec![("x-real-ip", "127.0.0.1")], false),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("x-forwarded-for", "192.0.2.1"), ("authorization", right.as_str())], true),
        (vec![("x-forwarded-for", "192.0.2.1"), ("authorization", short.as_str())], false),
        (vec![("x-forwarded-for", "192.0.2.1"), ("authorization", TOKEN)], false),
    ];
    for path in ["/metrics", "/api/connections", "/api/connections?top=x"] {
        for (headers, may_look) in &table {
            let answer = web::get(house.address, path, headers).await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            if *may_look {
                assert!(!head.starts_with("HTTP/1.1 404"), "{path} {headers:?}: {head}");
            } else {
                assert!(head.starts_with("HTTP/1.1 404"), "{path} {headers:?}: {head}");
                assert!(body.is_empty() && !head.contains("allow:"), "{answer}");
            }
        }
    }
    let open = web::get(house.address, "/livez", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert!(open.starts_with("HTTP/1.1 200"), "{open}");
}

#[tokio::test]
async fn another_address_serves_those_who_watch_and_nothing_else() {
    let house = House::open().await;
    let listener = gateway::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let router = gateway::watchers_router(house.gateway.clone());
    let served = tokio::spawn(serve_aside(listener, router, stop.clone()));
    let table = [
        ("/metrics", 200),
        ("/livez", 200),
        ("/readyz", 200),
        ("/api/connections", 404),
        ("/api/session", 404),
        ("/api/devices", 404),
        ("/ws/device?device_id=board-1", 404),
        ("/", 404),
    ];
    for (path, expected) in table {
        let answer = web::get(address, path, &[]).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{path}: {answer}");
    }
    let passed_on = web::get(address, "/metrics", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert!(passed_on.starts_with("HTTP/1.1 404"), "the rules are the same: {passed_on}");
    stop.cancel();
    served.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_listed_as_long_as_it_is_open() {
    let house = House::open().await;
    assert!(connections(&house, "").await.is_empty());
    let (mut client, welcome) = Client::join(&house).await;
    let list = connections(&house, "").await;
    assert_eq!(list.len(), 1);
    let one = &list[0];
    assert_eq!(one["connection"], welcome.connection_id.as_str());
    assert_eq!((&one["device"], &one["user"]), (&"board-1".into(), &"anonymous".into()));
    assert_eq!((&one["role"], &one["resumed"]), (&"operator".into(), &false.into()));
    assert_eq!((&one["blocked"], &one["lag"]), (&false.into(), &0.into()));
    assert!(one["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{one}");
    assert_eq!(one["streams"][0]["stream"], "device/board-1");
    assert_eq!(one["streams"][0]["seq"], 1);
    for number in ["bytes_sent", "frames_sent", "heard_at", "since"] {
        assert!(one[number].as_u64() > Some(0), "{number}: {one}");
    }
    let (_other, _) = Client::join(&house).await;
    assert_eq!(connections(&house, "").await.len(), 2);
    assert_eq!(connections(&house, "?top=1").await.len(), 1);
    client.socket.close(None).await.unwrap();
    while connections(&house, "").await.len() != 1 {
        tokio::task::yield_now().await;
    }
    look_until(&house, |seen| seen.value("ws_connections", "") == Some(1.0)).await;
}
