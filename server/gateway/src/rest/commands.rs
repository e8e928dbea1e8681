//! `GET /api/commands` and `GET /api/commands.csv`: what was ordered, and what came of it.

mod asked;
mod sheet;

use std::pin::Pin;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use futures_util::stream::{self, StreamExt as _};
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use http::request::Parts;
use store::HistoryError;

use crate::Gateway;
use crate::error::ApiError;
use crate::{identity, origin};
use asked::Asked;
use sheet::Sheet;

/// One page, the newest first.
pub(crate) async fn page(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, before, limit } = asked(&request)?;
    let page = gateway.commands.page(&filter, before, limit).await.map_err(unavailable)?;
    Ok((PRIVATE, Json(page)).into_response())
}

/// All pages as one table, told as it is read.
pub(crate) async fn sheet(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, .. } = asked(&request)?;
    let sheet = Sheet::of(&gateway.plant);
    let mut rows = Box::pin(gateway.commands.all(filter)).peekable();
    // Once a part is on its way, a failure can only cut it off.
    if let Some(Err(_)) = Pin::new(&mut rows).peek().await
        && let Some(Err(error)) = rows.next().await
    {
        return Err(unavailable(error));
    }
    let parts = rows.ready_chunks(TOGETHER).map(move |rows| {
        let rows: Vec<_> = rows.into_iter().collect::<Result<_, _>>().map_err(logged)?;
        Ok::<_, BoxError>(sheet.rows(&rows)?)
    });
    let heading = stream::once(async { Ok(Sheet::heading()?) });
    let kind = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"commands.csv\""),
    ];
    Ok((PRIVATE, kind, Body::from_stream(heading.chain(parts))).into_response())
}

/// Tells pages of this server alone who ordered what.
fn asked(request: &Parts) -> Result<Asked, ApiError> {
    if !origin::is_same_site(&request.headers) {
        return Err(ApiError::ForeignOrigin);
    }
    identity::who(request).map_err(|_| ApiError::Unauthorized)?;
    Asked::read(&request.uri)
}

fn unavailable(error: HistoryError) -> ApiError {
    logged(error);
    ApiError::RecordsUnavailable
}

fn logged(error: HistoryError) -> HistoryError {
    tracing::warn!(%error, "the record of orders could not be told: {error}");
    error
}

const PRIVATE: [(HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (VARY, "Origin, Sec-Fetch-Site")];

/// Rows that leave together, where so many are at hand.
const TOGETHER: usize = 500;
