//! A small plant for tests of the Station.

use protocol::command::{Check, CommandAction, CommandSpec, Risk, Setting};
use protocol::id::ChannelId;
use protocol::point::{Device, Name, Plant, Point, PointKind, Role, Site};

/// One site, board after board on channel 1: `level` (0 to 100, dead band 0.5), `k1` (a key
/// event), `testing`, `warning` (A001) and `broken` (E001); `k1` can be set.
pub(crate) fn plant(boards: usize) -> Plant {
    let site = Site { id: "plant".parse().unwrap(), name: Name::default(), zone: "UTC".into() };
    let devices = (1..=boards).map(|n| device(&format!("board-{n}"), &site)).collect();
    Plant { sites: vec![site], devices, demo: false }
}

fn device(id: &str, site: &Site) -> Device {
    let code = |code: &str| Some(code.parse().unwrap());
    let level = Point {
        min: Some(0.0),
        max: Some(100.0),
        deadband: 0.5,
        ..point("level", PointKind::Telemetry, Role::None)
    };
    let switch = |key, role| point(key, PointKind::Signal, role);
    Device {
        id: id.parse().unwrap(),
        site: site.id.clone(),
        channel: ChannelId(1),
        name: Name::default(),
        points: vec![
            level,
            Point { key_event: true, ..switch("k1", Role::None) },
            switch("testing", Role::Testing),
            switch("warning", Role::Alarm(code("A001"))),
            switch("broken", Role::Fault(code("E001"))),
        ],
        overview: vec!["level".parse().unwrap()],
        commands: vec![CommandSpec {
            name: "k1".into(),
            title: Name::default(),
            risk: Risk::B,
            action: CommandAction::Write {
                point: "k1".parse().unwrap(),
                value: Setting::Param,
                verify: Check::Same,
            },
        }],
        has_pscada: false,
        has_system_server: false,
    }
}

fn point(key: &str, kind: PointKind, role: Role) -> Point {
    Point { role, ..Point::new(key.parse().unwrap(), kind) }
}
