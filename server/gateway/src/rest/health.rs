//! `/livez` and `/readyz`: for whoever watches over the process.

use axum::extract::State;

use crate::Gateway;
use crate::error::ApiError;

/// The process is there.
pub(crate) async fn livez() -> &'static str {
    "ok"
}

/// It can serve: every stream has begun, and the Station answers.
pub(crate) async fn readyz(State(gateway): State<Gateway>) -> Result<&'static str, ApiError> {
    if gateway.stop.is_cancelled() {
        return Err(ApiError::NotReady("the server is stopping".into()));
    }
    if !gateway.hub.is_answered().await {
        return Err(ApiError::NotReady("the station does not answer".into()));
    }
    match gateway.hub.first_empty() {
        Some(stream) => Err(ApiError::NotReady(format!("stream {stream} has not begun"))),
        None => Ok("ok"),
    }
}
