//! Renders the first page with the plant's values already in it.

mod door;
mod policy;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware,
    response::{IntoResponse, Response},
};
use gateway::PageVisitor;
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::{AxumRouteListing, LeptosRoutes, ResponseOptions};
use tower_http::{CompressionLevel, compression::CompressionLayer};
use ui::{Bootstrap, device_of};

use crate::assets;

/// Every page of the console, the files they load, and an honest 404 for the rest.
///
/// `who` says who asks, and `snapshot` what the page shows before its first frame arrives.
pub(crate) fn router<W, S>(options: LeptosOptions, who: W, snapshot: S) -> Router
where
    W: Fn(&Parts) -> Option<PageVisitor> + Clone + Send + Sync + 'static,
    S: Fn(&Parts) -> Bootstrap + Clone + Send + Sync + 'static,
{
    let context = {
        let reload_port = options.reload_port;
        move || provide_page(&snapshot, reload_port)
    };
    let page = {
        let options = options.clone();
        move || ui::shell(options.clone())
    };
    let missing = leptos_axum::render_app_to_stream_with_context(context.clone(), page.clone());

    Router::new()
        .leptos_routes_with_context(&options, routes(), context, page)
        .route_layer(CompressionLayer::new().quality(PAGE_COMPRESSION))
        .fallback(move |request: Request| async move {
            match other(request.method(), request.uri().path(), request.headers()) {
                Some(response) => response,
                None => (StatusCode::NOT_FOUND, missing(request).await).into_response(),
            }
        })
        .layer(middleware::from_fn(move |request, next| door::pass(who.clone(), request, next)))
        .layer(middleware::map_response(harden))
        .with_state(options)
}

/// The paths of the pages, read off the app as it would stand without a plant.
fn routes() -> Vec<AxumRouteListing> {
    let no_plant = || provide_context(Bootstrap::default());
    let list = leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context;
    list(ui::App, None, no_plant).0
}

/// Tells the page what it shows, and the browser what it may do.
fn provide_page(snapshot: impl Fn(&Parts) -> Bootstrap, reload_port: u32) {
    let parts = expect_context::<Parts>();
    let page = snapshot(&parts);
    let response = expect_context::<ResponseOptions>();
    if is_of_nobody(&page, parts.uri.path()) {
        response.set_status(StatusCode::NOT_FOUND);
    }
    provide_context(page);
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = policy::of(&parts.headers, &nonce, reload_port).try_into() {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Whether a device is asked for that does not exist; whoever is told nothing yet is not told that.
fn is_of_nobody(page: &Bootstrap, path: &str) -> bool {
    let is_told = page.person.as_ref().is_some_and(|person| !person.must_change_password);
    is_told
        && path.starts_with("/devices/")
        && device_of(path).is_none_or(|id| page.devices.iter().all(|device| device.id != id))
}

/// What is no page: a file of the site, or nothing at all for a client that reads no pages.
fn other(method: &Method, path: &str, asked: &HeaderMap) -> Option<Response> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let file = reads.then(|| assets::answer(path, asked)).flatten();
    match file {
        None if reads && wants_page(asked) => None,
        None => Some(StatusCode::NOT_FOUND.into_response()),
        file => file,
    }
}

/// Whether whoever asks reads pages.
fn wants_page(asked: &HeaderMap) -> bool {
    let accept = asked.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn harden(mut response: Response) -> Response {
    for (name, value) in HARDENING {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

const HARDENING: [(header::HeaderName, &str); 3] = [
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Pages are compressed as they are asked for: the smaller gain of a higher level costs the 30 ms.
const PAGE_COMPRESSION: CompressionLevel = CompressionLevel::Precise(4);

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use protocol::user::{Role, Scope};
    use tower::ServiceExt as _;

    use super::*;

    fn somebody() -> PageVisitor {
        PageVisitor {
            user: "li".into(),
            role: Role::Viewer,
            sites: Scope::All,
            expires: None,
            must_change_password: false,
        }
    }

    async fn ask(path: &str, accept: &str) -> Response {
        let options = LeptosOptions::builder().output_name("gapless").build();
        let pages = router(options, |_| Some(somebody()), |_| Bootstrap::default());
        let request = Request::get(path)
            .header(header::ACCEPT, accept)
            .header(header::HOST, "plant.example")
            .body(Body::empty());
        pages.oneshot(request.unwrap()).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a page is small");
        String::from_utf8(body.into()).expect("a page is text")
    }

    #[tokio::test]
    async fn every_script_of_a_page_carries_the_nonce_of_its_policy() {
        let page = ask("/", "text/html").await;
        assert_eq!(page.status(), StatusCode::OK);
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let (_, rest) = policy.split_once("'nonce-").unwrap();
        let (nonce, _) = rest.split_once('\'').unwrap();

        let text = text(page).await;
        let scripts: Vec<_> = text.split("<script").skip(1).collect();
        assert!(!scripts.is_empty(), "{text}");
        for script in scripts {
            let (head, _) = script.split_once('>').unwrap();
            let is_inert = head.contains("application/json");
            assert!(is_inert || head.contains(&format!("nonce=\"{nonce}\"")), "{head}");
        }
        assert!(!text.contains(" style="), "no policy allows it: {text}");
    }

    #[tokio::test]
    async fn two_pages_have_two_nonces() {
        let policy = |page: Response| page.headers()[header::CONTENT_SECURITY_POLICY].clone();
        assert_ne!(policy(ask("/", "text/html").await), policy(ask("/", "text/html").await));
    }

    #[tokio::test]
    async fn what_does_not_exist_is_not_found() {
        let table = [
            ("/no/such/page", "text/html", true),
            ("/devices/nobody", "text/html", true),
            ("/devices/!", "text/html", true),
            ("/no/such/call", "application/json", false),
            ("/pkg/no-such-file.js", "*/*", false),
        ];
        for (path, accept, is_page) in table {
            let answer = ask(path, accept).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(text(answer).await.contains("<html"), is_page, "{path}");
        }
    }
}
