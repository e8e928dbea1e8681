//! One client: the link's session, carried out on a real socket.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use link::{Action, Config, Event, News, Policy, Session};
use protocol::digest::Seal;
use protocol::id::DeviceId;
use protocol::stream::StreamName;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::clock;
use crate::line::{Line, Turn};

/// Who a client is and where it dials.
#[derive(Clone, Debug)]
pub struct Setup {
    pub address: SocketAddr,
    pub device: DeviceId,
    pub seal: Seal,
    pub policy: Policy,
    pub seed: u64,
    /// Streams beside that of its device.
    pub want: BTreeSet<StreamName>,
    /// Frames are taken off the socket at once and verified so much later: on a small machine a
    /// thousand clients that verify would otherwise hold up the frames of one another.
    pub verify_after: Duration,
}

impl Setup {
    /// A client as a browser is one.
    pub fn new(address: SocketAddr, device: DeviceId, seal: Seal, seed: u64) -> Self {
        let (want, verify_after) = (BTreeSet::new(), Duration::ZERO);
        Self { address, device, seal, policy: Policy::native(), seed, want, verify_after }
    }
}

/// Looks over a client's shoulder.
pub trait Watch: Send + 'static {
    /// A text came off the socket, and the session does not know it yet; `at` in microseconds.
    fn heard(&mut self, text: &str, session: &Session, at: u64);

    /// The session has this to say.
    fn told(&mut self, news: &News, session: &Session);
}

/// What a client can be asked.
enum Order<W> {
    /// Break the connection, as if a cable had been pulled.
    Cut,
    Look(Look<W>),
    /// Give this order to its device.
    Give {
        id: String,
        name: String,
        param: Option<String>,
    },
}

type Look<W> = Box<dyn FnOnce(&Session, &mut W) + Send>;

/// A client at work; it leaves when this is dropped.
#[derive(Debug)]
pub struct Client<W> {
    orders: mpsc::Sender<Order<W>>,
    task: JoinHandle<()>,
}

impl<W: Watch> Client<W> {
    pub fn start(setup: Setup, watch: W) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let task = tokio::spawn(Stay::new(setup, watch).run(inbox));
        Self { orders, task }
    }

    pub async fn cut(&self) {
        // One that has left needs no cut.
        let _ = self.orders.send(Order::Cut).await;
    }

    /// Has it give an order to its device.
    pub async fn order(&self, id: String, name: String, param: Option<String>) {
        // One that has left orders nothing.
        let _ = self.orders.send(Order::Give { id, name, param }).await;
    }

    /// Looks at the client, from within; `None` if it has left.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Session, &mut W) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let look = move |session: &Session, watch: &mut W| {
            let _ = answer.send(look(session, watch));
        };
        self.orders.send(Order::Look(Box::new(look))).await.ok()?;
        answered.await.ok()
    }

    /// Lets it say goodbye.
    pub async fn leave(self) {
        drop(self.orders);
        let _ = self.task.await;
    }
}

struct Stay<W> {
    setup: Setup,
    session: Session,
    line: Line,
    /// What came off the socket and is not verified yet, and when it is to be, in microseconds.
    unverified: VecDeque<(u64, Event)>,
    watch: W,
}

impl<W: Watch> Stay<W> {
    fn new(setup: Setup, watch: W) -> Self {
        let config = Config {
            device: setup.device.clone(),
            seal: setup.seal.clone(),
            policy: setup.policy,
            seed: setup.seed,
            clock: clock::clock(),
            resume: None,
        };
        let session = Session::new(config, clock::now());
        Self { setup, session, line: Line::None, unverified: VecDeque::new(), watch }
    }

    async fn run(mut self, mut orders: mpsc::Receiver<Order<W>>) {
        let want = self.setup.want.clone();
        self.handle(Event::Want(want)).await;
        loop {
            let has_room = self.unverified.len() < MOST_UNVERIFIED;
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => break,
                },
                turn = self.line.turn(), if has_room => self.take(turn).await,
                () = due(self.unverified.front()) => {
                    if let Some((_, event)) = self.unverified.pop_front() {
                        self.handle(event).await;
                    }
                }
                () = wake(&self.session) => self.handle(Event::Tick).await,
            }
        }
        self.handle(Event::Leave).await;
    }

    async fn obey(&mut self, order: Order<W>) {
        match order {
            Order::Give { id, name, param } => {
                let device = self.setup.device.clone();
                self.handle(Event::Command { id, device, name, param }).await;
            }
            Order::Look(look) => look(&self.session, &mut self.watch),
            Order::Cut => {
                self.line.cut();
                self.unverified.clear();
                self.handle(Event::Closed(crate::line::NO_GOODBYE)).await;
            }
        }
    }

    /// Takes what came of the socket; what is verified later keeps its order.
    async fn take(&mut self, turn: Turn) {
        let at = clock::micros();
        let event = match turn {
            Turn::Opened => return self.handle(Event::Opened).await,
            Turn::Heard(text) => {
                self.watch.heard(&text, &self.session, at);
                Event::Heard(text)
            }
            Turn::Closed(code) => Event::Closed(code),
        };
        if self.setup.verify_after.is_zero() {
            return self.handle(event).await;
        }
        let after = u64::try_from(self.setup.verify_after.as_micros()).unwrap_or(u64::MAX);
        self.unverified.push_back((at.saturating_add(after), event));
    }

    async fn handle(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            for action in self.session.handle(event, clock::now()) {
                if self.carry_out(action).await.is_err() {
                    next = Some(Event::Closed(crate::line::NO_GOODBYE));
                }
            }
        }
    }

    async fn carry_out(&mut self, action: Action) -> Result<(), crate::line::Broken> {
        match action {
            Action::Dial { connection } => {
                self.line = Line::dial(self.setup.address, &self.setup.device, connection.as_ref());
            }
            Action::Send(text) => return self.line.send(text).await,
            Action::HangUp(code) => {
                self.unverified.clear();
                self.line.hang_up(code);
            }
            Action::Apply(news) => self.watch.told(&news, &self.session),
            Action::Announce(_) | Action::Remember(_) => {}
        }
        Ok(())
    }
}

async fn due(first: Option<&(u64, Event)>) {
    match first {
        Some((at, _)) => {
            sleep(Duration::from_micros(at.saturating_sub(clock::micros()))).await;
        }
        None => std::future::pending().await,
    }
}

async fn wake(session: &Session) {
    match session.wake_at() {
        Some(at) => sleep(clock::until(at)).await,
        None => std::future::pending().await,
    }
}

/// Orders that wait; whoever gives one more waits too.
const ORDERS: usize = 4;

/// Beyond it nothing more is taken off the socket.
const MOST_UNVERIFIED: usize = 256;
