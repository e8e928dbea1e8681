//! The browser's WebSocket as events of the link.

use leptos::prelude::window;
use link::Event;
use protocol::id::{ConnectionId, DeviceId};
use protocol::wire::CloseCode;
use protocol::wire::native::SUB_PROTOCOL;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// One socket, until it is dropped.
pub(crate) struct Socket {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Dials; all that follows is reported.
    pub(crate) fn open(
        url: &str,
        report: impl Fn(Event) + Clone + 'static,
    ) -> Result<Self, JsValue> {
        let socket = WebSocket::new_with_str(url, SUB_PROTOCOL)?;
        let tell = report.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || tell(Event::Opened));
        let tell = report.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(text) = message.data().as_string() {
                tell(Event::Heard(text));
            }
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |close: CloseEvent| {
            report(Event::Closed(CloseCode::from(close.code())));
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    pub(crate) fn send(&self, text: &str) {
        // On a socket that is closing nothing is sent; that it closed is reported.
        drop(self.socket.send_with_str(text));
    }

    /// Closes the socket; nothing of it is reported any more.
    pub(crate) fn close(&self, code: CloseCode) {
        self.forget();
        // The codes that a client closes with are those a browser allows.
        drop(self.socket.close_with_code(code.number()));
    }

    fn forget(&self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.forget();
        drop(self.socket.close());
    }
}

/// Where the server listens, as seen from the page.
pub(crate) fn url(device: &DeviceId, connection: Option<&ConnectionId>) -> Result<String, JsValue> {
    let location = window().location();
    let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
    let mut url = format!("{scheme}://{}/ws/device?device_id={device}", location.host()?);
    if let Some(connection) = connection {
        url.push_str(&format!("&connection_id={connection}"));
    }
    Ok(url)
}
