//! Whoever is further behind than the ring reaches: the key events, then one snapshot for the rest.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use dialect::native::{Guest, Native, Rights, Settings};
use dialect::{Action, Dialect as _, Heard};
use engine::PushStrategy;
use protocol::digest::{Algorithm, Seal};
use protocol::frame::{Offset, Sequence};
use protocol::journal::Base;
use protocol::reading::Value;
use protocol::stream::StreamName;
use protocol::wire::native::{ClientFrame, ClientMessage, Position, ServerFrame, ServerMessage};
use world::World;

fn seal() -> Seal {
    Seal::new(Algorithm::Md5, "key")
}

fn own() -> StreamName {
    "device/board-1".parse().unwrap()
}

/// A connection for board-1; `resumed` where it was here before, with base 0.
fn connect(world: &World, resumed: bool) -> Native {
    let settings = Settings {
        seal: seal(),
        former_seal: None,
        heartbeat_interval: Duration::from_secs(10),
        push: PushStrategy::default(),
        server_version: "1".into(),
        timed: false,
    };
    let base = Base { epoch: "e1".parse().unwrap(), offset: Offset(0) };
    let guest = Guest {
        device: "board-1".parse().unwrap(),
        connection: "c1".parse().unwrap(),
        resumed: resumed.then(|| [(own(), base)].into()),
        user: "anonymous".into(),
        role: "operator".into(),
        rights: Rights::default(),
    };
    Native::new(Arc::new(settings), guest, world.now)
}

/// More deltas than the ring holds, and an event now and then.
fn flood(world: &mut World) {
    for n in 0..2_000u32 {
        let results =
            vec![(0, Ok(Value::Number(f64::from(n)))), (3, Ok(Value::Switch(n % 200 == 0)))];
        world.poll("board-1", results);
        world.pass(Duration::from_millis(10));
    }
}

fn said(actions: Vec<Action>) -> Vec<ServerFrame> {
    let text = |action| match action {
        Action::Say(said) => Some(ServerFrame::read(&said.text).unwrap()),
        _ => None,
    };
    actions.into_iter().filter_map(text).collect()
}

/// Every event once under its own number, then a snapshot that settles all after number 1.
fn is_made_good(world: &World, mut frames: Vec<ServerFrame>) {
    let last = frames.pop().unwrap();
    let ServerMessage::FullSnapshot(snapshot) = last.message else { panic!("{last:?}") };
    let top = Sequence(world.windows.streams[&own()].top().0);
    assert_eq!((last.seq, snapshot.settles), (Some(top), Some((Sequence(2), top))));
    assert_eq!(&snapshot.update, world.windows.streams[&own()].table());
    assert!(frames.iter().all(|frame| frame.recovered && frame.event.is_some()));
    let numbers: Vec<_> = frames.iter().map(|frame| frame.seq.unwrap().0).collect();
    let events: Vec<_> = world.events.iter().map(|event| event.id.offset.0).collect();
    assert!(!events.is_empty());
    assert_eq!(numbers, events);
}

#[test]
fn a_client_too_slow_for_the_ring_misses_no_event() {
    let mut world = World::new();
    let mut native = connect(&world, false);
    assert_eq!(said(native.tell(&world.windows, world.now)).len(), 1, "the join's snapshot");
    flood(&mut world);
    is_made_good(&world, said(native.tell(&world.windows, world.now)));
    assert!(native.tell(&world.windows, world.now).is_empty());
}

#[test]
fn a_client_that_returns_beyond_the_ring_misses_no_event() {
    // S0-44, S0-66
    let mut world = World::new();
    flood(&mut world);
    let mut native = connect(&world, true);
    let position = Position { epoch: "e1".parse().unwrap(), seq: Sequence(1), stream: Some(own()) };
    let message = ClientMessage::Resume(vec![position]);
    let frame = ClientFrame::new(message, &"board-1".parse().unwrap(), Default::default());
    let text = frame.write(&seal());
    assert!(said(native.hear(Heard::Text(&text), &world.windows, world.now)).is_empty());
    is_made_good(&world, said(native.tell(&world.windows, world.now)));
}
