//! Holes in streams: found at once, asked for until they are closed, nothing applied twice.

use std::time::Duration;

use crate::stage::{self, EPOCH, Frame, Page, own, range};
use link::{Event, News, Notice};
use protocol::digest::{Algorithm, Seal};
use protocol::frame::Sequence;
use protocol::stream::StreamName;
use protocol::wire::native::{
    ClientMessage, DataRecovered, Refused, ServerMessage, Subscribed, SubscribedStream,
};

fn nothing() -> Vec<Vec<protocol::wire::native::Range>> {
    Vec::new()
}

#[test]
fn a_number_out_of_turn_is_asked_for_at_once_and_its_frame_applied() {
    // S0-56, S0-57: 10, then 12
    let mut page = Page::live();
    (2..=10).for_each(|number| page.hear(Frame::delta(number, &[("a", number as f64)])));
    page.hear(Frame::delta(12, &[("a", 12.0)]));
    assert_eq!(page.asked(), [vec![range(11, 11)]]);
    assert_eq!(page.value("a"), Some(12.0));
    page.hear(Frame::delta(11, &[("a", 11.0), ("b", 11.0)]).recovered());
    assert_eq!(
        (page.value("a"), page.value("b")),
        (Some(12.0), Some(11.0)),
        "nothing newer is lost"
    );
    let status = page.session.status();
    assert_eq!((status.lost, status.repaired, status.seq), (1, 1, Some(Sequence(12))));
    page.hear(Frame::delta(13, &[("a", 13.0)]));
    assert_eq!(page.asked().len(), 1);
}

#[test]
fn what_does_not_come_is_asked_for_every_second() {
    let mut page = Page::live();
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    page.pass(3_500);
    assert_eq!(page.asked(), vec![vec![range(2, 4)]; 4]);
    page.hear(Frame::delta(3, &[("a", 3.0)]).recovered());
    page.pass(1_000);
    assert_eq!(page.asked()[4], [range(2, 2), range(4, 4)]);
    page.hear(Frame::delta(2, &[]).recovered());
    page.hear(Frame::delta(4, &[]).recovered());
    page.forget();
    page.pass(5_000);
    assert_eq!(page.asked(), nothing());
}

#[test]
fn requests_do_not_flood_the_server() {
    let mut page = Page::live();
    for number in 1..=200 {
        page.hear(Frame::delta(number * 2 + 1, &[("a", 1.0)]));
        page.pass(1);
    }
    assert!(page.asked().len() <= 3, "{} requests in 0.2 s", page.asked().len());
    page.pass(100);
    let last = page.asked().pop().unwrap();
    assert_eq!((last.len(), last[0], last[63]), (64, range(2, 2), range(128, 400)));
}

#[test]
fn frames_seen_before_do_no_harm() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    page.hear(Frame::event(3, "epoch-1/30"));
    page.forget();
    page.hear(Frame::delta(2, &[("a", 0.0)]));
    page.hear(Frame::snapshot(1, &[("a", 0.0)]));
    page.hear(Frame::event(3, "epoch-1/30").recovered());
    assert_eq!(page.news, []);
    assert_eq!((page.value("a"), page.asked()), (Some(2.0), nothing()));
}

#[test]
fn a_lost_beginning_is_a_gap_from_one() {
    let mut page = Page::new(1);
    page.greeted(stage::success("c-1", EPOCH, false));
    page.hear(Frame::delta(3, &[("a", 3.0)]));
    assert_eq!(page.asked(), [vec![range(1, 2)]]);
    assert_eq!(page.confirmed(), 0, "without a snapshot nobody knows all");
}

#[test]
fn a_lost_tail_is_found_by_the_heartbeat() {
    let mut page = Page::live();
    page.pass(10_000);
    page.answer(&[(&own(), 4, 2)]);
    assert_eq!(page.asked(), [vec![range(2, 4)]]);
    assert_eq!(page.confirmed(), 0);
    (2..=4).for_each(|number| page.hear(Frame::delta(number, &[]).recovered()));
    page.answer(&[(&own(), 4, 0)]);
    assert_eq!(page.confirmed(), 1);
    page.hear(Frame::delta(5, &[]));
    assert_eq!(page.asked().len(), 1);
}

#[test]
fn values_are_confirmed_by_deltas_snapshots_and_answers_without_lag() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    page.hear(Frame::snapshot(3, &[("a", 3.0)]));
    assert_eq!(page.confirmed(), 2);
    page.answer(&[(&own(), 3, 1)]);
    assert_eq!(page.confirmed(), 2, "something is still on its way");
    page.answer(&[(&own(), 3, 0)]);
    assert_eq!(page.confirmed(), 3);
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    assert_eq!(page.confirmed(), 3, "4 is missing");
}

#[test]
fn a_snapshot_that_settles_is_always_applied_and_moves_the_number() {
    let mut page = Page::live();
    page.hear(Frame::delta(4, &[("a", 4.0)]));
    page.hear(Frame::event(2, "epoch-1/2").recovered());
    page.hear(Frame::settling(9, &[("a", 9.0)], range(3, 9)));
    let status = page.session.status();
    assert_eq!((status.seq, status.lost, status.repaired), (Some(Sequence(9)), 2, 2));
    page.hear(Frame::delta(10, &[("a", 10.0)]));
    assert_eq!(page.asked().len(), 1, "5 to 9 are settled");
    page.hear(Frame::settling(10, &[("a", 11.0)], range(7, 7)));
    assert_eq!(page.value("a"), Some(11.0), "the same number again, and applied");
}

#[test]
fn numbers_beside_a_settled_range_are_lost_as_ever() {
    let mut page = Page::live();
    page.hear(Frame::settling(9, &[("a", 9.0)], range(4, 9)));
    assert_eq!(page.asked(), [vec![range(2, 3)]]);
}

#[test]
fn the_periodic_snapshot_is_an_ordinary_frame() {
    let mut page = Page::live();
    page.hear(Frame::snapshot(3, &[("a", 3.0)]));
    assert_eq!(page.asked(), [vec![range(2, 2)]]);
    assert_eq!(page.value("b"), None, "what it does not tell is no more");
}

#[test]
fn what_is_gone_stays_lost_and_is_settled_by_a_snapshot() {
    let mut page = Page::live();
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    page.hear(Frame::delta(4, &[("b", 4.0)]).recovered());
    let recovered = DataRecovered {
        epoch: EPOCH.parse().unwrap(),
        gone: vec![(Sequence(2), Some(Sequence(3)))],
        ranges: vec![range(2, 4)],
    };
    page.hear(Frame::new(ServerMessage::DataRecovered(recovered)));
    page.forget();
    page.pass(1_000);
    assert_eq!(page.asked(), [vec![range(2, 3)]], "the snapshot has not come yet");
    page.hear(Frame::settling(5, &[("a", 5.0), ("b", 4.0)], range(2, 3)));
    page.forget();
    page.pass(5_000);
    assert_eq!(page.asked(), nothing());
    let status = page.session.status();
    assert_eq!((status.lost, status.repaired), (3, 1));
}

#[test]
fn frames_of_another_epoch_count_only_for_their_events() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 8.0)]).under("epoch-0"));
    page.hear(Frame::delta(9, &[("a", 9.0)]).under("epoch-0").recovered());
    page.hear(Frame::event(7, "epoch-0/7").under("epoch-0"));
    assert_eq!((page.news.len(), page.asked()), (0, nothing()));
    page.hear(Frame::event(7, "epoch-0/7").under("epoch-0").recovered());
    page.hear(Frame::event(7, "epoch-0/7").under("epoch-0").recovered());
    page.hear(Frame { seq: None, ..Frame::event(1, "epoch-1/1").recovered() });
    assert_eq!(page.happened(), ["epoch-0/7", "epoch-1/1"]);
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    assert_eq!(page.value("a"), Some(2.0));
}

#[test]
fn a_wrong_check_code_discards_the_frame_and_asks_for_it() {
    // S0-95
    let mut page = Page::live();
    let text = Frame::delta(2, &[("a", 2.0)]).text(&stage::seal());
    page.tell(Event::Heard(text.replace("2.0", "3.0")));
    assert_eq!((page.value("a"), page.asked()), (Some(1.0), vec![vec![range(2, 2)]]));
    assert_eq!((page.notices(), page.session.status().tampered), (vec![Notice::Tampered], 1));
    page.hear(Frame::delta(2, &[("a", 2.0)]).recovered());
    page.hear(Frame::delta(3, &[("b", 3.0)]));
    assert_eq!((page.value("a"), page.value("b")), (Some(2.0), Some(3.0)));
    assert_eq!(page.asked().len(), 1);
}

#[test]
fn a_damaged_frame_is_not_believed_when_its_claim_is_far_off() {
    let other = Seal::new(Algorithm::Md5, "other key");
    let frames = [
        Frame::delta(1, &[]),
        Frame::delta(66, &[]),
        Frame::delta(u64::MAX, &[]),
        Frame::delta(2, &[]).under("epoch-0"),
        Frame::delta(2, &[]).of("alarms"),
        Frame::delta(66, &[]).recovered(),
    ];
    let texts = frames.iter().map(|frame| frame.text(&other));
    let noise = ["", "{", "null", "{\"type\":\"DATA_UPDATE\"}", "\u{0}\u{1}\u{fffd}"];
    for text in texts.chain(noise.map(String::from)) {
        let mut page = Page::live();
        page.tell(Event::Heard(text.clone()));
        assert_eq!((page.asked(), page.session.status().tampered), (nothing(), 1), "{text}");
        page.hear(Frame::delta(2, &[("a", 2.0)]));
        assert_eq!((page.asked(), page.value("a")), (nothing(), Some(2.0)), "{text}");
    }
}

#[test]
fn a_frame_that_names_no_possible_number_is_ignored() {
    let mut page = Page::live();
    for number in [0, (1 << 53) + 1, u64::MAX] {
        page.hear(Frame::delta(number, &[("a", 9.0)]));
    }
    assert_eq!((page.value("a"), page.asked()), (Some(1.0), nothing()));
}

#[test]
fn a_leap_costs_one_range() {
    let mut page = Page::live();
    page.hear(Frame::delta(1 << 52, &[("a", 2.0)]));
    assert_eq!(page.asked(), [vec![range(2, (1 << 52) - 1)]]);
}

fn subscribed(streams: &[&str], refused: &[&str]) -> Frame {
    let stream = |name: &&str| SubscribedStream {
        epoch: EPOCH.parse().unwrap(),
        stream: name.parse().unwrap(),
    };
    let no = |name: &&str| Refused { reason: "NO_SUCH_STREAM".into(), stream: (*name).into() };
    Frame::new(ServerMessage::Subscribed(Subscribed {
        refused: refused.iter().map(no).collect(),
        streams: streams.iter().map(stream).collect(),
    }))
}

#[test]
fn further_streams_count_from_one_each() {
    let site: StreamName = "site/plant".parse().unwrap();
    let mut page = Page::live();
    page.tell(Event::Want([site.clone()].into()));
    page.hear(Frame::delta(40, &[("x", 40.0)]).of("site/plant"));
    assert_eq!(page.value_of(&site, "x"), None, "that is left over from an earlier subscription");
    page.hear(subscribed(&["site/plant"], &[]));
    page.hear(Frame::snapshot(1, &[("x", 1.0)]).of("site/plant"));
    page.hear(Frame::delta(3, &[("x", 3.0)]).of("site/plant"));
    let lost = ClientMessage::DataLost {
        stream: Some(site.clone()),
        epoch: Some(EPOCH.parse().unwrap()),
        ranges: vec![range(2, 2)],
    };
    assert_eq!(page.said(), [ClientMessage::Subscribe(vec!["site/plant".into()]), lost]);
    assert_eq!((page.value_of(&site, "x"), page.value("a")), (Some(3.0), Some(1.0)));

    page.forget();
    page.tell(Event::Want(Default::default()));
    assert_eq!(page.said(), [ClientMessage::Unsubscribe(vec!["site/plant".into()])]);
    assert_eq!(page.session.table(&site), None);
    page.hear(Frame::delta(4, &[("x", 4.0)]).of("site/plant"));
    assert_eq!(page.news, []);
}

#[test]
fn a_subscription_without_an_answer_is_repeated_and_a_refused_one_is_not() {
    let mut page = Page::live();
    page.tell(Event::Want(["alarms".parse().unwrap(), "system".parse().unwrap()].into()));
    page.hear(subscribed(&[], &["system"]));
    assert!(matches!(&page.notices()[..], [Notice::RefusedStreams(refused)] if refused.len() == 1));
    page.forget();
    page.pass(10_000);
    page.answer(&[(&own(), 1, 0)]);
    assert_eq!(page.said(), [ClientMessage::Subscribe(vec!["alarms".into()])]);
}

#[test]
fn a_snapshot_tells_the_whole_table_as_it_stands() {
    let mut page = Page::live();
    page.hear(Frame::delta(4, &[("a", 4.0)]));
    page.forget();
    page.hear(Frame::snapshot(3, &[("a", 3.0), ("b", 3.0)]).recovered());
    let told = News::Told {
        stream: own(),
        update: stage::points(&[("a", 4.0), ("b", 3.0)]),
        snapshot: true,
        at: protocol::time::Timestamp::from_millis(1_000),
    };
    assert_eq!(page.news, [told]);
}

#[test]
fn the_loss_of_others_is_told_and_our_own_is_not() {
    // S0-39
    use protocol::wire::native::ConnectionLost;
    let lost = |id: &str| ConnectionLost {
        at: protocol::time::Timestamp::from_millis(1),
        connection_id: id.parse().unwrap(),
        silent_ms: 30_000,
    };
    let mut page = Page::live();
    page.hear(Frame::new(ServerMessage::ConnectionLost(lost("c-1"))));
    page.hear(Frame::new(ServerMessage::ConnectionLost(lost("c-9"))));
    assert_eq!(page.notices(), [Notice::OtherLost(lost("c-9"))]);
}

#[test]
fn repair_goes_on_after_a_reconnect() {
    let mut page = Page::live();
    page.hear(Frame::delta(2, &[("a", 2.0)]));
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    page.closed(1006);
    page.forget();
    page.pass(1_000);
    page.greeted(stage::success("c-1", EPOCH, true));
    let ClientMessage::Resume(positions) = page.said().remove(0) else {
        panic!("a resumed connection says where it was");
    };
    assert_eq!(positions[0].seq, Sequence(2), "the last number before the first hole");
    (3..=6).for_each(|number| page.hear(Frame::delta(number, &[("a", number as f64)]).recovered()));
    page.hear(Frame::delta(7, &[("b", 7.0)]));
    page.now = page.now + Duration::from_secs(2);
    page.tell(Event::Tick);
    assert_eq!((page.asked(), page.value("a")), (nothing(), Some(6.0)));
}
