//! `GET /api/commands` and `GET /api/commands.csv`: what was ordered, and what came of it.

mod asked;
mod sheet;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::TryStreamExt as _;
use futures_util::future::ready;
use http::request::Parts;
use protocol::user::Scope;
use protocol::wire::commands::CommandRow;
use store::CommandFilter;

use self::sheet::{COLUMNS, Sheet};
use super::query::Asked;
use super::sheet::{PRIVATE, answer, unavailable};
use crate::Gateway;
use crate::error::ApiError;
use crate::people::Visitor;

/// One page, the newest first.
pub(crate) async fn page(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, before, limit } = Asked::<CommandFilter>::read(&request.uri)?;
    let mut page = gateway.commands.page(&filter, before, limit).await.map_err(unavailable)?;
    page.rows.retain(in_scope(&gateway, &visitor));
    Ok((PRIVATE, Json(page)).into_response())
}

/// All pages as one table, told as it is read.
pub(crate) async fn sheet(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, .. } = Asked::<CommandFilter>::read(&request.uri)?;
    let (sheet, in_scope) = (Sheet::of(&gateway.plant), in_scope(&gateway, &visitor));
    let rows = gateway.commands.all(filter).try_filter(move |row| ready(in_scope(row)));
    answer("attachment; filename=\"commands.csv\"", COLUMNS, rows, move |row| sheet.cells(row))
        .await
}

/// Orders to devices of other sites are told to nobody; those to devices that are no longer there,
/// to whoever may see all.
fn in_scope(gateway: &Gateway, visitor: &Visitor) -> impl Fn(&CommandRow) -> bool + Send + use<> {
    let (plant, sites) = (Arc::clone(&gateway.plant), visitor.person.sites.clone());
    move |row| match sites {
        Scope::All => true,
        Scope::Sites(_) => {
            let device = plant.devices.iter().find(|device| device.id == row.device_id);
            device.is_some_and(|device| sites.holds(&device.site))
        }
    }
}
