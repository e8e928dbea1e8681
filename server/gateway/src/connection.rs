//! One socket and its dialect: what the client says goes in, what is to be done comes out.

use dialect::{Action, Dialect, Heard, Request, Said, View as _};
use engine::{Asker, Event};
use protocol::command::Order;
use protocol::id::DeviceId;
use protocol::wire::CloseCode;
use store::Sent;
use tokio::sync::mpsc;
use tokio::time;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_util::sync::CancellationToken;

use crate::following::Following;
use crate::hub::{Hub, Letter, Seat};
use crate::people::Standing;
use crate::portrait::{self, Line, Origin, Portrait};
use crate::tally::{self, Tally};
use crate::trail::Trail;
use crate::wire::{End, SayError, Turn, Wire};

/// Everything that one socket needs while it is open.
pub(crate) struct Connection {
    pub(crate) hub: Hub,
    pub(crate) seat: Seat,
    /// Until when the person at the other end is let in.
    pub(crate) standing: Standing,
    pub(crate) device: DeviceId,
    pub(crate) dialect: Box<dyn Dialect + Send>,
    pub(crate) wire: Wire,
    pub(crate) letters: mpsc::Receiver<Letter>,
    pub(crate) following: Following,
    pub(crate) origin: Origin,
    pub(crate) tally: Tally,
    pub(crate) trail: Trail,
    pub(crate) stop: CancellationToken,
}

/// How a socket ends.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error("closed with code {}", .0.number())]
    Closing(CloseCode),
    #[error("another socket has taken over")]
    TakenOver,
    #[error(transparent)]
    Ended(#[from] End),
}

impl Connection {
    /// Serves the client until either side has had enough.
    pub(crate) async fn run(mut self: Box<Self>) {
        self.trail.opened(self.origin.peer());
        let ending = self.converse().await;
        if ending.code() == CloseCode::Slow {
            self.tally.closed_as_slow();
        }
        // Without a Station there is nobody to tell.
        let departed = Event::Departed(self.seat.connection.clone());
        let _ = self.hub.say(&self.seat, departed).await;
        let sent = Sent { frames: self.tally.said, bytes: self.wire.sent() };
        self.trail.closed(&ending, self.tally.heard, sent);
        // Seldom needed, and larger than all the rest.
        Box::pin(self.wire.hang_up(ending.code())).await;
    }

    async fn converse(&mut self) -> Ending {
        let now = self.hub.stopwatch().now();
        let mut actions = self.dialect.open(&self.hub, now);
        loop {
            if let Err(ending) = self.answer(actions).await {
                return ending;
            }
            actions = match self.listen().await {
                Ok(actions) => actions,
                Err(ending) => return ending,
            };
        }
    }

    /// Does what is due after an event, and then tells what is new, in as few writes as possible.
    async fn answer(&mut self, actions: Vec<Action>) -> Result<(), Ending> {
        self.carry_out(actions).await?;
        let now = self.hub.stopwatch().now();
        if self.dialect.wake_at().is_some_and(|due| due <= now) {
            let actions = self.dialect.tick(&self.hub, now);
            self.carry_out(actions).await?;
        }
        while !self.wire.is_blocked() {
            let news = self.dialect.tell(&self.hub, self.hub.stopwatch().now());
            if news.is_empty() {
                break;
            }
            self.carry_out(news).await?;
            if self.wire.is_heavy() {
                self.flush().await;
            }
        }
        self.flush().await;
        Ok(())
    }

    async fn flush(&mut self) {
        self.wire.flush().await;
        self.tally.flushed(&self.wire, self.hub.stopwatch());
    }

    /// Waits for the next event. A slow client is heard while it is not told.
    async fn listen(&mut self) -> Result<Vec<Action>, Ending> {
        let (can_tell, wake_at) = (!self.wire.is_blocked(), self.dialect.wake_at());
        let stuck = stuck(self.wire.stuck_at());
        let stopwatch = self.hub.stopwatch();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ending::Closing(CloseCode::Restart)),
            () = self.standing.ended(&self.hub) => Err(Ending::Closing(CloseCode::Unauthorized)),
            letter = self.letters.recv() => self.read(letter),
            turn = self.wire.turn() => self.hear(turn),
            moved = self.following.moved(), if can_tell => match moved {
                Ok(()) => Ok(Vec::new()),
                Err(_) => Err(Ending::Closing(CloseCode::Restart)),
            },
            () = stopwatch.sleep_until(wake_at) => Ok(Vec::new()),
            () = stuck => match self.wire.stuck_at() {
                Some(at) if at <= time::Instant::now() => Err(Ending::Closing(CloseCode::Slow)),
                _ => Ok(Vec::new()),
            },
        }
    }

    fn read(&mut self, letter: Option<Letter>) -> Result<Vec<Action>, Ending> {
        match letter {
            Some(Letter::TakenOver) => Err(Ending::TakenOver),
            Some(Letter::Replied { id, reply }) => {
                let now = self.hub.stopwatch().now();
                Ok(self.dialect.answer(&id, reply, &self.hub, now))
            }
            Some(Letter::Describe(asker)) => {
                // Whoever asked may have gone.
                drop(asker.try_send(self.portrait()));
                Ok(Vec::new())
            }
            // The Station is gone, and comes back with everyone's place.
            None => Err(Ending::Closing(CloseCode::Restart)),
        }
    }

    fn portrait(&self) -> Portrait {
        let standings = self.dialect.standing(&self.hub);
        Portrait {
            connection: self.seat.connection.clone(),
            device: self.device.clone(),
            origin: self.origin.clone(),
            blocked: self.wire.is_blocked(),
            heard_at: self.hub.clock().at(self.tally.heard_at),
            bytes_sent: self.wire.sent(),
            frames_sent: self.tally.said,
            lag: portrait::lag(&standings),
            streams: standings.into_iter().map(Line::from).collect(),
        }
    }

    fn hear(&mut self, turn: Turn) -> Result<Vec<Action>, Ending> {
        let now = self.hub.stopwatch().now();
        let heard = match &turn {
            Turn::Heard(Message::Text(text)) => Heard::Text(text.as_str()),
            Turn::Heard(Message::Binary(_)) | Turn::NotText => Heard::Bytes,
            Turn::Heard(_) => Heard::Sign,
            Turn::TooBig => Heard::TooBig,
            Turn::Clear => {
                self.tally.cleared();
                return Ok(Vec::new());
            }
            Turn::Ended(end) => return Err(end.clone().into()),
        };
        self.tally.heard(now);
        let mut actions = self.dialect.hear(heard, &self.hub, now);
        // After either, nothing the client sends can be told apart any more.
        match turn {
            Turn::TooBig => actions.push(Action::Close(CloseCode::TooBig)),
            Turn::NotText => actions.push(Action::Close(NOT_UTF8)),
            _ => {}
        }
        Ok(actions)
    }

    async fn carry_out(&mut self, actions: Vec<Action>) -> Result<(), Ending> {
        for action in actions {
            match action {
                Action::Say(said) => self.say(said)?,
                // Whoever was let in may have lost that while the order was on its way.
                Action::Ask(Request::Order(_)) if self.standing.has_ended(self.hub.time()) => {
                    return Err(Ending::Closing(CloseCode::Unauthorized));
                }
                Action::Ask(request) => self.ask(request).await,
                Action::Close(code) => return Err(Ending::Closing(code)),
            }
        }
        Ok(())
    }

    fn say(&mut self, said: Said) -> Result<(), Ending> {
        self.tally.said(&said);
        if tally::is_sample(&said) {
            self.tally.lags(portrait::lag(&self.dialect.standing(&self.hub)));
        }
        self.wire.say(&said.text).map_err(|error| match error {
            SayError::Full => Ending::Closing(CloseCode::Slow),
            SayError::Closed => Ending::Ended(End::Broken(error.to_string())),
        })
    }

    async fn ask(&mut self, request: Request) {
        self.tally.asked(&request);
        let connection = self.seat.connection.clone();
        let event = match request {
            Request::Follow { stream, base } => {
                if let Some(window) = self.hub.follow(&stream) {
                    self.following.add(stream.clone(), window);
                }
                Event::Joined { connection, stream, base }
            }
            Request::Leave(stream) => {
                self.following.remove(&stream);
                Event::Parted { connection, stream }
            }
            Request::Order(order) => {
                let via = self.origin.peer().map_or_else(String::new, |peer| peer.to_string());
                let (order, asker) = (Order { via, ..order }, Asker::Connection(connection));
                Event::Ordered { order, asker }
            }
            Request::Lost(silent) => {
                self.trail.lost(silent);
                Event::Lost { device: self.device.clone(), connection, silent }
            }
            Request::Record(incident) => return self.trail.incident(&incident),
            Request::Count(_) => return,
        };
        // A Station that is gone closes this socket at the next event.
        let _ = self.hub.say(&self.seat, event).await;
    }
}

async fn stuck(at: Option<time::Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Ending {
    fn code(&self) -> CloseCode {
        match self {
            Self::Closing(code) => *code,
            Self::TakenOver => CloseCode::TakenOver,
            Self::Ended(End::Garbled(_)) => PROTOCOL_ERROR,
            Self::Ended(_) => CloseCode::Normal,
        }
    }
}

/// RFC 6455: the client broke the protocol.
const PROTOCOL_ERROR: CloseCode = CloseCode::Other(1002);

/// RFC 6455: a text frame held no text.
const NOT_UTF8: CloseCode = CloseCode::Other(1007);
