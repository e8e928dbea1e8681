//! Handlers of events, of one type for each kind of event.

/// A handler as `on:click` takes it. One whose type is its own costs the browser a kilobyte.
pub(crate) fn hear<E: 'static>(handler: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handler)
}
