//! Link × dialect × Station × journal over a bad wire in virtual time: what is promised about loss.
//!
//! Two thousand runs in all. Each prints its seed where it fails: `GAPLESS_SEED=7` runs that one
//! alone, and `GAPLESS_FEWER=20` one in twenty of them all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fate;
mod wire;
mod world;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fate::{Fate, Run, seeds};
use link::Progress;
use protocol::command::Failure;
use protocol::frame::EventId;
use protocol::stream::StreamName;
use wire::{Blind, Client, Weather};
use world::Published;

impl Run {
    /// What must hold once the wire is quiet and the plant rests.
    fn check(&self) {
        for client in &self.clients {
            let status = client.session.status();
            assert!(status.is_live(), "{} came back: {status:?}", client.own());
            for stream in client.follows() {
                let (table, window) =
                    (client.session.table(&stream), &self.world.windows.streams[&stream]);
                assert_eq!(table, Some(window.table()), "{stream} is another table");
                self.check_events(client, &stream);
            }
            self.check_counts(client);
            self.check_orders(client);
        }
    }

    /// Each order came to an end that its client knows, and was carried out once at most; what is said
    /// not to have been carried out was not, and what is said to have been was.
    fn check_orders(&self, client: &Client) {
        for (id, told) in &client.orders {
            let times = self.world.field.written.iter().filter(|key| key.id == *id).count();
            assert!(times <= 1, "{id} was carried out {times} times");
            let last = told.last().filter(|progress| progress.is_end());
            let Some(last) = last.or_else(|| (client.pages > 1).then_some(&Progress::NoResponse))
            else {
                panic!("{id} has no end: {told:?}")
            };
            if let Some(expected) = carried_out(last) {
                assert_eq!(times, usize::from(expected), "{id}: {told:?}");
            }
        }
    }

    /// What is counted as lost was made good.
    fn check_counts(&self, client: &Client) {
        let status = client.session.status();
        let began_anew =
            client.joins > 1 || client.pages > 1 || self.world.run > 1 || !client.blind.is_empty();
        let is_even = began_anew || status.lost == status.repaired;
        assert!(is_even, "{} counts its gaps: {status:?}", client.own());
    }

    /// Each event since the client's first table was applied once, or the client was told that some
    /// may be missing; and none was applied twice.
    fn check_events(&self, client: &Client, stream: &StreamName) {
        let twice = client.happened.iter().find(|(_, times)| **times > 1);
        assert_eq!(twice, None, "{stream}: once and no more");
        let since = client.first_table[stream];
        let events = &self.world.events;
        for event in events.iter().filter(|event| event.stream == *stream && event.at > since) {
            let is_seen = client.seen.contains(&(stream.clone(), event.id.clone()));
            let is_excused =
                self.is_excused(client, event) || !event.is_durable && self.is_over(&event.id);
            assert!(is_seen || is_excused, "client {}: {stream} misses {event:?}", client.name);
        }
    }

    /// The client knows that it may have missed this one.
    fn is_excused(&self, client: &Client, event: &Published) -> bool {
        let is_blind = |blind: &Blind| {
            blind.stream == event.stream && (blind.from..=blind.to).contains(&event.at)
        };
        // A frame that vanished right before the Station fell: a wire that loses what was written
        // to a healthy socket is worse than any TCP connection.
        let key = (event.stream.clone(), event.id.clone());
        let fell = client.vanished.contains(&key) && self.is_over(&event.id);
        fell || client.blind.iter().any(is_blind)
    }

    /// The run of this event has ended.
    fn is_over(&self, id: &EventId) -> bool {
        id.epoch.as_str() != format!("e{}", self.world.run)
    }
}

/// Whether an order was carried out, as its client was told; `None` where nobody knows.
fn carried_out(told: &Progress) -> Option<bool> {
    match told {
        Progress::Done(result) => match result.reason {
            None => Some(true),
            Some(Failure::DeviceTimeout | Failure::Interrupted) => None,
            Some(_) => Some(false),
        },
        Progress::NotSent | Progress::Conflict(_) | Progress::Rejected(_) => Some(false),
        Progress::NoResponse | Progress::Sent | Progress::Resent | Progress::Tampered => None,
    }
}

/// Bad weather for a while, then a calm in which everything must come right.
fn storm(seed: u64, weather: Weather, fate: Fate, seconds: u64) -> Run {
    let mut run = Run::new(seed, weather, fate);
    run.pass(Duration::from_secs(seconds));
    run.calm();
    run.pass(Duration::from_secs(75));
    run.rest();
    run.pass(Duration::from_secs(15));
    run.check();
    run
}

fn storms(count: u64, weather: Weather, fate: Fate, seconds: u64, look: impl Fn(&Run) + Sync) {
    seeds(count, |seed| look(&storm(seed, weather, fate, seconds)));
}

#[test]
fn on_a_calm_wire_nothing_is_missing_and_nothing_repeated() {
    // S0-13, S0-55, S0-56
    let weather = Weather { longest_delay: 20, ..Weather::default() };
    storms(20, weather, Fate::default(), 120, |run| {
        assert!(run.clients.iter().all(|client| client.session.status().lost == 0));
    });
}

#[test]
fn whatever_is_lost_or_repeated_is_made_good() {
    // S0-57, S0-58
    let weather = Weather { lost: 15, repeated: 10, longest_delay: 400, ..Weather::default() };
    storms(100, weather, Fate::default(), 120, |run| {
        let lost = run.clients.iter().map(|client| client.session.status().lost).sum::<u64>();
        assert!(lost > 0, "the wire did lose something");
    });
}

#[test]
fn whoever_is_cut_off_comes_back_and_misses_no_event() {
    // S0-41, S0-42, S0-44, S0-66
    let weather = Weather { longest_delay: 200, cut: 20, refused: 30, ..Weather::default() };
    storms(100, weather, Fate::default(), 120, |run| {
        assert!(run.clients.iter().any(|client| client.session.status().reconnects > 0));
        let blind = run.clients.iter().find(|client| !client.blind.is_empty());
        assert!(blind.is_none(), "nobody was away for long");
    });
}

#[test]
fn a_server_that_is_killed_and_started_loses_no_event() {
    // S0-65, S0-66, S0-67, S0-70, S0-71
    let weather = Weather { longest_delay: 200, ..Weather::default() };
    let fate = Fate { crashes: 20, ..Fate::default() };
    storms(200, weather, fate, 180, |run| {
        if run.world.run > 1 {
            assert!(run.clients.iter().all(|client| client.restarts > 0 || client.joins > 1));
        }
    });
}

#[test]
fn a_planned_stop_loses_nothing_at_all() {
    let weather = Weather { longest_delay: 200, ..Weather::default() };
    let fate = Fate { stops: 20, ..Fate::default() };
    storms(100, weather, fate, 180, |run| {
        let stranger =
            run.world.events.iter().find(|event| !event.is_durable && run.is_over(&event.id));
        assert!(stranger.is_none(), "everything was on the disk: {stranger:?}");
        assert!(run.clients.iter().all(|client| client.joins == 1 && client.blind.is_empty()));
    });
}

#[test]
fn a_station_that_fails_is_restarted_on_open_sockets() {
    // S0-68, S0-71
    let weather = Weather { longest_delay: 200, ..Weather::default() };
    let fate = Fate { restarts: 20, ..Fate::default() };
    storms(100, weather, fate, 180, |run| {
        let status = |client: &Client| client.session.status();
        assert!(run.clients.iter().all(|client| status(client).reconnects == 0));
        let (restarts, runs) = (run.clients[0].restarts, run.world.run - 1);
        assert_eq!(u64::from(restarts), runs, "each restart is told once");
    });
}

#[test]
fn a_slow_reader_gets_what_is_true_now_and_every_event() {
    let weather = Weather { longest_delay: 100, slow: 50, ..Weather::default() };
    let conflated = AtomicU32::new(0);
    storms(100, weather, Fate::default(), 180, |run| {
        let settled = run.clients.iter().map(|client| client.conflated).sum();
        conflated.fetch_add(settled, Ordering::Relaxed);
    });
    assert!(conflated.into_inner() > 0, "somebody was given a snapshot in the place of frames");
}

#[test]
fn a_page_that_is_loaded_again_goes_on_where_it_was() {
    let weather = Weather { longest_delay: 200, ..Weather::default() };
    let fate = Fate { reloads: 30, ..Fate::default() };
    storms(100, weather, fate, 180, |run| {
        assert!(run.clients.iter().all(|client| client.blind.is_empty()));
    });
}

#[test]
fn every_order_is_carried_out_once_at_most_and_answered_always() {
    // S0-22, S0-59, S0-60, S0-61
    let weather = Weather { longest_delay: 300, cut: 10, refused: 20, ..Weather::default() };
    let fate = Fate { restarts: 25, crashes: 10, orders: 60, ..Fate::default() };
    let (done, refused, unknown) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    storms(200, weather, fate, 180, |run| {
        let told = run.clients.iter().flat_map(|client| client.orders.values());
        for last in told.filter_map(|told| told.last()) {
            let kind = match carried_out(last) {
                Some(true) => &done,
                Some(false) => &refused,
                None => &unknown,
            };
            kind.fetch_add(1, Ordering::Relaxed);
        }
    });
    let counts = [done, refused, unknown].map(AtomicU32::into_inner);
    assert!(counts.iter().all(|count| *count > 100), "each of it happens: {counts:?}");
}

#[test]
fn in_the_worst_weather_every_promise_holds() {
    let weather =
        Weather { lost: 20, repeated: 20, longest_delay: 900, cut: 15, refused: 40, slow: 20 };
    let fate = Fate { restarts: 5, crashes: 10, stops: 5, clock: 10, reloads: 5, orders: 10 };
    let restarts = AtomicU32::new(0);
    storms(1300, weather, fate, 180, |run| {
        let told = run.clients.iter().map(|client| client.restarts).sum();
        restarts.fetch_add(told, Ordering::Relaxed);
    });
    assert!(restarts.into_inner() > 0, "somebody lived through a restart");
}
