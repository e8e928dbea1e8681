//! `POST /api/tokens`: what lets somebody into an edge for an hour at most, without a sign-in there
//! (S0-84). The edge believes it by this server's public key alone.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::request::Parts;
use identity::{Claims, Signer};
use protocol::time::Timestamp;
use protocol::wire::people::{IssuedToken, TokenOrder};
use store::{Action, Deed};

use super::body::Body;
use super::sheet::PRIVATE;
use super::signin::origin;
use crate::Gateway;
use crate::error::ApiError;
use crate::people::{Denied, Rules, Visitor};

pub(crate) async fn issue(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
    Body(order): Body<TokenOrder>,
) -> Result<Response, ApiError> {
    let (signer, rules) =
        gateway.people.signer().zip(gateway.people.rules()).ok_or(Denied::LoginIsOff)?;
    if !(1..=LONGEST_MINUTES).contains(&order.minutes) {
        return Err(ApiError::BadBody(format!("`minutes` must be 1 to {LONGEST_MINUTES}")));
    }
    let now = gateway.hub.time();
    let issued = issued(&order, &visitor, (signer, rules), now);
    gateway.audit.append(Deed {
        at: now,
        user: visitor.person.user.to_string(),
        role: Some(visitor.person.role),
        origin: origin(&request)?.address.to_string(),
        action: Action::TokenIssued,
        target: order.edge.to_string(),
        before: None,
        after: None,
        is_done: true,
        detail: format!("{} for {} min", order.role, order.minutes),
    });
    Ok((PRIVATE, Json(issued)).into_response())
}

fn issued(
    order: &TokenOrder,
    visitor: &Visitor,
    (signer, rules): (&Signer, &Rules),
    now: Timestamp,
) -> IssuedToken {
    let expires = now + Duration::from_secs(u64::from(order.minutes) * 60);
    let claims = Claims {
        aud: Some(order.edge.clone()),
        exp: expires,
        iat: now,
        iss: rules.issuer.clone(),
        role: order.role,
        sid: None,
        sites: order.sites.clone(),
        sub: visitor.person.user.clone(),
    };
    IssuedToken { expires, token: signer.issue(&claims) }
}

/// S0-84.
const LONGEST_MINUTES: u32 = 60;
