//! `GET /api/session`: what a page needs before it opens its socket.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, VARY};
use http::request::Parts;
use protocol::user::Scope;
use protocol::wire::session::SessionGrant;

use crate::error::ApiError;
use crate::{Gateway, identity, origin};

/// Grants to pages of this server alone: the answer holds the key of the check codes.
pub(crate) async fn grant(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, ApiError> {
    if !origin::is_same_site(&request.headers) {
        return Err(ApiError::ForeignOrigin);
    }
    let person = identity::who(&request).map_err(|_| ApiError::Unauthorized)?;
    let grant = SessionGrant {
        expires: None,
        integrity: gateway.config.integrity.clone(),
        lock_after_ms: None,
        must_change_password: false,
        role: person.role,
        sites: Scope::All,
        user: person.user,
    };
    let headers = [(CACHE_CONTROL, "no-store"), (VARY, "Origin, Sec-Fetch-Site")];
    Ok((headers, Json(grant)).into_response())
}
