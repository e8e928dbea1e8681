//! The door of the pages: whoever is not signed in is shown where to.

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gateway::PageVisitor;

use super::wants_page;
use crate::assets;

/// Lets through whoever is known, and what everybody may see.
pub(super) async fn pass(
    who: impl Fn(&Parts) -> Option<PageVisitor>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match who(&parts) {
        None if !is_for_all(&parts) => turn_away(&parts),
        visitor => {
            if let Some(visitor) = visitor {
                parts.extensions.insert(visitor);
            }
            next.run(Request::from_parts(parts, body)).await
        }
    }
}

/// The way in, and the files that pages load: there is nothing of the plant in them.
fn is_for_all(request: &Parts) -> bool {
    let path = request.uri.path();
    path == LOGIN || assets::is_file(path)
}

fn turn_away(request: &Parts) -> Response {
    if !wants_page(&request.headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let wanted = request.uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let target = match wanted {
        "/" => LOGIN.to_owned(),
        wanted => format!("{LOGIN}?to={}", encoded(wanted)),
    };
    let Ok(target) = HeaderValue::try_from(target) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let headers =
        [(header::LOCATION, target), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// As the value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

const LOGIN: &str = "/login";

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(path: &str, accept: &str) -> Response {
        let pages = Router::new()
            .fallback(get(async || "a page"))
            .layer(from_fn(|request, next| pass(|_: &Parts| None, request, next)));
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty());
        pages.oneshot(request.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn whoever_is_not_signed_in_is_shown_where_to() {
        // S0-89
        let table = [
            ("/", "/login"),
            ("/devices/board-1", "/login?to=/devices/board-1"),
            ("/commands?user=li&x=1", "/login?to=/commands%3Fuser%3Dli%26x%3D1"),
            ("//evil.example", "/login?to=//evil.example"),
            ("/no/such/page", "/login?to=/no/such/page"),
        ];
        for (path, expected) in table {
            let answer = ask(path, "text/html").await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
            assert_eq!(answer.headers()[header::LOCATION], expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_program_is_told_that_it_has_to_sign_in() {
        assert_eq!(ask("/", "application/json").await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(ask("/no/such/call", "*/*").await.status(), StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn the_way_in_is_open() {
        assert_eq!(ask("/login", "text/html").await.status(), StatusCode::OK);
        assert_eq!(ask("/login?to=/x", "text/html").await.status(), StatusCode::OK);
    }
}
