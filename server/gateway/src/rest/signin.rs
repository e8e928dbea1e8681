//! Signing in and out, and what is one's own (S0-83, S0-87, S0-88).

mod cookies;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use identity::Digest;
use protocol::wire::people::{NewPassword, Refresh, SignIn, Tokens, Unlock};
use protocol::wire::session::SessionGrant;

use self::cookies::{bake, clear, refresh_in};
use super::body::Body;
use super::sheet::PRIVATE;
use crate::caller::Encrypted;
use crate::error::ApiError;
use crate::people::{By, Call, Denied, Granted, Origin, Visitor};
use crate::{Gateway, insider};

/// `POST /api/login`: a password, or its hash, for cookies or tokens.
pub(crate) async fn login(
    State(gateway): State<Gateway>,
    request: Parts,
    Body(asked): Body<SignIn>,
) -> Result<Response, ApiError> {
    let SignIn { username: name, cookie, .. } = asked.clone();
    let (digest, origin) = (digest(asked)?, origin(&request)?);
    let people = &gateway.people;
    let call = |answer| Call::SignIn { name, digest, origin, is_for_socket: false, answer };
    let granted = people.ask(call).await?;
    Ok(answer(&gateway, &request, granted, cookie))
}

/// `POST /api/refresh`: holds longer, for the one who has the refresh token.
pub(crate) async fn refresh(
    State(gateway): State<Gateway>,
    request: Parts,
    body: Option<Body<Refresh>>,
) -> Result<Response, ApiError> {
    let shown = body.map(|Body(body)| body.refresh_token);
    let with_cookie = shown.is_none();
    let shown = shown.or_else(|| refresh_in(&request)).ok_or(ApiError::Unauthorized)?;
    let token = shown.parse().map_err(|_| ApiError::Unauthorized)?;
    let origin = origin(&request)?;
    let granted = gateway.people.ask(|answer| Call::Renew { token, origin, answer }).await;
    match granted {
        Ok(granted) => Ok(answer(&gateway, &request, granted, with_cookie)),
        // What opens nothing any more need not be kept.
        Err(Denied::Ended) if with_cookie => {
            Ok((clear(&request), ApiError::Unauthorized).into_response())
        }
        Err(denied) => Err(denied.into()),
    }
}

/// `POST /api/logout`.
pub(crate) async fn logout(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
) -> Result<Response, ApiError> {
    let (person, origin) = (visitor.person, origin(&request)?);
    gateway.people.ask(|answer| Call::SignOut { person, origin, answer }).await?;
    Ok((clear(&request), StatusCode::NO_CONTENT).into_response())
}

/// `POST /api/password`: one's own, in the place of the old one.
pub(crate) async fn password(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
    Body(asked): Body<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let NewPassword { old, new } = asked;
    let by = By { person: visitor.person, origin: origin(&request)? };
    let old = Digest::of(&old);
    gateway.people.ask(|answer| Call::ChangePassword { by, old, new, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/unlock`: the password once more, before a page acts again.
pub(crate) async fn unlock(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
    request: Parts,
    Body(asked): Body<Unlock>,
) -> Result<StatusCode, ApiError> {
    let (person, origin) = (visitor.person, origin(&request)?);
    let digest = Digest::of(&asked.password);
    gateway.people.ask(|answer| Call::Confirm { person, digest, origin, answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/sign-ins`: who tried to sign in to one's own account.
pub(crate) async fn sign_ins(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, ApiError> {
    let user = visitor.person.user;
    let rows = gateway.people.ask(|answer| Call::SignIns { user, answer }).await?;
    Ok((PRIVATE, Json(rows)).into_response())
}

fn digest(asked: SignIn) -> Result<Digest, ApiError> {
    match (asked.password, asked.password_hash) {
        (Some(password), None) => Ok(Digest::of(&password)),
        (None, Some(hash)) => hash.parse().map_err(|error: identity::password::NotADigest| {
            ApiError::BadBody(format!("`password_hash`: {error}"))
        }),
        _ => Err(ApiError::BadBody("either `password` or `password_hash` is needed".into())),
    }
}

/// From where somebody asks.
pub(crate) fn origin(request: &Parts) -> Result<Origin, ApiError> {
    let peer = insider::peer(request).ok_or(ApiError::Unauthorized)?;
    Ok(Origin { address: peer.ip(), is_local: insider::is_local(request) })
}

fn answer(gateway: &Gateway, request: &Parts, granted: Granted, with_cookie: bool) -> Response {
    if !with_cookie {
        return ([(CACHE_CONTROL, "no-store")], Json(tokens(granted))).into_response();
    }
    let grant = grant(gateway, &granted);
    let cookies = bake(&granted, is_encrypted(request), gateway.hub.time());
    (PRIVATE, cookies, Json(grant)).into_response()
}

fn tokens(granted: Granted) -> Tokens {
    Tokens {
        access_token: granted.access,
        expires: granted.until,
        must_change_password: granted.person.must_change_password,
        refresh_token: granted.refresh.map(|token| token.reveal().to_string()),
        role: granted.person.role,
        user: granted.person.user.to_string(),
    }
}

fn grant(gateway: &Gateway, granted: &Granted) -> SessionGrant {
    super::session::of(gateway, &granted.person, Some(granted.until))
}

pub(super) fn is_encrypted(request: &Parts) -> bool {
    request.extensions.get() == Some(&Encrypted(true))
}
