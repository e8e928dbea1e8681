//! One device: its values, switches, state and reach.

mod analog;
mod commands;
mod switches;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_params_map;
use protocol::id::DeviceId;
use protocol::point::{Device, Direction, Point, PointKind};
use protocol::stream::StreamName;

use crate::live::{Live, State};
use crate::order;
use crate::page::missing::Missing;
use crate::preference::{language, t};
use crate::text;
use crate::view::reach::Reach;
use crate::view::reading::name;
use crate::view::state::{FaultCodes, StateWord};
use analog::Analog;
use commands::Commands;
use switches::Switches;

#[component]
pub(crate) fn DevicePage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let asked = Memo::new(move |_| {
        let id: Option<DeviceId> = params.read().get("id").and_then(|id| id.parse().ok());
        id.filter(|id| live.page(|page| page.devices.iter().any(|device| device.id == *id)))
    });
    let page = move || {
        let asked = asked.get();
        live.show(asked.as_ref());
        match asked.map(|id| live.facts(&id)) {
            None => view! { <Missing what=text::NO_DEVICE/> }.into_any(),
            Some(None) => view! { <p class="muted loading">{t(text::LOADING)}</p> }.into_any(),
            Some(Some(device)) => view! { <Facts device/> }.into_any(),
        }
    };
    view! { {move || page()} }
}

#[component]
fn Facts(device: Device) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let stream = StreamName::Device(device.id.clone());
    let is_current = move || live.is_current(&stream);
    let title = device.name.clone();
    let title = move || name(&title, language()).to_owned();
    let switches = |direction: Direction| {
        let points = device.points.iter().filter(|point| point.is_switch());
        let points = points.filter(|point| way(point) == direction);
        points.filter(|point| !order::is_subject(&device, point)).cloned().collect::<Vec<_>>()
    };
    let (inputs, outputs) = (switches(Direction::Input), switches(Direction::Output));
    view! {
        // It is read when this page's signals are gone: it must own what it says.
        <Title text=title.clone()/>
        <div class="device" data-device=device.id.to_string() data-current=move || is_current().to_string()>
            <Neighbours/>
            <Head device=device.clone() title=Signal::derive(title)/>
            <div class="columns">
                <Analog device=device.clone()/>
                <div class="column">
                    <Commands device=device.clone()/>
                    <Switches id="inputs" title=text::INPUTS device=device.clone() points=inputs/>
                    <Switches id="outputs" title=text::OUTPUTS device=device.clone() points=outputs/>
                    <Peers device=device.clone()/>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// What a command switches is an output, unless it says otherwise.
fn way(point: &Point) -> Direction {
    let usual = match point.kind {
        PointKind::Control => Direction::Output,
        _ => Direction::Input,
    };
    point.direction.unwrap_or(usual)
}

/// Every device of the plant, one step away.
#[component]
fn Neighbours() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let devices = live.page(|page| page.devices.clone());
    let links = devices.into_iter().map(|device| {
        let href = format!("/devices/{}", device.id);
        view! {
            <li><A href=href attr:class="chip">{move || name(&device.name, language()).to_owned()}</A></li>
        }
        .into_any()
    });
    view! {
        <nav aria-label=t(text::DEVICES)>
            <ul class="neighbours">{links.collect_view()}</ul>
        </nav>
    }
    .into_any()
}

/// Name, state and fault codes, and how often the board is asked.
#[component]
fn Head(device: Device, title: Signal<String>) -> impl IntoView {
    let live = expect_context::<Live>();
    let state: Signal<Option<State>> = live.state(&device.id).into();
    let status = Signal::derive(move || state.read().as_ref().and_then(|state| state.status));
    let codes = Signal::derive(move || {
        state.read().as_ref().map(|state| state.fault_codes.clone()).unwrap_or_default()
    });
    let poll = move || live.pace(&device.id).map(|poll| poll.to_string());
    let has_poll = poll().is_some();
    view! {
        <header class="head">
            <h1>{title}</h1>
            <StateWord status/>
            <p class="codes">
                <span class="muted">{t(text::FAULT_CODES)}</span>
                <FaultCodes codes/>
                <span class="muted" hidden=move || !codes.read().is_empty()>{t(text::NO_FAULT_CODES)}</span>
            </p>
            <p class="poll" hidden=!has_poll>{t(text::POLL)}" "<b>{poll}" ms"</b></p>
        </header>
    }
    .into_any()
}

#[component]
fn Peers(device: Device) -> impl IntoView {
    let state = expect_context::<Live>().state(&device.id);
    let links = Signal::derive(move || state.read().as_ref().and_then(|state| state.links));
    view! {
        <section class="panel" aria-labelledby="reach">
            <h2 id="reach">{t(text::REACH)}</h2>
            <Reach device links/>
        </section>
    }
    .into_any()
}
