//! Elements of the page by their id; one that is not there does nothing.

use leptos::prelude::document;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, HtmlInputElement};

pub(crate) fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        take_focus(&element);
    }
}

/// An element that cannot take the focus leaves it where it is.
pub(crate) fn take_focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// What stands in a field: also what the browser filled in before this code was there.
pub(crate) fn value(id: &str) -> String {
    // A list of choices has a value like a field.
    document()
        .get_element_by_id(id)
        .map_or_else(String::new, |field| field.unchecked_into::<HtmlInputElement>().value())
}

pub(crate) fn clear(id: &str) {
    set(id, "");
}

pub(crate) fn set(id: &str, value: &str) {
    let field = document().get_element_by_id(id);
    if let Some(field) = field.and_then(|found| found.dyn_into::<HtmlInputElement>().ok()) {
        field.set_value(value);
    }
}
