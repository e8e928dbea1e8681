//! Link × dialect × Station over a bad wire in virtual time: what is promised about loss.
//!
//! Each run prints its seed where it fails; `GAPLESS_SEED=7` runs that one alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod wire;
mod world;

use std::time::Duration;

use protocol::digest::{Algorithm, Seal};
use protocol::reading::{Reason, Value};
use protocol::stream::StreamName;
use protocol::time::Instant;
use wire::{Client, Dice, Weather};
use world::World;

struct Run {
    world: World,
    clients: Vec<Client>,
    dice: Dice,
    weather: Weather,
    poll_at: Instant,
}

impl Run {
    fn new(seed: u64, clients: u64, weather: Weather) -> Self {
        let world = World::new();
        let client = |n: u64| {
            let device = if n.is_multiple_of(2) { "board-1" } else { "board-2" };
            Client::new(n, device, Seal::new(Algorithm::Md5, "key"), seed ^ n, world.now)
        };
        let clients = (0..clients).map(client).collect();
        let poll_at = world.now;
        Self { world, clients, dice: Dice::new(seed), weather, poll_at }
    }

    /// Lets so much time pass, with all that happens in it.
    fn pass(&mut self, duration: Duration) {
        let until = self.world.now + duration;
        loop {
            for client in &mut self.clients {
                client.run(&mut self.world, self.weather, &mut self.dice);
            }
            let wakes = self.clients.iter().filter_map(Client::wake_at);
            let next = wakes.chain([self.poll_at]).chain(self.world.station.wake_at()).min();
            let next = next.unwrap().max(self.world.now);
            if next > until {
                break;
            }
            self.world.pass(next.since(self.world.now));
            if self.poll_at <= self.world.now {
                self.poll();
            }
        }
        self.world.pass(until.since(self.world.now));
    }

    fn poll(&mut self) {
        self.poll_at = self.world.now + Duration::from_secs(1);
        for device in ["board-1", "board-2"] {
            let results = self.results();
            self.world.poll(device, results);
        }
    }

    /// What a plant might answer: drifting values, a switch, a fault now and then, time-outs.
    fn results(&mut self) -> Vec<(usize, Result<Value, Reason>)> {
        if self.dice.hits(10) {
            return (0..4).map(|index| (index, Err(Reason::Timeout))).collect();
        }
        let number = Value::Number(self.dice.roll(50) as f64 / 10.0);
        let (k1, fault) = (self.dice.hits(50), self.dice.hits(20));
        let values = [number, Value::Number(1.0), Value::Switch(k1), Value::Switch(fault)];
        values.into_iter().enumerate().map(|(index, value)| (index, Ok(value))).collect()
    }
}

impl Run {
    /// What must hold once the wire is quiet and the plant rests.
    fn check(&self, seed: u64) {
        for client in &self.clients {
            let own = client.own();
            let (table, window) = (client.session.table(&own), &self.world.windows.0[&own]);
            assert_eq!(table, Some(window.table()), "seed {seed}: {own} is another table");
            let status = client.session.status();
            assert!(status.is_live(), "seed {seed}: {own} came back: {status:?}");
            // Whoever had to begin anew never hears of the numbers before.
            let is_even = client.joins > 1 || status.lost == status.repaired;
            assert!(is_even, "seed {seed}: {own} counts its gaps: {status:?}");
            self.check_events(client, &own, seed);
        }
    }

    /// Each event since the client's first table was applied once, and none twice.
    fn check_events(&self, client: &Client, own: &StreamName, seed: u64) {
        let since = client.first_table.unwrap();
        let events =
            self.world.events.iter().filter(|(stream, _, at)| stream == own && *at > since);
        for (_, offset, at) in events {
            let times = client.happened.get(&(own.clone(), *offset)).copied().unwrap_or(0);
            assert_eq!(times, 1, "seed {seed}: {own} event {offset:?} of {at:?}");
        }
        assert!(client.happened.values().all(|times| *times == 1), "seed {seed}: {own} twice");
    }
}

/// Bad weather for a while, then a calm in which everything must come right.
fn storm(seed: u64, weather: Weather, seconds: u64) -> Run {
    let mut run = Run::new(seed, 3, weather);
    run.pass(Duration::from_secs(seconds));
    run.weather = Weather::default();
    run.pass(Duration::from_secs(75));
    run.poll_at = run.world.now + Duration::from_secs(3600);
    run.pass(Duration::from_secs(15));
    run.check(seed);
    run
}

fn seeds(count: u64) -> Vec<u64> {
    let one = std::env::var("GAPLESS_SEED").ok().map(|seed| seed.parse().unwrap());
    one.map_or_else(|| (0..count).collect(), |seed| vec![seed])
}

#[test]
fn on_a_calm_wire_nothing_is_missing_and_nothing_repeated() {
    // S0-13, S0-55, S0-56
    for seed in seeds(10) {
        let run = storm(seed, Weather { longest_delay: 20, ..Weather::default() }, 120);
        assert!(run.clients.iter().all(|client| client.session.status().lost == 0));
    }
}

#[test]
fn whatever_is_lost_or_repeated_is_made_good() {
    // S0-57, S0-58
    let weather = Weather { lost: 15, repeated: 10, longest_delay: 400, ..Weather::default() };
    for seed in seeds(40) {
        let run = storm(seed, weather, 120);
        let lost = run.clients.iter().map(|client| client.session.status().lost).sum::<u64>();
        assert!(lost > 0, "seed {seed}: the wire did lose something");
    }
}

#[test]
fn whoever_is_cut_off_comes_back_and_misses_no_event() {
    // S0-41, S0-42, S0-44, S0-66
    let weather = Weather { longest_delay: 200, cut: 20, refused: 30, ..Weather::default() };
    for seed in seeds(40) {
        let run = storm(seed, weather, 120);
        assert!(run.clients.iter().any(|client| client.session.status().reconnects > 0));
    }
}

#[test]
fn in_the_worst_weather_every_promise_holds() {
    let weather = Weather { lost: 25, repeated: 20, longest_delay: 900, cut: 15, refused: 40 };
    for seed in seeds(60) {
        storm(seed, weather, 180);
    }
}
