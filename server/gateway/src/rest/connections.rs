//! `GET /api/connections`: who is connected, the slowest first.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use serde::Deserialize;

use crate::Gateway;
use crate::error::ApiError;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default = "usual")]
    top: usize,
}

/// Each connection answers for itself; one that is gone by then is left out.
pub(crate) async fn slowest(
    State(gateway): State<Gateway>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let everyone = gateway.hub.everyone().await;
    let mut list = everyone.map_err(|gone| ApiError::NotReady(gone.to_string()))?;
    list.sort_by(|a, b| b.lag.cmp(&a.lag).then_with(|| a.connection.cmp(&b.connection)));
    list.truncate(asked.top);
    Ok(([(CACHE_CONTROL, "no-store")], Json(list)).into_response())
}

fn usual() -> usize {
    USUAL
}

/// As many as a table on a screen shows.
const USUAL: usize = 100;
