use proptest::prelude::*;
use protocol::command::{Check, CommandAction, CommandSpec, Origin, Risk, Setting, Stage, Steps};
use protocol::id::ChannelId;
use protocol::job::Done;
use protocol::point::{Name, Plant, Point, PointKind, Role, Site};
use protocol::time::Timestamp;

use super::intake::MOST_WAITING;
use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(1_000_000 + millis)
}

fn clock() -> Clock {
    Clock::new(at(0), Timestamp::from_millis(50_000_000))
}

/// A board with a switch to start it, a threshold, and a fault that can be reset.
fn plant() -> Plant {
    let point = |key: &str, kind| Point::new(key.parse().unwrap(), kind);
    let threshold = point("threshold", PointKind::Adjustment);
    let threshold = Point { min: Some(20.0), max: Some(120.0), unit: "°C".into(), ..threshold };
    let fault = Role::Fault(Some("E001".parse().unwrap()));
    let points = vec![
        point("run", PointKind::Control),
        point("mode", PointKind::Telemetry),
        threshold,
        point("reset", PointKind::Control),
        Point { role: fault, ..point("e001", PointKind::Signal) },
        point("automatic", PointKind::Control),
    ];
    let write = |name: &str, point: &str, value, verify| CommandSpec {
        name: name.into(),
        title: Name::default(),
        risk: Risk::C,
        action: CommandAction::Write { point: point.parse().unwrap(), value, verify },
    };
    let mode = |value| Check::Other { point: "mode".parse().unwrap(), value: Value::Number(value) };
    let on = Setting::Fixed(Value::Switch(true));
    let act = |name: &str, action| CommandSpec {
        name: name.into(),
        title: Name::default(),
        risk: Risk::B,
        action,
    };
    let commands = vec![
        write("START", "run", on, mode(4.0)),
        write("STOP", "run", Setting::Fixed(Value::Switch(false)), mode(3.0)),
        write("SET_TEMP_THRESHOLD", "threshold", Setting::Param, Check::Same),
        write("RESET_ERROR", "reset", on, Check::Code),
        act("SET_POLL_INTERVAL", CommandAction::PollInterval),
        act("SET_CLOCK", CommandAction::SetClock { address: 0x3000 }),
        write("AUTOMATIC", "automatic", on, mode(0.0)),
        write("run", "run", Setting::Param, Check::Same),
        write("automatic", "automatic", Setting::Param, Check::Same),
    ];
    let site = Site { id: "north".parse().unwrap(), name: Name::default(), zone: "UTC".into() };
    let device = Device {
        id: "board-1".parse().unwrap(),
        site: site.id.clone(),
        channel: ChannelId(1),
        name: Name::default(),
        points,
        commands,
        overview: Vec::new(),
        has_pscada: true,
        has_system_server: true,
    };
    Plant { sites: vec![site], devices: vec![device], demo: false }
}

fn order(origin: Origin, id: &str, command: &str, param: Option<&str>) -> Order {
    let device = "board-1".parse().unwrap();
    let key = OrderKey { origin, user: "li".into(), device, id: id.into() };
    let param = param.map(str::to_owned);
    Order { key, command: command.into(), param, valid_until: None, via: "10.0.0.1".into() }
}

fn done(new: f64) -> Execution {
    let new = Some(Value::Number(new));
    Execution { result: Ok(Done { old: None, new }), written_after: Some(Duration::from_millis(3)) }
}

/// An arbiter, its time, and all that it wanted so far.
struct Scene {
    plant: Plant,
    arbiter: Arbiter,
    is_reached: bool,
    is_audited: bool,
    replies: Vec<(u64, String, Reply)>,
    jobs: Vec<Job>,
    records: Vec<CommandRecord>,
    events: Vec<CommandExecuted>,
}

impl Scene {
    fn new() -> Self {
        Self::after(Vec::new())
    }

    fn after(past: Vec<CommandRecord>) -> Self {
        let plant = plant();
        let arbiter = Arbiter::new(ArbiterPolicy::default(), past, &plant, &clock(), at(0));
        Self {
            plant,
            arbiter,
            is_reached: true,
            is_audited: true,
            replies: Vec::new(),
            jobs: Vec::new(),
            records: Vec::new(),
            events: Vec::new(),
        }
    }

    fn note(&mut self, verdicts: Vec<Verdict>) {
        for verdict in verdicts {
            match verdict {
                Verdict::Changed(_) => {}
                Verdict::Execute(job) => self.jobs.push(job),
                Verdict::Publish(_, event) => self.events.push(event),
                Verdict::Record(record) => self.records.push(record),
                Verdict::Reply { asker, id, reply } => {
                    let Asker::Outside(asker) = asker else { panic!("{asker:?}") };
                    self.replies.push((asker, id, reply));
                }
            }
        }
    }

    fn order(&mut self, order: Order, asker: u64, millis: u64) {
        let value = |point| (point == 2).then_some(Value::Number(30.5));
        let ground = Ground {
            device: &self.plant.devices[0],
            is_reached: self.is_reached,
            value: &value,
            poll_interval: Duration::from_secs(1),
            zone: "UTC",
            is_audited: self.is_audited,
        };
        let asker = Asker::Outside(asker);
        let verdicts = self.arbiter.take(order, asker, Some(ground), &clock(), at(millis));
        self.note(verdicts);
    }

    fn recorded(&mut self, order: &Order, millis: u64) {
        let verdicts = self.arbiter.recorded(&order.key, &clock(), at(millis));
        self.note(verdicts);
    }

    fn executed(&mut self, order: &Order, execution: Execution, millis: u64) {
        let verdicts = self.arbiter.executed(&order.key, execution, &clock(), at(millis));
        self.note(verdicts);
    }

    fn tick(&mut self, millis: u64) {
        let verdicts = self.arbiter.tick(&clock(), at(millis));
        self.note(verdicts);
    }

    /// The one answer to `asker`.
    fn answer(&self, asker: u64) -> &Reply {
        let mut of_asker = self.replies.iter().filter(|(whom, _, _)| *whom == asker);
        let (first, second) = (of_asker.next(), of_asker.next());
        assert_eq!(second, None, "one answer");
        &first.unwrap_or_else(|| panic!("no answer to {asker}")).2
    }

    fn failure(&self, asker: u64) -> Option<Failure> {
        match self.answer(asker) {
            Reply::Done(outcome) => outcome.failure,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_can_do_harm_is_not_done_where_nobody_can_put_on_record_who_did_it() {
    // IEC 62443 CR 2.10
    let mut stage = Scene::new();
    stage.is_audited = false;
    stage.order(order(Origin::SystemServer, "c1", "START", None), 1, 0);
    assert_eq!(stage.failure(1), Some(Failure::NotRecorded));
    stage.order(order(Origin::Local, "c2", "SET_POLL_INTERVAL", Some("2")), 2, 0);
    assert!(stage.replies.iter().all(|(asker, ..)| *asker != 2), "it goes on");
}

#[test]
fn the_field_has_no_longer_than_the_order_is_valid() {
    let valid_for = |id: &str, millis| {
        let valid_until = Some(clock().at(at(millis)));
        Order { valid_until, ..order(Origin::Local, id, "START", None) }
    };
    for (valid_millis, expected) in [(100, Some(90)), (9_000, Some(410)), (25, None)] {
        let mut stage = Scene::new();
        let start = valid_for("c1", valid_millis);
        stage.order(start.clone(), 1, 0);
        stage.recorded(&start, 10);
        let within = stage.jobs.first().map(|job| job.within);
        assert_eq!(within, expected.map(Duration::from_millis), "valid for {valid_millis} ms");
        if expected.is_none() {
            assert_eq!(stage.failure(1), Some(Failure::Expired));
        }
    }
}

#[test]
fn an_order_is_recorded_written_verified_and_answered_once() {
    // S0-16, S0-22 to S0-25
    let mut stage = Scene::new();
    let set = order(Origin::Local, "c1", "SET_TEMP_THRESHOLD", Some("32"));
    stage.order(set.clone(), 1, 0);
    assert_eq!((stage.records.len(), stage.jobs.len()), (1, 0), "the intent comes first");
    stage.recorded(&set, 4);
    let [job] = stage.jobs.as_slice() else { panic!("{:?}", stage.jobs) };
    let value = Value::Number(32.0);
    assert_eq!(job.task, Task::Write { point: 2, value, verify: 2, expected: value });
    stage.executed(&set, done(32.0), 20);
    let Reply::Done(outcome) = stage.answer(1) else { panic!() };
    assert_eq!((outcome.failure, outcome.verified, outcome.ms), (None, Some(true), 20));
    assert_eq!((outcome.old, outcome.new), (Some(Value::Number(30.5)), Some(value)));
    let last = stage.records.last().unwrap();
    assert_eq!(
        last.steps,
        Steps { recorded: Some(4), sent: Some(4), written: Some(7) },
        "each step, in milliseconds"
    );
    assert_eq!(stage.events.len(), 1);
}

#[test]
fn what_cannot_be_is_answered_at_once_and_never_written() {
    // S0-26, S0-27, S0-63
    use Failure::*;
    let table = [
        ("SET_TEMP_THRESHOLD", Some("NaN"), InvalidParam),
        ("SET_TEMP_THRESHOLD", Some("inf"), InvalidParam),
        ("SET_TEMP_THRESHOLD", Some("warm"), InvalidParam),
        ("SET_TEMP_THRESHOLD", Some("19.9"), InvalidParam),
        ("SET_TEMP_THRESHOLD", Some("1e9"), InvalidParam),
        ("RESET_ERROR", Some("E999"), InvalidParam),
        ("SET_POLL_INTERVAL", Some("0.05"), InvalidParam),
        ("SET_POLL_INTERVAL", Some("11"), InvalidParam),
        ("SET_CLOCK", Some("yesterday"), InvalidParam),
        ("SET_CLOCK", Some("18446744073709551615"), InvalidParam),
        ("SELF_DESTRUCT", None, NotSupported),
        ("start", None, NotSupported),
    ];
    for (command, param, expected) in table {
        let mut stage = Scene::new();
        stage.order(order(Origin::Local, "c1", command, param), 1, 0);
        assert_eq!(stage.failure(1), Some(expected), "{command} {param:?}");
        assert_eq!((stage.records.len(), stage.jobs.len()), (1, 0), "on record, and no more");
        assert!(stage.records[0].outcome.is_some());
    }
    for command in ["SET_TEMP_THRESHOLD", "RESET_ERROR", "SET_POLL_INTERVAL"] {
        let mut stage = Scene::new();
        stage.order(order(Origin::Local, "c1", command, None), 1, 0);
        assert_eq!(stage.answer(1), &Reply::MissingParam, "{command}");
    }
}

fn clock_at(ahead_ms: i64) -> Task {
    Task::SetClock { address: 0x3000, zone: "UTC".into(), ahead_ms }
}

#[test]
fn each_command_comes_down_to_its_task() {
    // S0-17 to S0-20
    let (on, off) = (Value::Switch(true), Value::Switch(false));
    let table = [
        (
            "START",
            None,
            Task::Write { point: 0, value: on, verify: 1, expected: Value::Number(4.0) },
        ),
        (
            "STOP",
            None,
            Task::Write { point: 0, value: off, verify: 1, expected: Value::Number(3.0) },
        ),
        (
            "RESET_ERROR",
            Some("E001"),
            Task::Write { point: 3, value: on, verify: 4, expected: off },
        ),
        ("SET_POLL_INTERVAL", Some("2"), Task::Pace(Duration::from_secs(2))),
        ("SET_CLOCK", None, clock_at(0)),
        // The test's own time is shortly after 1970.
        ("SET_CLOCK", Some("1763689200123"), clock_at(1_763_639_200_123)),
    ];
    for (command, param, expected) in table {
        let mut stage = Scene::new();
        let order = order(Origin::Local, "c1", command, param);
        stage.order(order.clone(), 1, 0);
        stage.recorded(&order, 1);
        assert_eq!(stage.jobs[0].task, expected, "{command}");
    }
}

#[test]
fn a_device_that_is_away_is_told_at_once_and_gets_nothing_later() {
    let mut stage = Scene::new();
    stage.is_reached = false;
    let start = order(Origin::Local, "c1", "START", None);
    stage.order(start.clone(), 1, 0);
    assert_eq!(stage.failure(1), Some(Failure::DeviceOffline));
    stage.is_reached = true;
    stage.recorded(&start, 10);
    stage.tick(10_000);
    assert!(stage.jobs.is_empty());
    let pace = order(Origin::Local, "c2", "SET_POLL_INTERVAL", Some("2"));
    stage.is_reached = false;
    stage.order(pace.clone(), 2, 20);
    stage.recorded(&pace, 21);
    assert_eq!(stage.jobs.len(), 1, "a pace needs no board");
}

#[test]
fn the_same_id_is_the_same_order_for_ten_minutes() {
    // S0-60
    let mut stage = Scene::new();
    let set = order(Origin::Local, "c1", "SET_TEMP_THRESHOLD", Some("32"));
    stage.order(set.clone(), 1, 0);
    stage.order(set.clone(), 2, 3);
    stage.order(order(Origin::Local, "c1", "STOP", None), 3, 4);
    stage.recorded(&set, 5);
    stage.recorded(&set, 6);
    stage.executed(&set, done(32.0), 20);
    assert_eq!(stage.answer(1), stage.answer(2));
    assert_eq!(stage.answer(3), &Reply::IdReused);
    stage.order(set.clone(), 4, 599_000);
    stage.tick(599_000);
    assert_eq!(stage.answer(1), stage.answer(4));
    assert_eq!(stage.jobs.len(), 1, "never twice");
    stage.tick(601_000);
    stage.order(set.clone(), 5, 601_000);
    stage.recorded(&set, 601_001);
    assert_eq!(stage.jobs.len(), 2, "by then it is another");
}

#[test]
fn another_user_or_origin_with_the_same_id_gives_another_order() {
    let mut stage = Scene::new();
    let first = order(Origin::Local, "1", "STOP", None);
    let mut second = first.clone();
    second.key.user = "wu".into();
    for (asker, order) in [first, second].into_iter().enumerate() {
        stage.order(order.clone(), asker as u64, 0);
        stage.recorded(&order, 1);
        stage.executed(&order, done(3.0), 2);
    }
    assert_eq!(stage.jobs.len(), 2);
}

#[test]
fn a_higher_origin_keeps_lower_ones_from_its_target_for_a_while() {
    // S0-28, S0-29, S0-30
    let mut stage = Scene::new();
    let stop = order(Origin::Pscada, "p1", "STOP", None);
    stage.order(stop.clone(), 1, 0);
    stage.order(order(Origin::Local, "l1", "START", None), 2, 1);
    stage.recorded(&stop, 2);
    stage.executed(&stop, done(3.0), 20);
    stage.order(order(Origin::Local, "l2", "START", None), 3, 5_000);
    for asker in [2, 3] {
        let Reply::Conflict(hold) = stage.answer(asker) else { panic!("{asker}") };
        assert_eq!((hold.origin, hold.user.as_str()), (Origin::Pscada, "li"));
        assert!(hold.until > clock().at(at(5_000)));
    }
    let line = &stage.arbiter.lines(&stop.key.device, &clock())[0];
    assert_eq!((line.stage, line.until), (Stage::Holding, Some(clock().at(at(10_020)))));
    let other = order(Origin::Local, "l3", "SET_TEMP_THRESHOLD", Some("32"));
    stage.order(other.clone(), 4, 5_001);
    stage.recorded(&other, 5_002);
    stage.executed(&other, done(32.0), 5_003);
    assert_eq!(stage.failure(4), None, "another target");
    let above = order(Origin::SystemServer, "s1", "START", None);
    stage.order(above.clone(), 5, 5_010);
    stage.recorded(&above, 5_011);
    assert_eq!(stage.jobs.len(), 3, "a higher origin is not kept away");
    stage.executed(&above, done(4.0), 5_020);
    stage.tick(30_000);
    let late = order(Origin::Local, "l4", "START", None);
    stage.order(late.clone(), 6, 30_001);
    stage.recorded(&late, 30_002);
    assert_eq!(stage.jobs.len(), 4, "by then nobody holds it");
}

#[test]
fn no_point_goes_round_the_hold_of_a_command() {
    // S0-28 to S0-30
    let table = [
        (Origin::SystemServer, "STOP", None, "run", Some("ON")),
        (Origin::SystemServer, "STOP", None, "automatic", Some("ON")),
        (Origin::Pscada, "automatic", Some("ON"), "START", None),
        (Origin::Pscada, "run", Some("OFF"), "AUTOMATIC", None),
    ];
    for (origin, above, above_param, below, below_param) in table {
        let mut stage = Scene::new();
        let first = order(origin, "h1", above, above_param);
        stage.order(first.clone(), 1, 0);
        stage.recorded(&first, 1);
        stage.executed(&first, done(3.0), 10);
        stage.order(order(Origin::Local, "l1", below, below_param), 2, 5_000);
        assert!(matches!(stage.answer(2), Reply::Conflict(_)), "{below} after {above}");
    }
}

#[test]
fn a_lower_order_that_still_waits_gives_way() {
    let mut stage = Scene::new();
    let first = order(Origin::Local, "l1", "SET_TEMP_THRESHOLD", Some("32"));
    let waiting = order(Origin::Local, "l2", "START", None);
    for (asker, order) in [(1, &first), (2, &waiting)] {
        stage.order(order.clone(), asker, 0);
        stage.recorded(order, 1);
    }
    let stop = order(Origin::SystemServer, "s1", "STOP", None);
    stage.order(stop.clone(), 3, 5);
    assert!(
        matches!(stage.answer(2), Reply::Conflict(hold) if hold.origin == Origin::SystemServer)
    );
    stage.recorded(&stop, 6);
    stage.executed(&first, done(32.0), 10);
    assert_eq!(stage.jobs.last().unwrap().key, stop.key, "the channel was busy until then");
    assert_eq!(stage.jobs.len(), 2);
}

#[test]
fn nobody_waits_for_longer_than_promised() {
    // S0-22
    let unrecorded = order(Origin::Local, "1", "STOP", None);
    let silent = order(Origin::Local, "2", "STOP", None);
    let behind = order(Origin::Local, "3", "STOP", None);
    let mut stage = Scene::new();
    stage.order(unrecorded, 1, 0);
    stage.order(silent.clone(), 2, 0);
    stage.recorded(&silent, 1);
    stage.order(behind.clone(), 3, 0);
    stage.recorded(&behind, 2);
    assert_eq!(stage.arbiter.wake_at(), Some(at(450)));
    stage.tick(449);
    assert!(stage.replies.is_empty());
    stage.tick(450);
    assert_eq!(stage.failure(1), Some(Failure::NotRecorded));
    assert_eq!(stage.failure(2), Some(Failure::DeviceTimeout));
    assert_eq!(stage.failure(3), Some(Failure::Expired));
    stage.executed(&silent, done(3.0), 700);
    assert_eq!((stage.replies.len(), stage.jobs.len()), (3, 1), "too late is not told twice");
}

#[test]
fn a_field_that_says_nothing_does_not_hold_a_channel_for_ever() {
    let mut stage = Scene::new();
    let first = order(Origin::Local, "1", "STOP", None);
    stage.order(first.clone(), 1, 0);
    stage.recorded(&first, 0);
    stage.tick(2_000);
    let next = order(Origin::Local, "2", "STOP", None);
    stage.order(next.clone(), 2, 2_001);
    stage.recorded(&next, 2_002);
    assert_eq!(stage.jobs.len(), 2);
}

#[test]
fn an_order_that_comes_too_late_is_not_carried_out() {
    let mut stage = Scene::new();
    for (asker, valid_for, expected) in [(1, 100, Some(Failure::Expired)), (2, 5_000, None)] {
        let valid_until = Some(clock().at(at(valid_for)));
        let order = Order { valid_until, ..order(Origin::Local, &asker.to_string(), "STOP", None) };
        stage.order(order.clone(), asker, 1_000);
        stage.recorded(&order, 1_001);
        stage.executed(&order, done(3.0), 1_002);
        assert_eq!(stage.failure(asker), expected);
    }
}

#[test]
fn an_intent_without_outcome_is_interrupted_and_never_run_again() {
    let mut stage = Scene::new();
    let stop = order(Origin::Pscada, "p1", "STOP", None);
    stage.order(stop.clone(), 1, 0);
    let intent = stage.records.last().cloned().unwrap();
    let mut after = Scene::after(vec![intent]);
    let verdicts = after.arbiter.begin();
    after.note(verdicts);
    assert_eq!(after.events[0].reason, Some(Failure::Interrupted));
    assert_eq!(after.records.len(), 1);
    after.order(stop.clone(), 2, 1_000);
    after.recorded(&stop, 1_001);
    assert_eq!(after.failure(2), Some(Failure::Interrupted));
    assert!(after.jobs.is_empty());
    after.order(order(Origin::Local, "l1", "START", None), 3, 2_000);
    assert!(matches!(after.answer(3), Reply::Conflict(_)), "it may have been written: it holds");
}

#[test]
fn a_hold_that_is_over_does_not_end_one_that_is_not() {
    // The later order is the first of the records: its key is the lower one.
    let past = |origin, id: &str, accepted, ended| {
        let instant = |millis| Timestamp::from_millis(clock().at(at(0)).as_millis() - millis);
        let outcome = Outcome {
            at: instant(ended),
            failure: None,
            detail: None,
            verified: Some(true),
            old: None,
            new: None,
            ms: 10,
        };
        CommandRecord {
            order: order(origin, id, "STOP", None),
            accepted_at: instant(accepted),
            steps: Steps::default(),
            outcome: Some(outcome),
        }
    };
    let live = past(Origin::Pscada, "b", 3_000, 2_990);
    let before = past(Origin::SystemServer, "c", 5_000, 4_990);
    let over = past(Origin::SystemServer, "a", 60_000, 59_990);
    for records in [vec![live.clone(), over.clone()], vec![over, live.clone()]] {
        let mut after = Scene::after(records);
        after.order(order(Origin::Local, "l1", "START", None), 1, 100);
        assert!(matches!(after.answer(1), Reply::Conflict(hold) if hold.origin == Origin::Pscada));
    }
    for records in [vec![live.clone(), before.clone()], vec![before, live]] {
        let lines = Scene::after(records).arbiter.lines(&"board-1".parse().unwrap(), &clock());
        let held: Vec<_> = lines.iter().map(|line| line.command_id.as_str()).collect();
        assert_eq!(held, ["b"], "the later one");
    }
}

#[test]
fn too_many_orders_are_told_so() {
    let mut stage = Scene::new();
    for id in 0..40 {
        stage.order(order(Origin::Local, &id.to_string(), "STOP", None), id, 0);
    }
    let busy = (0..40).filter(|id| stage.replies.iter().any(|(asker, _, _)| asker == id)).count();
    assert_eq!(busy, 40 - MOST_WAITING);
    assert_eq!(stage.failure(39), Some(Failure::Busy));
}

#[test]
fn lower_orders_do_not_fill_the_door_before_a_higher_one() {
    // S0-28
    let mut stage = Scene::new();
    for id in 0..40 {
        stage.order(order(Origin::Local, &id.to_string(), "START", None), id, 0);
    }
    let other = order(Origin::SystemServer, "s1", "SET_POLL_INTERVAL", Some("2"));
    stage.order(other.clone(), 100, 1);
    stage.recorded(&other, 2);
    assert_eq!(stage.jobs.last().map(|job| &job.key), Some(&other.key));
}

proptest! {
    /// Whatever happens in whatever order: one answer to each who asks, in time; nothing is carried
    /// out twice; and nothing that was carried out lacks its record and its event.
    #[test]
    fn no_outcome_is_lost_and_none_comes_twice(
        steps in prop::collection::vec((0..6u8, 0..3usize, 0..6usize, 0..300u64), 1..60),
    ) {
        let commands = ["START", "STOP", "SET_TEMP_THRESHOLD"];
        let mut stage = Scene::new();
        let (mut now, mut asked, mut orders) = (0, 0, Vec::<Order>::new());
        for (what, origin, which, pause) in steps {
            match what {
                0..=2 => {
                    let command = commands[which % 3];
                    let param = (command == "SET_TEMP_THRESHOLD").then_some("32");
                    let id = (which / 3 + orders.len() / 4).to_string();
                    let order = order(Origin::ALL[origin], &id, command, param);
                    stage.order(order.clone(), asked, now);
                    asked += 1;
                    orders.push(order);
                }
                3 | 4 => {
                    if let Some(order) = orders.get(which).cloned() {
                        stage.recorded(&order, now);
                    }
                }
                _ => {
                    if let Some(order) = orders.get(which).cloned() {
                        stage.executed(&order, done(3.0), now);
                    }
                }
            }
            now += pause;
            stage.tick(now);
        }
        stage.tick(now + 450);
        let mut answered: Vec<u64> = stage.replies.iter().map(|(asker, _, _)| *asker).collect();
        answered.sort_unstable();
        prop_assert_eq!(answered, (0..asked).collect::<Vec<_>>());
        let mut keys: Vec<_> = stage.jobs.iter().map(|job| job.key.clone()).collect();
        let jobs = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), jobs, "nothing runs twice");
        prop_assert_eq!(stage.events.len(), jobs, "everyone learns of each");
        for job in &stage.jobs {
            let ended = stage.records.iter().filter(|record| {
                record.order.key == job.key && record.outcome.is_some()
            });
            prop_assert_eq!(ended.count(), 1, "one outcome of each is on record");
        }
    }
}
