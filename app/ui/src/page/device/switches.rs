//! The inputs or the outputs of a device.

use leptos::prelude::*;
use protocol::point::{Device, Point};
use protocol::stream::StreamName;

use crate::live::Live;
use crate::preference::{language, t};
use crate::text::{self, Text};
use crate::view::icon::Icon;
use crate::view::lamp::Lamp;
use crate::view::reading::{face, name};

#[component]
pub(super) fn Switches(
    id: &'static str,
    title: Text,
    device: Device,
    points: Vec<Point>,
) -> impl IntoView {
    let is_empty = points.is_empty();
    let rows = points.into_iter().map(|point| view! { <Row device=device.clone() point/> });
    let rows = rows.collect_view();
    view! {
        <section class="panel" aria-labelledby=id>
            <h2 id=id>{t(title)}</h2>
            <p class="muted" hidden=!is_empty>{t(text::NONE_CONFIGURED)}</p>
            <table class="points switches" hidden=is_empty>
                <thead class="sr">
                    <tr>
                        <th scope="col">{t(text::NAME)}</th>
                        <th scope="col">{t(text::VALUE)}</th>
                        <th scope="col">{t(text::QUALITY)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Row(device: Device, point: Point) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let reading: Signal<_> = live.reading(&device.id, &point.key).into();
    let stream = StreamName::Device(device.id.clone());
    let face = face(point.clone(), reading, stream, live.zone(&device.id));
    let shape = Signal::derive(move || face.read().shape);
    let value = Signal::derive(move || reading.get()?.value);
    let title = point.name.clone();
    view! {
        <tr data-point=point.key.to_string() data-quality=move || face.read().word>
            <th scope="row">{move || name(&title, language()).to_owned()}</th>
            <td class="switch-value">
                <span class="reading" aria-hidden="true">
                    <Lamp value/>
                    <b>{move || face.read().value.clone()}</b>
                </span>
                <span class="sr">{move || face.read().spoken.clone()}</span>
            </td>
            <td class="quality">
                <Icon shape/>
                <span>{move || face.read().quality.clone()}</span>
            </td>
        </tr>
    }
    .into_any()
}
