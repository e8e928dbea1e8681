//! What somebody may do on a connection, and under which keys frames are taken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use dialect::native::{Guest, Native, Rights, Settings};
use dialect::{Action, Dialect as _, Heard, Incident, Request};
use engine::PushStrategy;
use protocol::command::Failure;
use protocol::digest::{Algorithm, Seal};
use protocol::wire::native::{ClientFrame, ClientMessage, Command, ServerFrame, ServerMessage};
use world::World;

fn seal(key: &str) -> Seal {
    Seal::new(Algorithm::Md5, key)
}

fn connect(world: &World, rights: Rights) -> Native {
    let settings = Settings {
        seal: seal("new"),
        former_seal: Some(seal("old")),
        heartbeat_interval: Duration::from_secs(10),
        push: PushStrategy::default(),
        server_version: "1".into(),
        timed: false,
    };
    let guest = Guest {
        device: "board-1".parse().unwrap(),
        connection: "c1".parse().unwrap(),
        resumed: None,
        user: "li".into(),
        role: "viewer".into(),
        rights,
    };
    let mut native = Native::new(Arc::new(settings), guest, world.now);
    native.open(&world.windows, world.now);
    native
}

/// What comes of a frame that is sealed under a key.
fn hear(native: &mut Native, world: &World, message: ClientMessage, key: &str) -> Vec<Action> {
    let device = "board-1".parse().unwrap();
    let text = ClientFrame::new(message, &device, Default::default()).write(&seal(key));
    native.hear(Heard::Text(&text), &world.windows, world.now)
}

fn said(actions: &[Action]) -> ServerMessage {
    let text = actions.iter().find_map(|action| match action {
        Action::Say(said) => Some(&said.text),
        _ => None,
    });
    ServerFrame::read(text.unwrap()).unwrap().message
}

fn start() -> ClientMessage {
    let (id, name) = ("c-1".into(), "START".into());
    ClientMessage::Command(Command { id, name, param: None, valid_until: None })
}

#[test]
fn who_may_not_command_is_told_so_and_nothing_is_ordered() {
    let world = World::new();
    let mut native = connect(&world, Rights { may_command: false, streams: None });
    let actions = hear(&mut native, &world, start(), "new");
    let ServerMessage::CommandResult(result) = said(&actions) else { panic!("{actions:?}") };
    assert_eq!((result.command_id.as_str(), result.reason), ("c-1", Some(Failure::Unauthorized)));
    let is_order = |action: &Action| matches!(action, Action::Ask(Request::Order(_)));
    assert!(!actions.iter().any(is_order));
    let incident = Action::Ask(Request::Record(Incident::NotPermitted("START".into())));
    assert!(actions.contains(&incident), "{actions:?}");
}

#[test]
fn streams_of_other_sites_are_refused() {
    let world = World::new();
    let own = "device/board-1".parse().unwrap();
    let rights = Rights { may_command: true, streams: Some(Arc::new([own].into())) };
    let mut native = connect(&world, rights);
    let wish = vec!["device/board-1".into(), "device/board-2".into(), "device/board-9".into()];
    let actions = hear(&mut native, &world, ClientMessage::Subscribe(wish), "new");
    let ServerMessage::Subscribed(answer) = said(&actions) else { panic!("{actions:?}") };
    let refused: Vec<_> =
        answer.refused.iter().map(|one| (one.stream.as_str(), one.reason.as_str())).collect();
    let expected = [("device/board-2", "NOT_PERMITTED"), ("device/board-9", "NO_SUCH_STREAM")];
    assert_eq!(refused, expected);
}

#[test]
fn frames_under_the_key_before_are_taken_and_under_no_other() {
    let world = World::new();
    for (key, is_taken) in [("new", true), ("old", true), ("older", false)] {
        let mut native = connect(&world, Rights::default());
        let actions = hear(&mut native, &world, start(), key);
        let is_order = |action: &Action| matches!(action, Action::Ask(Request::Order(_)));
        assert_eq!(actions.iter().any(is_order), is_taken, "{key}");
        if !is_taken {
            // S0-94
            assert!(matches!(said(&actions), ServerMessage::DataTampered(_)));
        }
    }
}
