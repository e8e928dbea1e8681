//! What a request can fail with, as status and body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::people::Denied;

/// Why a request is not answered as wished.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("`{name}` {why}")]
    BadQuery { name: String, why: String },
    #[error("{0}")]
    BadBody(String),
    #[error("device `{0}` is not configured here")]
    DeviceNotFound(String),
    #[error("{0}")]
    Denied(Denied),
    #[error("pages of another site may not ask this")]
    ForeignOrigin,
    #[error("not a WebSocket handshake: {0}")]
    NoHandshake(String),
    #[error("there is nothing here")]
    NotFound,
    #[error("this account may not do that")]
    NotPermitted,
    #[error("{0}")]
    NotReady(String),
    #[error("the password has to be changed first")]
    PasswordChange,
    #[error("the records cannot be read just now")]
    RecordsUnavailable,
    #[error("too many attempts from this address; try again in a minute")]
    TooMany,
    #[error("not signed in")]
    Unauthorized,
}

impl ApiError {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadQuery { .. } => (StatusCode::BAD_REQUEST, "BAD_QUERY"),
            Self::BadBody(_) => (StatusCode::BAD_REQUEST, "BAD_BODY"),
            Self::Denied(denied) => of(denied),
            Self::DeviceNotFound(_) => (StatusCode::NOT_FOUND, "DEVICE_NOT_FOUND"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "FOREIGN_ORIGIN"),
            Self::NoHandshake(_) => (StatusCode::BAD_REQUEST, "NO_HANDSHAKE"),
            Self::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::NotPermitted => (StatusCode::FORBIDDEN, "NOT_PERMITTED"),
            Self::NotReady(_) => (StatusCode::SERVICE_UNAVAILABLE, "NOT_READY"),
            Self::PasswordChange => (StatusCode::FORBIDDEN, "PASSWORD_CHANGE"),
            Self::RecordsUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "RECORDS_UNAVAILABLE"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        }
    }
}

fn of(denied: &Denied) -> (StatusCode, &'static str) {
    match denied {
        Denied::WrongCredentials => (StatusCode::UNAUTHORIZED, "WRONG_CREDENTIALS"),
        Denied::Wait(_) => (StatusCode::TOO_MANY_REQUESTS, "LOCKED"),
        Denied::Ended => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        Denied::Busy => (StatusCode::SERVICE_UNAVAILABLE, "BUSY"),
        Denied::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "PEOPLE_UNAVAILABLE"),
        Denied::LoginIsOff => (StatusCode::NOT_FOUND, "LOGIN_IS_OFF"),
        Denied::BadName(_) => (StatusCode::BAD_REQUEST, "BAD_NAME"),
        Denied::WeakPassword(_) => (StatusCode::BAD_REQUEST, "WEAK_PASSWORD"),
        Denied::NameTaken => (StatusCode::CONFLICT, "NAME_TAKEN"),
        Denied::NoSuchAccount => (StatusCode::NOT_FOUND, "NO_SUCH_ACCOUNT"),
        Denied::NoSuchSession => (StatusCode::NOT_FOUND, "NO_SUCH_SESSION"),
        Denied::LastAdmin => (StatusCode::CONFLICT, "LAST_ADMIN"),
        Denied::NoAccount => (StatusCode::CONFLICT, "NO_ACCOUNT"),
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let body = Json(json!({ "code": code, "msg": self.to_string() }));
        match self {
            // What nobody may know of does not even say so.
            Self::NotFound => status.into_response(),
            Self::Denied(Denied::Wait(wait)) => {
                (status, [(RETRY_AFTER, wait.retry_after().to_string())], body).into_response()
            }
            _ => (status, body).into_response(),
        }
    }
}
