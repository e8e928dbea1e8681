//! Reads any bytes as a point table: what is accepted can be polled, what is not has a row.

#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use config::finding::{Finding, Findings, Place};
use config::points::{self, Entry};
use field::map::{Area, DataType};
use libfuzzer_sys::fuzz_target;
use protocol::point::{Limits, PointKind};

fuzz_target!(|bytes: &[u8]| {
    let (entries, findings) = read(bytes);
    let lines = lines(bytes);
    for finding in findings.mistakes.iter().chain(&findings.warnings) {
        points_at_a_row(finding, lines);
    }
    let rows: Vec<_> = entries.iter().map(|entry| entry.row).collect();
    assert!(rows.is_sorted_by(|a, b| a < b), "{rows:?}");
    assert!(rows.iter().all(|row| (2..=lines).contains(row)), "{rows:?} of {lines}");
    if findings.mistakes.is_empty() {
        let names: BTreeSet<_> =
            entries.iter().map(|entry| (&entry.device, &entry.point.key)).collect();
        assert_eq!(names.len(), entries.len(), "each point has a name of its own");
        entries.iter().for_each(can_be_polled);
    }
    the_byte_order_mark_changes_nothing(bytes, &entries, &findings);
});

/// Line ends are the same bytes in each of the encodings.
fn lines(bytes: &[u8]) -> u64 {
    let count = |end: &[u8]| bytes.windows(end.len()).filter(|part| *part == end).count() as u64;
    count(b"\n") + count(b"\r") - count(b"\r\n") + 1
}

fn read(bytes: &[u8]) -> (Vec<Entry>, Findings) {
    let mut findings = Findings::default();
    let entries = points::read(FILE, bytes, &mut findings);
    (entries, findings)
}

/// One line of text, about a row that is there.
fn points_at_a_row(finding: &Finding, lines: u64) {
    assert!(!finding.text.contains(char::is_control), "{:?}", finding.text);
    match &finding.place {
        Place::Row { file, row, .. } => {
            assert!(&**file == FILE && (1..=lines).contains(row), "{finding} of {lines} lines");
        }
        Place::File(file) => assert_eq!(&**file, FILE),
        other => panic!("{other} is no place in a table"),
    }
}

fn can_be_polled(entry: &Entry) {
    let Entry { point, mapping, .. } = entry;
    assert_eq!(mapping.check(), Ok(()), "{entry:?}");
    assert!(mapping.poll.is_none_or(|poll| poll >= Duration::from_millis(100)));
    assert_eq!(point.decimals, mapping.decimals);
    assert!(point.decimals <= 6);
    assert_eq!(point.is_switch(), mapping.data_type == DataType::Bit);
    assert_eq!(point.is_switch(), point.direction.is_some());
    if matches!(point.kind, PointKind::Control | PointKind::Adjustment) {
        assert!(matches!(mapping.area, Area::Coil | Area::HoldingRegister));
    }
    assert!(point.deadband.is_finite() && point.deadband >= 0.0);
    assert!(rise(&[point.min, point.max]), "{entry:?}");
    let Limits { hh, h, l, ll } = point.limits;
    assert!(rise(&[ll, l, h, hh]), "{entry:?}");
}

/// Those that are given are numbers, each above the one before.
fn rise(numbers: &[Option<f64>]) -> bool {
    let given: Vec<_> = numbers.iter().flatten().collect();
    given.iter().all(|number| number.is_finite()) && given.is_sorted_by(|a, b| a < b)
}

fn the_byte_order_mark_changes_nothing(bytes: &[u8], entries: &[Entry], findings: &Findings) {
    let is_text = std::str::from_utf8(bytes).is_ok();
    if is_text && !bytes.starts_with(MARK) {
        let (marked, found) = read(&[MARK, bytes].concat());
        assert_eq!(format!("{marked:?}"), format!("{entries:?}"));
        assert_eq!(found.mistakes, findings.mistakes);
    }
}

const FILE: &str = "points.csv";
const MARK: &[u8] = b"\xef\xbb\xbf";
