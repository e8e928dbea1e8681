//! A device on the overview: state, up to three values, quality and links.

use leptos::prelude::*;
use leptos_router::components::A;
use protocol::frame::Summary;
use protocol::point::{Device, Point};
use protocol::stream::StreamName;

use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text;
use crate::view::bar::{Bar, Scale};
use crate::view::icon::Icon;
use crate::view::reach::Reach;
use crate::view::reading::{face, name};
use crate::view::state::{FaultCodes, StateWord};

#[component]
pub(crate) fn Tile(device: Device) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let summary: Signal<Option<Summary>> = live.summary(&device.id).into();
    let stream = StreamName::Site(device.site.clone());
    let status = Signal::derive(move || summary.read().as_ref().map(|s| s.device_status));
    let codes = Signal::derive(move || {
        summary.read().as_ref().map(|s| s.fault_codes.clone()).unwrap_or_default()
    });
    let links = Signal::derive(move || summary.read().as_ref().map(|s| s.links));
    let values = device.points.iter().cloned();
    let values = values
        .map(|point| view! { <TileValue point summary stream=stream.clone()/> })
        .collect_view();
    let is_current = move || live.is_current(&stream);
    let title = device.name.clone();
    let href = format!("/devices/{}", device.id);
    let id = device.id.to_string();
    view! {
        <article class="tile" data-device=id data-current=move || is_current().to_string()>
            <header>
                <h3><A href=href>{move || name(&title, language()).to_owned()}</A></h3>
                <StateWord status/>
            </header>
            <FaultCodes codes/>
            <dl class="values">{values}</dl>
            <Reach device=device.clone() links/>
            <Foot device summary/>
        </article>
    }
    .into_any()
}

/// The worst quality of all the device's points, and since when its state is what it is.
#[component]
fn Foot(device: Device, summary: Signal<Option<Summary>>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let zone = live.zone(&device.id);
    let quality = move || {
        let worst = summary.read().as_ref().map(|s| text::quality(s.quality));
        worst.unwrap_or(text::UNKNOWN)
    };
    let is_good = move || summary.read().as_ref().is_some_and(|s| s.quality.is_good());
    let since = move || {
        let since = summary.read().as_ref().map(|s| s.since);
        since.map(|since| format::moment(since, live.now(), &zone))
    };
    view! {
        <footer>
            <span class="worst" class:good=is_good>
                {t(text::WORST)}" "<b>{move || quality().of(language())}</b>
            </span>
            <span>{t(text::LAST_CHANGE)}" "<time>{move || since()}</time></span>
        </footer>
    }
    .into_any()
}

#[component]
fn TileValue(point: Point, summary: Signal<Option<Summary>>, stream: StreamName) -> impl IntoView {
    let language = language();
    let live = expect_context::<Live>();
    let key = point.key.clone();
    let reading = Signal::derive(move || {
        summary.read().as_ref().and_then(|summary| summary.values.get(&key).copied())
    });
    let face = face(point.clone(), reading, stream, live.home_zone());
    let shape = Signal::derive(move || face.read().shape);
    let scale = Scale::of(&point).filter(|_| !point.is_switch());
    let number = Signal::derive(move || reading.get()?.value?.number());
    let bar = scale.map(|scale| view! { <Bar scale value=number/> });
    let title = point.name.clone();
    view! {
        <div class="value" data-point=point.key.to_string() data-quality=move || face.read().word>
            <dt>{move || name(&title, language()).to_owned()}</dt>
            <dd>
                <span class="reading" aria-hidden="true">
                    <b>{move || face.read().value.clone()}</b>
                    <i class="unit">{move || face.read().unit.clone()}</i>
                </span>
                <span class="remark" aria-hidden="true" title=move || face.read().spoken.clone()>
                    <Icon shape/>
                    {move || face.read().remark.clone()}
                </span>
                <span class="sr">{move || face.read().spoken.clone()}</span>
                {bar}
            </dd>
        </div>
    }
    .into_any()
}
