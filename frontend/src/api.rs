//! What the page fetches over HTTP before and beside its socket.

use gloo_net::http::Request;
use protocol::id::DeviceId;
use protocol::point::Device;
use protocol::wire::CloseCode;
use protocol::wire::session::SessionGrant;
use web_sys::RequestCache;

/// Asks how frames are sealed; a failure reads like a socket that did not come to stand.
pub(crate) async fn grant() -> Result<SessionGrant, CloseCode> {
    let request = Request::get("/api/session").cache(RequestCache::NoStore);
    let answer = request.send().await.map_err(|_| NO_ANSWER)?;
    match answer.status() {
        200 => answer.json().await.map_err(|_| NO_ANSWER),
        401 | 403 => Err(CloseCode::Unauthorized),
        _ => Err(NO_ANSWER),
    }
}

/// The facts of a device; `None` if the server does not tell.
pub(crate) async fn device(id: &DeviceId) -> Option<Device> {
    let answer = Request::get(&format!("/api/devices/{id}")).send().await.ok()?;
    answer.json().await.ok()
}

/// What a browser says of a socket that never stood.
const NO_ANSWER: CloseCode = CloseCode::Other(1006);
