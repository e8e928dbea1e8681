//! What the Station promises about quality, state, numbers and pace.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod plant;

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{
    Action, ArbiterPolicy, Asker, Event, Journal, Limits, PushStrategy, Setup, Start, Station,
};
use proptest::prelude::*;
use protocol::command::{Order, OrderKey, Origin, Stage};
use protocol::device::{DeviceStatus, Links, Peer};
use protocol::frame::{Body, KeyEvent, Offset, Update};
use protocol::id::ChannelId;
use protocol::journal::Past;
use protocol::part::{Condition, Part, PartState};
use protocol::reading::{Quality, Reading, Reason, Value};
use protocol::report::{Reach, Report};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant, Timestamp};

const SECOND: Duration = Duration::from_secs(1);

fn clock() -> Clock {
    Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_000_000))
}

fn setup(boards: usize) -> Setup {
    Setup {
        plant: plant::plant(boards),
        intervals: BTreeMap::new(),
        push: PushStrategy::default(),
        limits: Limits::default(),
        arbiter: ArbiterPolicy::default(),
    }
}

fn start(epoch: &str, past: Past) -> Start {
    Start { clock: clock(), epoch: epoch.parse().unwrap(), past }
}

/// A Station, and what its streams add up to.
struct Desk {
    station: Station,
    now: Instant,
    tables: BTreeMap<StreamName, Update>,
    tops: BTreeMap<StreamName, Offset>,
    /// Key events as `what old→new`.
    events: Vec<String>,
    snapshots: usize,
    journal: Journal,
    runs: u64,
}

impl Desk {
    fn new(boards: usize) -> Self {
        let now = Instant::from_millis(0);
        let mut desk = Self {
            station: Station::new(setup(boards), start("e1", Past::default()), now),
            now,
            tables: BTreeMap::new(),
            tops: BTreeMap::new(),
            events: Vec::new(),
            snapshots: 0,
            journal: Journal::default(),
            runs: 1,
        };
        desk.event(Event::Tick);
        desk
    }

    /// Another Station takes up what this one left behind.
    fn restart(&mut self) {
        self.runs += 1;
        let past = self.journal.past(clock().at(self.now));
        let epoch = format!("e{}", self.runs);
        self.station = Station::new(setup(1), start(&epoch, past), self.now);
        self.tops.clear();
        self.events.clear();
        self.event(Event::Tick);
    }

    fn event(&mut self, event: Event) {
        for action in self.station.handle(event, self.now) {
            let (stream, frame) = match action {
                Action::Publish { stream, frame } => (stream, frame),
                Action::Record(record) => {
                    self.journal.record((*record).clone());
                    continue;
                }
                Action::Keep(entry) => {
                    self.journal.keep(entry);
                    continue;
                }
                _ => continue,
            };
            let top = self.tops.entry(stream.clone()).or_default();
            assert_eq!(frame.offset, top.next(), "{stream} counts without a hole");
            *top = frame.offset;
            let table = self.tables.entry(stream).or_default();
            match frame.body {
                Body::Delta(update) => table.fold(&update),
                Body::Snapshot(update) => {
                    self.snapshots += 1;
                    *table = update;
                }
                Body::Event(KeyEvent::StateChanged(change)) => {
                    self.events.push(format!("{} {}→{}", change.what, change.old, change.new));
                }
                Body::Event(KeyEvent::CommandExecuted(done)) => {
                    self.events.push(format!("{} {:?}", done.command, done.status));
                }
            }
        }
    }

    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(at) = self.station.wake_at()
            && at <= until
        {
            self.now = self.now.max(at);
            self.event(Event::Tick);
        }
        self.now = until;
    }

    fn poll(&mut self, reach: Reach, results: Vec<(usize, Result<Value, Reason>)>) {
        let device = "board-1".parse().unwrap();
        self.event(Event::Polled(Report { device, reach, results }));
    }

    /// A poll that everything answered: the level and which switches are on.
    fn read(&mut self, level: f64, on: &[usize]) {
        let switch = |index| (index, Ok(Value::Switch(on.contains(&index))));
        let mut results = vec![(0, Ok(Value::Number(level)))];
        results.extend((1..5).map(switch));
        self.poll(Reach::Answered, results);
    }

    fn fail(&mut self, reach: Reach, why: Reason) {
        self.poll(reach, (0..5).map(|index| (index, Err(why))).collect());
    }

    fn table(&self) -> &Update {
        &self.tables[&"device/board-1".parse().unwrap()]
    }

    fn reading(&self, key: &str) -> Reading {
        self.table().points[key]
    }

    fn state(&self) -> (DeviceStatus, Vec<String>) {
        let codes = self.table().fault_codes.iter().flatten().map(ToString::to_string);
        (self.table().device_status.unwrap(), codes.collect())
    }
}

#[test]
fn before_the_first_poll_nothing_looks_known() {
    let desk = Desk::new(1);
    assert_eq!(desk.reading("level"), Reading::NOT_READ);
    assert_eq!(desk.state(), (DeviceStatus::Fault, vec!["E030".into()]));
    assert_eq!(desk.events, [""; 0], "not knowing is no event");
}

#[test]
fn every_failure_is_shown_with_its_reason_within_three_polls() {
    use Quality::{Bad, NoComm};
    let table = [
        (Reach::Answered, Reason::Exception(2), Bad, Bad),
        (Reach::Answered, Reason::NotANumber, Bad, Bad),
        (Reach::Silent, Reason::Timeout, Bad, NoComm),
        (Reach::Silent, Reason::Garbage, Bad, NoComm),
        (Reach::Silent, Reason::ShortAnswer, Bad, NoComm),
        (Reach::Silent, Reason::ForeignUnit, Bad, NoComm),
        (Reach::Away, Reason::Refused, NoComm, NoComm),
        (Reach::Away, Reason::Unreachable, NoComm, NoComm),
        (Reach::Away, Reason::Disconnected, NoComm, NoComm),
    ];
    for (reach, why, first, third) in table {
        let mut desk = Desk::new(1);
        desk.read(30.0, &[]);
        let good = desk.reading("level");
        for expected in [first, first, third] {
            desk.pass(SECOND);
            desk.fail(reach, why);
            let reading = desk.reading("level");
            assert_eq!((reading.quality, reading.why), (expected, Some(why)), "{reach:?} {why}");
            assert_eq!((reading.value, reading.at), (good.value, good.at), "the last value stays");
        }
        let is_lost = third == NoComm;
        assert_eq!(desk.table().links.unwrap().board, !is_lost, "{why}");
        assert_eq!(desk.state().1.contains(&"E030".to_owned()), is_lost, "{why}");
        desk.pass(SECOND);
        desk.read(30.0, &[]);
        assert_eq!(desk.reading("level").quality, Quality::Good, "it recovers by itself");
        assert_eq!(desk.state(), (DeviceStatus::Working, vec![]));
    }
}

#[test]
fn one_failed_block_leaves_its_neighbours_good() {
    let mut desk = Desk::new(1);
    desk.read(30.0, &[]);
    let mixed = vec![(0, Err(Reason::Exception(2))), (1, Ok(Value::Switch(true)))];
    desk.poll(Reach::Answered, mixed);
    assert_eq!(desk.reading("level").quality, Quality::Bad);
    assert_eq!(desk.reading("k1").quality, Quality::Good);
}

#[test]
fn a_lost_board_takes_the_points_that_were_not_due_with_it() {
    let mut desk = Desk::new(1);
    desk.read(30.0, &[]);
    desk.poll(Reach::Away, vec![(0, Err(Reason::Refused))]);
    let k1 = desk.reading("k1");
    assert_eq!((k1.quality, k1.why), (Quality::NoComm, Some(Reason::Refused)));
}

#[test]
fn a_value_outside_of_its_range_is_uncertain() {
    let mut desk = Desk::new(1);
    for (level, quality, why) in [
        (100.0, Quality::Good, None),
        (100.1, Quality::Uncertain, Some(Reason::OutOfRange)),
        (-1.0, Quality::Uncertain, Some(Reason::OutOfRange)),
        (0.0, Quality::Good, None),
    ] {
        desk.read(level, &[]);
        let reading = desk.reading("level");
        assert_eq!((reading.quality, reading.why), (quality, why), "{level}");
        assert_eq!(reading.value, Some(Value::Number(level)));
    }
}

#[test]
fn without_polls_values_go_stale_after_three_intervals() {
    // D11; at a changed pace, after three of the new ones (S0-11)
    for (interval, millis) in [(None, 3_000), (Some(200), 600), (Some(10_000), 30_000)] {
        let mut desk = Desk::new(1);
        if let Some(interval) = interval {
            let interval = Duration::from_millis(interval);
            desk.event(Event::Paced { channel: ChannelId(1), interval });
        }
        desk.read(30.0, &[]);
        desk.pass(Duration::from_millis(millis));
        assert_eq!(desk.reading("level").quality, Quality::Good, "at {millis} ms");
        desk.pass(Duration::from_millis(1));
        let reading = desk.reading("level");
        assert_eq!((reading.quality, reading.why), (Quality::Stale, Some(Reason::Overdue)));
    }
}

#[test]
fn the_state_is_the_gravest_that_any_point_claims() {
    // S0-6, S0-7
    use DeviceStatus::{Alarm, Fault, Testing, Working};
    let table: [(&[usize], DeviceStatus, &[&str]); 6] = [
        (&[], Working, &[]),
        (&[1], Working, &[]),
        (&[2], Testing, &[]),
        (&[2, 3], Alarm, &["A001"]),
        (&[2, 3, 4], Fault, &["A001", "E001"]),
        (&[4], Fault, &["E001"]),
    ];
    for (on, status, codes) in table {
        let mut desk = Desk::new(1);
        desk.read(30.0, on);
        assert_eq!(
            desk.state(),
            (status, codes.iter().map(ToString::to_string).collect()),
            "{on:?}"
        );
    }
}

#[test]
fn a_change_of_state_is_an_event_of_its_own() {
    // S0-44
    let mut desk = Desk::new(1);
    desk.read(30.0, &[]);
    assert_eq!(desk.events, [""; 0], "the first poll is no change");
    desk.read(30.0, &[1, 4]);
    desk.fail(Reach::Away, Reason::Refused);
    let board_2 =
        Event::Reached { device: "board-1".parse().unwrap(), peer: Peer::Pscada, reached: true };
    desk.event(board_2);
    assert_eq!(
        desk.events,
        [
            "point/k1 OFF→ON",
            "device_status working→fault",
            "fault_code/E001 OFF→ON",
            "fault_code/E030 OFF→ON",
            "link/board true→false",
            "link/pscada false→true",
        ]
    );
    // S0-8
    let links = Links { board: false, pscada: true, system_server: false };
    assert_eq!(desk.table().links, Some(links));
}

#[test]
fn changes_within_the_dead_band_are_not_told_and_creep_is() {
    // S0-13
    let mut desk = Desk::new(1);
    for (level, told) in [(30.0, 30.0), (30.5, 30.0), (30.3, 30.0), (30.6, 30.6), (31.2, 31.2)] {
        desk.read(level, &[]);
        assert_eq!(desk.reading("level").value, Some(Value::Number(told)), "{level}");
    }
}

#[test]
fn everything_is_told_again_every_thirty_seconds() {
    // S0-14
    let mut desk = Desk::new(1);
    desk.read(30.0, &[]);
    desk.read(30.4, &[]);
    let before = desk.snapshots;
    desk.pass(Duration::from_millis(29_999));
    assert_eq!(desk.snapshots, before);
    desk.pass(Duration::from_millis(1));
    assert_eq!(desk.snapshots, before + 3, "of the device, of its site and of the system");
    let value = desk.reading("level").value;
    assert_eq!(value, Some(Value::Number(30.4)), "with what the dead band kept back");
}

#[test]
fn a_site_tells_the_state_of_each_of_its_devices() {
    let mut desk = Desk::new(2);
    desk.read(30.0, &[4]);
    desk.pass(SECOND);
    let site = &desk.tables[&"site/plant".parse().unwrap()];
    let (first, second) = (&site.devices["board-1"], &site.devices["board-2"]);
    assert_eq!((first.device_status, first.quality), (DeviceStatus::Fault, Quality::Good));
    assert_eq!(first.values["level"].value, Some(Value::Number(30.0)));
    assert_eq!(second.quality, Quality::Uncertain);
}

#[test]
fn a_report_of_an_unknown_device_or_point_changes_nothing() {
    let mut desk = Desk::new(1);
    let tops = desk.tops.clone();
    let report = |device: &str, index| Report {
        device: device.parse().unwrap(),
        reach: Reach::Answered,
        results: vec![(index, Ok(Value::Number(1.0)))],
    };
    desk.event(Event::Polled(report("board-9", 0)));
    assert_eq!(desk.tops, tops);
    desk.event(Event::Polled(report("board-1", 99)));
    assert_eq!(desk.reading("level"), Reading::NOT_READ);
}

proptest! {
    /// Whatever the plant does: numbers have no hole, and the deltas add up to the next snapshot.
    #[test]
    fn deltas_add_up_to_the_next_snapshot(
        polls in prop::collection::vec((0u8..4, 0i32..1200, any::<[bool; 4]>(), 0u64..5_000), 1..60),
    ) {
        let mut desk = Desk::new(2);
        for (kind, level, switches, pause) in polls {
            desk.pass(Duration::from_millis(pause));
            match kind {
                0 => desk.fail(Reach::Silent, Reason::Timeout),
                1 => desk.fail(Reach::Away, Reason::Refused),
                _ => {
                    let on: Vec<usize> = (1..5).filter(|n| switches[n - 1]).collect();
                    desk.read(f64::from(level) / 10.0, &on);
                }
            }
        }
        let stream: StreamName = "device/board-1".parse().unwrap();
        let told = desk.tables[&stream].clone();
        let snapshots = desk.snapshots;
        // Every second of silence may turn values stale; those are told as deltas too.
        while desk.snapshots == snapshots {
            desk.pass(SECOND);
        }
        let whole = &desk.tables[&stream];
        prop_assert_eq!(told.device_status, whole.device_status);
        prop_assert_eq!(&told.fault_codes, &whole.fault_codes);
        prop_assert_eq!(told.links, whole.links);
        for (key, reading) in &whole.points {
            let (old, new) = (told.points[key].value, reading.value);
            let near = match (old, new) {
                (Some(Value::Number(a)), Some(Value::Number(b))) => (a - b).abs() <= 0.5,
                _ => old == new,
            };
            prop_assert!(near, "{}: {:?} and {:?}", key, old, new);
        }
    }
}

#[test]
fn what_changed_while_the_server_was_down_becomes_an_event() {
    // S0-44, S0-67
    let mut desk = Desk::new(1);
    desk.read(1.0, &[1, 3]);
    desk.restart();
    assert!(desk.events.is_empty());
    desk.read(1.0, &[1, 4]);
    let expected =
        ["device_status alarm→fault", "fault_code/A001 ON→OFF", "fault_code/E001 OFF→ON"];
    assert_eq!(desk.events, expected);
    desk.restart();
    desk.read(2.0, &[4]);
    assert_eq!(desk.events, ["point/k1 ON→OFF"]);
}

#[test]
fn what_did_not_change_while_the_server_was_down_is_no_event() {
    let mut desk = Desk::new(1);
    desk.read(1.0, &[1, 4]);
    desk.restart();
    desk.read(99.0, &[1, 4]);
    assert!(desk.events.is_empty(), "{:?}", desk.events);
}

#[test]
fn a_board_that_is_silent_after_a_start_has_three_chances() {
    let mut desk = Desk::new(1);
    desk.read(1.0, &[4]);
    desk.restart();
    desk.fail(Reach::Silent, Reason::Timeout);
    desk.fail(Reach::Silent, Reason::Timeout);
    assert!(desk.events.is_empty(), "{:?}", desk.events);
    desk.fail(Reach::Silent, Reason::Timeout);
    assert_eq!(desk.events, ["fault_code/E030 OFF→ON", "link/board true→false"]);
    desk.events.clear();
    desk.read(1.0, &[]);
    let expected = [
        "device_status fault→working",
        "fault_code/E001 ON→OFF",
        "fault_code/E030 ON→OFF",
        "link/board false→true",
    ];
    assert_eq!(desk.events, expected);
}

#[test]
fn a_point_that_could_not_be_read_says_nothing_about_the_time_between() {
    let mut desk = Desk::new(1);
    desk.read(1.0, &[4]);
    desk.restart();
    let mut results: Vec<_> = (0..4).map(|index| (index, Ok(Value::Switch(false)))).collect();
    results.push((4, Err(Reason::Timeout)));
    desk.poll(Reach::Answered, results);
    assert!(desk.events.is_empty(), "E001 may still be on: {:?}", desk.events);
    desk.read(1.0, &[]);
    assert_eq!(desk.events, ["device_status fault→working", "fault_code/E001 ON→OFF"]);
}

#[test]
fn a_part_of_the_server_that_fails_is_told_once() {
    let mut desk = Desk::new(1);
    let fare = |state, why: Option<&str>| Event::Fared {
        part: Part::Journal,
        condition: Condition { since: Timestamp::default(), state, why: why.map(str::to_owned) },
    };
    desk.event(fare(PartState::Working, None));
    desk.event(fare(PartState::Failing, Some("the disk is full")));
    desk.event(fare(PartState::Failing, Some("the disk is full")));
    desk.event(fare(PartState::Working, None));
    let expected = ["part/journal working→failing", "part/journal failing→working"];
    assert_eq!(desk.events, expected);
    let parts = &desk.tables[&StreamName::System].parts;
    assert_eq!(parts[&Part::Journal].state, PartState::Working);
}

#[test]
fn the_time_follows_a_clock_that_is_set() {
    let mut desk = Desk::new(1);
    let set = Timestamp::from_millis(9_000_000);
    desk.event(Event::ClockSet(Clock::new(desk.now, set)));
    desk.read(1.0, &[]);
    assert_eq!(desk.reading("level").at, Some(set));
}

fn order(desk: &mut Desk, origin: Origin, id: &str) -> OrderKey {
    let (device, id) = ("board-1".parse().unwrap(), id.to_owned());
    let key = OrderKey { origin, user: "li".into(), device, id };
    let (command, param) = ("k1".to_owned(), Some("ON".to_owned()));
    let via = String::new();
    let order = Order { key: key.clone(), command, param, valid_until: None, via };
    desk.event(Event::Ordered { order, asker: Asker::Outside(1) });
    key
}

#[test]
fn everyone_sees_who_orders_what_and_who_holds_it() {
    // S0-28
    let mut desk = Desk::new(1);
    desk.poll(Reach::Answered, vec![(1, Ok(Value::Switch(false)))]);
    let stages = |desk: &Desk| {
        let table = &desk.tables[&"site/plant".parse::<StreamName>().unwrap()];
        let orders = &table.devices["board-1"].orders;
        orders.iter().map(|line| (line.origin, line.stage)).collect::<Vec<_>>()
    };
    let key = order(&mut desk, Origin::Pscada, "p1");
    desk.pass(Duration::from_millis(60));
    assert_eq!(stages(&desk), [(Origin::Pscada, Stage::Waiting)]);
    desk.event(Event::Recorded(key));
    desk.pass(Duration::from_millis(60));
    assert_eq!(stages(&desk), [(Origin::Pscada, Stage::Executing)]);
    desk.pass(SECOND);
    assert_eq!(stages(&desk), [(Origin::Pscada, Stage::Holding)]);
    desk.pass(SECOND * 11);
    assert_eq!(stages(&desk), []);
}

#[test]
fn an_order_that_a_restart_cut_short_is_told_after_the_first_snapshot() {
    let mut desk = Desk::new(1);
    desk.poll(Reach::Answered, vec![(1, Ok(Value::Switch(false)))]);
    order(&mut desk, Origin::Local, "c1");
    desk.restart();
    assert_eq!(desk.events, ["k1 Fail"]);
    let stream: StreamName = "device/board-1".parse().unwrap();
    assert_eq!(desk.tops[&stream], Offset(2), "the snapshot is first");
    desk.restart();
    assert_eq!(desk.events, Vec::<String>::new(), "once");
}
