//! What the page fetches over HTTP before and beside its socket.

use gloo_net::http::{Request, RequestBuilder, Response};
use protocol::id::DeviceId;
use protocol::json;
use protocol::point::Device;
use protocol::wire::CloseCode;
use protocol::wire::commands::CommandPage;
use protocol::wire::session::SessionGrant;
use serde::de::DeserializeOwned;
use ui::{Answer, Call, Method, RecordWish};
use web_sys::RequestCache;

/// Asks how frames are sealed; a failure reads like a socket that did not come to stand.
pub(crate) async fn grant() -> Result<SessionGrant, CloseCode> {
    let request = Request::get("/api/session").cache(RequestCache::NoStore);
    let answer = request.send().await.map_err(|_| NO_ANSWER)?;
    match answer.status() {
        200 => read(answer).await.ok_or(NO_ANSWER),
        401 | 403 => Err(CloseCode::Unauthorized),
        _ => Err(NO_ANSWER),
    }
}

/// The facts of a device; `None` if the server does not tell.
pub(crate) async fn device(id: &DeviceId) -> Option<Device> {
    let answer = Request::get(&format!("/api/devices/{id}")).send().await.ok()?;
    read(answer).await
}

/// A part of the record of orders; `None` if the server does not tell.
pub(crate) async fn commands(wish: &RecordWish) -> Option<CommandPage> {
    let mut address = format!("/api/commands?limit={ROWS}");
    if !wish.query.is_empty() {
        address = format!("{address}&{}", wish.query);
    }
    if let Some(before) = &wish.before {
        address = format!("{address}&before={before}");
    }
    let answer = Request::get(&address).cache(RequestCache::NoStore).send().await.ok()?;
    read(answer).await
}

/// Asks what a page wants asked.
pub(crate) async fn ask(call: Call) -> Answer {
    try_ask(call).await.unwrap_or_default()
}

async fn try_ask(call: Call) -> Option<Answer> {
    let begin: fn(&str) -> RequestBuilder = match call.method {
        Method::Get => Request::get,
        Method::Post => Request::post,
        Method::Put => Request::put,
        Method::Delete => Request::delete,
    };
    let request = begin(&call.path).cache(RequestCache::NoStore);
    let request = match call.body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.ok()?.send().await.ok()?;
    let retry_after = answer.headers().get("Retry-After").and_then(|after| after.parse().ok());
    let status = answer.status();
    Some(Answer { status, body: answer.text().await.ok()?, retry_after })
}

async fn read<T: DeserializeOwned>(answer: Response) -> Option<T> {
    json::read(&answer.text().await.ok()?).ok()
}

/// As many as a screen or two show.
const ROWS: u32 = 50;

/// What a browser says of a socket that never stood.
const NO_ANSWER: CloseCode = CloseCode::Other(1006);
