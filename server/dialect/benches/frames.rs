//! What a frame costs, from the reading to the client's table: without sockets, on one core.
//!
//! `make bench`, or `cargo bench -p dialect`.

#![expect(clippy::unwrap_used, reason = "a program for developers")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::{Action, ArbiterPolicy, Event, Limits, PushStrategy, Setup, Start, Station, Window};
use protocol::digest::{Algorithm, Seal};
use protocol::frame::{Frame, Offset, Sequence};
use protocol::id::{ChannelId, DeviceId, Epoch};
use protocol::journal::Past;
use protocol::point::{Device, Name, Plant, Point, PointKind, Site};
use protocol::reading::Value;
use protocol::report::{Reach, Report};
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::cut::cut;
use protocol::wire::native::{ServerFrame, Stamp};

fn device() -> DeviceId {
    "board-1".parse().unwrap()
}

fn epoch() -> Epoch {
    "0197f3a0-0000-7000-8000-000000000000".parse().unwrap()
}

/// One board with so many measured points.
fn plant() -> Plant {
    let site: protocol::id::SiteId = "plant".parse().unwrap();
    let point = |n| Point::new(format!("point_{n}").parse().unwrap(), PointKind::Telemetry);
    let device = Device {
        id: device(),
        site: site.clone(),
        channel: ChannelId(1),
        name: Name::default(),
        points: (0..POINTS).map(point).collect(),
        overview: Vec::new(),
        commands: Vec::new(),
        has_pscada: false,
        has_system_server: false,
    };
    let sites = vec![Site { id: site, name: Name::default(), zone: "UTC".into() }];
    Plant { sites, devices: vec![device], demo: false }
}

fn station() -> Station {
    let setup = Setup {
        plant: plant(),
        intervals: BTreeMap::new(),
        push: PushStrategy::default(),
        limits: Limits::default(),
        arbiter: ArbiterPolicy::default(),
    };
    let clock = Clock::new(Instant::default(), Timestamp::from_millis(1_763_689_200_000));
    let start = Start { clock, epoch: epoch(), past: Past::default() };
    Station::new(setup, start, Instant::default())
}

/// A poll in which every point changed.
fn report(round: u64) -> Event {
    let value = |n: usize| Ok(Value::Number(round as f64 / 10.0 + n as f64));
    let results = (0..POINTS).map(|n| (n, value(n))).collect();
    Event::Polled(Report { device: device(), reach: Reach::Answered, results })
}

/// The frames of so many polls.
fn frames(rounds: u64) -> Vec<Frame> {
    let mut station = station();
    let publish = |action| match action {
        Action::Publish { stream, frame } if stream.device().is_some() => Some(frame),
        _ => None,
    };
    let polls = (1..=rounds).flat_map(|round| {
        station.handle(report(round), Instant::from_millis(round * 100)).into_iter()
    });
    polls.filter_map(publish).collect()
}

fn window(rounds: u64) -> Window {
    let mut window = Window::new(epoch());
    for (n, frame) in frames(rounds).into_iter().enumerate() {
        window.push(frame, Instant::from_millis(n as u64 * 100));
    }
    window
}

fn per_reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("station");
    group.throughput(Throughput::Elements(POINTS as u64));
    let (mut station, mut round) = (station(), 0);
    group.bench_function("poll of 100 points, all changed", |bench| {
        bench.iter(|| {
            round += 1;
            black_box(station.handle(report(round), Instant::from_millis(round)))
        });
    });
    group.finish();
}

fn per_frame(criterion: &mut Criterion) {
    let (seal, device) = (Seal::new(Algorithm::Md5, "a key of a fair length"), device());
    let (first, epoch) = (window(2), epoch());
    let shared = first.recover(Offset(2), Offset(2)).frames.remove(0);
    let stamp = Stamp {
        device: &device,
        epoch: Some(&epoch),
        recovered: false,
        seq: Some(Sequence(2)),
        stream: None,
    };
    let mut group = criterion.benchmark_group("frame of 100 points");
    group.bench_function("encode, stamp and seal, for the first receiver", |bench| {
        let fresh = || window(2).recover(Offset(2), Offset(2)).frames.remove(0);
        bench.iter_batched(
            fresh,
            |shared| black_box(shared.native(&seal, false).stamp(&seal, &stamp)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("stamp and seal, for each further one", |bench| {
        bench.iter(|| black_box(shared.native(&seal, false).stamp(&seal, &stamp)));
    });
    let text = shared.native(&seal, false).stamp(&seal, &stamp);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("verify and decode", |bench| {
        bench.iter(|| {
            let cut = cut(&text).unwrap();
            assert!(seal.matches(&cut.pieces, cut.checksum));
            black_box(ServerFrame::read(&text).unwrap())
        });
    });
    group.finish();
}

fn per_recovery(criterion: &mut Criterion) {
    let window = window(1_000);
    let (top, held) = (window.top(), Offset(window.top().0.saturating_sub(30)));
    let mut group = criterion.benchmark_group("window");
    group.bench_function("recover 30 of 1,000 frames", |bench| {
        bench.iter(|| black_box(window.recover(held, top)));
    });
    group.bench_function("recover what is gone", |bench| {
        bench.iter(|| black_box(window.recover(Offset(2), Offset(31))));
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group!(name = benches; config = quick(); targets = per_reading, per_frame, per_recovery);
criterion_main!(benches);

const POINTS: usize = 100;
