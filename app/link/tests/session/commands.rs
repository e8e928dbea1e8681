//! Orders: sent now or never, once more if need be, and always told how they ended.

use std::time::Duration;

use link::{Event, News, Notice, Progress};
use protocol::command::{Failure, Origin};
use protocol::frame::{CommandExecuted, CommandStatus};
use protocol::reading::Value;
use protocol::time::Timestamp;
use protocol::wire::native::{
    ClientMessage, Command, CommandResult, ConflictHighPriority, Holder, Invalid, InvalidCode,
    ServerMessage, Tampered,
};

use crate::stage::{EPOCH, Frame, Page, device, seal, success};

fn order(page: &mut Page, id: &str) {
    let (id, name, param) = (id.into(), "SET_TEMP_THRESHOLD".into(), Some("32".into()));
    page.tell(Event::Command { device: device(), id, name, param });
}

fn ordered(page: &Page) -> Vec<Command> {
    let command = |message| match message {
        ClientMessage::Command(command) => Some(command),
        _ => None,
    };
    page.said().into_iter().filter_map(command).collect()
}

fn progress(page: &Page) -> Vec<Progress> {
    let progress = |news: &News| match news {
        News::Command { progress, .. } => Some(progress.clone()),
        _ => None,
    };
    page.news.iter().filter_map(progress).collect()
}

fn result(id: &str) -> CommandResult {
    CommandResult {
        command_id: id.into(),
        detail: None,
        executed_at: Timestamp::from_millis(1_040),
        ms: 40,
        new: Some(Value::Number(32.0)),
        old: Some(Value::Number(30.5)),
        reason: None,
        status: CommandStatus::Success,
        verified: Some(true),
    }
}

fn executed(seq: u64, id: &str, failure: Option<Failure>) -> Frame {
    let message = ServerMessage::CommandExecuted(CommandExecuted {
        at: Timestamp::from_millis(1_040),
        command: "SET_TEMP_THRESHOLD".into(),
        command_id: id.into(),
        ms: 40,
        new: Some(Value::Number(32.0)),
        old: Some(Value::Number(30.5)),
        origin: Origin::Local,
        param: Some("32".into()),
        reason: failure,
        status: CommandStatus::of(failure),
        user: "anonymous".into(),
    });
    let event = Some(format!("{EPOCH}/{seq}").parse().unwrap());
    Frame { seq: Some(seq), event, ..Frame::new(message) }
}

fn invalid(command_id: Option<&str>) -> Frame {
    let command_id = command_id.map(String::from);
    Frame::new(ServerMessage::InvalidCommandFormat(Invalid {
        command_id,
        ..Invalid::new(InvalidCode::IdReused, "used before")
    }))
}

#[test]
fn a_command_is_sent_once_and_its_result_is_told() {
    // S0-59
    let mut page = Page::live();
    order(&mut page, "c-1");
    let sent = ordered(&page);
    assert_eq!((sent.len(), sent[0].id.as_str()), (1, "c-1"));
    let server_time = page.session.server_time(page.now).unwrap();
    assert_eq!(sent[0].valid_until, Some(server_time + Duration::from_secs(1)));
    page.pass(40);
    page.hear(Frame::new(ServerMessage::CommandResult(result("c-1"))));
    assert_eq!(progress(&page), [Progress::Sent, Progress::Done(result("c-1"))]);
    page.pass(5_000);
    assert_eq!((ordered(&page).len(), progress(&page).len()), (1, 2), "the matter is closed");
}

#[test]
fn a_command_names_its_device_each_time() {
    let mut page = Page::live();
    let (id, name) = ("c-1".to_owned(), "START".to_owned());
    page.tell(Event::Command { device: "board-2".parse().unwrap(), id, name, param: None });
    page.pass(500);
    let devices: Vec<_> = page.sent.iter().filter_map(|frame| frame.device_id.clone()).collect();
    assert_eq!(devices, ["board-2", "board-2"]);
}

#[test]
fn without_an_answer_it_goes_out_once_more_and_is_then_given_up() {
    // S0-60, S0-61
    let mut page = Page::live();
    order(&mut page, "c-1");
    page.pass(499);
    assert_eq!(ordered(&page).len(), 1);
    page.pass(1);
    let sent = ordered(&page);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1], "the same id, and the same end of its time");
    page.pass(500);
    assert_eq!(progress(&page), [Progress::Sent, Progress::Resent, Progress::NoResponse]);
}

#[test]
fn offline_it_is_not_sent_now_and_not_later() {
    let mut page = Page::live();
    page.closed(1006);
    order(&mut page, "c-1");
    assert_eq!(progress(&page), [Progress::NotSent]);
    page.pass(1_000);
    page.greeted(success("c-1", EPOCH, true));
    page.pass(5_000);
    assert_eq!((ordered(&page), progress(&page).len()), (vec![], 1));
}

#[test]
fn a_lost_connection_repeats_nothing_unless_it_is_back_in_time() {
    let mut page = Page::live();
    page.now = page.now + Duration::from_secs(10);
    order(&mut page, "c-1");
    page.closed(1006);
    page.pass(1_000);
    assert_eq!((ordered(&page).len(), progress(&page).last()), (1, Some(&Progress::NoResponse)));

    let mut page = Page::live();
    order(&mut page, "c-2");
    page.closed(1006);
    page.tell(Event::Online);
    page.greeted(success("c-1", EPOCH, true));
    assert_eq!(ordered(&page).len(), 1, "coming back alone repeats nothing");
    page.pass(500);
    assert_eq!(ordered(&page).len(), 2);
}

#[test]
fn a_command_ends_even_where_the_server_will_not_have_us() {
    let mut page = Page::live();
    order(&mut page, "c-1");
    page.closed(4401);
    page.pass(1_000);
    assert_eq!(progress(&page), [Progress::Sent, Progress::NoResponse]);
    assert_eq!(page.session.wake_at(), None);
}

#[test]
fn every_kind_of_answer_ends_it() {
    let until = Timestamp::from_millis(9_000);
    let holder = Holder { origin: Origin::SystemServer, user: "center".into() };
    let conflict = ConflictHighPriority { command_id: "c-1".into(), holder, until };
    let tampered = Tampered { command_id: Some("c-1".into()), detail: "checksum".into() };
    let rejected = |id: Option<&str>| {
        let invalid = Invalid::new(InvalidCode::IdReused, "used before");
        Progress::Rejected(Invalid { command_id: id.map(String::from), ..invalid })
    };
    let table = [
        // S0-30
        (
            Frame::new(ServerMessage::ConflictHighPriority(conflict.clone())),
            Progress::Conflict(conflict),
        ),
        (Frame::new(ServerMessage::DataTampered(tampered)), Progress::Tampered),
        (invalid(Some("c-1")), rejected(Some("c-1"))),
        (invalid(None), rejected(None)),
    ];
    for (answer, expected) in table {
        let mut page = Page::live();
        order(&mut page, "c-1");
        page.hear(answer);
        page.pass(5_000);
        assert_eq!(progress(&page), [Progress::Sent, expected]);
        assert_eq!(ordered(&page).len(), 1);
    }
}

#[test]
fn a_refusal_that_names_no_command_answers_none_of_two() {
    let mut page = Page::live();
    order(&mut page, "c-1");
    order(&mut page, "c-2");
    page.hear(invalid(None));
    assert_eq!(progress(&page), [Progress::Sent, Progress::Sent]);
    assert!(matches!(page.notices()[..], [Notice::Rejected(_)]));
}

#[test]
fn a_damaged_answer_counts_for_nothing() {
    // S0-95
    let mut page = Page::live();
    order(&mut page, "c-1");
    let text = Frame::new(ServerMessage::CommandResult(result("c-1"))).text(&seal());
    page.tell(Event::Heard(text.replace("SUCCESS", "FAIL")));
    page.pass(500);
    assert_eq!(progress(&page), [Progress::Sent, Progress::Resent]);
}

#[test]
fn the_key_event_tells_what_no_answer_told() {
    let mut page = Page::live();
    order(&mut page, "c-1");
    page.hear(executed(2, "c-1", None));
    assert_eq!(progress(&page), [Progress::Sent, Progress::Done(result("c-1"))]);
    page.pass(2_000);
    assert_eq!(ordered(&page).len(), 1);
    page.hear(executed(3, "of-another-page", None));
    assert_eq!(progress(&page).len(), 2);
}

#[test]
fn what_was_given_up_is_put_right_after_a_return() {
    // S0-44
    let mut page = Page::live();
    order(&mut page, "c-1");
    page.closed(1006);
    page.pass(1_000);
    page.greeted(success("c-1", EPOCH, true));
    page.hear(executed(2, "c-1", Some(Failure::NotVerified)).recovered());
    let failed = CommandResult {
        reason: Some(Failure::NotVerified),
        status: CommandStatus::Fail,
        verified: Some(false),
        ..result("c-1")
    };
    let expected = [Progress::Sent, Progress::NoResponse, Progress::Done(failed)];
    assert_eq!(progress(&page), expected);
    page.hear(executed(2, "c-1", Some(Failure::NotVerified)).recovered());
    assert_eq!(progress(&page).len(), 3, "each event counts once");
}
