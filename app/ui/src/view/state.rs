//! What a device is doing: shape, word and fault codes.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::device::DeviceStatus;
use protocol::id::FaultCode;

use crate::preference::language;
use crate::text;
use crate::view::icon::{Icon, Shape};

#[component]
pub(crate) fn StateWord(#[prop(into)] status: Signal<Option<DeviceStatus>>) -> impl IntoView {
    let language = language();
    let shape = Signal::derive(move || Shape::of_status(status.get()));
    let word = move || status.get().map_or(text::UNKNOWN, text::status);
    let name = move || status.get().map_or_else(|| "unknown".to_owned(), |s| s.to_string());
    view! {
        <span class="state" data-status=name>
            <Icon shape/>
            <span>{move || word().of(language())}</span>
        </span>
    }
    .into_any()
}

#[component]
pub(crate) fn FaultCodes(#[prop(into)] codes: Signal<BTreeSet<FaultCode>>) -> impl IntoView {
    let list = move || {
        let code = |code: FaultCode| view! { <code class="fault-code">{code.to_string()}</code> };
        codes.get().into_iter().map(code).collect_view().into_any()
    };
    view! { <span class="fault-codes">{move || list()}</span> }
}
