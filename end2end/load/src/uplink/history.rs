//! What the center has of the edge's history, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use protocol::id::{DeviceId, Incarnation};
use protocol::status::NumberedRow;
use protocol::time::Timestamp;
use serde::Deserialize;

use super::Absence;
use super::twins::{EDGE, End};
use crate::http;
use crate::truth::Truth;

/// A row as the center tells it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    incarnation: Incarnation,
    received_at: Timestamp,
    #[serde(flatten)]
    row: NumberedRow,
}

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    rows: Vec<Row>,
}

/// All rows, in the order of the edge's numbers.
pub(super) async fn of(center: SocketAddr) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/edges/{EDGE}/history?limit=1000&before={before}");
        let page: Page = serde_json::from_str(&http::get(center, &path).await?)?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => before = next,
            None => break,
        }
    }
    rows.sort_by_key(|row| row.row.id);
    Ok(rows)
}

/// Everything that is wrong with rows in the order of their numbers.
pub(super) fn complaints(rows: &[Row], truth: &Truth, absences: &[Absence]) -> Vec<String> {
    let mut complaints = Vec::new();
    let incarnations: BTreeSet<_> = rows.iter().map(|row| &row.incarnation).collect();
    if incarnations.len() > 1 {
        complaints.push(format!("the edge's backlog began anew: {incarnations:?}"));
    }
    // A number that was given belongs to a row that is on the edge's disk.
    let wrong = (1..).zip(rows).find(|(number, row)| *number != row.row.id);
    complaints.extend(wrong.map(|(number, row)| match row.row.id < number {
        true => format!("the center has row {} twice", row.row.id),
        false => format!("the center never had row {number}, but {}", row.row.id),
    }));
    let mut devices: BTreeMap<&DeviceId, Vec<&Row>> = BTreeMap::new();
    let mut facts: BTreeMap<(&DeviceId, &str, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let told = &row.row.row;
        devices.entry(&told.device_id).or_default().push(row);
        let fact = (&told.device_id, told.status_type.as_str(), told.status_name.as_str());
        facts.entry(fact).or_default().push(row);
    }
    complaints.extend(devices.values().filter_map(|rows| of_order(rows)));
    let kills: Vec<_> = absences.iter().filter(|absence| absence.end == End::Edge).collect();
    let kills: Vec<_> = kills.into_iter().map(|absence| absence.killed_at).collect();
    complaints.extend(facts.values().filter_map(|rows| of_fact(rows, truth, &kills)));
    complaints
}

/// The rows of a device came in the order in which they happened.
fn of_order(rows: &[&Row]) -> Option<String> {
    let is_wrong = |pair: &&[&Row]| {
        let times = |row: &Row| (row.row.row.timestamp, row.received_at);
        let ((before, came), (after, came_after)) = (times(pair[0]), times(pair[1]));
        before > after || came > came_after
    };
    let wrong = rows.windows(2).find(is_wrong);
    wrong.map(|pair| format!("not in order: {:?} and {:?}", pair[0], pair[1]))
}

/// A fact changes step by step up to what is true. Shortly before a kill a step may be lost, or
/// told twice.
fn of_fact(rows: &[&Row], truth: &Truth, kills: &[Timestamp]) -> Option<String> {
    let excuses = |from: Timestamp, to: Option<Timestamp>| {
        kills.iter().any(|kill| from <= *kill && to.is_none_or(|to| *kill <= to))
    };
    let is_broken = |pair: &&[&Row]| {
        let (before, after) = (&pair[0].row.row, &pair[1].row.row);
        before.new_value != after.old_value && !excuses(before.timestamp, Some(after.timestamp))
    };
    if let Some(pair) = rows.windows(2).find(is_broken) {
        return Some(format!("nobody told what lies between {:?} and {:?}", pair[0], pair[1]));
    }
    let last = &rows.last()?.row.row;
    let what = match last.status_type.as_str() {
        "FaultStatus" => {
            format!("fault_code/{}", last.status_name.split(' ').next().unwrap_or_default())
        }
        "InputStatus" => format!("point/{}", last.status_name),
        _ => return None,
    };
    let is = truth.state(&last.device_id, &what)?;
    let is_wrong = is != last.new_value && !excuses(last.timestamp, None);
    is_wrong.then(|| format!("{what} is {is}, and the last that was told is {last:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::Shape;

    fn rows(told: &[(u64, &str, &str)]) -> Vec<Row> {
        let row = |(number, (id, old, new)): (u64, &(u64, &str, &str))| {
            let at = number * 1_000;
            let row = serde_json::json!({
                "bit_position": null, "device_id": "d0", "id": id, "incarnation": "i",
                "new_value": new, "old_value": old, "received_at": at + 50, "record_time": at,
                "status_name": "s0", "status_type": "InputStatus", "timestamp": at,
            });
            serde_json::from_value(row).unwrap()
        };
        (1..).zip(told).map(row).collect()
    }

    fn complaint(told: &[(u64, &str, &str)], kills: &[u64]) -> String {
        let shape = Shape { switches: 1, ..Shape::plain(1, std::time::Duration::from_secs(1)) };
        let absence = |at: &u64| Absence {
            killed_at: Timestamp::from_millis(*at),
            ..Absence::begin(End::Edge)
        };
        let absences: Vec<_> = kills.iter().map(absence).collect();
        complaints(&rows(told), &Truth::new(shape), &absences).join("; ")
    }

    #[test]
    fn a_history_without_a_hole_is_not_complained_of() {
        assert_eq!(complaint(&[(1, "OFF", "ON"), (2, "ON", "OFF")], &[]), "");
    }

    #[test]
    fn rows_that_lack_or_come_twice_are_found() {
        let lacks = complaint(&[(1, "OFF", "ON"), (3, "ON", "OFF")], &[]);
        assert!(lacks.contains("never had row 2"), "{lacks}");
        let twice = complaint(&[(1, "OFF", "ON"), (1, "ON", "OFF")], &[]);
        assert!(twice.contains("row 1 twice"), "{twice}");
    }

    #[test]
    fn a_step_that_nobody_told_is_found_unless_a_kill_may_have_hidden_it() {
        let told = [(1, "OFF", "ON"), (2, "OFF", "ON"), (3, "ON", "OFF")];
        assert!(complaint(&told, &[]).contains("between"));
        assert_eq!(complaint(&told, &[1_500]), "");
        assert!(complaint(&told, &[2_500]).contains("between"));
    }

    #[test]
    fn a_last_step_that_is_not_true_is_found() {
        assert!(complaint(&[(1, "OFF", "ON")], &[]).contains("s0 is OFF"));
    }
}
