//! A body in JSON, with what is wrong with it in the words of our own errors.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::{Json, RequestExt as _};
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// What a request brings.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let read = request.extract::<Json<T>, _>().await;
        let Json(body) = read.map_err(|error: JsonRejection| ApiError::BadBody(words(&error)))?;
        Ok(Self(body))
    }
}

impl<T: DeserializeOwned + 'static, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        match request.headers().contains_key(CONTENT_TYPE) {
            true => <Self as FromRequest<S>>::from_request(request, state).await.map(Some),
            false => Ok(None),
        }
    }
}

/// What stood in the body is not repeated: it may be a password.
fn words(error: &JsonRejection) -> String {
    match error {
        JsonRejection::JsonDataError(_) => "a member is missing, unknown or of a wrong type",
        JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
        JsonRejection::MissingJsonContentType(_) => "a body is `application/json`",
        _ => "the body cannot be read",
    }
    .into()
}
