//! The text of a point table, whether a spreadsheet wrote it in UTF-8 or in GBK.

use std::borrow::Cow;
use std::sync::Arc;

use encoding_rs::GBK;

use crate::finding::{Findings, Place};

/// The table as text; rows that are neither are noted, and read as far as they go.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    file: &Arc<str>,
    findings: &mut Findings,
) -> Cow<'a, str> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    if let Some(text) = gbk(bytes) {
        return text;
    }
    for (row, line) in (1..).zip(lines(bytes)) {
        let place = Place::Row { file: file.clone(), row, column: None };
        match (std::str::from_utf8(line).is_ok(), gbk(line).is_some()) {
            (true, _) => {}
            (false, true) => findings.mistake(&place, "is GBK in a file that is not"),
            (false, false) => findings.mistake(&place, "is neither UTF-8 nor GBK"),
        }
    }
    String::from_utf8_lossy(bytes)
}

/// Some spreadsheets end a line with a carriage return alone.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let bare = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    bare.flat_map(|line| line.split(|byte| *byte == b'\r'))
}

fn gbk(bytes: &[u8]) -> Option<Cow<'_, str>> {
    GBK.decode_without_bom_handling_and_without_replacement(bytes)
}

/// What spreadsheets put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Vec<String>) {
        let mut findings = Findings::default();
        let text = decode(bytes, &"points.csv".into(), &mut findings).into_owned();
        (text, findings.mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn spreadsheets_write_utf_8_or_gbk() {
        let (gbk, _, _) = GBK.encode("名称,钢轨电位\n");
        for bytes in ["名称,钢轨电位\n".as_bytes(), "\u{feff}名称,钢轨电位\n".as_bytes(), &gbk]
        {
            assert_eq!(read(bytes), ("名称,钢轨电位\n".into(), vec![]), "{bytes:?}");
        }
    }

    #[test]
    fn a_row_that_is_neither_is_named() {
        let (_, mistakes) = read(b"a,b\nc,\xff\xff\nd,e\n\xff,f");
        let expected = [
            "points.csv: row 2: is neither UTF-8 nor GBK",
            "points.csv: row 4: is neither UTF-8 nor GBK",
        ];
        assert_eq!(mistakes, expected);
        let (_, mistakes) = read(b"a,b\r\nc,\xff\xff\rd,e\r\xff,f");
        assert_eq!(mistakes, expected);
        let mixed = [b"\xff\n".as_slice(), &GBK.encode("电\n").0].concat();
        assert_eq!(read(&mixed).1[1], "points.csv: row 2: is GBK in a file that is not");
    }
}
