//! The rows of both tables, made of cells of one kind.

use leptos::prelude::*;
use protocol::command::Origin;
use protocol::id::DeviceId;

use crate::choice::Language;
use crate::live::Live;
use crate::preference::t;
use crate::text::Text;
use crate::view::progress::who;
use crate::view::reading::name;

/// The names of the columns.
pub(super) fn head(columns: &[Text]) -> AnyView {
    let column = |column: &Text| view! { <th scope="col">{t(*column)}</th> }.into_any();
    let columns = columns.iter().map(column).collect_view();
    view! { <thead><tr>{columns}</tr></thead> }.into_any()
}

pub(super) fn cell(text: String) -> AnyView {
    view! { <td>{text}</td> }.into_any()
}

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
