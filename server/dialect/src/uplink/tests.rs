use protocol::command::Failure;
use protocol::frame::CommandStatus;
use protocol::job::{Done, NotDone};
use protocol::reading::Value;
use protocol::status::{NumberedRow, StatusRow};
use protocol::wire::native::{CommandResult, seal_text};
use protocol::wire::uplink::{MOST_IN_FLIGHT, Said, seal};

use super::*;

const CLOCK: Clock = Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_000_000));

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn uplink() -> Uplink {
    let guest = Guest {
        edge: "north".parse().unwrap(),
        connection: "c-1".parse().unwrap(),
        seal: seal("a token for tests"),
        epoch: "e-1".parse().unwrap(),
        heartbeat_interval: Duration::from_secs(10),
        server_version: "0.0.0".into(),
    };
    let mut uplink = Uplink::new(guest, at(0));
    let greeting = uplink.open(&CLOCK, at(0));
    assert!(said(&greeting)[0].contains("CONNECT_SUCCESS"), "{greeting:?}");
    assert_eq!(greeting[1], Action::Tell(Line::default()));
    uplink
}

fn batch(number: u64, ids: std::ops::RangeInclusive<u64>) -> EdgeMessage {
    let row = |id| NumberedRow {
        id,
        row: StatusRow {
            bit_position: None,
            device_id: "board-1".parse().unwrap(),
            new_value: "ON".into(),
            old_value: "OFF".into(),
            record_time: Timestamp::default(),
            status_name: "门锁".into(),
            status_type: "InputStatus".into(),
            timestamp: Timestamp::default(),
        },
    };
    let oldest = Some(Timestamp::from_millis(400));
    let incarnation = "i-1".parse().unwrap();
    EdgeMessage::Upload(Upload {
        batch: number,
        incarnation,
        oldest,
        pending: 9,
        rows: ids.map(row).collect(),
    })
}

fn hear(uplink: &mut Uplink, message: &EdgeMessage, about: &str, now: Instant) -> Vec<Action> {
    let text = message.write(about, Timestamp::from_millis(1_400));
    let text = seal_text(&seal("a token for tests"), &text);
    uplink.hear(Heard::Text(&text), &CLOCK, now)
}

fn said(actions: &[Action]) -> Vec<&str> {
    let mut texts = Vec::new();
    for action in actions {
        if let Action::Say(text) = action {
            texts.push(text.as_str());
        }
    }
    texts
}

/// The answers to batches.
fn answers(actions: &[Action]) -> Vec<Result<u64, (u64, String)>> {
    let read = |text| match Downward::read(text, &seal("a token for tests")) {
        Said::Word(Downward::Uploaded(Uploaded { batch }), _) => Some(Ok(batch)),
        Said::Word(Downward::UploadFailed(UploadFailed { batch, reason }), _) => {
            Some(Err((batch, reason)))
        }
        _ => None,
    };
    said(actions).into_iter().filter_map(read).collect()
}

fn stored(actions: &[Action]) -> Vec<usize> {
    let stored = |action: &Action| match action {
        Action::Store(batch) => Some(batch.rows.len()),
        _ => None,
    };
    actions.iter().filter_map(stored).collect()
}

#[test]
fn a_batch_is_acknowledged_once_it_is_on_the_disk() {
    // S0-49
    let mut uplink = uplink();
    let actions = hear(&mut uplink, &batch(1, 1..=2), "north", at(10));
    assert_eq!((stored(&actions), answers(&actions)), (vec![2], vec![]));
    let actions = uplink.stored(Ok(()), &CLOCK, at(20));
    assert_eq!(answers(&actions), [Ok(1)]);
}

#[test]
fn batches_that_wait_for_the_disk_are_written_together() {
    let mut uplink = uplink();
    let mut writes = Vec::new();
    for number in 1..=4 {
        let ids = number * 10..=number * 10 + 4;
        writes.extend(stored(&hear(&mut uplink, &batch(number, ids), "north", at(10))));
    }
    assert_eq!(writes, [5]);
    let actions = uplink.stored(Ok(()), &CLOCK, at(20));
    assert_eq!((answers(&actions), stored(&actions)), (vec![Ok(1)], vec![15]));
    let actions = uplink.stored(Ok(()), &CLOCK, at(30));
    assert_eq!(answers(&actions), [Ok(2), Ok(3), Ok(4)]);
}

#[test]
fn a_batch_counts_in_its_turn_alone() {
    let table = [
        (vec![2], "batch 2 came where 1 was expected"),
        (vec![1, 1], "batch 1 came where 2 was expected"),
        (vec![1, 2, 4], "batch 4 came where 3 was expected"),
        (vec![0], "batch 0 came where 1 was expected"),
        (vec![u64::MAX], "where 1 was expected"),
    ];
    for (numbers, expected) in table {
        let mut uplink = uplink();
        let mut actions = Vec::new();
        for number in &numbers {
            actions = hear(&mut uplink, &batch(*number, 1..=1), "north", at(10));
        }
        let answers = answers(&actions);
        let [Err((number, reason))] = &answers[..] else { panic!("{numbers:?}: {answers:?}") };
        assert_eq!(numbers.last(), Some(number));
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn after_a_failed_write_nothing_later_is_kept() {
    let mut uplink = uplink();
    for number in 1..=3 {
        hear(&mut uplink, &batch(number, number..=number), "north", at(10));
    }
    let actions = uplink.stored(Err("the disk is full".into()), &CLOCK, at(20));
    let refused = |number| Err((number, "the disk is full".into()));
    assert_eq!(answers(&actions), [refused(1), refused(2), refused(3)]);
    assert_eq!(stored(&actions), Vec::<usize>::new());
    let actions = hear(&mut uplink, &batch(4, 4..=4), "north", at(30));
    assert!(matches!(&answers(&actions)[..], [Err((4, _))]), "{actions:?}");
}

#[test]
fn no_more_batches_than_agreed_are_taken() {
    let mut uplink = uplink();
    let most = u64::try_from(MOST_IN_FLIGHT).unwrap();
    for number in 1..=most {
        let actions = hear(&mut uplink, &batch(number, number..=number), "north", at(10));
        assert_eq!(answers(&actions), []);
    }
    let actions = hear(&mut uplink, &batch(most + 1, 99..=99), "north", at(10));
    assert!(matches!(&answers(&actions)[..], [Err((17, _))]), "{actions:?}");
}

#[test]
fn bad_frames_are_answered_and_the_connection_stays() {
    let seal = seal("a token for tests");
    let sealed = |text: &str| seal_text(&seal, text);
    let cut_in_half = sealed(&batch(1, 1..=2).write("north", Timestamp::default()));
    let cut_in_half: String = cut_in_half.chars().take(200).collect();
    let table = [
        ("{".into(), "INVALID_COMMAND_FORMAT"),
        (String::new(), "INVALID_COMMAND_FORMAT"),
        (cut_in_half, "INVALID_COMMAND_FORMAT"),
        (r#"{"type":"HEARTBEAT"}"#.into(), "checksum"),
        (r#"{"checksum":"00","type":"HEARTBEAT"}"#.into(), "DATA_TAMPERED"),
        (sealed(r#"{"type":"SING"}"#), "Unknown type"),
        (sealed(r#"{"type":"UPLOAD","data":{"batch":1,"rows":[]}}"#), "UPLOAD_FAILED"),
        (sealed(&batch(1, 1..=101).write("north", Timestamp::default())), "1 to 100 rows"),
    ];
    let mut uplink = uplink();
    for (text, expected) in table {
        let actions = uplink.hear(Heard::Text(&text), &CLOCK, at(10));
        assert!(said(&actions)[0].contains(expected), "{text}: {actions:?}");
        assert!(matches!(actions[1], Action::Record(_)), "{actions:?}");
    }
    let actions = uplink.hear(Heard::Bytes, &CLOCK, at(10));
    assert!(said(&actions)[0].contains("not bytes"));
    let actions = hear(&mut uplink, &batch(1, 1..=1), "north", at(10));
    assert_eq!(stored(&actions), [1], "it goes on as if nothing had been");
}

#[test]
fn an_edge_is_told_of_once_a_second_by_its_own_clock() {
    let mut uplink = uplink();
    let actions = hear(&mut uplink, &batch(1, 1..=1), "north", at(200));
    assert!(!actions.iter().any(|action| matches!(action, Action::Tell(_))), "{actions:?}");
    assert_eq!(uplink.wake_at(), Some(at(1_000)));
    let line = Line { backlog: 9, delay: Duration::from_secs(1) };
    assert_eq!(uplink.tick(&CLOCK, at(1_000)), [Action::Tell(line)]);
    assert_eq!(uplink.wake_at(), Some(at(30_200)));
    let standing = EdgeMessage::Standing(Standing::default());
    let actions = hear(&mut uplink, &standing, "north", at(5_000));
    assert_eq!(actions, [Action::Tell(Line::default())]);
}

#[test]
fn a_silent_edge_is_given_up_after_three_heartbeats() {
    // S0-39
    let mut uplink = uplink();
    let beat = hear(&mut uplink, &EdgeMessage::Heartbeat, "north", at(9_000));
    assert!(said(&beat)[0].contains("HEARTBEAT_ACK"));
    assert_eq!(uplink.wake_at(), Some(at(39_000)));
    let actions = uplink.tick(&CLOCK, at(39_000));
    assert_eq!(
        actions[1..],
        [Action::Lost(Duration::from_secs(30)), Action::Close(CloseCode::Silent),]
    );
    assert_eq!(uplink.wake_at(), None);
    assert_eq!(hear(&mut uplink, &EdgeMessage::Heartbeat, "north", at(39_001)), []);
}

#[test]
fn answers_to_orders_become_what_came_of_a_job() {
    let result = |reason| CommandResult {
        command_id: "c-9".into(),
        detail: None,
        executed_at: Timestamp::default(),
        ms: 40,
        new: Some(Value::Number(32.0)),
        old: Some(Value::Number(30.0)),
        reason,
        status: CommandStatus::of(reason),
        verified: Some(reason.is_none()),
    };
    let missing = Invalid { command_id: Some("c-9".into()), ..Invalid::missing("param") };
    let detail = missing.detail.clone();
    let not_done = |failure, detail, found| Err(NotDone { failure, detail, found });
    let table = [
        (
            EdgeMessage::CommandResult(result(None)),
            Ok(Done { old: Some(Value::Number(30.0)), new: Some(Value::Number(32.0)) }),
        ),
        (
            EdgeMessage::CommandResult(result(Some(Failure::NotVerified))),
            not_done(Failure::NotVerified, None, Some(Value::Number(32.0))),
        ),
        (
            EdgeMessage::InvalidCommandFormat(missing),
            not_done(Failure::InvalidParam, Some(detail), None),
        ),
    ];
    for (message, expected) in table {
        let actions = hear(&mut uplink(), &message, "board-1", at(10));
        let execution = Execution { result: expected, written_after: None };
        let (device, id) = ("board-1".parse().unwrap(), "c-9".into());
        assert_eq!(actions, [Action::Executed { device, id, execution }]);
    }
}
