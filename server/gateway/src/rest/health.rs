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
    match gateway.hub.ready().await {
        Ok(()) => Ok("ok"),
        Err(why) => Err(ApiError::NotReady(why.to_string())),
    }
}
