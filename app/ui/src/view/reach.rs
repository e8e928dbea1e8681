//! Which of a device's three peers can be reached.

use leptos::prelude::*;
use protocol::device::{Links, Peer};
use protocol::point::Device;

use crate::preference::{language, t};
use crate::text::{self, Text};
use crate::view::icon::{Icon, Shape};

/// One peer a line; a peer that is not configured is no failure.
#[component]
pub(crate) fn Reach(device: Device, #[prop(into)] links: Signal<Option<Links>>) -> impl IntoView {
    let peers = Peer::ALL.map(|peer| {
        let is_configured = has_peer(&device, peer);
        let reached = Signal::derive(move || links.get().map(|links| links.reaches(peer)));
        view! { <PeerReach peer is_configured reached/> }
    });
    view! { <ul class="reach">{peers.into_iter().collect_view()}</ul> }.into_any()
}

/// Of the peers that are configured: how many are reached, and how many there are.
pub(crate) fn reached(device: &Device, links: Links) -> (usize, usize) {
    let configured = || Peer::ALL.into_iter().filter(|peer| has_peer(device, *peer));
    (configured().filter(|peer| links.reaches(*peer)).count(), configured().count())
}

#[component]
fn PeerReach(peer: Peer, is_configured: bool, reached: Signal<Option<bool>>) -> impl IntoView {
    let language = language();
    let sight = move || sight(is_configured, reached.get());
    let shape = Signal::derive(move || sight().0);
    view! {
        <li data-peer=peer.to_string() data-reach=move || sight().2>
            <Icon shape/>
            <span class="peer">{t(text::peer(peer))}</span>
            <span class="word">{move || sight().1.of(language())}</span>
        </li>
    }
    .into_any()
}

fn sight(is_configured: bool, reached: Option<bool>) -> (Shape, Text, &'static str) {
    match reached {
        _ if !is_configured => (Shape::Dash, text::NOT_CONFIGURED, "none"),
        Some(true) => (Shape::Dot, text::UP, "up"),
        Some(false) => (Shape::Broken, text::DOWN, "down"),
        None => (Shape::Question, text::UNKNOWN, "unknown"),
    }
}

fn has_peer(device: &Device, peer: Peer) -> bool {
    match peer {
        Peer::Board => true,
        Peer::Pscada => device.has_pscada,
        Peer::SystemServer => device.has_system_server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn only_configured_peers_count() {
        // S0-8
        let mut device = sample::plant().devices[0].clone();
        let links = Links { board: true, pscada: false, system_server: false };
        (device.has_pscada, device.has_system_server) = (true, false);
        assert_eq!(reached(&device, links), (1, 2));
        device.has_pscada = false;
        assert_eq!(reached(&device, links), (1, 1));
        assert_eq!(sight(false, Some(false)).2, "none");
    }
}
