//! Records as a spreadsheet reads them: UTF-8 with its mark, one row a line, told as they are read.

use std::pin::Pin;

use axum::BoxError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use csv::{Terminator, WriterBuilder};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue};
use jiff::tz::TimeZone;
use protocol::time::Timestamp;
use store::HistoryError;

use crate::error::ApiError;

/// Answers with a table: its heading, and then `cells` of each row.
pub(crate) async fn answer<T, const N: usize>(
    file: &'static str,
    columns: [&'static str; N],
    rows: impl Stream<Item = Result<T, HistoryError>> + Send + 'static,
    cells: impl Fn(&T) -> [String; N] + Send + 'static,
) -> Result<Response, ApiError>
where
    T: Send + 'static,
{
    let mut rows = Box::pin(rows).peekable();
    // Once a part is on its way, a failure can only cut it off.
    if let Some(Err(_)) = Pin::new(&mut rows).peek().await
        && let Some(Err(error)) = rows.next().await
    {
        return Err(unavailable(error));
    }
    let parts = rows.ready_chunks(TOGETHER).map(move |rows| {
        let rows: Vec<_> = rows.into_iter().collect::<Result<_, _>>().map_err(logged)?;
        Ok::<_, BoxError>(written(rows.iter().map(&cells))?)
    });
    let heading = stream::once(async move { Ok(heading(columns)?) });
    let kind = [
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (CONTENT_DISPOSITION, HeaderValue::from_static(file)),
    ];
    Ok((PRIVATE, kind, Body::from_stream(heading.chain(parts))).into_response())
}

/// What spreadsheets know UTF-8 by, and the names of the columns.
pub(super) fn heading<const N: usize>(columns: [&str; N]) -> Result<Vec<u8>, csv::Error> {
    let mut text = BYTE_ORDER_MARK.to_vec();
    text.extend(written([columns.map(ToOwned::to_owned)])?);
    Ok(text)
}

pub(super) fn written<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    rows.into_iter().try_for_each(|row| writer.write_record(row))?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// ISO 8601 with the offset of that moment; UTC where the zone is not known.
pub(super) fn local(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let millis = i64::try_from(at.as_millis()).ok();
    let Some(moment) = millis.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) else {
        return String::new();
    };
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// A text that no spreadsheet takes for a formula.
pub(super) fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

pub(crate) fn unavailable(error: HistoryError) -> ApiError {
    logged(error);
    ApiError::RecordsUnavailable
}

fn logged(error: HistoryError) -> HistoryError {
    tracing::warn!(%error, "what is on record could not be told: {error}");
    error
}

/// Who did what is for nobody's cache.
pub(crate) const PRIVATE: [(HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (VARY, "Origin, Sec-Fetch-Site")];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Rows that leave together, where so many are at hand.
const TOGETHER: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heading_names_each_column_behind_the_mark_of_utf_8() {
        let heading = String::from_utf8(heading(["id", "at"]).unwrap()).unwrap();
        assert_eq!(heading, "\u{feff}id,at\r\n");
    }

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_its_row() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(plain(text), format!("'{text}"));
        }
        let cells = [[plain("a \"quoted\",\r\nbroken line"), plain("-张三")]];
        let bytes = written(cells.clone()).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes);
        let records: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), 1);
        assert!(records[0].iter().eq(cells[0].iter()));
    }
}
