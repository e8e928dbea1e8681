//! Points that read the same registers as different things: seldom meant, so worth a word.

use std::sync::Arc;

use super::point::Entry;
use crate::finding::{Findings, Place};

/// Warns of each point that takes registers of the one before it under another type.
pub(super) fn check(entries: &[Entry], file: &Arc<str>, findings: &mut Findings) {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| {
        let Entry { device, mapping, row, .. } = entry;
        (device, mapping.area, mapping.address, *row)
    });
    let mut widest: Option<&Entry> = None;
    for entry in sorted {
        let before = widest.filter(|before| is_beside(before, entry));
        if let Some(before) = before.filter(|before| differs(before, entry)) {
            let place = Place::Row { file: file.clone(), row: entry.row, column: Some("address") };
            let (key, other) = (&entry.point.key, &before.point.key);
            let text = format!(
                "`{key}` reads registers of `{other}` (row {}) as another type",
                before.row
            );
            findings.warn(&place, text);
        }
        widest = Some(before.filter(|before| end(before) > end(entry)).unwrap_or(entry));
    }
}

fn is_beside(before: &Entry, entry: &Entry) -> bool {
    let same = before.device == entry.device && before.mapping.area == entry.mapping.area;
    same && u32::from(entry.mapping.address) < end(before)
}

fn differs(before: &Entry, entry: &Entry) -> bool {
    let (a, b) = (&before.mapping, &entry.mapping);
    a.data_type != b.data_type || a.address != b.address || a.byte_order != b.byte_order
}

/// The first register behind it.
fn end(entry: &Entry) -> u32 {
    u32::from(entry.mapping.address) + u32::from(entry.mapping.width())
}
