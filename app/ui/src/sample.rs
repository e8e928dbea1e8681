//! A small plant for tests: invented facts, and readings in every quality.

use protocol::command::{
    Check, CommandAction, CommandSpec, OrderLine, Origin, Risk, Setting, Stage, Steps,
};
use protocol::device::{DeviceStatus, Links};
use protocol::digest::Algorithm;
use protocol::frame::{CommandStatus, StateChanged, Summary, Update};
use protocol::id::{ChannelId, DeviceId};
use protocol::point::{Device, Direction, Limits, Name, Plant, Point, PointKind, Site};
use protocol::reading::{Quality, Reading, Reason, Value};
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use protocol::wire::commands::CommandRow;
use protocol::wire::people::Account;
use protocol::wire::session::{Integrity, SessionGrant};

use crate::{Bootstrap, Happening, Told, Zone};
use link::status::{LinkState, Status};

/// 2025-11-21 14:03:22 in Shanghai.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_763_705_002_123);

pub(crate) fn zone() -> Zone {
    Zone { offset_minutes: 480, label: "CST".into() }
}

pub(crate) fn plant() -> Plant {
    let site = Site {
        id: "plant".parse().unwrap(),
        name: name("演示站", "Demo station"),
        zone: "Asia/Shanghai".into(),
    };
    Plant { sites: vec![site], devices: (1..=4).map(device).collect(), demo: true }
}

fn device(number: u32) -> Device {
    Device {
        id: format!("board-{number}").parse().unwrap(),
        site: "plant".parse().unwrap(),
        channel: ChannelId(number),
        name: name(
            &format!("{number}#轨电位限制装置"),
            &format!("Rail potential limiter {number}"),
        ),
        points: points(),
        overview: ["rail_potential", "current_a", "temperature"].map(|k| k.parse().unwrap()).into(),
        commands: commands(),
        has_pscada: number != 2,
        has_system_server: false,
    }
}

fn points() -> Vec<Point> {
    let analog = [
        ("rail_potential", "轨电位", "Rail potential", "V", -200.0, 200.0, 90.0, 120.0),
        ("current_a", "A 相电流", "Current A", "A", 0.0, 600.0, 450.0, 550.0),
        ("current_b", "B 相电流", "Current B", "A", 0.0, 600.0, 450.0, 550.0),
        ("voltage_a", "A 相电压", "Voltage A", "V", 0.0, 260.0, 240.0, 250.0),
        ("voltage_b", "B 相电压", "Voltage B", "V", 0.0, 260.0, 240.0, 250.0),
        ("temperature", "柜内温度", "Cabinet temperature", "°C", -20.0, 100.0, 60.0, 75.0),
        ("temperature_2", "晶闸管温度", "Thyristor temperature", "°C", -20.0, 120.0, 80.0, 95.0),
    ];
    let switches = [
        ("in_1", "接触器合位", "Contactor closed", Direction::Input),
        ("in_2", "门限位", "Door contact", Direction::Input),
        ("in_3", "远方控制", "Remote control", Direction::Input),
        ("out_1", "合闸出口", "Close coil", Direction::Output),
        ("out_2", "报警灯", "Alarm lamp", Direction::Output),
    ];
    let analog = analog.map(|(key, zh, en, unit, min, max, h, hh)| Point {
        unit: unit.into(),
        decimals: 1,
        min: Some(min),
        max: Some(max),
        limits: Limits { h: Some(h), hh: Some(hh), ..Limits::default() },
        ..point(key, zh, en, PointKind::Telemetry)
    });
    let switches = switches.map(|(key, zh, en, direction)| Point {
        direction: Some(direction),
        ..point(key, zh, en, PointKind::Signal)
    });
    let orders = [
        ("remote_on", "远方启动", "Remote on"),
        ("remote_off", "远方停止", "Remote off"),
        ("reset", "故障复位", "Fault reset"),
        ("automatic", "自动模式", "Automatic mode"),
    ];
    let orders = orders.map(|(key, zh, en)| point(key, zh, en, PointKind::Control));
    let threshold = Point {
        unit: "°C".into(),
        decimals: 1,
        min: Some(20.0),
        max: Some(120.0),
        ..point("temp_threshold", "温度阈值", "Temperature threshold", PointKind::Adjustment)
    };
    let mode = point("work_mode", "工作模式", "Work mode", PointKind::Telemetry);
    analog.into_iter().chain([mode, threshold]).chain(switches).chain(orders).collect()
}

fn commands() -> Vec<CommandSpec> {
    let command = |name_on_wire: &str, zh, en, risk, action| CommandSpec {
        name: name_on_wire.into(),
        title: name(zh, en),
        risk,
        action,
    };
    let write = |key: &str, value, verify| CommandAction::Write {
        point: key.parse().unwrap(),
        value,
        verify,
    };
    let on = Setting::Fixed(Value::Switch(true));
    let mode = |mode| {
        let point = "work_mode".parse().unwrap();
        Check::Other { point, value: Value::Number(mode) }
    };
    let own = |key: &str, zh, en, risk| {
        command(key, zh, en, risk, write(key, Setting::Param, Check::Same))
    };
    vec![
        command("START", "启动", "Start", Risk::C, write("remote_on", on, mode(4.0))),
        command("STOP", "停止", "Stop", Risk::C, write("remote_off", on, mode(3.0))),
        command(
            "SET_TEMP_THRESHOLD",
            "设置温度阈值",
            "Set the threshold",
            Risk::B,
            write("temp_threshold", Setting::Param, Check::Same),
        ),
        command("RESET_ERROR", "复位", "Reset a fault", Risk::A, write("reset", on, Check::Code)),
        command("SET_POLL_INTERVAL", "轮询", "Pace", Risk::B, CommandAction::PollInterval),
        command(
            "SET_CLOCK",
            "校时",
            "Set the clock",
            Risk::A,
            CommandAction::SetClock { address: 1 },
        ),
        own("temp_threshold", "温度阈值", "Temperature threshold", Risk::B),
        own("remote_on", "远方启动", "Remote on", Risk::C),
        own("reset", "故障复位", "Fault reset", Risk::A),
        own("automatic", "自动模式", "Automatic mode", Risk::B),
    ]
}

/// The system server holds a threshold.
pub(crate) fn order() -> OrderLine {
    OrderLine {
        command: "SET_TEMP_THRESHOLD".into(),
        command_id: "s-1".into(),
        origin: Origin::SystemServer,
        param: Some("60".into()),
        since: ago(2),
        stage: Stage::Holding,
        until: Some(NOW + std::time::Duration::from_secs(12)),
        user: "center".into(),
    }
}

/// An order on record.
pub(crate) fn row() -> CommandRow {
    CommandRow {
        accepted_at: ago(60),
        at: Some(ago(60)),
        command: "SET_TEMP_THRESHOLD".into(),
        command_id: "c-1".into(),
        detail: None,
        device_id: "board-1".parse().unwrap(),
        id: 1,
        ms: Some(40),
        new: Some(Value::Number(32.0)),
        old: Some(Value::Number(30.5)),
        origin: Origin::Local,
        param: Some("32".into()),
        reason: None,
        status: Some(CommandStatus::Success),
        steps: Steps { recorded: Some(2), sent: Some(3), written: Some(9) },
        user: "anonymous".into(),
        verified: Some(true),
        via: "10.0.0.7".into(),
    }
}

fn point(key: &str, zh: &str, en: &str, kind: PointKind) -> Point {
    Point { name: name(zh, en), decimals: 0, ..Point::new(key.parse().unwrap(), kind) }
}

fn name(zh: &str, en: &str) -> Name {
    Name { zh: zh.into(), en: en.into() }
}

pub(crate) fn summary() -> Summary {
    Summary {
        device_status: DeviceStatus::Working,
        fault_codes: [].into(),
        links: Links { board: true, pscada: true, system_server: false },
        orders: Vec::new(),
        quality: Quality::Good,
        since: ago(7200),
        values: [
            ("rail_potential".parse().unwrap(), number(12.5, Quality::Good, None)),
            ("current_a".parse().unwrap(), number(233.25, Quality::Good, None)),
            ("temperature".parse().unwrap(), number(41.0, Quality::Good, None)),
        ]
        .into(),
    }
}

pub(crate) fn status() -> Status {
    Status {
        state: LinkState::Dialing { tries: 0 },
        device: "board-1".parse().unwrap(),
        connection: None,
        epoch: None,
        seq: None,
        server_version: None,
        rtt: None,
        missed_beats: 0,
        lost: 0,
        repaired: 0,
        reconnects: 0,
        tampered: 0,
        data_until: None,
        ended: None,
    }
}

/// An operator, let in for an hour.
pub(crate) fn grant() -> SessionGrant {
    SessionGrant {
        expires: Some(NOW + std::time::Duration::from_secs(3600)),
        integrity: Integrity { algorithm: Algorithm::Md5, key: "k".into() },
        lock_after_ms: Some(900_000),
        must_change_password: false,
        role: Role::Operator,
        sites: Scope::All,
        user: "li".into(),
    }
}

/// The account of an auditor who is locked out.
pub(crate) fn account() -> Account {
    Account {
        created_at: ago(86_400),
        is_disabled: false,
        locked_until: Some(NOW + std::time::Duration::from_secs(600)),
        must_change_password: true,
        name: "wang".into(),
        role: Role::Auditor,
        sites: Scope::All,
        signed_in_at: None,
    }
}

/// The page of a device, or the overview.
pub(crate) fn page(device: Option<&DeviceId>) -> Bootstrap {
    let plant = plant();
    let mut page = Bootstrap {
        now: NOW,
        version: "0.1.0".into(),
        snapshot_interval_ms: 30_000,
        zones: [("plant".parse().unwrap(), zone())].into(),
        poll_ms: plant.devices.iter().map(|device| (device.id.clone(), 1000)).collect(),
        events: vec![
            happening(60, "device_status", "working", "fault"),
            happening(61, "fault_code/E012", "OFF", "ON"),
            happening(4000, "link/pscada", "true", "false"),
        ],
        ..Bootstrap::of(&plant, device)
    };
    let told = |update| Told { at: NOW, update };
    page.values.insert("site/plant".parse().unwrap(), told(site()));
    if let Some(device) = device {
        page.values.insert(StreamName::Device(device.clone()), told(readings()));
    }
    page
}

fn site() -> Update {
    let mut lost = summary();
    lost.links.board = false;
    lost.quality = Quality::NoComm;
    lost.device_status = DeviceStatus::Fault;
    lost.fault_codes = ["E012", "BOARD_LOST"].map(|code| code.parse().unwrap()).into();
    for reading in lost.values.values_mut() {
        (reading.quality, reading.why) = (Quality::NoComm, Some(Reason::Refused));
    }
    let mut alarm = summary();
    alarm.device_status = DeviceStatus::Alarm;
    alarm.quality = Quality::Bad;
    alarm.orders = vec![order()];
    let values = [
        ("rail_potential", number(131.0, Quality::Good, None)),
        ("current_a", number(30.5, Quality::Stale, Some(Reason::Overdue))),
        ("temperature", number(30.5, Quality::Bad, Some(Reason::Timeout))),
    ];
    alarm.values = values.map(|(key, reading)| (key.parse().unwrap(), reading)).into();
    let mut fresh = summary();
    fresh.device_status = DeviceStatus::Testing;
    fresh.quality = Quality::Uncertain;
    fresh.values.values_mut().for_each(|reading| *reading = Reading::NOT_READ);
    let lines = [summary(), lost, alarm, fresh].into_iter().enumerate();
    let line = |(index, line)| (format!("board-{}", index + 1).parse().unwrap(), line);
    Update { devices: lines.map(line).collect(), ..Update::default() }
}

fn readings() -> Update {
    let points = [
        ("rail_potential", number(12.53, Quality::Good, None)),
        ("current_a", number(233.25, Quality::Good, None)),
        ("current_b", number(30.5, Quality::Stale, Some(Reason::Overdue))),
        ("voltage_a", number(228.1, Quality::Bad, Some(Reason::Timeout))),
        ("voltage_b", number(231.9, Quality::NoComm, Some(Reason::Refused))),
        ("temperature", number(999.0, Quality::Uncertain, Some(Reason::OutOfRange))),
        ("temperature_2", Reading::NOT_READ),
        ("in_1", switch(true, Quality::Good)),
        ("in_2", switch(false, Quality::Good)),
        ("in_3", switch(true, Quality::Stale)),
        ("out_1", switch(false, Quality::Simulated)),
        ("out_2", Reading::NOT_READ),
    ];
    Update {
        device_status: Some(DeviceStatus::Alarm),
        fault_codes: Some(["E001", "E012"].map(|code| code.parse().unwrap()).into()),
        links: Some(Links { board: true, pscada: false, system_server: false }),
        points: points.map(|(key, reading)| (key.parse().unwrap(), reading)).into(),
        ..Update::default()
    }
}

pub(crate) fn number(value: f64, quality: Quality, why: Option<Reason>) -> Reading {
    let at = if quality.is_good() { NOW } else { ago(12) };
    Reading { quality, at: Some(at), value: Some(Value::Number(value)), why }
}

fn switch(is_on: bool, quality: Quality) -> Reading {
    Reading { quality, at: Some(ago(12)), value: Some(Value::Switch(is_on)), why: None }
}

fn happening(seconds: u64, what: &str, old: &str, new: &str) -> Happening {
    let change =
        StateChanged { at: ago(seconds), new: new.into(), old: old.into(), what: what.into() };
    Happening { device: "board-2".parse().unwrap(), what: change.into() }
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() - seconds * 1000)
}
