//! The edge's shell: keeps the connection to its center, sends the backlog up and takes orders.

mod orders;
mod socket;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use dialect::View as _;
use engine::Event as StationEvent;
use engine::uploader::{Step, Uploader};
use futures_util::FutureExt as _;
use link::status::LinkState;
use link::{Action, Config, Event, Policy, Session};
use protocol::device::Peer;
use protocol::id::{DeviceId, EdgeId};
use protocol::status::StatusBatch;
use protocol::time::Instant;
use protocol::wire::CloseCode;
use protocol::wire::uplink::{Downward, EdgeMessage, Said, Standing, Upload, seal};
use store::{Backlog, Cursor, Extent};
use tokio_util::sync::CancellationToken;

use self::orders::Orders;
use self::socket::{Line, Turn};
use crate::hub::Hub;

/// Where an edge's center is, and who the edge is there.
#[derive(Clone)]
pub struct Ascent {
    /// Such as `ws://center.example:8080/ws/uplink`.
    pub url: String,
    pub edge: EdgeId,
    pub token: String,
    /// The devices whose link this is.
    pub devices: Vec<DeviceId>,
}

/// The token stays out of logs.
impl fmt::Debug for Ascent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, edge, .. } = self;
        f.debug_struct("Ascent").field("url", url).field("edge", edge).finish_non_exhaustive()
    }
}

/// Keeps the uplink of an edge until `stop`.
pub async fn run_edge(ascent: Ascent, hub: Hub, backlog: Backlog, stop: CancellationToken) {
    let mut extents = backlog.watch();
    let mut edge = Edge::new(ascent, hub, backlog);
    let extent = *extents.borrow_and_update();
    edge.holds(extent).await;
    loop {
        let wake_at = edge.wake_at();
        let stopwatch = edge.hub.stopwatch();
        let happened = tokio::select! {
            () = stop.cancelled() => break,
            turn = edge.line.next() => Happened::Turned(turn),
            changed = extents.changed() => match changed {
                Ok(()) => Happened::Grew(*extents.borrow_and_update()),
                Err(_) => break,
            },
            read = ready(&mut edge.reading) => Happened::Read(read),
            () = ready(&mut edge.marking) => Happened::Marked,
            (device, answer) = edge.orders.next() => Happened::Answered(device, answer),
            () = stopwatch.sleep_until(Some(wake_at)) => Happened::Woke,
        };
        edge.on(happened).await;
    }
    edge.leave().await;
}

/// What can happen to an edge.
enum Happened {
    Turned(Turn),
    Grew(Extent),
    Read(Read),
    Marked,
    Answered(DeviceId, EdgeMessage),
    Woke,
}

/// What a read brought home, and where it ended.
struct Read {
    number: u64,
    rows: Result<(Vec<StatusBatch>, Option<Cursor>), String>,
}

type Work<T> = Option<Pin<Box<dyn Future<Output = T> + Send>>>;

async fn ready<T>(work: &mut Work<T>) -> T {
    match work {
        Some(running) => {
            let done = running.await;
            *work = None;
            done
        }
        None => std::future::pending().await,
    }
}

struct Edge {
    ascent: Ascent,
    hub: Hub,
    backlog: Backlog,
    session: Session,
    uploader: Uploader,
    line: Line,
    /// What is to go up once the line is clear; no more than the uploader has on its way.
    batches: VecDeque<(u64, StatusBatch)>,
    orders: Orders,
    /// Where the last read ended.
    cursor: Option<Cursor>,
    reading: Work<Read>,
    marking: Work<()>,
    extent: Extent,
    told: Option<Standing>,
    is_live: bool,
    /// When to tell again how the edge stands.
    again_at: Instant,
    /// When to try again, where the edge was refused.
    retry_at: Instant,
}

impl Edge {
    fn new(ascent: Ascent, hub: Hub, backlog: Backlog) -> Self {
        let now = hub.stopwatch().now();
        let device = ascent.edge.as_str().parse().expect("edges are named as devices are");
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        let config = Config {
            device,
            seal: seal(&ascent.token),
            policy: Policy::uplink(),
            seed,
            clock: hub.clock(),
            resume: None,
        };
        Self {
            session: Session::new(config, now),
            uploader: Uploader::default(),
            line: Line::default(),
            batches: VecDeque::new(),
            orders: Orders::new(hub.clone()),
            cursor: None,
            reading: None,
            marking: None,
            extent: Extent::default(),
            told: None,
            is_live: false,
            again_at: now,
            retry_at: now,
            ascent,
            hub,
            backlog,
        }
    }

    fn wake_at(&self) -> Instant {
        let due = self.session.wake_at().into_iter().chain(self.uploader.due_at());
        due.chain([self.again_at]).min().unwrap_or(self.again_at)
    }

    async fn on(&mut self, happened: Happened) {
        let now = self.hub.stopwatch().now();
        match happened {
            Happened::Turned(Turn::Link(event)) => self.link(event).await,
            Happened::Turned(Turn::Clear) => {}
            Happened::Grew(extent) => self.holds(extent).await,
            Happened::Read(Read { number, rows }) => {
                let rows = rows.map(|(rows, cursor)| {
                    self.cursor = cursor;
                    rows
                });
                let steps = self.uploader.read(number, rows, now);
                self.follow(steps).await;
            }
            Happened::Marked => {
                let steps = self.uploader.marked();
                self.follow(steps).await;
            }
            Happened::Answered(device, answer) => self.say(device.as_str(), &answer).await,
            Happened::Woke => self.wake().await,
        }
        self.send_on().await;
    }

    /// Writes what was said, then batches one by one as the line takes them: a heartbeat or the
    /// answer to an order never waits for more than one.
    async fn send_on(&mut self) {
        self.line.flush().await;
        while self.line.is_clear()
            && let Some((batch, rows)) = self.batches.pop_front()
        {
            let upload = Upload::new(batch, rows, self.standing());
            let edge = self.ascent.edge.clone();
            self.say(edge.as_str(), &EdgeMessage::Upload(upload)).await;
            self.line.flush().await;
            self.uploader.taken(batch, self.hub.stopwatch().now());
        }
    }

    async fn wake(&mut self) {
        self.catch_up().await;
        let now = self.hub.stopwatch().now();
        self.link(Event::Tick).await;
        let steps = self.uploader.tick(now);
        self.follow(steps).await;
        if self.again_at <= now {
            self.again_at = now + AGAIN;
            let is_refused = matches!(self.session.status().state, LinkState::Refused { .. });
            if is_refused && self.retry_at <= now {
                self.link(Event::Retry).await;
            }
            self.tell_reach().await;
            self.stand(true).await;
        }
    }

    /// Takes what has come already: that counts before the time that has passed.
    async fn catch_up(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            match self.line.next().now_or_never() {
                Some(Turn::Link(event)) => self.link(event).await,
                Some(Turn::Clear) => {}
                None => return,
            }
        }
    }

    /// Tells the session, and does what it wants; what the center said goes to whom it concerns.
    async fn link(&mut self, event: Event) {
        let said = match &event {
            Event::Heard(text) if self.is_live => Downward::read(text, &seal(&self.ascent.token)),
            _ => Said::Other,
        };
        let actions = self.session.handle(event, self.hub.stopwatch().now());
        self.carry_out(actions).await;
        let is_live = self.session.status().is_live();
        if std::mem::replace(&mut self.is_live, is_live) != is_live {
            self.turn().await;
        }
        if let Said::Word(word, at) = said {
            if let Downward::Command(command) = &word {
                let latest = self.session.latest_server_time(self.hub.stopwatch().now());
                let latest = latest.filter(|latest| at <= *latest);
                self.orders.take(command.clone(), latest.map(|latest| latest.since(at)));
            }
            let steps = self.uploader.hear(&word, self.hub.stopwatch().now());
            self.follow(steps).await;
        }
    }

    /// The connection has come to stand, or was lost.
    async fn turn(&mut self) {
        let edge = &self.ascent.edge;
        match self.is_live {
            true => tracing::info!("edge {edge} has reached its center"),
            false => tracing::info!("edge {edge} has lost its center"),
        }
        self.tell_reach().await;
        self.reading = None;
        self.batches.clear();
        if !self.is_live {
            return self.uploader.disconnected();
        }
        self.again_at = self.hub.stopwatch().now() + AGAIN;
        self.stand(true).await;
        let steps = self.uploader.connected();
        self.follow(steps).await;
    }

    async fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Dial { .. } => self.line.dial(&self.ascent),
                Action::Send(text) => self.line.say(text),
                Action::HangUp(code) => self.line.hang_up(code).await,
                Action::Announce(status) => {
                    if let LinkState::Refused { reason, detail } = status.state {
                        tracing::error!("the center refuses this edge, {reason:?}: {detail}");
                        self.retry_at = self.hub.stopwatch().now() + RETRY;
                    }
                }
                Action::Apply(link::News::Notice(notice)) => {
                    tracing::warn!("the center's word about the uplink: {notice:?}");
                }
                // There are no streams here, and no page to come after this one.
                Action::Apply(_) | Action::Remember(_) => {}
            }
        }
    }

    async fn holds(&mut self, extent: Extent) {
        let has_grown = extent.newest_id != self.extent.newest_id;
        self.extent = extent;
        let steps = self.uploader.holds(extent.count, has_grown);
        self.follow(steps).await;
        self.stand(false).await;
    }

    /// Does what the upload needs.
    async fn follow(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Read { number, from_oldest, most } => self.read(number, from_oldest, most),
                Step::Upload { batch, rows } => self.batches.push_back((batch, rows)),
                Step::Mark(mark) => {
                    let (backlog, at) = (self.backlog.clone(), self.hub.time());
                    let put = async move {
                        let _ = match mark.failure {
                            None => backlog.uploaded(&mark.incarnation, mark.ids, at).await,
                            Some(why) => backlog.failed(&mark.incarnation, mark.ids, &why).await,
                        };
                    };
                    self.marking = Some(put.boxed());
                }
                Step::Trouble(Some(why)) => tracing::error!("the backlog cannot be read: {why}"),
                Step::Trouble(None) => tracing::info!("the backlog can be read again"),
                Step::HangUp(why) => {
                    tracing::warn!("the uplink begins anew: {why}");
                    self.line.hang_up(CloseCode::Normal).await;
                    Box::pin(self.link(Event::Closed(CloseCode::Normal))).await;
                }
            }
        }
    }

    fn read(&mut self, number: u64, from_oldest: bool, most: usize) {
        // A read that fails leaves the place to the next.
        let cursor = self.cursor.clone().filter(|_| !from_oldest);
        let (backlog, most) = (self.backlog.clone(), u32::try_from(most).unwrap_or(u32::MAX));
        let read = async move {
            let rows = backlog.batches_after(cursor.as_ref(), most).await;
            Read { number, rows: rows.map_err(|error| error.to_string()) }
        };
        self.reading = Some(read.boxed());
    }

    fn standing(&self) -> Standing {
        Standing { oldest: self.extent.oldest, pending: self.extent.count }
    }

    /// Tells the center how much waits, where that is due or where nothing waits any more.
    async fn stand(&mut self, is_due: bool) {
        let standing = self.standing();
        let is_done = standing.pending == 0 && self.told.is_some_and(|told| told != standing);
        if !self.is_live || !(is_due || is_done) {
            return;
        }
        self.told = Some(standing);
        let edge = self.ascent.edge.clone();
        self.say(edge.as_str(), &EdgeMessage::Standing(standing)).await;
    }

    async fn say(&mut self, about: &str, message: &EdgeMessage) {
        if let EdgeMessage::Upload(upload) = message {
            self.told = Some(upload.standing());
        }
        let text = message.write(about, self.hub.time());
        let actions = self.session.handle(Event::Say(text), self.hub.stopwatch().now());
        Box::pin(self.carry_out(actions)).await;
    }

    /// Each of the edge's devices shows whether its system server can be reached (S0-8).
    async fn tell_reach(&mut self) {
        for device in &self.ascent.devices {
            let (device, peer) = (device.clone(), Peer::SystemServer);
            let reached = StationEvent::Reached { device, peer, reached: self.is_live };
            // Without a Station there is nobody to tell.
            let _ = self.hub.tell(reached).await;
        }
    }

    async fn leave(&mut self) {
        let actions = self.session.handle(Event::Leave, self.hub.stopwatch().now());
        self.carry_out(actions).await;
    }
}

/// How often the center hears how its edge stands, and a Station that was started again whether the
/// center is reached.
const AGAIN: Duration = Duration::from_secs(10);

/// Somebody may have set the right token meanwhile; whoever has a wrong one fills no records.
const RETRY: Duration = Duration::from_secs(60);

/// More than a center has to say at once: answers to all batches, and orders to all devices.
const MOST_AT_ONCE: usize = 128;

#[cfg(test)]
mod tests;
