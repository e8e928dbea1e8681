//! `points.csv`: every point of every device, with all mistakes of the table told at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};
use protocol::id::{DeviceId, PointKey};

use self::columns::{Columns, POINT_TABLE};
use self::point::entry;
use crate::finding::{Findings, Place};

pub(crate) mod address;
mod columns;
mod encoding;
mod overlap;
mod point;
pub(crate) mod row;

pub(crate) use self::columns::Heading;
pub(crate) use self::point::usual_order;
pub(crate) use self::row::Row;

pub use self::point::Entry;

/// Reads the table `file`, whose bytes are given.
pub fn read(file: &str, bytes: &[u8], findings: &mut Findings) -> Vec<Entry> {
    let file: Arc<str> = file.into();
    let mut entries = Vec::new();
    each_row(&file, bytes, &POINT_TABLE, findings, |row| entries.extend(entry(row)));
    check_twins(&entries, &file, findings);
    overlap::check(&entries, &file, findings);
    entries
}

/// Looks at each row of a table with such a heading.
pub(crate) fn each_row(
    file: &Arc<str>,
    bytes: &[u8],
    heading: &Heading,
    findings: &mut Findings,
    mut look: impl FnMut(&mut Row<'_>),
) {
    let text = encoding::decode(bytes, file, findings);
    let mut rows = Rows::new(&text);
    let Some((_, written)) = rows.next() else {
        findings.mistake(&Place::File(file.clone()), "is empty: its first row names the columns");
        return;
    };
    let columns = Columns::read(&written, heading, file, findings);
    for (number, record) in rows {
        let mut row = Row { file, number, columns: &columns, record: &record, findings };
        check_shape(&mut row);
        look(&mut row);
    }
}

/// A cell too many has most often lost the quotes around a comma; one that goes on in the next line
/// has lost its closing quote, and would swallow rows in silence.
fn check_shape(row: &mut Row<'_>) {
    let (cells, columns) = (row.record.len(), row.columns.count);
    let is_surplus = row.record.iter().skip(columns).any(|cell| !cell.is_empty());
    let place = Place::Row { file: row.file.clone(), row: row.number, column: None };
    if is_surplus {
        let text = format!("has {cells} cells, but there are {columns} columns");
        row.findings.mistake(&place, text);
    }
    if row.record.iter().any(|cell| cell.contains(['\r', '\n'])) {
        row.findings.mistake(&place, "goes on in the next line: a quote is not closed");
    }
}

/// A point is known by its device and its key.
fn check_twins(entries: &[Entry], file: &Arc<str>, findings: &mut Findings) {
    let mut first: BTreeMap<(&DeviceId, &PointKey), u64> = BTreeMap::new();
    for Entry { row, device, point, .. } in entries {
        match first.get(&(device, &point.key)) {
            Some(other) => {
                let place = Place::Row { file: file.clone(), row: *row, column: Some("point_id") };
                let text = format!("`{}` of {device} already stands in row {other}", point.key);
                findings.mistake(&place, text);
            }
            None => {
                first.insert((device, &point.key), *row);
            }
        }
    }
}

/// The rows that say something, each with its number in the file; `#` begins a remark.
struct Rows<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    /// How far the line breaks are counted, and how many there were.
    counted: (usize, u64),
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All);
        Self { text, reader: builder.from_reader(text.as_bytes()), counted: (0, 0) }
    }

    /// The row that begins at or, behind blank lines, after a byte.
    fn number(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let bytes = self.text.as_bytes();
        let blank = bytes.iter().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let start = start.saturating_add(blank.count()).min(bytes.len());
        let (from, breaks) = self.counted;
        let more = line_ends(bytes.get(from..start).unwrap_or_default());
        self.counted = (start.max(from), breaks.saturating_add(more));
        self.counted.1.saturating_add(1)
    }
}

/// Lines end with a line feed, with a carriage return as some spreadsheets have it, or with both.
fn line_ends(bytes: &[u8]) -> u64 {
    let (mut ends, mut before) = (0, 0);
    for &byte in bytes {
        ends += u64::from(byte == b'\r' || byte == b'\n' && before != b'\r');
        before = byte;
    }
    ends
}

impl Iterator for Rows<'_> {
    type Item = (u64, StringRecord);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.reader.position().byte();
            let mut record = StringRecord::new();
            // What was decoded is text: reading from memory can no longer fail.
            let more = self.reader.read_record(&mut record).unwrap_or(false);
            if !more {
                return None;
            }
            let is_remark = record.get(0).is_some_and(|cell| cell.starts_with('#'));
            if !is_remark && record.iter().any(|cell| !cell.is_empty()) {
                return Some((self.number(start), record));
            }
        }
    }
}
