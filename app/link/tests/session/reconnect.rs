//! Dialling, greeting, beating, losing and coming back.

use std::time::Duration;

use crate::stage::{self, EPOCH, Frame, Page, failure, own, success};
use link::status::{Ending, LinkState};
use link::{Event, Notice};
use proptest::prelude::*;
use protocol::frame::Sequence;
use protocol::stream::StreamName;
use protocol::wire::CloseCode;
use protocol::wire::native::{ClientMessage, FailReason, Position};

#[test]
fn dials_at_once_and_is_live_when_greeted() {
    // S0-33, S0-34, S0-37
    let mut page = Page::new(1);
    assert_eq!(page.dials, [(page.now, None)]);
    assert_eq!(page.session.status().state, LinkState::Dialing { tries: 0 });
    page.tell(Event::Opened);
    assert_eq!(page.session.status().state, LinkState::Greeting { tries: 0 });
    page.hear(success("c-1", EPOCH, false));
    let status = page.session.status();
    assert_eq!(status.state, LinkState::Live { since: page.now });
    assert_eq!(status.connection.as_ref().map(|id| id.as_str()), Some("c-1"));
    assert_eq!(page.beats(), 1, "the first beat tells the round trip");
}

#[test]
fn hangs_up_at_the_third_silent_beat() {
    // S0-40
    let mut page = Page::live();
    let start = page.now;
    page.pass(29_999);
    assert_eq!((page.beats(), page.session.status().missed_beats), (2, 2));
    page.pass(1);
    assert_eq!(page.hung_up, [(start + Duration::from_secs(30), CloseCode::Silent)]);
    let status = page.session.status();
    assert_eq!(status.ended, Some((Ending::Silent, page.now)));
    assert!(matches!(status.state, LinkState::Waiting { tries: 0, .. }));
}

#[test]
fn an_answered_beat_tells_the_round_trip() {
    let mut page = Page::live();
    page.pass(10_000);
    page.now = page.now + Duration::from_millis(40);
    page.answer(&[(&own(), 1, 0)]);
    assert_eq!(page.session.status().rtt, Some(Duration::from_millis(40)));
    page.pass(25_000);
    assert_eq!(page.session.status().missed_beats, 1, "only beats since the answer count");
}

/// Fails every dial for a while; the answer is when each one was made.
fn fails_to_dial(page: &mut Page, millis: u64) -> Vec<u64> {
    page.forget();
    let (start, end) = (page.now, page.now + Duration::from_millis(millis));
    let mut seen = 0;
    while let Some(at) = page.session.wake_at().filter(|at| *at <= end) {
        page.now = page.now.max(at);
        page.tell(Event::Tick);
        if page.dials.len() > seen {
            seen = page.dials.len();
            page.closed(1006);
        }
    }
    page.dials.iter().map(|(at, _)| at.since(start).as_millis() as u64).collect()
}

proptest! {
    #[test]
    fn ten_tries_five_seconds_apart_then_one_a_minute(seed: u64) {
        // S0-41, S0-42, S0-43, S0-45
        let mut page = Page::new(seed);
        page.greeted(success("c-1", EPOCH, false));
        page.now = page.now + Duration::from_secs(60);
        page.closed(1006);
        let dials = fails_to_dial(&mut page, 240_000);
        prop_assert!((200..=1_000).contains(&dials[0]), "{dials:?}");
        for (index, pair) in dials.windows(2).enumerate() {
            let expected = if index < 9 { 4_000..=6_000 } else { 60_000..=60_000 };
            prop_assert!(expected.contains(&(pair[1] - pair[0])), "{index} in {dials:?}");
        }
        let is_failed = matches!(page.session.status().state, LinkState::Failed { .. });
        prop_assert!(is_failed, "{:?}", page.session.status().state);
    }
}

#[test]
fn a_page_that_never_got_through_counts_its_tries() {
    let mut page = Page::new(3);
    page.closed(1006);
    assert!(matches!(page.session.status().state, LinkState::Waiting { tries: 0, .. }));
    assert_eq!(fails_to_dial(&mut page, 70_000).len(), 10);
    assert!(matches!(page.session.status().state, LinkState::Failed { .. }));
}

#[test]
fn the_button_and_the_network_start_a_new_series() {
    // S0-45
    for event in [Event::Retry, Event::Online, Event::Visible] {
        let mut page = Page::new(3);
        page.closed(1006);
        fails_to_dial(&mut page, 70_000);
        page.forget();
        page.tell(event.clone());
        assert_eq!(page.dials.len(), 1, "{event:?} dials at once");
        assert_eq!(page.session.status().state, LinkState::Dialing { tries: 1 });
    }
}

#[test]
fn a_failed_series_stays_failed_until_the_server_greets() {
    let mut page = Page::new(3);
    page.closed(1006);
    fails_to_dial(&mut page, 70_000);
    page.pass(60_000);
    assert!(matches!(page.session.status().state, LinkState::Failed { .. }), "while it dials too");
    page.greeted(success("c-1", EPOCH, false));
    assert!(page.session.status().is_live());
}

#[test]
fn a_sign_of_the_network_while_live_is_answered_with_a_beat() {
    let mut page = Page::live();
    page.pass(3_000);
    page.tell(Event::Visible);
    page.tell(Event::Online);
    assert_eq!(page.beats(), 1, "one is enough for a moment");
}

#[test]
fn silence_while_dialling_or_greeting_ends_in_a_retry() {
    let mut page = Page::new(1);
    page.pass(5_000);
    assert_eq!(page.hung_up.len(), 1);
    assert_eq!(page.session.status().ended.map(|end| end.0), Some(Ending::NoAnswer));
    page.pass(1_000);
    page.tell(Event::Opened);
    page.pass(5_000);
    assert_eq!(page.hung_up.len(), 2);
}

#[test]
fn a_short_stay_does_not_count_as_success() {
    let mut page = Page::new(1);
    page.closed(1006);
    for _ in 0..10 {
        let until = page.session.wake_at().unwrap();
        page.pass(until.since(page.now).as_millis() as u64);
        page.greeted(success("c-1", EPOCH, false));
        page.now = page.now + Duration::from_secs(4);
        page.closed(1011);
    }
    assert!(matches!(page.session.status().state, LinkState::Failed { .. }));
}

#[test]
fn refusals_are_not_retried_but_a_full_house_is() {
    // S0-35, S0-36
    let table = [
        (FailReason::DeviceNotFound, true),
        (FailReason::Unauthorized, true),
        (FailReason::UnsupportedVersion, true),
        (FailReason::Limit, false),
    ];
    for (reason, is_final) in table {
        let mut page = Page::new(1);
        page.tell(Event::Opened);
        page.tell(Event::Heard(failure(reason)));
        assert_eq!(page.hung_up.len(), 1, "{reason:?}");
        let state = page.session.status().state;
        let refused = LinkState::Refused { reason, detail: "no".into() };
        assert_eq!(state == refused, is_final, "{reason:?}: {state:?}");
        page.forget();
        page.tell(Event::Online);
        assert_eq!(page.dials.is_empty(), is_final, "{reason:?}");
        page.tell(Event::Retry);
        assert_eq!(page.dials.len(), 1, "{reason:?}: the button always dials");
    }
}

#[test]
fn close_codes_say_whether_to_come_back() {
    let table = [
        (1000, true),
        (1006, true),
        (1011, true),
        (1012, true),
        (4003, true),
        (4008, true),
        (4009, true),
        (4408, true),
        (4429, true),
        (4001, false),
        (4002, false),
        (4401, false),
        (4404, false),
    ];
    for (code, comes_back) in table {
        let mut page = Page::live();
        page.closed(code);
        let is_waiting = matches!(page.session.status().state, LinkState::Waiting { .. });
        assert_eq!(is_waiting, comes_back, "{code}");
        let ending = page.session.status().ended.map(|end| end.0);
        assert_eq!(ending, Some(Ending::Closed(CloseCode::from(code))));
    }
}

#[test]
fn comes_back_with_its_id_unless_it_was_taken_over() {
    for (code, id) in [(1012, Some("c-1")), (4009, None)] {
        let mut page = Page::live();
        page.closed(code);
        page.pass(1_000);
        assert_eq!(page.dials[0].1.as_deref(), id, "after {code}");
    }
}

#[test]
fn resumes_with_all_positions_the_own_first_and_subscribes_again() {
    let site: StreamName = "alarms".parse().unwrap();
    let mut page = Page::live();
    page.tell(Event::Want([site.clone(), own()].into()));
    assert_eq!(page.said(), [ClientMessage::Subscribe(vec!["alarms".into()])]);
    page.hear(granted(&site));
    page.hear(Frame::snapshot(1, &[("x", 1.0)]).of("alarms"));
    page.hear(Frame::delta(2, &[("x", 2.0)]).of("alarms"));
    page.closed(1006);
    page.pass(1_000);
    page.forget();
    page.greeted(success("c-1", EPOCH, true));
    let position =
        |seq, stream| Position { epoch: EPOCH.parse().unwrap(), seq: Sequence(seq), stream };
    assert_eq!(
        page.said(),
        [
            ClientMessage::Resume(vec![position(1, None), position(2, Some(site))]),
            ClientMessage::Subscribe(vec!["alarms".into()]),
        ]
    );
}

fn granted(stream: &StreamName) -> Frame {
    use protocol::wire::native::{ServerMessage, Subscribed, SubscribedStream};
    let streams = vec![SubscribedStream { epoch: EPOCH.parse().unwrap(), stream: stream.clone() }];
    Frame::new(ServerMessage::Subscribed(Subscribed { refused: vec![], streams }))
}

#[test]
fn what_the_outage_cost_is_told_once_everything_is_known_again() {
    let mut page = Page::live();
    page.pass(6_000);
    page.closed(1006);
    page.pass(1_000);
    page.greeted(success("c-1", EPOCH, true));
    page.forget();
    for number in 2..=4 {
        page.hear(Frame::delta(number, &[("a", number as f64)]).recovered());
    }
    assert_eq!(page.notices(), [], "nobody has said yet that this is all");
    page.answer(&[(&own(), 4, 0)]);
    let after = page.now.since(page.session.status().ended.unwrap().1);
    assert_eq!(page.notices(), [Notice::Restored { repaired: 3, lost: 0, after }]);
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    assert_eq!(page.notices().len(), 1);
    let status = page.session.status();
    assert_eq!((status.reconnects, status.lost, status.repaired), (1, 3, 3));
    assert_eq!((page.value("a"), page.asked()), (Some(5.0), vec![]));
}

#[test]
fn a_connection_that_could_not_be_resumed_begins_anew() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    for (resumed, epoch) in [(false, EPOCH), (false, "epoch-2"), (true, "epoch-2")] {
        page.closed(1006);
        page.pass(1_000);
        page.greeted(success("c-2", epoch, resumed));
        page.hear(Frame::snapshot(1, &[("a", 9.0)]).under(epoch));
        assert_eq!((page.value("a"), page.value("b")), (Some(9.0), None), "{resumed} {epoch}");
        page.hear(Frame::delta(2, &[("a", 10.0)]).under(epoch));
        assert_eq!(page.value("a"), Some(10.0), "{resumed} {epoch}");
        page.now = page.now + Duration::from_secs(9);
    }
    assert_eq!(page.asked(), Vec::<Vec<_>>::new());
}

#[test]
fn a_resumed_stream_that_the_server_joins_instead_begins_anew() {
    let mut page = Page::live();
    (2..50).for_each(|number| page.hear(Frame::delta(number, &[("a", number as f64)])));
    page.closed(1006);
    page.pass(1_000);
    page.greeted(success("c-1", EPOCH, true));
    page.hear(Frame::snapshot(1, &[("a", 70.0)]));
    page.hear(Frame::delta(2, &[("a", 71.0)]));
    assert_eq!((page.value("a"), page.asked()), (Some(71.0), vec![]));
    assert_eq!(page.session.status().seq, Some(Sequence(2)));
}

#[test]
fn a_join_whose_snapshot_was_lost_after_a_resume_is_found_by_the_heartbeat() {
    let mut page = Page::live();
    (2..50).for_each(|number| page.hear(Frame::delta(number, &[("a", number as f64)])));
    page.closed(1006);
    page.pass(1_000);
    page.greeted(success("c-1", EPOCH, true));
    page.answer(&[(&own(), 2, 0)]);
    assert_eq!(page.asked(), [vec![stage::range(1, 2)]]);
}

#[test]
fn a_page_goes_on_where_the_page_before_it_was_left() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    assert_eq!(page.remembered.as_ref().map(|kept| kept.streams.len()), Some(0));
    page.tell(Event::Leave);
    assert_eq!(page.hung_up, [(page.now, CloseCode::Normal)]);
    let kept = page.remembered.unwrap();
    let stored = serde_json::to_string(&kept).unwrap();

    let mut next = Page::resuming(2, serde_json::from_str(&stored).unwrap());
    assert_eq!(next.dials[0].1.as_deref(), Some("c-1"));
    next.greeted(success("c-1", EPOCH, true));
    assert!(matches!(next.said()[..], [ClientMessage::Resume(_)]));
    assert_eq!((next.value("a"), next.value("b")), (Some(2.0), Some(1.0)));
    assert_eq!(next.news.len(), 1, "the page is told what is held: {:?}", next.news);
    next.hear(Frame::delta(3, &[("a", 3.0)]).recovered());
    next.hear(Frame::delta(4, &[("b", 4.0)]));
    assert_eq!((next.value("a"), next.value("b")), (Some(3.0), Some(4.0)));
    assert_eq!(next.asked(), Vec::<Vec<_>>::new());
}

#[test]
fn a_page_that_crashed_left_nothing_to_go_on_with() {
    let page = Page::live();
    let next = Page::resuming(2, page.remembered);
    assert_eq!(next.dials[0].1, None, "its numbers would be guesses");
}

#[test]
fn nothing_happens_after_leaving() {
    let mut page = Page::live();
    page.tell(Event::Leave);
    page.forget();
    for event in [Event::Tick, Event::Online, Event::Retry, Event::Opened, Event::Leave] {
        page.tell(event);
    }
    assert!(page.dials.is_empty() && page.sent.is_empty() && page.hung_up.is_empty());
    assert_eq!(page.session.wake_at(), None);
}

proptest! {
    #[test]
    fn no_series_of_events_makes_it_panic(
        events in prop::collection::vec((0..12u8, "\\PC{0,40}", 0..20_000u64), 0..60),
    ) {
        let mut page = Page::new(5);
        for (event, text, millis) in events {
            page.tell(match event {
                0 => Event::Opened,
                1 => Event::Heard(text),
                2 => Event::Closed(CloseCode::from(millis as u16)),
                3 => Event::Online,
                4 => Event::Visible,
                5 => Event::Retry,
                6 => Event::Want([own(), "alarms".parse().unwrap()].into()),
                7 => Event::Want(Default::default()),
                8 => Event::Heard(success("c-1", EPOCH, millis % 2 == 0).text(&stage::seal())),
                9 => Event::Heard(failure(FailReason::Limit)),
                10 => Event::Heard(Frame::snapshot(millis, &[]).text(&stage::seal())),
                _ => Event::Granted(stage::seal()),
            });
            page.pass(millis);
        }
    }
}
