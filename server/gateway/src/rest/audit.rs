//! `GET /api/audit` and `.csv`: what people and other systems did.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use protocol::time::Timestamp;
use protocol::wire::records::AuditRow;
use store::{Action, AuditFilter};

use super::query::{Asked, Filter, moment, put, text, unknown, word};
use super::sheet::{PRIVATE, answer, local, plain, unavailable};
use crate::Gateway;
use crate::error::ApiError;

/// One page, the newest first.
pub(crate) async fn page(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, before, limit } = Asked::<AuditFilter>::read(&request.uri)?;
    let history = gateway.audit.history();
    let page = history.page(&filter, before, limit).await.map_err(unavailable)?;
    Ok((PRIVATE, Json(page)).into_response())
}

/// All pages as one table, told as it is read.
pub(crate) async fn sheet(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    let Asked { filter, .. } = Asked::<AuditFilter>::read(&request.uri)?;
    let (zone, rows) = (gateway.zone(), gateway.audit.history().all(filter));
    let cells = move |row: &AuditRow| cells(row, local(row.at, zone.as_ref()));
    answer("attachment; filename=\"audit.csv\"", COLUMNS, rows, cells).await
}

impl Filter for AuditFilter {
    fn narrow(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "user" => put(&mut self.user, name, text(value)),
            "action" => put(&mut self.action, name, word(value, Action::of)),
            "target" => put(&mut self.target, name, text(value)),
            "from" => put(&mut self.from, name, moment(value)),
            "to" => put(&mut self.to, name, moment(value)),
            "text" => put(&mut self.text, name, text(value)),
            other => Err(unknown(other)),
        }
    }

    fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.to)
    }
}

fn cells(row: &AuditRow, time: String) -> [String; COLUMNS.len()] {
    let maybe = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
    [
        row.id.to_string(),
        time,
        row.at.to_string(),
        plain(&row.user),
        maybe(&row.role),
        plain(&row.from),
        plain(&row.action),
        plain(&row.target),
        maybe(&row.before),
        maybe(&row.after),
        if row.is_done { "yes" } else { "no" }.into(),
        plain(&row.detail),
        row.hash.clone(),
    ]
}

const COLUMNS: [&str; 13] = [
    "id", "at", "at_ms", "user", "role", "from", "action", "target", "before", "after", "done",
    "detail", "hash",
];
