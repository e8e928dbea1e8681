use std::time::Duration;

use super::*;
use crate::bootstrap::What;
use crate::sample::{self, NOW};
use link::status::{Ending, LinkState};
use protocol::reading::Quality;
use protocol::user::Role;
use protocol::wire::session::SessionGrant;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn device() -> DeviceId {
    "board-1".parse().unwrap()
}

fn stream() -> StreamName {
    StreamName::Device(device())
}

fn key(text: &str) -> PointKey {
    text.parse().unwrap()
}

fn live() -> (Owner, Live) {
    let owner = Owner::new();
    let live = owner.with(|| Live::with(sample::page(Some(&device()))));
    (owner, live)
}

fn reading(value: f64) -> Reading {
    sample::number(value, Quality::Good, None)
}

fn delta(point: &str, value: f64) -> Update {
    Update { points: [(key(point), reading(value))].into(), ..Update::default() }
}

fn status(state: LinkState, ended: bool) -> Status {
    let ended = ended.then_some((Ending::Silent, Instant::from_millis(5000)));
    Status { state, ended, data_until: Some(NOW), ..sample::status() }
}

fn up() -> Status {
    status(LinkState::Live { since: Instant::default() }, false)
}

fn down() -> Status {
    status(LinkState::Waiting { tries: 0, until: Instant::from_millis(9000) }, true)
}

#[test]
fn a_change_of_one_value_wakes_one_row() {
    let (owner, live) = live();
    // A row is made and looked at where the page lives: beside it, its memo has an arena of its own.
    owner.with(|| {
        let woken = |point: &str| {
            let signal = live.reading(&device(), &key(point));
            let runs = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
            let counted = runs.clone();
            let memo = Memo::new(move |_| {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                signal.get()
            });
            (memo, runs)
        };
        let rows = [woken("rail_potential"), woken("current_a")];
        let look = || {
            rows.each_ref().map(|(memo, runs)| {
                memo.get_untracked();
                runs.load(std::sync::atomic::Ordering::Relaxed)
            })
        };
        assert_eq!(look(), [1, 1]);
        live.told(&stream(), &delta("current_a", 1.0), false, NOW);
        assert_eq!(look(), [1, 2]);
        live.told(&stream(), &delta("current_a", 1.0), false, NOW);
        assert_eq!(look(), [1, 2]);
    });
}

#[test]
fn a_delta_leaves_alone_what_it_does_not_tell() {
    let (_owner, live) = live();
    let before = live.state(&device()).get_untracked().unwrap();
    live.told(&stream(), &delta("current_a", 1.0), false, NOW);
    assert_eq!(live.state(&device()).get_untracked(), Some(before));
    let links = Links { board: false, ..Links::default() };
    let update = Update { links: Some(links), ..Update::default() };
    live.told(&stream(), &update, false, NOW);
    let after = live.state(&device()).get_untracked().unwrap();
    assert_eq!((after.links, after.status), (Some(links), Some(DeviceStatus::Alarm)));
}

#[test]
fn a_good_value_ages_from_its_last_confirmation() {
    let (_owner, live) = live();
    live.tick(Instant::from_millis(20_000), NOW + seconds(20));
    assert_eq!(live.age(&stream(), &reading(1.0)), Some(seconds(20)));
    live.confirmed(&stream(), NOW + seconds(18));
    assert_eq!(live.age(&stream(), &reading(1.0)), Some(seconds(2)));
    let stale = Reading { quality: Quality::Stale, ..reading(1.0) };
    assert_eq!(live.age(&stream(), &stale), Some(seconds(20)));
}

#[test]
fn nothing_is_the_present_without_a_connection_or_a_snapshot() {
    let (_owner, live) = live();
    assert!(live.is_current(&stream()), "the page has only just come");
    live.announce(up());
    live.announce(down());
    assert!(!live.is_current(&stream()));
    live.announce(up());
    assert!(live.is_current(&stream()));
    live.tick(Instant::from_millis(61_000), NOW + seconds(61));
    assert!(!live.is_current(&stream()), "two snapshots are overdue");
    assert!(live.is_stalled());
    live.told(&stream(), &Update::default(), true, NOW + seconds(61));
    live.told(&"site/plant".parse().unwrap(), &Update::default(), true, NOW + seconds(61));
    assert!(live.is_current(&stream()) && !live.is_stalled());
}

#[test]
fn a_notice_is_news_for_three_seconds() {
    let (_owner, live) = live();
    assert_eq!(live.notice(), None);
    let restored = Notice::Restored { repaired: 4, lost: 1, after: seconds(9) };
    live.apply(News::Notice(restored.clone()));
    live.tick(Instant::from_millis(3000), NOW + seconds(3));
    assert_eq!(live.notice(), Some(restored));
    live.tick(Instant::from_millis(4000), NOW + seconds(4));
    assert_eq!(live.notice(), None);
}

#[test]
fn histories_stop_while_the_connection_is_lost() {
    use history::Column;
    let (_owner, live) = live();
    let point = key("current_a");
    live.history(&device(), &point);
    live.announce(up());
    live.told(&stream(), &delta("current_a", 7.0), false, NOW);
    live.announce(down());
    live.tick(Instant::from_millis(300_000), NOW + seconds(300));
    live.announce(up());
    let known = Column { extent: Some((7.0, 7.0)), has_gap: false };
    let gap = Column { extent: None, has_gap: true };
    let columns = live.history(&device(), &point).columns(NOW + seconds(600), 6);
    assert_eq!(columns[1..5], [gap, gap, known, known]);
}

#[test]
fn moments_of_the_shell_become_times_of_the_server() {
    let (_owner, live) = live();
    live.tick(Instant::from_millis(10_000), NOW);
    assert_eq!(live.wall(Instant::from_millis(7000)) + seconds(3), NOW);
    assert_eq!(live.wall(Instant::from_millis(12_000)), NOW + seconds(2));
    assert_eq!(live.until(Instant::from_millis(12_000)), seconds(2));
    assert_eq!(live.until(Instant::from_millis(2_000)), Duration::ZERO);
}

#[test]
fn a_page_follows_its_sites_its_device_and_the_server_itself() {
    let (_owner, live) = live();
    let site: StreamName = "site/plant".parse().unwrap();
    let all = [stream(), site.clone(), StreamName::System];
    assert_eq!(live.wanted.get_untracked(), all.into());
    live.show(None);
    assert_eq!(live.wanted.get_untracked(), [site, StreamName::System].into());
}

#[test]
fn a_part_of_the_server_that_fails_is_shown_until_it_works_again() {
    use protocol::part::{Condition, Part, PartState};
    let (_owner, live) = live();
    let told = |state| {
        let condition = Condition { since: NOW, state, why: None };
        let update = Update { parts: [(Part::Journal, condition)].into(), ..Update::default() };
        live.told(&StreamName::System, &update, false, NOW);
    };
    assert_eq!(live.failing(), []);
    told(PartState::Failing);
    assert_eq!(live.failing().len(), 1);
    told(PartState::Working);
    assert_eq!(live.failing(), []);
}

#[test]
fn a_time_of_which_the_values_are_missing_stands_among_the_events() {
    let (_owner, live) = live();
    let (from, to) = (NOW, NOW + seconds(5));
    live.apply(News::Missed { stream: stream(), from, to, events: true });
    live.apply(News::Missed { stream: stream(), from, to: to + seconds(60), events: false });
    let events = live.events().get_untracked();
    let changes = events.iter().filter_map(|known| match &known.what {
        What::Changed(change) => Some(change),
        What::Executed(_) => None,
    });
    let what = changes.map(|change| change.what.as_str());
    let holes: Vec<_> = what.filter(|what| what.starts_with("hole/")).collect();
    assert_eq!(holes, [events::HOLE_IN_ALL, events::HOLE_IN_VALUES]);
}

#[test]
fn facts_that_are_not_there_are_asked_for() {
    let (_owner, live) = live();
    let other: DeviceId = "board-2".parse().unwrap();
    assert!(live.facts(&device()).is_some());
    assert_eq!(live.facts(&other), None);
    assert_eq!(live.asked.get_untracked(), Some(other.clone()));
    live.learn(sample::plant().devices[1].clone());
    assert_eq!(live.asked.get_untracked(), None);
    assert!(live.facts(&other).is_some());
}

#[test]
fn a_change_in_an_overview_is_an_event() {
    let (_owner, live) = live();
    let mut line = live.summary(&device()).get_untracked().unwrap();
    line.device_status = DeviceStatus::Fault;
    let update = Update { devices: [(device(), line)].into(), ..Update::default() };
    live.told(&"site/plant".parse().unwrap(), &update, false, NOW);
    let first = live.events().get_untracked().remove(0);
    let What::Changed(change) = first.what else { panic!("a state changed") };
    assert_eq!((first.device, change.new.as_str()), (device(), "fault"));
}

/// A page that may give orders: connected, signed in, its board reached.
fn ready() -> (Owner, Live) {
    let (owner, live) = live();
    live.announce(up());
    (owner, live)
}

#[test]
fn nothing_can_be_ordered_unless_it_can_reach_and_be_judged() {
    let plant = sample::plant();
    let device = &plant.devices[0];
    let (_owner, live) = live();
    let why = |command: &str| live.blocked(device, command);
    assert_eq!(why("START"), Some(Blocked::Starting));
    live.announce(up());
    assert_eq!(why("START"), None);
    live.granted(&SessionGrant { role: Role::Viewer, ..sample::grant() });
    assert_eq!(why("START"), Some(Blocked::NotPermitted));
    live.granted(&sample::grant());
    assert_eq!(why("START"), None);
    live.keep_watch(NOW, None);
    live.keep_watch(NOW + seconds(900), None);
    assert_eq!(why("START"), Some(Blocked::Locked));
    live.unlock();
    assert_eq!(why("START"), None);

    let links = Links { board: false, ..Links::default() };
    live.told(&stream(), &Update { links: Some(links), ..Update::default() }, false, NOW);
    assert_eq!(why("START"), Some(Blocked::NotReached));
    assert_eq!(why("SET_POLL_INTERVAL"), None, "that is done without the board");

    live.tick(Instant::from_millis(61_000), NOW + seconds(61));
    assert_eq!(why("SET_POLL_INTERVAL"), Some(Blocked::Stale));
    live.announce(down());
    assert_eq!(why("SET_POLL_INTERVAL"), Some(Blocked::Offline));
}

#[test]
fn a_higher_origin_keeps_the_page_from_what_it_holds() {
    // S0-29
    let plant = sample::plant();
    let (_owner, live) = ready();
    let mut line = sample::summary();
    line.orders = vec![sample::order()];
    let update = Update { devices: [(device(), line.clone())].into(), ..Update::default() };
    live.told(&"site/plant".parse().unwrap(), &update, false, NOW);
    let until = line.orders[0].until;
    let (origin, user) = (protocol::command::Origin::SystemServer, "center".to_owned());
    let held = Some(Blocked::Held { origin, user, until });
    assert_eq!(live.blocked(&plant.devices[0], "SET_TEMP_THRESHOLD"), held);
    assert_eq!(live.blocked(&plant.devices[0], "START"), None);
}

#[test]
fn an_order_is_followed_under_its_id() {
    let (_owner, live) = ready();
    let wish = |param: &str| Wish {
        device: device(),
        command: "SET_TEMP_THRESHOLD".into(),
        param: Some(param.into()),
    };
    live.gave("c-1".into(), wish("32"));
    live.gave("c-2".into(), wish("33"));
    let last = || live.last_given(&device(), "SET_TEMP_THRESHOLD").unwrap();
    assert!(last().is_open());
    let told = |id: &str, progress| live.apply(News::Command { id: id.into(), progress });
    told("c-1", link::Progress::NotSent);
    assert_eq!((last().id.as_str(), last().is_open()), ("c-2", true));
    told("c-2", link::Progress::Sent);
    assert!(last().is_open());
    told("c-2", link::Progress::NoResponse);
    assert!(!last().is_open());
    assert_eq!(live.last_given(&device(), "START"), None);
}

#[test]
fn another_pace_is_that_of_the_whole_channel() {
    use protocol::command::Origin;
    use protocol::frame::{CommandExecuted, CommandStatus};
    use protocol::reading::Value;
    let (_owner, live) = ready();
    let executed = CommandExecuted {
        at: NOW,
        command: "SET_POLL_INTERVAL".into(),
        command_id: "c-1".into(),
        ms: 3,
        new: Some(Value::Number(2.0)),
        old: Some(Value::Number(1.0)),
        origin: Origin::Pscada,
        param: Some("2".into()),
        reason: None,
        status: CommandStatus::Success,
        user: "pscada".into(),
    };
    let event = KeyEvent::CommandExecuted(executed);
    let id = "e/1".parse().unwrap();
    live.apply(News::Happened { stream: stream(), event, id, recovered: false, at: NOW });
    assert_eq!(live.pace(&device()), Some(2000));
    assert_eq!(live.pace(&"board-2".parse().unwrap()), Some(1000), "that is another channel");
    assert_eq!(live.events().with_untracked(Vec::len), 4, "and everyone reads of it");
}
