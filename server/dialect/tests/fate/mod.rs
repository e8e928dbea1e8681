//! A plant and its clients in virtual time, and what befalls them.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use protocol::command::{Order, OrderKey, Origin};
use protocol::digest::{Algorithm, Seal};
use protocol::reading::{Reason, Value};
use protocol::time::{Instant, Timestamp};
use protocol::wire::CloseCode;

use crate::wire::{Client, Dice, Weather};
use crate::world::World;

/// What befalls the server and its pages: how likely in each ten seconds, of a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    /// The Station fails and is started again.
    pub(crate) restarts: u64,
    /// The process is killed, and started again some time later.
    pub(crate) crashes: u64,
    /// The process is stopped as planned, and started again.
    pub(crate) stops: u64,
    /// Somebody sets the server's clock.
    pub(crate) clock: u64,
    /// Somebody loads a page again.
    pub(crate) reloads: u64,
    /// A client, or PSCADA, gives an order: of a hundred polls.
    pub(crate) orders: u64,
}

pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) clients: Vec<Client>,
    dice: Dice,
    weather: Weather,
    fate: Fate,
    poll_at: Instant,
    fate_at: Instant,
    boot_at: Option<Instant>,
}

impl Run {
    pub(crate) fn new(seed: u64, weather: Weather, fate: Fate) -> Self {
        let (mut world, mut dice) = (World::new(), Dice::new(seed));
        let seal = || Seal::new(Algorithm::Md5, "key");
        world.disk.delay = Duration::from_millis(dice.roll(100));
        let pages: [(&str, &[&str]); 4] = [
            ("board-1", &[]),
            ("board-2", &["site/plant", "system"]),
            ("board-1", &["device/board-2"]),
            ("board-2", &["site/plant"]),
        ];
        let client = |(n, (device, wants)): (usize, &(&str, &[&str]))| {
            Client::new(n as u64, device, wants, seal(), seed ^ n as u64, world.now)
        };
        let mut clients: Vec<_> = pages.iter().enumerate().map(client).collect();
        for client in &mut clients {
            let rate = 300 + dice.roll(1_500);
            client.read_slowly(dice.hits(weather.slow).then_some(rate));
        }
        let (poll_at, fate_at) = (world.now, world.now + FATE_EVERY);
        Self { world, clients, dice, weather, fate, poll_at, fate_at, boot_at: None }
    }

    /// Lets so much time pass, with all that happens in it.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.world.now + duration;
        loop {
            for client in &mut self.clients {
                client.run(&mut self.world, self.weather, &mut self.dice);
            }
            self.compare();
            let next = self.next().max(self.world.now);
            if next > until {
                break;
            }
            self.world.pass(next.since(self.world.now));
            self.happen();
        }
        self.world.pass(until.since(self.world.now));
    }

    /// Whoever has all that was told, in whatever order it came, has the server's own table.
    fn compare(&self) {
        for client in self.clients.iter().filter(|client| client.is_even(&self.world)) {
            let own = client.own();
            let (table, window) = (client.session.table(&own), &self.world.windows.streams[&own]);
            assert_eq!(table, Some(window.table()), "{own} is another table on the way");
        }
    }

    /// The weather clears up, and all that is broken is repaired.
    pub(crate) fn calm(&mut self) {
        (self.weather, self.fate) = (Weather::default(), Fate::default());
        self.clients.iter_mut().for_each(|client| client.read_slowly(None));
        if self.boot_at.is_some() {
            self.boot_at = Some(self.world.now);
        }
    }

    /// The plant rests: no poll brings anything new.
    pub(crate) fn rest(&mut self) {
        self.poll_at = self.world.now + Duration::from_secs(3600);
    }

    fn next(&self) -> Instant {
        let wakes = self.clients.iter().filter_map(Client::wake_at);
        let own = [Some(self.poll_at), Some(self.fate_at), self.boot_at, self.world.wake_at()];
        wakes.chain(own.into_iter().flatten()).min().unwrap()
    }

    fn happen(&mut self) {
        let now = self.world.now;
        if self.boot_at.is_some_and(|at| at <= now) {
            self.boot_at = None;
            self.world.boot();
        }
        if self.poll_at <= now {
            self.poll();
        }
        if self.fate_at <= now {
            // Not always right after a poll.
            let odd = Duration::from_millis(self.dice.roll(1_000));
            self.fate_at = now + FATE_EVERY + odd;
            self.strike();
        }
    }

    fn strike(&mut self) {
        let fate = self.fate;
        if self.dice.hits(fate.clock) {
            self.set_clock();
        }
        if self.dice.hits(fate.reloads) {
            let index = self.dice.roll(self.clients.len() as u64) as usize;
            self.clients[index].reload(&mut self.world, self.weather, &mut self.dice);
        }
        if !self.world.is_up {
            return;
        }
        if self.dice.hits(fate.restarts) {
            self.world.restart();
        } else if self.dice.hits(fate.crashes) {
            self.end(CloseCode::Other(1006));
        } else if self.dice.hits(fate.stops) {
            self.end(CloseCode::Restart);
        }
    }

    fn end(&mut self, code: CloseCode) {
        let now = self.world.now;
        if code == CloseCode::Restart {
            self.clients.iter_mut().for_each(|client| client.depart(&mut self.world));
            self.world.stop();
        } else {
            self.world.crash();
        }
        self.clients.iter_mut().for_each(|client| client.lose_server(code, now));
        self.boot_at = Some(now + Duration::from_millis(100 + self.dice.roll(20_000)));
    }

    /// Half a minute forward, or any time back.
    fn set_clock(&mut self) {
        let wall = self.world.windows.clock.at(self.world.now).as_millis();
        let wall =
            if self.dice.hits(50) { wall + 30_000 } else { wall - self.dice.roll(3_600_000) };
        self.world.set_clock(Timestamp::from_millis(wall));
    }

    fn poll(&mut self) {
        self.poll_at = self.world.now + Duration::from_secs(1);
        for device in ["board-1", "board-2"] {
            let results = self.results();
            self.world.poll(device, results);
        }
        if self.dice.hits(self.fate.orders) {
            self.order();
        }
    }

    /// Boards that are quick, slow, or never answer; and orders from here and from above.
    fn order(&mut self) {
        let millis = [5 + self.dice.roll(100), 380 + self.dice.roll(80), 2_000];
        let which = [0, 0, 0, 0, 1, 2][self.dice.roll(6) as usize];
        self.world.field.delay = Duration::from_millis(millis[which]);
        let count = 1 + self.dice.roll(3);
        for _ in 0..count {
            let index = self.dice.roll(self.clients.len() as u64) as usize;
            self.clients[index].order(&mut self.world, self.weather, &mut self.dice);
        }
        if self.dice.hits(20) {
            let (device, user) = ("board-1".parse().unwrap(), "pscada".to_owned());
            let id = format!("p{}", self.world.now.as_millis());
            let key = OrderKey { origin: Origin::Pscada, user, device, id };
            let (command, via) = ("STOP".to_owned(), String::new());
            self.world.order(Order { key, command, param: None, valid_until: None, via });
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

/// Runs so many seeds, on all cores; says which of them failed.
pub(crate) fn seeds(count: u64, run: impl Fn(u64) + Sync) {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    if let Some(seed) = number("GAPLESS_SEED") {
        return run(seed);
    }
    let (next, count) = (AtomicU64::new(0), (count / number("GAPLESS_FEWER").unwrap_or(1)).max(1));
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count) {
            let failure = Failure(seed);
            run(seed);
            std::mem::forget(failure);
        }
    };
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
}

/// Names the seed of a run that ends in a panic.
struct Failure(u64);

impl Drop for Failure {
    fn drop(&mut self) {
        #[expect(clippy::print_stderr, reason = "whoever reads the failure needs it")]
        {
            eprintln!("failed with GAPLESS_SEED={}", self.0);
        }
    }
}

const FATE_EVERY: Duration = Duration::from_secs(10);
