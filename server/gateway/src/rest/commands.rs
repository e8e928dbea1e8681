//! `GET /api/commands` and `GET /api/commands.csv`: what was ordered, and what came of it.

mod asked;
mod sheet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use store::CommandFilter;

use self::sheet::{COLUMNS, Sheet};
use super::query::Asked;
use super::sheet::{PRIVATE, answer, unavailable};
use crate::Gateway;
use crate::error::ApiError;
use crate::{identity, origin};

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
    let (sheet, rows) = (Sheet::of(&gateway.plant), gateway.commands.all(filter));
    answer("attachment; filename=\"commands.csv\"", COLUMNS, rows, move |row| sheet.cells(row))
        .await
}

/// Tells pages of this server alone who ordered what.
fn asked(request: &Parts) -> Result<Asked<CommandFilter>, ApiError> {
    if !origin::is_same_site(&request.headers) {
        return Err(ApiError::ForeignOrigin);
    }
    identity::who(request).map_err(|_| ApiError::Unauthorized)?;
    Asked::read(&request.uri)
}
