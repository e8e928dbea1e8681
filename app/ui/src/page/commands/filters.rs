//! By what the record is narrowed; all of it stands in the address.

use leptos::prelude::*;
use protocol::command::Origin;

use super::PLACE;
use crate::live::Live;
use crate::text_commands as words;
use crate::view::chips::{own, ranges, row, texts};

#[component]
pub(super) fn Filters() -> impl IntoView {
    let live = expect_context::<Live>();
    let devices = live.page(|page| page.devices.clone());
    let devices = devices.into_iter().map(|device| (device.id.to_string(), device.name));
    let origins = Origin::ALL.into_iter().rev();
    let origins = origins.map(|origin| (origin.to_string(), own(words::origin(origin))));
    let outcomes = texts(&[("SUCCESS", words::SUCCEEDED), ("FAIL", words::FAILED)]);
    view! {
        <div class="filters">
            {row(&PLACE, "origin", words::SOURCE, origins.collect())}
            {row(&PLACE, "status", words::OUTCOME, outcomes)}
            {ranges(&PLACE)}
            {row(&PLACE, "device", words::DEVICE, devices.collect())}
        </div>
    }
    .into_any()
}
