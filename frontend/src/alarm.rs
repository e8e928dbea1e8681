//! Wakes the driver on time, even where nobody looks at the page: a worker holds the timer.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use web_sys::Worker;

use crate::listen::listen;

/// One alarm, which can be set anew at any time.
pub(crate) struct Alarm(Worker);

impl Alarm {
    pub(crate) fn new(ring: impl Fn() + 'static) -> Result<Self, JsValue> {
        let worker = Worker::new("/worker.js")?;
        listen(&worker, "message", move |_| ring());
        Ok(Self(worker))
    }

    /// Rings after this time and not at the one set before; `None` is never.
    pub(crate) fn set(&self, after: Option<Duration>) {
        let wish =
            after.map_or(JsValue::NULL, |after| JsValue::from_f64(after.as_secs_f64() * 1e3));
        // A number can always be posted.
        drop(self.0.post_message(&wish));
    }
}
