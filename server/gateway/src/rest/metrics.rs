//! `GET /metrics`: what was counted, in the text format of Prometheus.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus_client::encoding::prometheus_text::{self, encode};

use crate::Gateway;

pub(crate) async fn text(State(gateway): State<Gateway>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &gateway.registry) {
        Ok(()) => {
            let kind = (CONTENT_TYPE, prometheus_text::CONTENT_TYPE);
            ([kind, (CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
