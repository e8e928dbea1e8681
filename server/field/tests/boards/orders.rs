//! Orders to boards: written, read back, and always answered in time.

use std::time::{Duration, Instant};

use field::map::{Area, ByteOrder, DataType, Mapping, Target};
use field::poller::News;
use field::simulator::Fault;
use protocol::command::Failure;
use protocol::job::{Done, Execution, NotDone, Task};
use protocol::reading::{Reason, Value};
use protocol::report::Reach;

use crate::support::*;

#[tokio::test]
async fn every_type_of_value_is_written_and_read_back() {
    use DataType::{Float32, Int16, Int32, Uint16, Uint32};
    let board = Simulated::start(&[1]).await;
    let number = |data_type, order| number(Area::HoldingRegister, 0x2200, data_type, order);
    let table = [
        (number(Uint16, ByteOrder::Ab), 65_535.0),
        (number(Uint16, ByteOrder::Ba), 4_660.0),
        (Mapping { scale: 0.1, ..number(Int16, ByteOrder::Ab) }, -32.5),
        (number(Uint32, ByteOrder::Abcd), 4_000_000_000.0),
        (number(Int32, ByteOrder::Cdab), -70_000.0),
        (number(Float32, ByteOrder::Badc), 12.5),
        (number(Float32, ByteOrder::Dcba), -0.3),
    ];
    let points = table.iter().map(|(mapping, _)| mapping.clone()).collect();
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    for (point, (mapping, value)) in table.iter().enumerate() {
        polling.order("one", "board-1", same(point, Value::Number(*value)), WITHIN);
        let (execution, reports) = polling.outcome("one").await;
        assert_eq!(execution.result, done(Value::Number(*value)), "{mapping:?}");
        assert!(execution.written_after.is_some_and(|after| after < WITHIN));
        let read_back = reports.last().unwrap();
        assert_eq!(read_back.results, [(point, Ok(Value::Number(*value)))]);
        assert_eq!(read_back.reach, Reach::Answered, "told before the outcome");
    }
}

#[tokio::test]
async fn switches_are_coils_or_bits_of_a_register() {
    let board = Simulated::start(&[1]).await;
    let points = vec![
        bit(Area::Coil, 3, None),
        bit(Area::HoldingRegister, 0x2236, Some(9)),
        register(0x2236),
    ];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    polling.order("word", "board-1", same(2, Value::Number(5.0)), WITHIN);
    assert_eq!(polling.outcome("word").await.0.result, done(Value::Number(5.0)));
    for (point, on) in [(0, true), (0, false), (1, true), (1, false), (1, true)] {
        polling.order("one", "board-1", same(point, Value::Switch(on)), WITHIN);
        let (execution, _) = polling.outcome("one").await;
        assert_eq!(execution.result, done(Value::Switch(on)), "point {point}");
    }
    let others = polling.until("the whole word", |report| report.results.len() == 3).await;
    assert_eq!(values(&others)[2], Ok(Value::Number(517.0)), "the other bits stay");
}

#[tokio::test]
async fn an_order_may_show_at_another_point() {
    // S0-17
    let board = Simulated::start(&[1]).await;
    let points = vec![bit(Area::Coil, 0x0121, None), register(0x0007)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    let (value, expected) = (Value::Switch(true), Value::Number(4.0));
    let start = Task::Write { point: 0, value, verify: 1, expected };
    polling.order("start", "board-1", start, WITHIN);
    let (execution, reports) = polling.outcome("start").await;
    assert_eq!(execution.result, done(expected));
    assert_eq!(reports.last().unwrap().results, [(1, Ok(expected))]);
}

#[tokio::test]
async fn an_order_is_read_back_where_the_plant_shows_it() {
    use Area::{Coil, DiscreteInput, HoldingRegister, InputRegister};
    let setpoint = Mapping { scale: 0.1, ..register(0x2200) };
    let float = number(HoldingRegister, 0x2202, DataType::Float32, ByteOrder::Cdab);
    let [first, second] = [3, 4].map(|at| bit(HoldingRegister, 0x2236, Some(at)));
    let at = |area, address, mapping: &Mapping| Mapping { area, address, ..mapping.clone() };
    let feedback = [
        at(InputRegister, 0x5000, &setpoint),
        at(HoldingRegister, 0x5001, &float),
        bit(DiscreteInput, 0x5002, None),
        bit(DiscreteInput, 0x5003, None),
        bit(HoldingRegister, 0x5004, Some(4)),
    ];
    let points = vec![setpoint, float, bit(Coil, 0x0120, None), first, second];
    let feedback = feedback.into_iter().enumerate().collect();
    let target = Target { feedback, ..target("board-1", 1, points) };
    let board = Simulated::wired(&[1], std::slice::from_ref(&target)).await;
    let mut polling = Polling::start(tcp(board.address), vec![target]);
    let (number, switch) = (Value::Number, Value::Switch);
    let orders = [
        (0, number(32.5)),
        (1, number(-12.5)),
        (2, switch(true)),
        (3, switch(true)),
        (4, switch(true)),
        (3, switch(false)),
    ];
    for (point, value) in orders {
        polling.order("one", "board-1", same(point, value), WITHIN);
        let (execution, reports) = polling.outcome("one").await;
        assert_eq!(execution.result, done(value), "point {point}");
        let shown = reports.last().unwrap();
        assert_eq!(shown.results, [(point, Ok(value))], "the point itself is read as well");
    }
}

#[tokio::test]
async fn a_plant_that_does_not_follow_an_order_is_caught_by_its_feedback() {
    let board = Simulated::start(&[1]).await;
    let target = target("board-1", 1, vec![register(0x2200)]);
    let target = Target { feedback: [(0, register(0x2201))].into(), ..target };
    let mut polling = Polling::start(tcp(board.address), vec![target]);
    polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN);
    let (execution, reports) = polling.outcome("one").await;
    let not_done = NotDone {
        failure: Failure::NotVerified,
        detail: Some("70 was read, not 7".into()),
        found: Some(Value::Number(70.0)),
    };
    assert_eq!(execution.result, Err(not_done));
    let shown = reports.last().unwrap();
    assert_eq!(shown.results, [(0, Ok(Value::Number(7.0)))], "the point has what was written");
}

#[tokio::test]
async fn feedback_is_looked_at_until_the_plant_has_followed() {
    let mut board = Played::start().await;
    let target = target("board-1", 1, vec![register(0), register(100), register(200)]);
    let target = Target { feedback: [(0, register(100))].into(), ..target };
    let mut polling = Polling::start(tcp(board.address), vec![target]);
    for address in [0, 100] {
        let request = board.next().await;
        assert_eq!(request.pdu, read(address));
        if address == 100 {
            polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
        }
        request.obey(1);
    }
    let script = [
        (vec![6, 0, 0, 0, 7], 0),
        (read(0), 7),
        (read(100), 1),
        (read(100), 3),
        (read(100), 7),
        (read(200), 1),
        // Both were read before the write.
        (read(0), 7),
        (read(100), 7),
    ];
    for (expected, value) in script {
        let request = board.next().await;
        assert_eq!(request.pdu, expected);
        request.obey(value);
    }
    assert_eq!(polling.outcome("one").await.0.result, done(Value::Number(7.0)));
    let told = values(&polling.next().await);
    assert_eq!(told, [7.0, 7.0, 1.0].map(|number| Ok(Value::Number(number))));
}

#[tokio::test]
async fn what_is_read_back_is_no_poll() {
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.until("a good report", is_good).await;
    polling.pace.send(Duration::from_secs(10)).unwrap();
    polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    let mut shown = Vec::new();
    loop {
        match polling.next_news().await {
            News::Polled(_) => {}
            News::ReadBack { report, .. } => shown.push(report.results),
            News::Executed { .. } => break,
        }
    }
    assert_eq!(shown, [[(0, Ok(Value::Number(7.0)))]]);
}

#[tokio::test]
async fn the_clock_is_set_to_the_time_of_the_site() {
    let board = Simulated::start(&[1]).await;
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, vec![])]);
    let clock =
        |zone: &str| Task::SetClock { address: 0x3000, zone: zone.into(), ahead_ms: 86_400_000 };
    polling.order("one", "board-1", clock("Asia/Shanghai"), WITHIN);
    let (execution, _) = polling.outcome("one").await;
    assert_eq!(execution.result, Ok(Done::default()));
    assert!(execution.written_after.is_some());
    polling.order("two", "board-1", clock("Asia/Atlantis"), WITHIN);
    assert_eq!(failure(&polling.outcome("two").await.0), Failure::InvalidParam);
    board.faults.set(Fault::IgnoreWrites);
    polling.order("three", "board-1", clock("UTC"), WITHIN);
    assert_eq!(failure(&polling.outcome("three").await.0), Failure::NotVerified);
}

#[tokio::test]
async fn what_the_board_does_about_an_order_is_told() {
    // S0-22, S0-24, S0-26
    let table = [
        (Fault::None, Ok(())),
        (Fault::RefuseWrites, Err(Failure::DeviceRefused)),
        (Fault::Exception(6), Err(Failure::DeviceRefused)),
        (Fault::IgnoreWrites, Err(Failure::NotVerified)),
        (Fault::Hang, Err(Failure::DeviceTimeout)),
        (Fault::Delay(Duration::from_secs(1)), Err(Failure::DeviceTimeout)),
        (Fault::Garbage, Err(Failure::DeviceTimeout)),
        (Fault::ForeignUnit, Err(Failure::DeviceTimeout)),
        (Fault::Cut, Err(Failure::DeviceTimeout)),
    ];
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    for (fault, expected) in table {
        polling.until("a good report", is_good).await;
        board.faults.set(fault);
        let begun = Instant::now();
        polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN * 2);
        let (execution, _) = polling.outcome("one").await;
        assert!(begun.elapsed() < WITHIN * 2 + LATE, "{fault:?}: {:?}", begun.elapsed());
        let result = execution.result.as_ref().map(|_| ()).map_err(|not_done| not_done.failure);
        assert_eq!(result, expected, "{fault:?}: {execution:?}");
        if let Err(NotDone { detail, .. }) = &execution.result {
            assert!(detail.is_some(), "{execution:?}");
        }
        if fault == Fault::RefuseWrites {
            let detail = execution.result.as_ref().unwrap_err().detail.as_deref();
            assert_eq!(detail, Some("the board answered with exception 4: it failed"));
        }
        let was_written = matches!(fault, Fault::None | Fault::IgnoreWrites);
        assert_eq!(execution.written_after.is_some(), was_written, "{fault:?}");
        board.faults.set(Fault::None);
        polling.order("back", "board-1", same(0, Value::Number(60.0)), WITHIN * 2);
        assert_eq!(polling.outcome("back").await.0.result, done(Value::Number(60.0)), "{fault:?}");
    }
}

#[tokio::test]
async fn a_board_that_ignores_an_order_is_caught_by_the_read_back() {
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    board.faults.set(Fault::IgnoreWrites);
    polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN);
    let (execution, reports) = polling.outcome("one").await;
    let not_done = NotDone {
        failure: Failure::NotVerified,
        detail: Some("60 was read, not 7".into()),
        found: Some(Value::Number(60.0)),
    };
    assert_eq!(execution.result, Err(not_done));
    assert_eq!(reports.last().unwrap().results, [(0, Ok(Value::Number(60.0)))]);
}

#[tokio::test]
async fn nothing_is_queued_for_a_board_that_is_away() {
    // S0-26
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.until("a good report", is_good).await;
    board.faults.set(Fault::Refuse);
    polling.until("its absence", |report| says(report, 1, Reach::Away, Reason::Refused)).await;
    let begun = Instant::now();
    for _ in 0..10 {
        polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN);
        let (execution, _) = polling.outcome("one").await;
        assert_eq!(failure(&execution), Failure::DeviceOffline);
        assert_eq!(execution.written_after, None);
    }
    assert!(begun.elapsed() < WITHIN * 10, "{:?}", begun.elapsed());
    board.faults.set(Fault::None);
    let back = polling.until("a good report", is_good).await;
    assert_eq!(values(&back), [Ok(Value::Number(60.0))], "nothing was written");
}

#[tokio::test]
async fn a_board_long_silent_is_not_written_to() {
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    board.faults.set(Fault::Hang);
    let mut left_alone = false;
    while !left_alone {
        polling.next().await;
        polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN);
        left_alone = failure(&polling.outcome("one").await.0) == Failure::DeviceOffline;
    }
    let begun = Instant::now();
    polling.order("two", "board-1", same(0, Value::Number(7.0)), WITHIN);
    let (execution, _) = polling.outcome("two").await;
    assert!(begun.elapsed() < WITHIN + LATE);
    let failures = [Failure::DeviceOffline, Failure::DeviceTimeout];
    assert!(failures.contains(&failure(&execution)), "{execution:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_without_a_word_to_the_board() {
    // S0-27
    let mut board = Played::start().await;
    let input = Mapping { area: Area::InputRegister, ..register(0) };
    let points = vec![register(0), input, bit(Area::Coil, 0, None)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    let held = board.next().await;
    let invalid = [(0, Value::Number(1e6)), (1, Value::Number(1.0)), (2, Value::Number(1.0))];
    for (point, value) in invalid {
        polling.order("one", "board-1", same(point, value), WITHIN);
    }
    polling.order("two", "board-1", same(9, Value::Number(1.0)), WITHIN);
    polling.order("two", "board-1", Task::Pace(Duration::from_secs(1)), WITHIN);
    polling.order("two", "board-2", same(0, Value::Number(1.0)), WITHIN);
    held.obey(0);
    for _ in invalid {
        assert_eq!(failure(&polling.outcome("one").await.0), Failure::InvalidParam);
    }
    for _ in 0..3 {
        assert_eq!(failure(&polling.outcome("two").await.0), Failure::NotSupported);
    }
    assert!(is_read(&board.next().await.pdu), "the poll goes on");
}

#[tokio::test]
async fn a_job_goes_before_the_next_read_of_a_long_poll() {
    let mut board = Played::start().await;
    let points = [0, 100, 200, 300].map(register).to_vec();
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    let first = board.next().await;
    assert_eq!(first.pdu, read(0));
    polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    polling.order("two", "board-1", same(3, Value::Number(8.0)), PATIENCE);
    first.obey(1);
    let script = [
        (vec![6, 0, 0, 0, 7], 0),
        (read(0), 7),
        (vec![6, 1, 44, 0, 8], 0),
        (read(300), 8),
        (read(100), 1),
        (read(200), 1),
        (read(300), 8),
        // It was read before it was written.
        (read(0), 7),
    ];
    for (expected, value) in script {
        let request = board.next().await;
        assert_eq!(request.pdu, expected);
        request.obey(value);
    }
    for (id, value) in [("one", 7.0), ("two", 8.0)] {
        assert_eq!(polling.outcome(id).await.0.result, done(Value::Number(value)));
    }
    let told = values(&polling.next().await);
    assert_eq!(told, [7.0, 1.0, 1.0, 8.0].map(|number| Ok(Value::Number(number))));
}

#[tokio::test]
async fn a_job_goes_before_the_next_board_too() {
    let mut board = Played::start().await;
    let of = |device, unit| target(device, unit, vec![register(0)]);
    let targets = vec![of("board-1", 1), of("board-2", 2), of("board-3", 3)];
    let mut polling = Polling::start(tcp(board.address), targets);
    let first = board.next().await;
    polling.order("one", "board-3", same(0, Value::Number(7.0)), PATIENCE);
    first.obey(1);
    for (expected, value) in [(vec![6, 0, 0, 0, 7], 0), (read(0), 7), (read(0), 1), (read(0), 7)] {
        let request = board.next().await;
        assert_eq!(request.pdu, expected);
        request.obey(value);
    }
    assert_eq!(polling.outcome("one").await.0.result, done(Value::Number(7.0)));
}

#[tokio::test]
async fn a_board_without_the_short_functions_is_asked_with_the_long_ones() {
    let mut board = Played::start().await;
    let points = vec![register(0), bit(Area::Coil, 0, None)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    let held = board.next().await;
    polling.order("one", "board-1", same(1, Value::Switch(true)), PATIENCE);
    polling.order("two", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    held.answer(&[1, 1, 0]);
    let script: [(&[u8], &[u8]); 6] = [
        (&[5, 0, 0, 0xFF, 0], &[0x85, 1]),
        (&[15, 0, 0, 0, 1, 1, 1], &[15, 0, 0, 0, 1]),
        (&[1, 0, 0, 0, 1], &[1, 1, 1]),
        (&[6, 0, 0, 0, 7], &[0x86, 1]),
        (&[16, 0, 0, 0, 1, 2, 0, 7], &[16, 0, 0, 0, 1]),
        (&[3, 0, 0, 0, 1], &[3, 2, 0, 7]),
    ];
    for (expected, answer) in script {
        let request = board.next().await;
        assert_eq!(request.pdu, expected);
        request.answer(answer);
    }
    assert_eq!(polling.outcome("one").await.0.result, done(Value::Switch(true)));
    assert_eq!(polling.outcome("two").await.0.result, done(Value::Number(7.0)));
}

#[tokio::test]
async fn a_board_is_looked_at_until_it_has_obeyed() {
    let mut board = Played::start().await;
    let targets = vec![target("board-1", 1, vec![register(0)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    let held = board.next().await;
    polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    held.obey(0);
    // Acknowledged: it will take longer than it may.
    board.next().await.answer(&[0x86, 5]);
    board.next().await.obey(1);
    board.next().await.answer(&[0x83, 6]);
    board.next().await.obey(3);
    board.next().await.obey(7);
    assert_eq!(polling.outcome("one").await.0.result, done(Value::Number(7.0)));
}

#[tokio::test]
async fn a_read_back_without_an_answer_proves_nothing() {
    let mut board = Played::start().await;
    let targets = vec![target("board-1", 1, vec![register(0)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    let held = board.next().await;
    polling.order("one", "board-1", same(0, Value::Number(7.0)), WITHIN);
    held.obey(0);
    board.next().await.obey(0);
    let _never_answered = board.next().await;
    let (execution, _) = polling.outcome("one").await;
    assert!(execution.written_after.is_some());
    let not_done = execution.result.unwrap_err();
    assert_eq!((not_done.failure, not_done.found), (Failure::DeviceTimeout, None));
}

#[tokio::test]
async fn a_write_is_never_sent_twice() {
    let mut board = Played::start().await;
    let targets = vec![target("board-1", 1, vec![register(0)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    let held = board.next().await;
    polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    held.obey(0);
    let write = board.next().await;
    assert_eq!(write.pdu, [6, 0, 0, 0, 7]);
    // The board hangs up over it.
    drop(write);
    let (execution, _) = polling.outcome("one").await;
    assert_eq!(failure(&execution), Failure::DeviceTimeout, "whether it was written is unknown");
    assert!(is_read(&board.next().await.pdu));
}

#[tokio::test]
async fn a_job_past_its_time_is_not_done() {
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(0x2200)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.order("one", "board-1", same(0, Value::Number(7.0)), Duration::ZERO);
    let (execution, _) = polling.outcome("one").await;
    assert_eq!(failure(&execution), Failure::Expired);
    assert_eq!(execution.written_after, None);
    polling.drain();
    assert_eq!(values(&polling.next().await), [Ok(Value::Number(60.0))]);
}

#[tokio::test]
async fn a_job_that_waits_behind_a_silent_board_is_told_in_time() {
    let mut board = Played::start().await;
    let targets = vec![target("board-1", 1, vec![register(0)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    let held = board.next().await;
    let within = Duration::from_millis(20);
    polling.order("one", "board-1", same(0, Value::Number(7.0)), within);
    let (execution, reports) = polling.outcome("one").await;
    assert_eq!(failure(&execution), Failure::Expired);
    assert_eq!(reports, [], "the read still waits for its answer");
    held.obey(0);
    assert!(is_read(&board.next().await.pdu));
}

#[tokio::test]
async fn a_board_that_hangs_up_when_idle_obeys_nonetheless() {
    let mut board = Played::start().await;
    let targets = vec![target("board-1", 1, vec![register(0)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.pace.send(Duration::from_secs(10)).unwrap();
    board.next().await.obey(0);
    polling.next().await;
    board.hang_up().await;
    polling.order("one", "board-1", same(0, Value::Number(7.0)), PATIENCE);
    let write = board.next().await;
    assert_eq!(write.pdu, [6, 0, 0, 0, 7]);
    write.obey(0);
    board.next().await.obey(7);
    assert_eq!(polling.outcome("one").await.0.result, done(Value::Number(7.0)));
}

/// The point itself shows whether it was written.
fn same(point: usize, value: Value) -> Task {
    Task::Write { point, value, verify: point, expected: value }
}

fn done(value: Value) -> Result<Done, NotDone> {
    Ok(Done { old: None, new: Some(value) })
}

fn failure(execution: &Execution) -> Failure {
    execution.result.as_ref().expect_err("a failure").failure
}

/// The request for one register.
fn read(address: u16) -> Vec<u8> {
    [&[3], address.to_be_bytes().as_slice(), &[0, 1]].concat()
}

fn is_read(pdu: &[u8]) -> bool {
    matches!(pdu.first(), Some(1..=4))
}

/// What the Station grants an order, about.
const WITHIN: Duration = Duration::from_millis(450);

/// What a busy machine may add to it.
const LATE: Duration = Duration::from_millis(300);
