//! `GET /api/session`: what a page needs before it opens its socket.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use identity::Person;
use protocol::time::Timestamp;
use protocol::wire::session::SessionGrant;

use super::sheet::PRIVATE;
use crate::Gateway;
use crate::people::Visitor;

/// Grants to pages of this server alone: the answer holds the key of the check codes.
pub(crate) async fn grant(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let grant = of(&gateway, &visitor.person, visitor.standing.until());
    (PRIVATE, Json(grant)).into_response()
}

pub(super) fn of(gateway: &Gateway, person: &Person, expires: Option<Timestamp>) -> SessionGrant {
    let lock_after = gateway.people.rules().and_then(|rules| rules.lock_after);
    let millis = |after: std::time::Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    SessionGrant {
        expires,
        integrity: gateway.config.integrity.clone(),
        lock_after_ms: lock_after.map(millis),
        must_change_password: person.must_change_password,
        role: person.role,
        sites: person.sites.clone(),
        user: person.user.to_string(),
    }
}
