//! What a window keeps, and what it says is gone.

use proptest::prelude::*;
use protocol::frame::{KeyEvent, StateChanged};
use protocol::reading::{Reading, Value};

use super::*;

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn delta(offset: u64, points: usize) -> Frame {
    let point = |n: usize| {
        let value = Some(Value::Number(offset as f64));
        (format!("p{n}").parse().unwrap(), Reading { value, ..Reading::NOT_READ })
    };
    let update = Update { points: (0..points).map(point).collect(), ..Update::default() };
    Frame {
        offset: Offset(offset),
        at: Timestamp::default(),
        body: Body::Delta(update),
        stamps: None,
    }
}

fn event(offset: u64) -> Frame {
    let change = StateChanged {
        at: Timestamp::default(),
        new: "fault".into(),
        old: "working".into(),
        what: "device_status".into(),
    };
    let body = Body::Event(KeyEvent::StateChanged(change));
    Frame { offset: Offset(offset), at: Timestamp::default(), body, stamps: None }
}

fn window() -> Window {
    Window::new("e1".parse().unwrap())
}

fn offsets(recovery: &Recovery) -> Vec<u64> {
    recovery.frames.iter().map(|shared| shared.frame.offset.0).collect()
}

#[test]
fn what_is_held_is_sent_again_and_the_rest_is_gone() {
    let mut window = window();
    for offset in 1..=10 {
        window.push(delta(offset, 1), at(if offset <= 4 { 0 } else { 301 }));
    }
    let table = [
        (5, 10, vec![5, 6, 7, 8, 9, 10], vec![]),
        (3, 6, vec![5, 6], vec![(3, 4)]),
        (1, 2, vec![], vec![(1, 2)]),
        (10, 99, vec![10], vec![]),
        (11, 99, vec![], vec![]),
    ];
    for (from, to, frames, gone) in table {
        let recovery = window.recover(Offset(from), Offset(to));
        let lost: Vec<_> = recovery.gone.iter().map(|(a, b)| (a.0, b.0)).collect();
        assert_eq!((offsets(&recovery), lost), (frames, gone), "{from}..={to}");
    }
}

#[test]
fn key_events_outlive_the_deltas_around_them() {
    // S0-65
    let mut window = window();
    for offset in 1..=400 {
        let frame = if offset % 100 == 0 { event(offset) } else { delta(offset, 100) };
        window.push(frame, at(offset / 10));
    }
    let recovery = window.recover(Offset(1), Offset(400));
    for offset in [100, 200, 300, 400] {
        assert!(offsets(&recovery).contains(&offset), "event {offset}");
    }
    assert!(!recovery.gone.is_empty() && window.weight <= HEAVIEST);
}

#[test]
fn a_snapshot_stands_in_for_the_top_frame() {
    let mut window = window();
    window.push(delta(1, 2), at(0));
    window.push(delta(2, 1), at(1));
    let snapshot = window.snapshot();
    assert_eq!(snapshot.frame.offset, Offset(2));
    let Body::Snapshot(table) = &snapshot.frame.body else { panic!("a snapshot") };
    assert_eq!(table.points.len(), 2);
    assert!(Arc::ptr_eq(&snapshot, &window.snapshot()), "encoded once for all who join");
}

#[test]
fn notices_reach_only_those_who_listen() {
    let mut window = window();
    let lost = |n: u64| {
        Notice::ConnectionLost(ConnectionLost {
            at: Timestamp::default(),
            connection_id: "c".parse().unwrap(),
            silent_ms: n,
        })
    };
    (1..=20).for_each(|n| window.notice(lost(n)));
    let (new, seen) = window.notices_since(18);
    assert_eq!(new.cloned().collect::<Vec<_>>(), [lost(19), lost(20)]);
    assert_eq!(seen, 20);
    assert_eq!(window.notices_since(0).0.count(), MOST_NOTICES);
}

proptest! {
    /// Every number asked for is either sent again or said to be gone, and never both.
    #[test]
    fn recovery_accounts_for_every_number(
        frames in prop::collection::vec((any::<bool>(), 0u64..30, 0usize..200), 1..80),
        from in 1u64..90,
        to in 1u64..90,
    ) {
        let (mut window, mut seconds) = (window(), 0);
        for (index, (is_event, pause, points)) in frames.iter().enumerate() {
            let offset = index as u64 + 1;
            seconds += pause;
            let frame = if *is_event { event(offset) } else { delta(offset, *points) };
            window.push(frame, at(seconds));
        }
        let recovery = window.recover(Offset(from), Offset(to));
        let mut numbers = offsets(&recovery);
        numbers.extend(recovery.gone.iter().flat_map(|(a, b)| a.0..=b.0));
        numbers.sort_unstable();
        let asked: Vec<u64> = (from..=to.min(frames.len() as u64)).collect();
        prop_assert_eq!(numbers, asked);
    }
}
