//! The streams as everyone may read them, and the way to the one who writes them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use dialect::View;
use engine::{Admission, Arrival, Event, Journal, Window};
use protocol::command::{Order, Reply};
use protocol::frame::{Offset, Update};
use protocol::id::{ConnectionId, Epoch};
use protocol::job::Job;
use protocol::journal::Happened;
use protocol::point::Plant;
use protocol::report::Report;
use protocol::stream::StreamName;
use protocol::time::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use crate::metrics::Metrics;
use crate::portrait::Portrait;
use crate::stopwatch::Stopwatch;

/// Every stream of the Station, and its inbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    windows: Arc<BTreeMap<StreamName, watch::Receiver<Window>>>,
    calls: mpsc::Sender<Call>,
    clock: watch::Receiver<Clock>,
    stopwatch: Stopwatch,
    metrics: Arc<Metrics>,
}

/// The Station's end of a [`Hub`]. It outlives a Station that fails.
#[derive(Debug)]
pub struct Desk {
    pub(crate) windows: BTreeMap<StreamName, watch::Sender<Window>>,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) clock: watch::Sender<Clock>,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) metrics: Arc<Metrics>,
    /// The socket that each connection has now.
    pub(crate) sockets: BTreeMap<ConnectionId, Socket>,
    /// What the next Station takes up.
    pub(crate) journal: Journal,
    /// Where the same goes to the disk.
    pub(crate) disk: store::Journal,
    /// Where orders go to the disk.
    pub(crate) commands: store::Commands,
    /// Where it goes who did what.
    pub(crate) audit: store::Audit,
    /// Where the history goes that a center is told.
    pub(crate) chronicle: Option<Chronicle>,
    /// Where orders go to be carried out.
    pub(crate) jobs: mpsc::Sender<Job>,
}

/// An open socket, as the Station's task knows it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: ConnectionId,
    pub(crate) letters: mpsc::Sender<Letter>,
}

/// What the Station is asked or told.
#[derive(Debug)]
pub(crate) enum Call {
    /// From the field, or from the server's own parts.
    Told(Event),
    /// Somebody without a connection gives an order.
    Ordered {
        order: Order,
        answer: oneshot::Sender<Reply>,
    },
    /// A board answered, at this moment, or did not.
    Polled(Report, Instant),
    Arrived {
        arrival: Arrival,
        letters: mpsc::Sender<Letter>,
        answer: oneshot::Sender<Admission>,
    },
    /// From a connection; not heeded once another socket has taken it over.
    Said(Seat, Event),
    AreYouThere(oneshot::Sender<()>),
    /// The answer is a queue with room for a portrait of every connection.
    WhoIsThere(oneshot::Sender<mpsc::Receiver<Portrait>>),
}

/// A connection and the socket it has now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seat {
    pub(crate) connection: ConnectionId,
    /// The id that was made for this very socket.
    pub(crate) socket: ConnectionId,
}

/// What the Station has to say to one connection.
#[derive(Debug)]
pub(crate) enum Letter {
    /// Another socket goes on with this connection.
    TakenOver,
    /// What became of its order.
    Replied { id: String, reply: Reply },
    /// Somebody wants to know how it is.
    Describe(mpsc::Sender<Portrait>),
}

/// What a Station takes up and leaves behind.
#[derive(Debug)]
pub struct Shelf {
    /// In memory, for the next Station of this process.
    pub journal: Journal,
    /// On the disk, for the next process.
    pub disk: store::Journal,
    /// Orders and their outcomes, on the disk.
    pub commands: store::Commands,
    /// What a center is to be told, where there is one.
    pub backlog: Option<store::Backlog>,
    /// Who did what, on the disk.
    pub audit: store::Audit,
}

/// The history of the plant's devices, on its way to a center.
#[derive(Debug)]
pub(crate) struct Chronicle {
    backlog: store::Backlog,
    plant: Plant,
}

impl Chronicle {
    /// Takes note of a key event, if it is about the state of a device.
    pub(crate) fn note(&self, happened: &Happened) {
        if let Some(row) = engine::status_row::row_of(happened, &self.plant) {
            self.backlog.append(row);
        }
    }
}

/// The Station is gone or does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the station does not answer")]
pub struct StationGone;

/// Why nobody can be served yet.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotReady {
    #[error(transparent)]
    Station(#[from] StationGone),
    #[error("stream {0} has not begun")]
    Stream(StreamName),
}

impl Hub {
    /// The streams of a plant, each empty until a Station runs, which takes up what the shelf holds
    /// and puts there what the next one is to know; and the jobs that it wants done.
    pub fn open(
        plant: &Plant,
        shelf: Shelf,
        stopwatch: Stopwatch,
    ) -> (Self, Desk, mpsc::Receiver<Job>) {
        let Shelf { journal, disk, commands, backlog, audit } = shelf;
        let chronicle = backlog.map(|backlog| Chronicle { backlog, plant: plant.clone() });
        let (jobs, todo) = mpsc::channel(JOBS);
        let (inbox, calls) = mpsc::channel(INBOX);
        let (clock, wall) = watch::channel(stopwatch.clock());
        let nobody: Epoch = NO_RUN.parse().expect("a name of ours is an identifier");
        let windows = engine::streams(plant)
            .map(|stream| (stream, watch::Sender::new(Window::new(nobody.clone()))))
            .collect::<BTreeMap<_, _>>();
        let readers = windows.iter().map(|(stream, window)| (stream.clone(), window.subscribe()));
        let windows_read = Arc::new(readers.collect());
        let metrics = Arc::new(Metrics::new(plant));
        let told = Arc::clone(&metrics);
        let hub =
            Self { windows: windows_read, calls: inbox, clock: wall, stopwatch, metrics: told };
        let sockets = BTreeMap::new();
        let desk = Desk {
            windows,
            calls,
            clock,
            stopwatch,
            metrics,
            sockets,
            journal,
            disk,
            commands,
            audit,
            chronicle,
            jobs,
        };
        (hub, desk, todo)
    }

    pub fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What time it is.
    pub fn time(&self) -> Timestamp {
        self.clock.borrow().at(self.stopwatch.now())
    }

    /// Hands in what a poll brought home at this moment. While the Station's inbox is full, the
    /// poller waits.
    pub async fn report(&self, report: Report, at: Instant) -> Result<(), StationGone> {
        self.calls.send(Call::Polled(report, at)).await.map_err(|_| StationGone)
    }

    /// Hands in an event of the field. While the Station's inbox is full, the teller waits.
    pub async fn tell(&self, event: Event) -> Result<(), StationGone> {
        self.calls.send(Call::Told(event)).await.map_err(|_| StationGone)
    }

    /// Has an order carried out, for somebody who has no connection; the answer comes within 500 ms.
    pub async fn order(&self, order: Order) -> Result<Reply, StationGone> {
        self.ask(|answer| Call::Ordered { order, answer }, ANSWER_WITHIN).await
    }

    /// Everything a stream tells and as of when; `None` before its first snapshot.
    pub fn table(&self, stream: &StreamName) -> Option<(Update, Timestamp)> {
        let window = self.windows.get(stream)?.borrow();
        (window.top() > Offset(0)).then(|| (window.table().clone(), window.at()))
    }

    pub fn has(&self, stream: &StreamName) -> bool {
        self.windows.contains_key(stream)
    }

    /// Whether clients can be served: the Station answers, and every stream has begun.
    pub async fn ready(&self) -> Result<(), NotReady> {
        self.answers(ANSWER_WITHIN).await?;
        self.first_empty().map_or(Ok(()), |stream| Err(NotReady::Stream(stream.clone())))
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.windows.keys()
    }

    /// The first stream that has no snapshot yet.
    fn first_empty(&self) -> Option<&StreamName> {
        let is_empty = |window: &watch::Receiver<Window>| window.borrow().top() == Offset(0);
        self.windows.iter().find(|(_, window)| is_empty(window)).map(|(stream, _)| stream)
    }

    pub(crate) fn follow(&self, stream: &StreamName) -> Option<watch::Receiver<Window>> {
        self.windows.get(stream).cloned()
    }

    pub(crate) async fn arrive(
        &self,
        arrival: Arrival,
        letters: mpsc::Sender<Letter>,
    ) -> Result<Admission, StationGone> {
        self.ask(|answer| Call::Arrived { arrival, letters, answer }, ANSWER_WITHIN).await
    }

    /// Tells the Station what a connection did; waits while its inbox is full.
    pub(crate) async fn say(&self, seat: &Seat, event: Event) -> Result<(), StationGone> {
        self.calls.send(Call::Said(seat.clone(), event)).await.map_err(|_| StationGone)
    }

    /// Whether the Station answers within this time.
    pub async fn answers(&self, within: Duration) -> Result<(), StationGone> {
        self.ask(Call::AreYouThere, within).await
    }

    /// How all connections are that answer within a second.
    pub(crate) async fn everyone(&self) -> Result<Vec<Portrait>, StationGone> {
        let mut portraits = self.ask(Call::WhoIsThere, ANSWER_WITHIN).await?;
        let mut list = Vec::new();
        let gather = async {
            while let Some(portrait) = portraits.recv().await {
                list.push(portrait);
            }
        };
        // Whoever is busy for longer is left out.
        let _ = timeout(ANSWER_WITHIN, gather).await;
        Ok(list)
    }

    async fn ask<T>(
        &self,
        call: impl FnOnce(oneshot::Sender<T>) -> Call,
        within: Duration,
    ) -> Result<T, StationGone> {
        let (answer, answered) = oneshot::channel();
        let ask = async {
            self.calls.send(call(answer)).await.map_err(|_| StationGone)?;
            answered.await.map_err(|_| StationGone)
        };
        timeout(within, ask).await.unwrap_or(Err(StationGone))
    }
}

impl View for Hub {
    fn window<'a>(&'a self, stream: &StreamName) -> Option<Box<dyn Deref<Target = Window> + 'a>> {
        Some(Box::new(self.windows.get(stream)?.borrow()))
    }

    fn clock(&self) -> Clock {
        *self.clock.borrow()
    }
}

/// About two seconds of reports from 500 boards; when it is full, whoever reports waits.
const INBOX: usize = 1024;

/// Orders on their way to the field: one a channel is under way at a time.
const JOBS: usize = 1024;

/// The epoch of windows that no Station has written yet; no client ever sees it.
const NO_RUN: &str = "none";

/// A Station that is slower than this is as good as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
