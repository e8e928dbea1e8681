//! What the rows of both tables have in common.

use leptos::prelude::*;
use protocol::command::Origin;
use protocol::id::DeviceId;

use crate::choice::Language;
use crate::live::Live;
use crate::view::progress::who;
use crate::view::reading::name;
use crate::view::table::cell;

/// Who gave an order, to which device, and what for.
pub(super) fn order(
    live: Live,
    language: Language,
    (origin, user): (Origin, &str),
    device: &DeviceId,
    (command, param): (&str, Option<&str>),
) -> [AnyView; 3] {
    let called = live.page(|page| {
        let known = page.devices.iter().find(|known| known.id == *device);
        known.map_or_else(|| device.to_string(), |d| name(&d.name, language).to_owned())
    });
    let title = live.title(command);
    let mut title = title.map_or_else(|| command.to_owned(), |t| name(&t, language).to_owned());
    if let Some(param) = param {
        title = format!("{title} {param}");
    }
    [cell(who(origin, user, language)), cell(called), cell(title)]
}
