//! Listens to the browser for as long as the page lives.

use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget};

pub(crate) fn listen(target: &EventTarget, name: &str, hear: impl FnMut(Event) + 'static) {
    let hear = Closure::<dyn FnMut(Event)>::new(hear);
    // Fails for no target and no name.
    drop(target.add_event_listener_with_callback(name, hear.as_ref().unchecked_ref()));
    hear.forget();
}
