//! Many clients at once.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use link::Session;
use tokio::time::{Instant, sleep};

use crate::client::{Client, Setup, Watch};

/// Clients at work; they leave when this is dropped.
#[derive(Debug)]
pub struct Swarm<W> {
    clients: Vec<Client<W>>,
}

impl<W: Watch> Swarm<W> {
    /// Starts `count` clients, a few at a time: no measurement is about their first arrival.
    pub async fn start(count: usize, mut make: impl FnMut(usize) -> (Setup, W)) -> Self {
        let mut clients = Vec::with_capacity(count);
        for index in 0..count {
            let (setup, watch) = make(index);
            clients.push(Client::start(setup, watch));
            if index % AT_ONCE == AT_ONCE - 1 {
                sleep(BREATH).await;
            }
        }
        Self { clients }
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Looks at all of them; in the order in which they were started.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl Fn(&Session, &mut W) -> T + Clone + Send + 'static,
    ) -> Vec<T> {
        let looks = self.clients.iter().map(|client| client.look(look.clone()));
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// Waits until all of them are as wanted.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        is_so: fn(&Session, &mut W) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + within;
        loop {
            let missing = self.look(is_so).await.into_iter().filter(|is_so| !is_so).count();
            if missing == 0 {
                return Ok(());
            }
            (Instant::now() < end).then_some(()).with_context(|| {
                format!("{missing} of {} clients: {what} not within {within:?}", self.len())
            })?;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Breaks all their connections at once.
    pub async fn cut(&self) {
        join_all(self.clients.iter().map(Client::cut)).await;
    }

    pub async fn leave(self) {
        join_all(self.clients.into_iter().map(Client::leave)).await;
    }
}

/// Whether the session stands and holds a whole table.
pub fn is_whole<W>(session: &Session, _: &mut W) -> bool {
    let status = session.status();
    status.is_live() && status.seq.is_some() && status.lost == status.repaired
}

const AT_ONCE: usize = 50;
const BREATH: Duration = Duration::from_millis(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
