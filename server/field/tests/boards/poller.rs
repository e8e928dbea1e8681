//! The poller against simulated boards: every fault is told, and none outlives its cause.

use std::time::{Duration, Instant};

use field::map::{Area, Mapping, Transport};
use field::poller;
use field::simulator::Fault;
use field::work::Jobs;
use protocol::reading::Reason;
use protocol::report::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::support::*;

#[tokio::test]
async fn every_fault_is_told_within_three_polls_and_passes() {
    let table = [
        (Fault::Refuse, Reach::Away, Reason::Refused),
        (Fault::Hang, Reach::Silent, Reason::Timeout),
        (Fault::Exception(4), Reach::Answered, Reason::Exception(4)),
        (Fault::Garbage, Reach::Silent, Reason::Garbage),
        (Fault::ShortAnswer, Reach::Silent, Reason::ShortAnswer),
        (Fault::ForeignUnit, Reach::Silent, Reason::ForeignUnit),
        (Fault::Delay(Duration::from_secs(1)), Reach::Silent, Reason::Timeout),
        (Fault::Cut, Reach::Away, Reason::Disconnected),
    ];
    let board = Simulated::start(&[1]).await;
    let points = vec![register(5), register(0x2200), bit(Area::Coil, 0, None)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    for (fault, reach, reason) in table {
        polling.until("a good report", is_good).await;
        polling.drain();
        board.faults.set(fault);
        let three = [polling.next().await, polling.next().await, polling.next().await];
        let told = three.iter().any(|report| says(report, 3, reach, reason));
        assert!(told, "{fault:?}: {three:?}");
        board.faults.set(Fault::None);
    }
    polling.until("a good report", is_good).await;
}

#[tokio::test]
async fn a_board_is_back_soon_after_a_long_absence() {
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(5)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    for fault in [Fault::Refuse, Fault::Hang] {
        polling.until("a good report", is_good).await;
        board.faults.set(fault);
        for _ in 0..25 {
            polling.next().await;
        }
        board.faults.set(Fault::None);
        let back = Instant::now();
        polling.until("a good report", is_good).await;
        assert!(back.elapsed() < Duration::from_secs(4), "{fault:?}: {:?}", back.elapsed());
    }
}

#[tokio::test]
async fn a_sick_board_costs_its_neighbour_nothing_but_its_time_out() {
    let faults = [Fault::Hang, Fault::Garbage, Fault::Cut, Fault::ForeignUnit];
    for fault in faults {
        let board = Simulated::start(&[1, 2, 3]).await;
        let of = |device, unit| target(device, unit, vec![register(5), register(0x40)]);
        let targets = vec![of("before", 1), of("sick", 2), of("after", 3)];
        let mut polling = Polling::start(tcp(board.address), targets);
        polling.until("a good report", is_good).await;
        board.faults.set_unit(2, fault);
        polling.until("the fault", |report| !is_good(report)).await;
        let begun = Instant::now();
        for _ in 0..10 {
            for device in ["before", "sick", "after"] {
                let report = polling.next_of(device).await;
                assert_eq!(is_good(&report), device != "sick", "{fault:?}: {report:?}");
            }
        }
        // Three polls on time at worst, and a little for a busy machine.
        assert!(begun.elapsed() < INTERVAL * 10 * 4, "{fault:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_poll_interval_changes_while_it_runs() {
    // S0-11
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(5)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.next().await;
    polling.pace.send(Duration::from_secs(1)).unwrap();
    polling.next().await;
    polling.drain();
    let begun = Instant::now();
    polling.next().await;
    polling.next().await;
    assert!(begun.elapsed() > Duration::from_millis(900), "slow: {:?}", begun.elapsed());

    polling.pace.send(INTERVAL).unwrap();
    let begun = Instant::now();
    for _ in 0..10 {
        polling.next().await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "fast: {:?}", begun.elapsed());
}

#[tokio::test]
async fn polls_do_not_drift() {
    // S0-9
    let board = Simulated::start(&[1]).await;
    let targets = vec![target("board-1", 1, vec![register(5)])];
    let mut polling = Polling::start(tcp(board.address), targets);
    polling.next().await;
    board.faults.set(Fault::Delay(Duration::from_millis(80)));
    polling.next().await;
    let begun = Instant::now();
    for _ in 0..20 {
        polling.next().await;
    }
    assert!(begun.elapsed() < INTERVAL * 30, "20 polls took {:?}", begun.elapsed());
}

#[tokio::test]
async fn an_exception_concerns_only_the_points_it_was_about() {
    let board = Simulated::start(&[1]).await;
    let points = vec![register(5), register(0x0100), register(6)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    let report = polling.next().await;
    assert_eq!(report.reach, Reach::Answered);
    let values = values(&report);
    assert!(values[0].is_ok() && values[2].is_ok(), "{report:?}");
    assert_eq!(values[1], Err(Reason::Exception(2)));
}

#[tokio::test]
async fn a_gateway_that_answers_for_a_board_does_not_hide_its_silence() {
    let gateway = Simulated::start(&[1]).await;
    let of = |device, unit| target(device, unit, vec![register(5), register(0x40)]);
    let targets = vec![of("there", 1), of("missing", 2)];
    let mut polling = Polling::start(tcp(gateway.address), targets);
    for _ in 0..10 {
        assert!(is_good(&polling.next_of("there").await));
        let report = polling.next_of("missing").await;
        assert!(says(&report, 2, Reach::Silent, Reason::Exception(11)), "{report:?}");
    }
}

#[tokio::test]
async fn a_board_that_refuses_to_be_read_over_holes_is_read_around_them() {
    let board = Simulated::start(&[1]).await;
    let points = vec![bit(Area::Coil, 15, None), bit(Area::Coil, 0x0101, None)];
    let mut polling = Polling::start(tcp(board.address), vec![target("board-1", 1, points)]);
    for _ in 0..3 {
        let report = polling.next().await;
        assert!(is_good(&report), "{report:?}");
    }
}

#[tokio::test]
async fn a_slow_point_is_read_at_its_own_pace_and_told_at_once_when_lost() {
    let board = Simulated::start(&[1]).await;
    let slow = Mapping { poll: Some(Duration::from_secs(3_600)), ..register(6) };
    let targets = vec![target("board-1", 1, vec![register(5), slow])];
    let mut polling = Polling::start(tcp(board.address), targets);
    assert_eq!(polling.next().await.results.len(), 2);
    for _ in 0..3 {
        assert_eq!(polling.next().await.results.len(), 1);
    }
    board.faults.set(Fault::Refuse);
    let lost = |report: &_| says(report, 2, Reach::Away, Reason::Refused);
    polling.until("both points lost", lost).await;
    board.faults.set(Fault::None);
    let back = polling.until("a good report", is_good).await;
    assert_eq!(back.results.len(), 2, "the slow one is read at once, too");
}

#[tokio::test]
async fn a_board_that_hangs_up_between_polls_is_no_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 12];
            if stream.read_exact(&mut request).await.is_ok() {
                let answer = [request[0], request[1], 0, 0, 0, 5, 1, 3, 2, 0, 7];
                stream.write_all(&answer).await.unwrap();
            }
        }
    });
    let targets = vec![target("board-1", 1, vec![register(5)])];
    let mut polling = Polling::start(tcp(address), targets);
    for _ in 0..5 {
        let report = polling.next().await;
        assert!(is_good(&report), "{report:?}");
    }
}

#[tokio::test]
async fn where_nothing_is_nothing_is_reached() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let no_such_port = Transport::Rtu {
        path: "/dev/no-such-port".into(),
        baud_rate: 9600,
        data_bits: 8,
        stop_bits: 1,
        parity: field::map::Parity::None,
    };
    let no_such_host = Transport::Tcp { host: "no-such-host.invalid".into(), port: 502 };
    let table = [
        (tcp(free), Reason::Refused),
        (no_such_port, Reason::Unreachable),
        (no_such_host, Reason::Unreachable),
    ];
    for (transport, reason) in table {
        let text = format!("{transport:?}");
        let of = |device, unit| target(device, unit, vec![register(5), register(6)]);
        let mut polling = Polling::start(transport, vec![of("one", 1), of("two", 2)]);
        for device in ["one", "two", "one", "two"] {
            let report = polling.next().await;
            assert_eq!(report.device.as_str(), device);
            assert!(says(&report, 2, Reach::Away, reason), "{text}: {report:?}");
        }
    }
}

#[tokio::test]
async fn it_stops_when_told_even_with_nobody_to_take_its_reports() {
    let board = Simulated::start(&[1]).await;
    let config = field::map::ChannelConfig {
        id: protocol::id::ChannelId(1),
        transport: tcp(board.address),
        poll_interval: INTERVAL,
        timeout: None,
        targets: vec![target("board-1", 1, vec![register(5)])],
    };
    let (outbox, mut reports) = mpsc::channel(1);
    let (pace, paced) = watch::channel(INTERVAL);
    drop(pace);
    let stop = CancellationToken::new();
    let (_jobs, inbox) = Jobs::open();
    let task = tokio::spawn(poller::run(config, paced, inbox, outbox, stop.clone()));
    while reports.capacity() > 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    tokio::time::timeout(PATIENCE, task).await.expect("an end").unwrap();
    assert!(reports.recv().await.is_some(), "what was read before is not lost");
}
