//! Runs the Station: brings it what happens and the time, and carries out what it wants done.

use std::collections::BTreeMap;

use engine::{Action, Admission, Arrival, Event, Station};
use protocol::id::ConnectionId;
use protocol::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::hub::{Call, Desk, Letter, Seat};

/// Owns the Station until `stop`, or until nobody is left who could call.
pub async fn run_station(station: Station, desk: Desk, stop: CancellationToken) {
    let mut driver = Driver { station, desk, sockets: BTreeMap::new() };
    loop {
        let stopwatch = driver.desk.stopwatch;
        let call = tokio::select! {
            () = stop.cancelled() => return,
            call = driver.desk.calls.recv() => match call {
                Some(call) => call,
                None => return,
            },
            () = stopwatch.sleep_until(driver.station.wake_at()) => Call::Told(Event::Tick),
        };
        driver.take(call, stopwatch.now());
    }
}

struct Driver {
    station: Station,
    desk: Desk,
    sockets: BTreeMap<ConnectionId, Socket>,
}

/// The socket that a connection has now.
struct Socket {
    id: ConnectionId,
    letters: mpsc::Sender<Letter>,
}

impl Driver {
    fn take(&mut self, call: Call, now: Instant) {
        match call {
            Call::Told(event) => self.handle(event, now),
            Call::Arrived { arrival, letters, answer } => {
                self.admit(arrival, letters, answer, now);
            }
            Call::Said(seat, event) => self.hear(&seat, event, now),
            // Whoever asked may have gone.
            Call::AreYouThere(answer) => drop(answer.send(())),
        }
    }

    fn handle(&mut self, event: Event, now: Instant) {
        for action in self.station.handle(event, now) {
            self.carry_out(action, now);
        }
    }

    fn hear(&mut self, seat: &Seat, event: Event, now: Instant) {
        if self.sockets.get(&seat.connection).is_none_or(|socket| socket.id != seat.socket) {
            return;
        }
        if matches!(event, Event::Departed(_)) {
            self.sockets.remove(&seat.connection);
        }
        self.handle(event, now);
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
            self.sockets.insert(connection.clone(), socket);
        }
        if let Err(Admission::Admitted { connection, .. }) = answer.send(admission) {
            self.sockets.remove(&connection);
            self.handle(Event::Departed(connection), now);
        }
    }

    fn carry_out(&mut self, action: Action, now: Instant) {
        match action {
            // Only arrivals are answered, and they are seen to where they come in.
            Action::Answer(_) => {}
            Action::Evict(connection) => {
                // A socket with a full inbox is told by losing its letters.
                if let Some(socket) = self.sockets.remove(&connection) {
                    drop(socket.letters.try_send(Letter::TakenOver));
                }
            }
            Action::Notify { stream, notice } => {
                if let Some(window) = self.desk.windows.get(&stream) {
                    window.send_modify(|window| window.notice(notice));
                }
            }
            Action::Publish { stream, frame } => {
                if let Some(window) = self.desk.windows.get(&stream) {
                    window.send_modify(|window| window.push(frame, now));
                }
            }
        }
    }
}
