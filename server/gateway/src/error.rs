//! What a request can fail with, as status and body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// Why a request is not answered as wished.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("`{name}` {why}")]
    BadQuery { name: String, why: String },
    #[error("device `{0}` is not configured here")]
    DeviceNotFound(String),
    #[error("pages of another site may not ask this")]
    ForeignOrigin,
    #[error("not a WebSocket handshake: {0}")]
    NoHandshake(String),
    #[error("{0}")]
    NotReady(String),
    #[error("the records cannot be read just now")]
    RecordsUnavailable,
    #[error("not signed in")]
    Unauthorized,
}

impl ApiError {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadQuery { .. } => (StatusCode::BAD_REQUEST, "BAD_QUERY"),
            Self::DeviceNotFound(_) => (StatusCode::NOT_FOUND, "DEVICE_NOT_FOUND"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "FOREIGN_ORIGIN"),
            Self::NoHandshake(_) => (StatusCode::BAD_REQUEST, "NO_HANDSHAKE"),
            Self::NotReady(_) => (StatusCode::SERVICE_UNAVAILABLE, "NOT_READY"),
            Self::RecordsUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "RECORDS_UNAVAILABLE"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        (status, Json(json!({ "code": code, "msg": self.to_string() }))).into_response()
    }
}
