//! What of a device's key events goes into its history, in the words of `status_history`.

use protocol::frame::{KeyEvent, StateChanged};
use protocol::journal::Happened;
use protocol::point::{Device, Direction, Name, Plant, Point, PointKind, Role};
use protocol::status::StatusRow;
use protocol::stream::StreamName;

/// The row of an event; `None` where it changes no device's state.
pub fn row_of(happened: &Happened, plant: &Plant) -> Option<StatusRow> {
    let (StreamName::Device(id), KeyEvent::StateChanged(change)) =
        (&happened.stream, &happened.event)
    else {
        return None;
    };
    let (kind, name) = read(change, plant.device(id)?)?;
    Some(StatusRow {
        // Which register a point comes from is not the plant's knowledge.
        bit_position: None,
        device_id: id.clone(),
        new_value: shortened(&change.new, LONGEST_VALUE),
        old_value: shortened(&change.old, LONGEST_VALUE),
        record_time: happened.at,
        status_name: shortened(&name, LONGEST_NAME),
        status_type: kind.into(),
        timestamp: change.at,
    })
}

/// The row's type, and how what changed is called.
fn read(change: &StateChanged, device: &Device) -> Option<(&'static str, String)> {
    match change.what.split_once('/') {
        None if change.what == "device_status" => Some(("WorkStatus", change.what.clone())),
        Some(("fault_code", code)) => Some(("FaultStatus", fault(code, device))),
        Some(("link", peer)) => Some(("LinkStatus", peer.into())),
        Some(("point", key)) => {
            let point = device.points.iter().find(|point| point.key.as_str() == key);
            Some((direction(point), called(point.map(|point| &point.name), key)))
        }
        _ => None,
    }
}

/// What has no direction is read, unless it is there to be set.
fn direction(point: Option<&Point>) -> &'static str {
    let is_set = |point: &Point| match point.direction {
        Some(direction) => direction == Direction::Output,
        None => matches!(point.kind, PointKind::Control | PointKind::Adjustment),
    };
    if point.is_some_and(is_set) { "OutputStatus" } else { "InputStatus" }
}

/// `E001 短路`: the code, and the name of the point that tells of it.
fn fault(code: &str, device: &Device) -> String {
    let tells = |point: &&Point| match &point.role {
        Role::Alarm(Some(known)) | Role::Fault(Some(known)) => known.as_str() == code,
        _ => false,
    };
    match device.points.iter().find(tells).map(|point| called(Some(&point.name), "")) {
        Some(name) if !name.is_empty() => format!("{code} {name}"),
        _ => code.into(),
    }
}

fn called(name: Option<&Name>, key: &str) -> String {
    let name = name.map(|name| if name.zh.is_empty() { &name.en } else { &name.zh });
    name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| key.into())
}

/// One line of so many characters at most.
fn shortened(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take(longest).collect()
}

/// A hundred rows fit into one frame, whatever they are called.
const LONGEST_NAME: usize = 40;
const LONGEST_VALUE: usize = 32;

#[cfg(test)]
mod tests {
    use protocol::frame::Offset;
    use protocol::id::ChannelId;
    use protocol::status::{NumberedRow, StatusBatch};
    use protocol::time::Timestamp;
    use protocol::wire::LARGEST_FRAME;
    use protocol::wire::uplink::{EdgeMessage, MOST_ROWS, Standing, Upload};

    use super::*;

    fn point(key: &str, kind: PointKind, zh: &str) -> Point {
        let name = Name { zh: zh.into(), en: String::new() };
        Point { name, ..Point::new(key.parse().unwrap(), kind) }
    }

    fn plant() -> Plant {
        let code = |code: &str| Some(code.parse().unwrap());
        let door = Point {
            direction: Some(Direction::Input),
            ..point("door", PointKind::Signal, "柜门锁")
        };
        let short = Point {
            role: Role::Fault(code("E001")),
            ..point("short", PointKind::Signal, "短路")
        };
        let device = Device {
            id: "board-1".parse().unwrap(),
            site: "plant".parse().unwrap(),
            channel: ChannelId(1),
            name: Name::default(),
            points: vec![door, short, point("contactor", PointKind::Control, "")],
            commands: Vec::new(),
            overview: Vec::new(),
            has_pscada: false,
            has_system_server: true,
        };
        Plant { devices: vec![device], ..Plant::default() }
    }

    fn happened(stream: &str, what: &str, new: &str) -> Happened {
        let (at, old) = (Timestamp::from_millis(7), String::new());
        let change = StateChanged { at, new: new.into(), old, what: what.into() };
        Happened {
            at: Timestamp::from_millis(9),
            epoch: "e-1".parse().unwrap(),
            event: change.into(),
            offset: Offset(1),
            stream: stream.parse().unwrap(),
        }
    }

    #[test]
    fn each_fact_of_a_device_has_a_type_and_a_name() {
        let table = [
            ("device_status", Some(("WorkStatus", "device_status"))),
            ("fault_code/E001", Some(("FaultStatus", "E001 短路"))),
            ("fault_code/E030", Some(("FaultStatus", "E030"))),
            ("point/door", Some(("InputStatus", "柜门锁"))),
            ("point/contactor", Some(("OutputStatus", "contactor"))),
            ("point/gone", Some(("InputStatus", "gone"))),
            ("link/pscada", Some(("LinkStatus", "pscada"))),
            ("part/journal", None),
        ];
        for (what, expected) in table {
            let row = row_of(&happened("device/board-1", what, "ON"), &plant());
            let found =
                row.as_ref().map(|row| (row.status_type.as_str(), row.status_name.as_str()));
            assert_eq!(found, expected, "{what}");
            let times = row.map(|row| (row.timestamp.as_millis(), row.record_time.as_millis()));
            assert_eq!(times, expected.map(|_| (7, 9)));
        }
        for stream in ["system", "site/plant", "device/board-2"] {
            assert_eq!(row_of(&happened(stream, "device_status", "fault"), &plant()), None);
        }
    }

    #[test]
    fn a_hundred_of_the_largest_rows_fit_into_a_frame() {
        let mut plant = plant();
        plant.devices[0].id = "x".repeat(64).parse().unwrap();
        plant.devices[0].points[0].name.zh = "\"".repeat(200) + &"柜".repeat(200);
        let stream = format!("device/{}", "x".repeat(64));
        let row = row_of(&happened(&stream, "point/door", &"\u{1}\"".repeat(100)), &plant).unwrap();
        let rows = (1..=MOST_ROWS as u64).map(|n| NumberedRow { id: n << 40, row: row.clone() });
        let incarnation = "y".repeat(64).parse().unwrap();
        let rows = StatusBatch { incarnation, rows: rows.collect() };
        let text = EdgeMessage::Upload(Upload::new(u64::MAX, rows, Standing::default()));
        let text = text.write(&"x".repeat(64), Timestamp::from_millis(1 << 50));
        assert!(text.len() + 100 < LARGEST_FRAME, "{}", text.len());
    }
}
