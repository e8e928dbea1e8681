//! A slave at work: its map, what is known, and whoever decides about its orders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use field::map::{Area, ByteOrder, DataType, Mapping};
use field::slave::{
    self, Answer, Command, Content, Entry, Param, Rules, SlaveConfig, SlaveMap, Source, Staged,
    Stale, Surroundings, Verdict, Way, Wish,
};
use jiff::tz::TimeZone;
use protocol::id::{DeviceId, PointKey};
use protocol::reading::{Quality, Reading, Reason, Value};
use protocol::time::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const UNIT: u8 = 0x5E;
pub(crate) const OTHER: u8 = 0x5F;

/// 2026-07-28 09:05:07.123 in Shanghai.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_785_200_707_123);

pub(crate) const SENTINEL: u16 = 0x8001;

/// | address | holds |
/// |---|---|
/// | hr 0 | bit 0 running, bit 5 fault |
/// | hr 1 | quality |
/// | hr 2 | nothing |
/// | hr 3 | temperature, 0.1, signed |
/// | hr 4–5 | energy, float32 |
/// | hr 0x10 | setpoint, 0.1; sets it |
/// | hr 0x11–0x12 | limit, float32; sets it |
/// | hr 0x20 | word of command bits: bit 0 CLOSE, bit 1 OPEN |
/// | hr 0x3000 | clock |
/// | co 0x0101, 0x0120, 0x0121 | RESET (E001), CLOSE, OPEN |
/// | co 0x0122 | fan; sets it |
/// | di 0 | door |
pub(crate) fn map() -> SlaveMap {
    use Area::{Coil, DiscreteInput, HoldingRegister as Register};
    use DataType::{Bit, Float32, Int16, Uint16};
    let of = |mapping, content| (UNIT, Entry { device: id("board-1"), mapping, content });
    let tenths = |mapping| Mapping { scale: 0.1, ..mapping };
    let fixed =
        |name, param: Option<&str>| ordered(None, name, Param::Fixed(param.map(Into::into)));
    let bit = |address, bit| Mapping { bit: Some(bit), ..place(Register, address, Bit) };
    let clock = Content::Clock {
        zone: TimeZone::get("Asia/Shanghai").expect("a zone"),
        command: Some("SET_CLOCK".into()),
    };
    let other = Entry {
        device: id("board-2"),
        mapping: place(Area::InputRegister, 0, Uint16),
        content: Content::Quality,
    };
    SlaveMap::new([
        of(bit(0, 0), point("running")),
        of(bit(0, 5), point("fault")),
        of(place(Register, 1, Uint16), Content::Quality),
        of(place(Register, 2, Uint16), Content::Reserved),
        of(tenths(place(Register, 3, Int16)), point("temperature")),
        of(place(Register, 4, Float32), point("energy")),
        of(tenths(place(Register, 0x10, Uint16)), ordered(Some("setpoint"), "SET", Param::Written)),
        of(place(Register, 0x11, Float32), ordered(None, "LIMIT", Param::Written)),
        of(bit(0x20, 0), fixed("CLOSE", None)),
        of(bit(0x20, 1), fixed("OPEN", None)),
        of(place(Register, 0x3000, Uint16), clock),
        of(place(Coil, 0x0101, Bit), fixed("RESET", Some("E001"))),
        of(place(Coil, 0x0120, Bit), fixed("CLOSE", None)),
        of(place(Coil, 0x0121, Bit), fixed("OPEN", None)),
        of(place(Coil, 0x0122, Bit), ordered(Some("fan"), "FAN", Param::Written)),
        of(place(DiscreteInput, 0, Bit), point("door")),
        (OTHER, other),
    ])
}

fn point(key: &str) -> Content {
    Content::Value { point: Some(key.parse().expect("a key")), command: None }
}

fn ordered(point: Option<&str>, name: &str, param: Param) -> Content {
    let point = point.map(|key| key.parse().expect("a key"));
    Content::Value { point, command: Some(Command { name: name.into(), param }) }
}

fn place(area: Area, address: u16, data_type: DataType) -> Mapping {
    Mapping {
        area,
        address,
        data_type,
        byte_order: ByteOrder::Abcd,
        bit: None,
        scale: 1.0,
        offset: 0.0,
        poll: None,
        decimals: 6,
    }
}

pub(crate) fn id(text: &str) -> DeviceId {
    text.parse().expect("an identifier")
}

pub(crate) type Readings = BTreeMap<PointKey, Reading>;

/// What is known: 25.5 °C, running, no fault, door and fan on.
pub(crate) fn good() -> Readings {
    let table = [
        ("running", Value::Switch(true)),
        ("fault", Value::Switch(false)),
        ("temperature", Value::Number(25.5)),
        ("energy", Value::Number(12.5)),
        ("setpoint", Value::Number(60.0)),
        ("fan", Value::Switch(true)),
        ("door", Value::Switch(true)),
    ];
    let reading =
        |value| Reading { quality: Quality::Good, at: Some(NOW), value: Some(value), why: None };
    table.map(|(key, value)| (key.parse().expect("a key"), reading(value))).into()
}

/// As [`good`], but one point is not.
pub(crate) fn but(key: &str, quality: Quality) -> Readings {
    let mut readings = good();
    let key: PointKey = key.parse().expect("a key");
    let reading = readings.get_mut(&key).expect("it is there");
    *reading = Reading { quality, why: Some(Reason::Timeout), ..*reading };
    readings
}

pub(crate) fn rules(stale: Stale) -> Rules {
    Rules { map: map(), stale, sentinel: SENTINEL }
}

/// The answer of [`UNIT`] where `readings` are known of its device.
pub(crate) fn answer(stale: Stale, readings: &Readings, request: &[u8]) -> Answer {
    let readings = readings.clone();
    let source = move |device: &DeviceId| (device.as_str() == "board-1").then(|| readings.clone());
    rules(stale).answer(UNIT, request, &source, NOW, &mut Staged::default())
}

/// A slave at work; it ends with this.
pub(crate) struct Serving {
    pub(crate) address: Option<SocketAddr>,
    /// What was ordered, as `SET 60`.
    pub(crate) ordered: mpsc::Receiver<String>,
    pub(crate) reach: watch::Receiver<BTreeSet<DeviceId>>,
    _stop: DropGuard,
}

impl Serving {
    pub(crate) async fn over_tcp() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serve = |config, surroundings, stop| async {
            slave::run_at(listener, config, surroundings, stop).await;
            Ok(())
        };
        let serving = Self::start(Way::Tcp { listen: address }, serve);
        Self { address: Some(address), ..serving }
    }

    pub(crate) fn over(way: Way) -> Self {
        Self::start(way, slave::run)
    }

    fn start<F>(
        way: Way,
        serve: impl FnOnce(SlaveConfig, Surroundings, CancellationToken) -> F,
    ) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let (wishes, wanted) = mpsc::channel(8);
        let (told, ordered) = mpsc::channel(64);
        let (tell_reach, reach) = watch::channel(BTreeSet::new());
        let source: Arc<dyn Source> = Arc::new(|_: &DeviceId| Some(good()));
        let config =
            SlaveConfig { way, rules: rules(Stale::Last), reach_timeout: Duration::from_secs(1) };
        let surroundings = Surroundings { source, wishes, reach: tell_reach };
        let stop = CancellationToken::new();
        tokio::spawn(serve(config, surroundings, stop.clone()));
        tokio::spawn(decide(wanted, told));
        Self { address: None, ordered, reach, _stop: stop.drop_guard() }
    }

    pub(crate) async fn next_order(&mut self) -> String {
        let order = tokio::time::timeout(PATIENCE, self.ordered.recv()).await;
        order.expect("an order in time").expect("a slave")
    }
}

/// SET to more than 100 is invalid, OPEN is held by somebody, RESET fails, LIMIT is left lying.
async fn decide(mut wanted: mpsc::Receiver<Wish>, told: mpsc::Sender<String>) {
    let mut left_lying = Vec::new();
    while let Some(wish) = wanted.recv().await {
        let Wish { command, param, answer, .. } = wish;
        let number = param.as_deref().and_then(|param| param.parse::<f64>().ok());
        let order = [Some(command.clone()), param].into_iter().flatten().collect::<Vec<_>>();
        told.send(order.join(" ")).await.expect("a test that goes on");
        let verdict = match command.as_str() {
            "SET" if number.is_none_or(|number| number > 100.0) => Verdict::Invalid,
            "OPEN" => Verdict::Conflict,
            "RESET" => Verdict::Failed,
            "LIMIT" => {
                left_lying.push(answer);
                continue;
            }
            _ => Verdict::Done,
        };
        let _ = answer.send(verdict);
    }
}

/// Far longer than anything here takes, even on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
