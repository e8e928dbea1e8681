//! The measured values of a device: a table on a desk, cards on a phone.

use leptos::prelude::*;
use protocol::point::{Device, Point};
use protocol::stream::StreamName;

use crate::live::Live;
use crate::order;
use crate::preference::{language, t};
use crate::text;
use crate::view::bar::{Bar, Scale};
use crate::view::icon::Icon;
use crate::view::reading::{face, name};
use crate::view::sparkline::Sparkline;

#[component]
pub(super) fn Analog(device: Device) -> impl IntoView {
    let points = device.points.iter().filter(|point| !point.is_switch());
    let points = points.filter(|point| !order::is_subject(&device, point)).cloned();
    let rows = points.map(|point| view! { <Row device=device.clone() point/> }).collect_view();
    view! {
        <section class="panel analog" aria-labelledby="analog">
            <h2 id="analog">{t(text::ANALOG)}</h2>
            <table class="points">
                <thead>
                    <tr>
                        <th scope="col">{t(text::NAME)}</th>
                        <th scope="col" class="number">{t(text::VALUE)}</th>
                        <th scope="col">{t(text::RANGE)}</th>
                        <th scope="col">{t(text::TREND)}</th>
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
    let number = Signal::derive(move || reading.get()?.value?.number());
    let bar = Scale::of(&point).map(|scale| view! { <Bar scale value=number/> });
    let title = point.name.clone();
    view! {
        <tr data-point=point.key.to_string() data-quality=move || face.read().word>
            <th scope="row">{move || name(&title, language()).to_owned()}</th>
            <td class="number">
                <span class="reading" aria-hidden="true">
                    <b>{move || face.read().value.clone()}</b>
                    <i class="unit">{move || face.read().unit.clone()}</i>
                </span>
                <span class="sr">{move || face.read().spoken.clone()}</span>
            </td>
            <td class="range">{bar}</td>
            <td class="trend"><Sparkline device=device.id.clone() point=point.clone()/></td>
            <td class="quality">
                <Icon shape/>
                <span>{move || face.read().quality.clone()}</span>
            </td>
        </tr>
    }
    .into_any()
}
