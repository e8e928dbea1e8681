//! `[[channel]]`: the field buses, over TCP or a serial line.

use std::collections::BTreeMap;
use std::time::Duration;

use field::map::{ChannelConfig, LONGEST_POLL, Parity, SHORTEST_POLL, SHORTEST_TIMEOUT, Transport};
use field::slave::SerialLine;
use protocol::id::ChannelId;

use crate::document::Value;
use crate::finding::{Findings, Place};
use crate::names::Names;
use crate::parse::{choice, integer, word};
use crate::quantity::{duration, seconds};
use crate::section::{Placed, Section};

/// What `[[channel]]` says; the boards are still missing.
pub(crate) struct Channels {
    pub names: Names<ChannelId>,
    pub list: Vec<ChannelConfig>,
}

pub(crate) fn read(root: &mut Section<'_>) -> Channels {
    let mut channels = Channels { names: Names::new("channel"), list: Vec::new() };
    let mut ways = BTreeMap::new();
    root.each("channel", |section| {
        if let Some(config) = channel(section, &mut channels.names) {
            check_way(&config, &section.place, &mut ways, &mut section.notes.findings);
            channels.list.push(config);
        }
    });
    channels
}

fn channel(section: &mut Section<'_>, names: &mut Names<ChannelId>) -> Option<ChannelConfig> {
    let id = section.require("id", integer(0..=u32::MAX));
    if let Some(id) = &id {
        let id = Placed { value: ChannelId(id.value), place: id.place.clone() };
        names.enter(&id, &mut section.notes.findings);
    }
    let transport = section.require("transport", choice(&[("tcp", Bus::Tcp), ("rtu", Bus::Rtu)]));
    let transport = transport.map(|bus| bus.value);
    let transport = match transport {
        Some(Bus::Tcp) => tcp(section),
        Some(Bus::Rtu) => rtu(section).map(|line| {
            let SerialLine { path, baud_rate, data_bits, stop_bits, parity } = line;
            Transport::Rtu { path, baud_rate, data_bits, stop_bits, parity }
        }),
        None => None,
    };
    section.pass_over(&TCP_KEYS, transport.is_some().then_some("goes with transport = \"tcp\""));
    section.pass_over(&RTU_KEYS, transport.is_some().then_some("goes with transport = \"rtu\""));
    let poll_interval =
        section.read_or("poll_interval", "1s", seconds(SHORTEST_POLL..=LONGEST_POLL));
    let timeout = section.read("timeout", duration(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT));
    Some(ChannelConfig {
        id: ChannelId(id?.value),
        transport: transport?,
        poll_interval: poll_interval?,
        timeout: timeout.map(|timeout| timeout.value),
        targets: Vec::new(),
    })
}

#[derive(Clone, Copy)]
enum Bus {
    Tcp,
    Rtu,
}

fn tcp(section: &mut Section<'_>) -> Option<Transport> {
    let host = section.require("host", host);
    let port = section.read_or("port", "502", integer(1..=u16::MAX));
    Some(Transport::Tcp { host: host?.value, port: port? })
}

/// Where a serial line is, and how characters are written on it.
pub(crate) fn rtu(section: &mut Section<'_>) -> Option<SerialLine> {
    let path = section.require("path", word);
    let baud_rate = section.read_or("baud_rate", "9600", integer(50..=4_000_000_u32));
    let data_bits = section.read_or("data_bits", "8", integer(7..=8_u8));
    let stop_bits = section.read_or("stop_bits", "1", integer(1..=2_u8));
    let words = &[("none", Parity::None), ("odd", Parity::Odd), ("even", Parity::Even)];
    let parity = section.read_or("parity", "none", choice(words));
    Some(SerialLine {
        path: path?.value,
        baud_rate: baud_rate?,
        data_bits: data_bits?,
        stop_bits: stop_bits?,
        parity: parity?,
    })
}

/// A host alone: its port has a key of its own.
fn host(value: &Value) -> Result<String, String> {
    let host = word(value)?;
    let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    if !is_v6 && host.contains(':') {
        return Err("must be a name or an address; the port goes into `port`".into());
    }
    if host.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err("must be a name or an address".into());
    }
    Ok(host)
}

/// A serial line has one master; two connections to one TCP address may be meant.
fn check_way(
    config: &ChannelConfig,
    place: &Place,
    ways: &mut BTreeMap<String, Place>,
    findings: &mut Findings,
) {
    let (way, is_serial) = match &config.transport {
        Transport::Tcp { host, port } => (format!("{host}:{port}"), false),
        Transport::Rtu { path, .. } => (path.clone(), true),
    };
    match ways.get(&way) {
        Some(first) if is_serial => {
            findings.mistake(
                place,
                format!("the line {way} already belongs to the channel at {first}"),
            );
        }
        Some(first) => findings.warn(place, format!("{way} is also the channel at {first}")),
        None => {
            ways.insert(way, place.clone());
        }
    }
}

const TCP_KEYS: [&str; 2] = ["host", "port"];
pub(crate) const RTU_KEYS: [&str; 5] = ["path", "baud_rate", "data_bits", "stop_bits", "parity"];

/// A board that is silent for longer is away.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
