//! The center's desk for its edges: who is connected, how each stands, and whose order is with whom.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use dialect::uplink::Line;
use engine::Event;
use protocol::command::{Failure, OrderKey};
use protocol::id::{ConnectionId, DeviceId, EdgeId};
use protocol::job::{Execution, Job, NotDone, Task};
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use protocol::time::Timestamp;
use protocol::wire::uplink::Command;
use store::{Center, EdgeExtent};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::{Neighbour, device_here};
use crate::hub::{Hub, StationGone};

/// The way to the desk, and the edges that are expected. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Edges {
    neighbours: std::sync::Arc<BTreeMap<EdgeId, Neighbour>>,
    calls: mpsc::Sender<Call>,
}

/// The desk's end of [`Edges`]. It outlives a desk that fails.
#[derive(Debug)]
pub struct EdgeDesk {
    calls: mpsc::Receiver<Call>,
    seats: BTreeMap<EdgeId, Seat>,
    /// Whose device each is.
    devices: BTreeMap<DeviceId, (EdgeId, DeviceId)>,
    /// Orders that are with an edge, by what it calls them.
    orders: BTreeMap<(EdgeId, DeviceId, String), Order>,
    history: Center,
    ticks: u64,
}

/// What the desk is told or asked.
#[derive(Debug)]
pub(super) enum Call {
    Arrived {
        edge: EdgeId,
        socket: ConnectionId,
        letters: mpsc::Sender<Letter>,
    },
    Departed {
        edge: EdgeId,
        socket: ConnectionId,
    },
    Heard {
        edge: EdgeId,
        socket: ConnectionId,
        line: Line,
    },
    /// An order, and when it was handed in.
    Ordered(Job, Instant),
    Executed {
        edge: EdgeId,
        device: DeviceId,
        id: String,
        execution: Execution,
    },
    List(oneshot::Sender<Vec<(EdgeId, Standing)>>),
}

/// What the desk has to say to the connection of an edge.
#[derive(Debug)]
pub(super) enum Letter {
    /// Another connection goes on for this edge.
    TakenOver,
    /// To be done until then.
    Order(Command, Instant),
}

/// How an edge stands, for those who ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) connection: Option<ConnectionId>,
    pub(super) heard_at: Option<Timestamp>,
    pub(super) line: Line,
    pub(super) extent: Option<EdgeExtent>,
}

/// An expected edge.
#[derive(Debug, Default)]
struct Seat {
    /// The devices, as they are called here.
    devices: Vec<DeviceId>,
    letters: Option<mpsc::Sender<Letter>>,
    standing: Standing,
    is_news: bool,
}

#[derive(Debug)]
struct Order {
    key: OrderKey,
    until: Instant,
}

impl Edges {
    /// The edges that a center expects; what they tell is looked up in `history`.
    pub fn open(neighbours: Vec<Neighbour>, history: Center) -> (Self, EdgeDesk) {
        let (outbox, calls) = mpsc::channel(INBOX);
        let (mut seats, mut devices) = (BTreeMap::new(), BTreeMap::new());
        for edge in &neighbours {
            let mut seat = Seat::default();
            for device in &edge.devices {
                let Some(here) = device_here(&edge.id, device) else { continue };
                devices.insert(here.clone(), (edge.id.clone(), device.clone()));
                seat.devices.push(here);
            }
            seats.insert(edge.id.clone(), seat);
        }
        let neighbours = neighbours.into_iter().map(|edge| (edge.id.clone(), edge)).collect();
        let edges = Self { neighbours: std::sync::Arc::new(neighbours), calls: outbox };
        let orders = BTreeMap::new();
        (edges, EdgeDesk { calls, seats, devices, orders, history, ticks: 0 })
    }

    pub(super) fn find(&self, id: &str) -> Option<&Neighbour> {
        self.neighbours.get(id)
    }

    /// Hands an order down to whoever keeps the device. What came of it goes to the Station; where
    /// the desk cannot take it, that is told here.
    pub fn order(&self, job: Job) -> Result<(), NotDone> {
        let ordered = Call::Ordered(job, Instant::now());
        self.calls.try_send(ordered).map_err(|_| NotDone::from(Failure::Busy))
    }

    pub(super) async fn say(&self, call: Call) -> Result<(), DeskGone> {
        self.calls.send(call).await.map_err(|_| DeskGone)
    }

    pub(super) async fn list(&self) -> Result<Vec<(EdgeId, Standing)>, DeskGone> {
        let (answer, answered) = oneshot::channel();
        self.say(Call::List(answer)).await?;
        timeout(ANSWER_WITHIN, answered).await.ok().and_then(Result::ok).ok_or(DeskGone)
    }
}

/// The desk for edges does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the desk for edges does not answer")]
pub(super) struct DeskGone;

/// Sees to the edges until `stop`. A desk that fails leaves its state to the next one.
pub async fn run_edge_desk(
    desk: std::sync::Arc<tokio::sync::Mutex<EdgeDesk>>,
    hub: Hub,
    stop: CancellationToken,
) {
    let mut desk = desk.lock().await;
    let mut ticks = interval(BREATH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looking: Option<Looking> = None;
    loop {
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            call = desk.calls.recv() => match call {
                Some(call) => desk.take(call, &hub).await,
                None => return,
            },
            _ = ticks.tick(), if looking.is_none() => {
                looking = desk.has_news().then(|| look_up(&desk.history));
                desk.tell_away(&hub).await
            }
            extents = found(&mut looking) => desk.tell_news(extents, &hub).await,
        };
        if outcome.is_err() {
            return;
        }
    }
}

/// How much is kept of each edge is being counted: no order waits for that.
type Looking = Pin<Box<dyn Future<Output = Vec<EdgeExtent>> + Send>>;

fn look_up(history: &Center) -> Looking {
    let history = history.history();
    Box::pin(async move {
        let extents = timeout(LOOK_UP_WITHIN, history.extents()).await;
        // What cannot be read now stays as it was.
        extents.ok().and_then(Result::ok).unwrap_or_default()
    })
}

async fn found(looking: &mut Option<Looking>) -> Vec<EdgeExtent> {
    match looking {
        Some(running) => {
            let extents = running.await;
            *looking = None;
            extents
        }
        None => std::future::pending().await,
    }
}

impl EdgeDesk {
    async fn take(&mut self, call: Call, hub: &Hub) -> Result<(), StationGone> {
        match call {
            Call::Arrived { edge, socket, letters } => self.arrive(&edge, socket, letters, hub),
            Call::Departed { edge, socket } => return self.depart(&edge, &socket, hub).await,
            Call::Heard { edge, socket, line } => {
                if let Some(seat) = self.seats.get_mut(&edge)
                    && seat.standing.connection.as_ref() == Some(&socket)
                {
                    seat.standing.line = line;
                    seat.standing.heard_at = Some(hub.time());
                    seat.is_news = true;
                }
            }
            Call::Ordered(job, since) => return self.order(job, since, hub).await,
            Call::Executed { edge, device, id, execution } => {
                if let Some(order) = self.orders.remove(&(edge, device, id)) {
                    return hub.tell(Event::Executed { key: order.key, execution }).await;
                }
            }
            Call::List(answer) => {
                let standing =
                    |(edge, seat): (&EdgeId, &Seat)| (edge.clone(), seat.standing.clone());
                // Whoever asked may have gone.
                drop(answer.send(self.seats.iter().map(standing).collect()));
            }
        }
        Ok(())
    }

    fn arrive(
        &mut self,
        edge: &EdgeId,
        socket: ConnectionId,
        letters: mpsc::Sender<Letter>,
        hub: &Hub,
    ) {
        let Some(seat) = self.seats.get_mut(edge) else { return };
        seat.standing.connection = Some(socket);
        seat.standing.heard_at = Some(hub.time());
        if let Some(former) = seat.letters.replace(letters) {
            // A connection with a full inbox is told by losing its letters.
            drop(former.try_send(Letter::TakenOver));
        }
    }

    async fn depart(
        &mut self,
        edge: &EdgeId,
        socket: &ConnectionId,
        hub: &Hub,
    ) -> Result<(), StationGone> {
        let Some(seat) = self.seats.get_mut(edge) else { return Ok(()) };
        if seat.standing.connection.as_ref() != Some(socket) {
            return Ok(());
        }
        seat.standing.connection = None;
        seat.letters = None;
        seat.is_news = false;
        seat.miss(Reason::Disconnected, hub).await
    }

    /// Hands an order down, now or never; its time runs since it was handed in.
    async fn order(&mut self, mut job: Job, since: Instant, hub: &Hub) -> Result<(), StationGone> {
        let now = Instant::now();
        self.orders.retain(|_, order| now < order.until);
        job.within = job.within.saturating_sub(now.saturating_duration_since(since));
        let Err(not_done) = self.hand_down(&job, now) else { return Ok(()) };
        let execution = Execution { result: Err(not_done), written_after: None };
        hub.tell(Event::Executed { key: job.key, execution }).await
    }

    fn hand_down(&mut self, job: &Job, now: Instant) -> Result<(), NotDone> {
        let Task::Forward { command, param } = &job.task else {
            return Err(Failure::NotSupported.into());
        };
        let (edge, device) = self.devices.get(&job.device).ok_or(Failure::NotSupported)?;
        let letters = self.seats.get(edge).and_then(|seat| seat.letters.as_ref());
        let letters = letters.ok_or(Failure::DeviceOffline)?;
        let place = (edge.clone(), device.clone(), job.key.id.clone());
        if self.orders.contains_key(&place) {
            // Somebody else's, under the same id: its answer could not be told from this one's.
            return Err(Failure::Busy.into());
        }
        if job.within.is_zero() {
            return Err(Failure::Expired.into());
        }
        let order = Command {
            command: command.clone(),
            command_id: job.key.id.clone(),
            device_id: device.clone(),
            param: param.clone(),
            user: job.key.user.clone(),
            within_ms: millis(job.within),
        };
        let until = now + job.within;
        letters.try_send(Letter::Order(order, until)).map_err(|_| Failure::Busy)?;
        self.orders.insert(place, Order { key: job.key.clone(), until });
        Ok(())
    }

    fn has_news(&self) -> bool {
        self.seats.values().any(|seat| seat.is_news)
    }

    /// Tells now and then that edges are still away.
    async fn tell_away(&mut self, hub: &Hub) -> Result<(), StationGone> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(LOOK_AGAIN) {
            for seat in self.seats.values().filter(|seat| seat.letters.is_none()) {
                seat.miss(Reason::Unreachable, hub).await?;
            }
        }
        Ok(())
    }

    /// Tells what is new of the edges, and how much is kept of them.
    async fn tell_news(&mut self, extents: Vec<EdgeExtent>, hub: &Hub) -> Result<(), StationGone> {
        for extent in extents {
            if let Some(seat) = self.seats.get_mut(&extent.edge) {
                seat.standing.extent = Some(extent);
            }
        }
        for seat in self.seats.values_mut().filter(|seat| seat.is_news) {
            seat.is_news = false;
            seat.report(hub).await?;
        }
        Ok(())
    }
}

impl Seat {
    async fn report(&self, hub: &Hub) -> Result<(), StationGone> {
        let Standing { line, extent, .. } = &self.standing;
        let received = extent.as_ref().map(|extent| extent.rows).unwrap_or_default();
        let delay = Value::Number(line.delay.as_secs_f64());
        let values = [Value::Number(line.backlog as f64), delay, Value::Number(received as f64)];
        let results: Vec<_> = values.map(Ok).into_iter().enumerate().collect();
        self.tell(Reach::Answered, &results, hub).await
    }

    /// The edge cannot be reached.
    async fn miss(&self, why: Reason, hub: &Hub) -> Result<(), StationGone> {
        let results: Vec<_> = (0..POINTS).map(|point| (point, Err(why))).collect();
        self.tell(Reach::Away, &results, hub).await
    }

    async fn tell(
        &self,
        reach: Reach,
        results: &[(usize, Result<Value, Reason>)],
        hub: &Hub,
    ) -> Result<(), StationGone> {
        for device in &self.devices {
            let report = Report { device: device.clone(), reach, results: results.to_vec() };
            hub.report(report, Instant::now()).await?;
        }
        Ok(())
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `backlog`, `delay` and `received`, in this order.
const POINTS: usize = 3;

/// Whoever watches an edge is told of it once a second at most.
const BREATH: Duration = Duration::from_secs(1);

/// So many breaths between two words that an edge is still away: as often as it would be heard of.
const LOOK_AGAIN: u64 = 10;

/// Longer than that nobody waits for a count.
const LOOK_UP_WITHIN: Duration = Duration::from_millis(200);

const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// A thousand edges that arrive at once; whoever finds no room waits.
const INBOX: usize = 1024;

#[cfg(test)]
mod tests;
