//! One connection of an edge at its center: what the edge says goes in, what is to be done comes out.

use std::pin::Pin;
use std::time::Duration;

use dialect::uplink::{Action, Uplink};
use dialect::{Heard, View as _};
use futures_util::FutureExt as _;
use protocol::id::{ConnectionId, EdgeId};
use protocol::status::StatusBatch;
use protocol::wire::CloseCode;
use store::{Center, Sent};
use tokio::sync::mpsc;
use tokio::time::{self, timeout};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_util::sync::CancellationToken;

use super::desk::{Call, Edges, Letter, millis};
use crate::hub::Hub;
use crate::trail::Trail;
use crate::wire::{Turn, Wire};

/// Everything that the socket of an edge needs while it is open.
pub(super) struct Descent {
    pub(super) hub: Hub,
    pub(super) edges: Edges,
    pub(super) history: Center,
    pub(super) edge: EdgeId,
    pub(super) socket: ConnectionId,
    pub(super) uplink: Uplink,
    pub(super) wire: Wire,
    pub(super) letters: mpsc::Receiver<Letter>,
    pub(super) trail: Trail,
    pub(super) stop: CancellationToken,
    pub(super) storing: Option<Storing>,
    pub(super) counts: Counts,
}

/// A write that is under way.
pub(super) type Storing = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Frames both ways.
#[derive(Debug, Default)]
pub(super) struct Counts {
    heard: u64,
    said: u64,
}

/// How the socket of an edge ends.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error("closed with code {}", .0.number())]
    Closing(CloseCode),
    #[error("{0}")]
    Ended(String),
}

impl Descent {
    /// Serves the edge until either side has had enough.
    pub(super) async fn run(mut self: Box<Self>) {
        let ending = self.converse().await;
        let (edge, socket) = (self.edge.clone(), self.socket.clone());
        // Without a desk there is nobody to tell.
        let _ = self.edges.say(Call::Departed { edge, socket }).await;
        let sent = Sent { frames: self.counts.said, bytes: self.wire.sent() };
        self.trail.closed(&ending, self.counts.heard, sent);
        let code = match ending {
            Ending::Closing(code) => code,
            Ending::Ended(_) => CloseCode::Normal,
        };
        self.wire.hang_up(code).await;
    }

    async fn converse(&mut self) -> Ending {
        let mut actions = self.uplink.open(&self.hub.clock(), self.hub.stopwatch().now());
        loop {
            if let Err(ending) = self.carry_out(actions).await {
                return ending;
            }
            self.wire.flush().await;
            actions = match self.listen().await {
                Ok(actions) => actions,
                Err(ending) => return ending,
            };
        }
    }

    async fn listen(&mut self) -> Result<Vec<Action>, Ending> {
        let (stopwatch, wake_at) = (self.hub.stopwatch(), self.uplink.wake_at());
        let stuck_at = self.wire.stuck_at();
        tokio::select! {
            () = self.stop.cancelled() => Err(Ending::Closing(CloseCode::Restart)),
            letter = self.letters.recv() => self.read(letter),
            outcome = stored(&mut self.storing) => {
                self.storing = None;
                let clock = self.hub.clock();
                Ok(self.uplink.stored(outcome, &clock, stopwatch.now()))
            }
            turn = self.wire.turn() => self.hear(turn),
            () = stopwatch.sleep_until(wake_at) => {
                Ok(self.uplink.tick(&self.hub.clock(), stopwatch.now()))
            }
            () = stuck(stuck_at) => match self.wire.stuck_at() {
                Some(at) if at <= time::Instant::now() => Err(Ending::Closing(CloseCode::Slow)),
                _ => Ok(Vec::new()),
            },
        }
    }

    fn read(&self, letter: Option<Letter>) -> Result<Vec<Action>, Ending> {
        match letter {
            Some(Letter::Order(mut command, until)) => {
                let now = self.hub.stopwatch().now();
                command.within_ms = millis(until.saturating_duration_since(time::Instant::now()));
                Ok(vec![self.uplink.order(command, &self.hub.clock(), now)])
            }
            Some(Letter::TakenOver) | None => Err(Ending::Closing(CloseCode::TakenOver)),
        }
    }

    fn hear(&mut self, turn: Turn) -> Result<Vec<Action>, Ending> {
        let heard = match &turn {
            Turn::Heard(Message::Text(text)) => Heard::Text(text.as_str()),
            Turn::Heard(Message::Binary(_)) => Heard::Bytes,
            Turn::Heard(_) => Heard::Sign,
            Turn::TooBig => Heard::TooBig,
            Turn::NotText => return Err(Ending::Closing(NOT_UTF8)),
            Turn::Clear => return Ok(Vec::new()),
            Turn::Ended(end) => return Err(Ending::Ended(end.to_string())),
        };
        self.counts.heard = self.counts.heard.saturating_add(1);
        Ok(self.uplink.hear(heard, &self.hub.clock(), self.hub.stopwatch().now()))
    }

    async fn carry_out(&mut self, actions: Vec<Action>) -> Result<(), Ending> {
        for action in actions {
            match action {
                Action::Say(text) => {
                    self.counts.said = self.counts.said.saturating_add(1);
                    let said = self.wire.say(&text);
                    said.map_err(|error| Ending::Ended(error.to_string()))?;
                }
                Action::Store(batch) => self.store(batch),
                Action::Tell(line) => {
                    let (edge, socket) = (self.edge.clone(), self.socket.clone());
                    self.tell(Call::Heard { edge, socket, line }).await?;
                }
                Action::Executed { device, id, execution } => {
                    let edge = self.edge.clone();
                    self.tell(Call::Executed { edge, device, id, execution }).await?;
                }
                Action::Lost(silent) => self.trail.lost(silent),
                Action::Record(incident) => self.trail.incident(&incident),
                Action::Close(code) => return Err(Ending::Closing(code)),
            }
        }
        Ok(())
    }

    async fn tell(&mut self, call: Call) -> Result<(), Ending> {
        let told = self.edges.say(call).await;
        told.map_err(|_| Ending::Closing(CloseCode::Restart))
    }

    fn store(&mut self, batch: StatusBatch) {
        self.storing = Some(keep(self.history.clone(), self.edge.clone(), batch).boxed());
    }
}

/// Has a batch kept. That others wait too is not the disk's fault: its time begins with the place.
async fn keep(history: Center, edge: EdgeId, batch: StatusBatch) -> Result<(), String> {
    let Ok(place) = timeout(PLACE_WITHIN, history.place(batch.rows.len())).await else {
        return Err("too many batches wait for the center's disk".into());
    };
    match timeout(KEEP_WITHIN, place.keep(&edge, batch)).await {
        Ok(true) => Ok(()),
        Ok(false) => Err("the center is stopping".into()),
        Err(_) => Err("the center's disk does not take it".into()),
    }
}

async fn stored(storing: &mut Option<Storing>) -> Result<(), String> {
    match storing {
        Some(storing) => storing.await,
        None => std::future::pending().await,
    }
}

async fn stuck(at: Option<time::Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Edges are to know before they lose patience; what the disk takes later is not lost.
const KEEP_WITHIN: Duration = Duration::from_secs(10);

/// What others have waiting is written by then, or the disk takes nothing.
const PLACE_WITHIN: Duration = Duration::from_secs(60);

/// RFC 6455: a text frame held no text.
const NOT_UTF8: CloseCode = CloseCode::Other(1007);

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    fn none() -> StatusBatch {
        StatusBatch { incarnation: "one".parse().unwrap(), rows: Vec::new() }
    }

    /// Takes all places; nobody writes.
    async fn crowded(history: &Center) -> Vec<store::CenterPlace> {
        let mut places = Vec::new();
        while let Ok(place) = timeout(KEEP_WITHIN, history.place(1)).await {
            places.push(place);
        }
        places
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_others_takes_nothing_of_the_disks_time() {
        let (history, _inbox) = Center::open();
        let (places, start) = (crowded(&history).await, Instant::now());
        let leave = async {
            sleep(Duration::from_secs(50)).await;
            drop(places);
        };
        let edge = "north".parse().unwrap();
        let (outcome, ()) = tokio::join!(keep(history, edge, none()), leave);
        assert_eq!(outcome.unwrap_err(), "the center's disk does not take it");
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn an_edge_is_told_in_the_end_that_there_is_no_place() {
        let (history, _inbox) = Center::open();
        let (_places, start) = (crowded(&history).await, Instant::now());
        let outcome = keep(history, "north".parse().unwrap(), none()).await;
        assert_eq!(outcome.unwrap_err(), "too many batches wait for the center's disk");
        assert_eq!(start.elapsed().as_secs(), 60);
    }
}
