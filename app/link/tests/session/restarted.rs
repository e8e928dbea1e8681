//! A server that was started again: what the client keeps, what it forgets, what it tells (S0-71).

use link::{Event, News, Notice};
use protocol::frame::Sequence;
use protocol::id::Epoch;
use protocol::time::Timestamp;
use protocol::wire::native::{
    ClientMessage, DataRecovered, Position, ServerMessage, ServiceRestarted,
};

use crate::stage::{EPOCH, Frame, Page, own, success};

const NEXT: &str = "epoch-2";

fn restarted(down_from: Option<u64>) -> Frame {
    let restarted = ServiceRestarted {
        down_from: down_from.map(Timestamp::from_millis),
        epoch: NEXT.parse().unwrap(),
        old_epoch: EPOCH.parse().unwrap(),
        started_at: Timestamp::from_millis(9_000),
    };
    let event = Some(format!("{NEXT}/0").parse().unwrap());
    Frame { event, ..Frame::new(ServerMessage::ServiceRestarted(restarted)).under(NEXT) }
}

fn nothing_after(last: u64) -> Frame {
    let gone = vec![(Sequence(last + 1), None)];
    let epoch: Epoch = EPOCH.parse().unwrap();
    Frame::new(DataRecovered { epoch, gone, ranges: Vec::new() })
}

fn whole(at: u64) -> Frame {
    Frame { at, ..Frame::snapshot(1, &[("a", 9.0)]).under(NEXT) }
}

fn place() -> Vec<ClientMessage> {
    let epoch = EPOCH.parse().unwrap();
    vec![ClientMessage::Resume(vec![Position { epoch, seq: Sequence(1), stream: None }])]
}

fn missed(page: &Page) -> Vec<(u64, u64, bool)> {
    let hole = |news: &News| match news {
        News::Missed { stream, from, to, events } if *stream == own() => {
            Some((from.as_millis(), to.as_millis(), *events))
        }
        _ => None,
    };
    page.news.iter().filter_map(hole).collect()
}

/// A page that was cut off, and comes back to a server under another epoch.
fn returned() -> Page {
    let mut page = Page::live();
    page.closed(1006);
    page.pass(1_000);
    assert_eq!(page.dials.last().unwrap().1.as_deref(), Some("c-1"));
    page.greeted(success("c-1", NEXT, true));
    assert_eq!(page.said(), place(), "it says where it was in the old run");
    page.news.clear();
    page
}

#[test]
fn what_happened_in_the_old_run_is_told_before_the_new_table() {
    // S0-44, S0-66
    let mut page = returned();
    page.hear(restarted(Some(8_000)));
    page.hear(Frame::event(2, "epoch-1/9").recovered());
    page.hear(Frame { seq: None, ..Frame::event(0, "epoch-2/3").recovered() }.under(NEXT));
    page.hear(nothing_after(1));
    page.hear(whole(9_500));
    assert_eq!(page.happened(), ["epoch-1/9", "epoch-2/3"]);
    assert!(matches!(page.notices()[0], Notice::Restarted(_)));
    assert_eq!(missed(&page), [(1_000, 9_500, true)], "a hole in time, with its events");
    let status = page.session.status();
    assert_eq!((status.lost, status.repaired, status.seq), (0, 0, Some(Sequence(1))));
    assert_eq!(page.value("a"), Some(9.0));
    assert_eq!(page.value("b"), None, "the table is that of the new run alone");
}

#[test]
fn a_line_that_breaks_before_the_table_came_costs_nothing() {
    let mut page = returned();
    page.hear(restarted(Some(8_000)));
    page.closed(1006);
    page.pass(6_000);
    page.sent.clear();
    page.greeted(success("c-1", NEXT, true));
    assert_eq!(page.said(), place(), "still the place in the old run");
}

#[test]
fn an_open_socket_goes_on_under_the_new_epoch() {
    // S0-68
    let mut page = Page::live();
    page.hear(Frame::delta(4, &[("a", 4.0)]));
    assert_eq!(page.session.status().lost, 2);
    page.hear(restarted(Some(8_000)));
    page.hear(nothing_after(4));
    page.hear(whole(9_500));
    page.hear(Frame { at: 9_600, ..Frame::delta(2, &[("a", 10.0)]).under(NEXT) });
    let status = page.session.status();
    assert_eq!((status.lost, status.seq), (0, Some(Sequence(2))), "the old gap is in the hole");
    assert_eq!(status.epoch.as_ref().map(Epoch::as_str), Some(NEXT));
    assert_eq!(page.value("a"), Some(10.0));
    page.hear(Frame::delta(5, &[("a", 5.0)]));
    assert_eq!(page.value("a"), Some(10.0), "frames of the old run mean nothing any more");
}

#[test]
fn a_restart_is_told_once() {
    let mut page = returned();
    page.hear(restarted(Some(8_000)));
    page.hear(restarted(Some(8_000)));
    assert_eq!(page.notices().len(), 1);
}

#[test]
fn events_are_not_called_complete_where_nobody_can_know() {
    let unknown_run = |page: &mut Page| {
        page.hear(restarted(None));
        page.hear(whole(9_500));
    };
    let long_ago = |page: &mut Page| {
        page.hear(restarted(Some(8_000)));
        page.hear(whole(1_000 + 300_001));
    };
    for (what, hear) in
        [("an unknown run", &unknown_run as &dyn Fn(&mut Page)), ("five minutes", &long_ago)]
    {
        let mut page = returned();
        hear(&mut page);
        assert!(matches!(missed(&page)[..], [(1_000, _, false)]), "{what}: {:?}", missed(&page));
    }
}

#[test]
fn a_server_that_does_not_know_the_client_leaves_a_hole() {
    let mut page = Page::live();
    page.closed(1006);
    page.pass(1_000);
    page.greeted(success("c-2", NEXT, false));
    page.hear(whole(9_500));
    assert_eq!(missed(&page), [(1_000, 9_500, false)]);
}

#[test]
fn a_page_keeps_its_place_in_the_old_run_across_a_reload() {
    let mut page = returned();
    page.hear(restarted(Some(8_000)));
    page.tell(Event::Leave);
    let mut next = Page::resuming(8, page.remembered);
    next.greeted(success("c-1", NEXT, true));
    assert_eq!(next.said(), place());
}
