//! Accounts, sign-ins that hold, and tokens for edges: for administrators.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use http::request::Parts;
use identity::SessionId;
use protocol::id::UserId;
use protocol::wire::people::{AccountChange, NewAccount, SessionLine};

use super::body::Body;
use super::sheet::PRIVATE;
use super::signin::origin;
use crate::Gateway;
use crate::error::ApiError;
use crate::people::{By, Call, Denied, Visitor};

/// `GET /api/users`.
pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Response, ApiError> {
    let accounts = gateway.people.ask(|answer| Call::Accounts { answer }).await?;
    Ok((PRIVATE, Json(accounts)).into_response())
}

/// `POST /api/users`.
pub(crate) async fn add(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
    Body(account): Body<NewAccount>,
) -> Result<StatusCode, ApiError> {
    let by = by(visitor, &request)?;
    gateway.people.ask(|answer| Call::Add { by, account, answer }).await?;
    Ok(StatusCode::CREATED)
}

/// `PUT /api/users/{name}`.
pub(crate) async fn change(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
    Body(change): Body<AccountChange>,
) -> Result<StatusCode, ApiError> {
    let (by, name) = (by(visitor, &request)?, account(&name)?);
    gateway.people.ask(|answer| Call::Change { by, name, change, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/users/{name}`.
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<StatusCode, ApiError> {
    let (by, name) = (by(visitor, &request)?, account(&name)?);
    gateway.people.ask(|answer| Call::Remove { by, name, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/users/{name}/unlock`.
pub(crate) async fn unlock(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<StatusCode, ApiError> {
    let (by, name) = (by(visitor, &request)?, account(&name)?);
    gateway.people.ask(|answer| Call::Unlock { by, name, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/sessions`.
pub(crate) async fn sessions(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, ApiError> {
    let (own, now) = (visitor.person.sid, gateway.hub.time());
    let present = gateway.people.present().ok_or(Denied::LoginIsOff)?;
    let held = present.iter().filter(|(_, ticket)| now < *ticket.until.borrow());
    let line = |(sid, ticket): (&SessionId, &crate::people::Ticket)| SessionLine {
        expires: *ticket.until.borrow(),
        from: ticket.origin.clone(),
        id: sid.to_string(),
        is_own: own == Some(*sid),
        role: ticket.person.role,
        since: ticket.since,
        user: ticket.person.user.to_string(),
    };
    let lines: Vec<_> = held.map(line).collect();
    Ok((PRIVATE, Json(lines)).into_response())
}

/// `DELETE /api/sessions/{id}`: its sockets are closed within a second.
pub(crate) async fn end(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<StatusCode, ApiError> {
    let sid = id.parse().map_err(|_| Denied::NoSuchSession)?;
    let by = by(visitor, &request)?;
    gateway.people.ask(|answer| Call::End { by, sid, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn by(visitor: Visitor, request: &Parts) -> Result<By, ApiError> {
    Ok(By { person: visitor.person, origin: origin(request)? })
}

fn account(name: &str) -> Result<UserId, Denied> {
    name.parse().map_err(|_| Denied::NoSuchAccount)
}
