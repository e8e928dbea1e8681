//! Runs the Station: brings it what happens and the time, and carries out what it wants done.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{Action, Admission, Arrival, Asker, Event, Setup, Start, Station};
use protocol::command::{CommandRecord, Order, Reply};
use protocol::frame::Stamps;
use protocol::id::{ConnectionId, Epoch};
use protocol::journal::Entry;
use protocol::time::Instant;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::deed;
use crate::hub::{Call, Desk, Letter, Seat, Socket};
use crate::portrait::Portrait;

/// Owns a Station until `stop`, or until nobody is left who could call.
///
/// A Station that fails leaves its desk to the next one, which goes on under another epoch: sockets
/// stay open, and what was kept is taken up (S0-68).
pub async fn run_station(desk: Arc<Mutex<Desk>>, setup: Setup, stop: CancellationToken) {
    let mut desk = desk.lock().await;
    let mut driver = Driver::begin(&mut desk, setup);
    loop {
        let stopwatch = driver.desk.stopwatch;
        let wake_at = driver.station.wake_at();
        let call = tokio::select! {
            () = stop.cancelled() => return driver.finish(),
            call = driver.desk.calls.recv() => match call {
                Some(call) => call,
                None => return,
            },
            () = stopwatch.sleep_until(wake_at) => {
                driver.due = wake_at.map_or(0, |due| stopwatch.micros_at(due));
                driver.handle(Event::Tick, stopwatch.now());
                continue;
            }
        };
        driver.due = stopwatch.micros(time::Instant::now());
        driver.take(call, stopwatch.now());
    }
}

struct Driver<'a> {
    station: Station,
    desk: &'a mut Desk,
    /// When what is handled now was at hand, in microseconds.
    due: u64,
    /// Who gave an order without a connection, by number.
    outside: BTreeMap<u64, oneshot::Sender<Reply>>,
    /// How many did.
    orders: u64,
}

impl<'a> Driver<'a> {
    /// Takes up what an earlier run left behind.
    fn begin(desk: &'a mut Desk, setup: Setup) -> Self {
        let (now, clock, epoch) = (desk.stopwatch.now(), *desk.clock.borrow(), epoch());
        let past = desk.journal.past(clock.at(now));
        let windows = engine::windows(&setup.plant, &epoch, past.clone(), now, clock.at(now));
        for (stream, window) in windows {
            if let Some(sender) = desk.windows.get(&stream) {
                sender.send_replace(window);
            }
        }
        let due = desk.stopwatch.micros_at(now);
        let station = Station::new(setup, Start { clock, epoch, past }, now);
        let mut driver = Self { station, desk, due, outside: BTreeMap::new(), orders: 0 };
        driver.handle(Event::Tick, now);
        driver
    }

    /// Hears those who have said goodbye already: their places are to be kept.
    fn finish(&mut self) {
        while let Ok(call) = self.desk.calls.try_recv() {
            self.take(call, self.desk.stopwatch.now());
        }
    }

    fn take(&mut self, call: Call, now: Instant) {
        match call {
            Call::Told(event) => self.handle(event, now),
            Call::Ordered { order, answer } => self.order(order, answer, now),
            Call::Polled(report, at) => {
                self.due = self.desk.stopwatch.micros(at);
                self.handle(Event::Polled(report), now);
            }
            Call::Arrived { arrival, letters, answer } => {
                self.admit(arrival, letters, answer, now);
            }
            Call::Said(seat, event) => self.hear(&seat, event, now),
            // Whoever asked may have gone.
            Call::AreYouThere(answer) => drop(answer.send(())),
            Call::WhoIsThere(answer) => drop(answer.send(self.ask_around())),
        }
    }

    fn handle(&mut self, event: Event, now: Instant) {
        if let Event::ClockSet(clock) = &event {
            self.desk.clock.send_replace(*clock);
        }
        for action in self.station.handle(event, now) {
            self.carry_out(action, now);
        }
        let wall = self.desk.clock.borrow().at(now);
        self.desk.journal.alive(wall);
    }

    fn hear(&mut self, seat: &Seat, event: Event, now: Instant) {
        let sockets = &mut self.desk.sockets;
        if sockets.get(&seat.connection).is_none_or(|socket| socket.id != seat.socket) {
            return;
        }
        if matches!(event, Event::Departed(_)) {
            sockets.remove(&seat.connection);
        }
        self.handle(event, now);
    }

    fn order(&mut self, order: Order, answer: oneshot::Sender<Reply>, now: Instant) {
        self.orders += 1;
        self.outside.insert(self.orders, answer);
        let asker = Asker::Outside(self.orders);
        self.handle(Event::Ordered { order, asker }, now);
    }

    fn admit(
        &mut self,
        arrival: Arrival,
        letters: mpsc::Sender<Letter>,
        answer: oneshot::Sender<Admission>,
        now: Instant,
    ) {
        let socket = Socket { id: arrival.fresh.clone(), letters };
        let mut admission = Admission::Full;
        for action in self.station.handle(Event::Arrived(arrival), now) {
            match action {
                Action::Answer(answer) => admission = answer,
                other => self.carry_out(other, now),
            }
        }
        if let Admission::Admitted { connection, .. } = &admission {
            self.desk.sockets.insert(connection.clone(), socket);
        }
        if let Err(Admission::Admitted { connection, .. }) = answer.send(admission) {
            self.desk.sockets.remove(&connection);
            self.handle(Event::Departed(connection), now);
        }
    }

    fn carry_out(&mut self, action: Action, now: Instant) {
        match action {
            // Only arrivals are answered, and they are seen to where they come in.
            Action::Answer(_) => {}
            Action::Evict(connection) => self.evict(&connection),
            // Where there is no room, nothing is done: the order ends at its time.
            Action::Execute(job) => drop(self.desk.jobs.try_send(job)),
            Action::Keep(entry) => {
                if let (Entry::Happened(happened), Some(chronicle)) = (&entry, &self.desk.chronicle)
                {
                    chronicle.note(happened);
                }
                self.desk.journal.keep(entry.clone());
                self.desk.disk.keep(entry);
            }
            Action::Notify { stream, notice } => {
                if let Some(window) = self.desk.windows.get(&stream) {
                    window.send_modify(|window| window.notice(notice));
                }
            }
            Action::Publish { stream, mut frame } => {
                let made = self.desk.stopwatch.micros(time::Instant::now());
                frame.stamps = Some(Stamps { due: self.due, made });
                self.desk.metrics.published(&frame.body);
                if let Some(window) = self.desk.windows.get(&stream) {
                    window.send_modify(|window| window.push(frame, now));
                }
            }
            Action::Record(record) => self.record(*record),
            Action::Reply { asker, id, reply } => self.reply(asker, id, reply),
        }
    }

    fn record(&mut self, record: CommandRecord) {
        if let Some(outcome) = &record.outcome {
            let origin = record.order.key.origin;
            self.desk.metrics.commanded(origin, outcome.failure, outcome.ms);
            self.desk.audit.append(deed::of_order(&record, outcome));
        }
        self.desk.journal.record(record.clone());
        self.desk.commands.keep(record);
    }

    fn reply(&mut self, asker: Asker, id: String, reply: Reply) {
        match asker {
            Asker::Connection(connection) => {
                let Some(socket) = self.desk.sockets.get(&connection) else { return };
                if socket.letters.try_send(Letter::Replied { id, reply }).is_err() {
                    // It reads nothing: told by losing its letters, it comes back and asks again.
                    self.desk.sockets.remove(&connection);
                }
            }
            Asker::Outside(number) => {
                if let Some(answer) = self.outside.remove(&number) {
                    // Whoever asked may have gone.
                    drop(answer.send(reply));
                }
            }
        }
    }

    /// Passes the question on; each connection answers for itself.
    fn ask_around(&self) -> mpsc::Receiver<Portrait> {
        let sockets = &self.desk.sockets;
        let (answer, answers) = mpsc::channel(sockets.len().max(1));
        for socket in sockets.values() {
            // A socket with a full inbox has more to do than to answer.
            drop(socket.letters.try_send(Letter::Describe(answer.clone())));
        }
        answers
    }

    fn evict(&mut self, connection: &ConnectionId) {
        // A socket with a full inbox is told by losing its letters.
        if let Some(socket) = self.desk.sockets.remove(connection) {
            drop(socket.letters.try_send(Letter::TakenOver));
        }
    }
}

/// New at each start, and later ones sort behind earlier ones.
fn epoch() -> Epoch {
    uuid::Uuid::now_v7().to_string().parse().expect("a UUID is an identifier")
}
