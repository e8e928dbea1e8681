//! Who may come in: the book of people, the first of them, and the porter.

use std::sync::Arc;

use anyhow::Context as _;
use config::Configuration;
use gateway::{FirstSignIn, Hub, People, PeopleDesk, Rules, first_sign_in, run_people};
use protocol::time::Timestamp;
use store::{Audit, Records};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::supervise::keep_alive;
use crate::token_key::{Centers, ISSUER, token_keys};

/// Who may come in, before anybody does.
pub(super) struct Entrance {
    people: People,
    /// `None` where nobody has to sign in.
    desk: Option<PeopleDesk>,
    /// How the first administrator signs in, where there was nobody.
    first: Option<FirstSignIn>,
}

impl Entrance {
    /// Lets people in from now on; who may, and how the first of them does.
    pub(super) fn open(
        self,
        hub: &Hub,
        (records, audit): (&Records, &Audit),
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> (People, Option<FirstSignIn>) {
        if let Some(desk) = self.desk {
            start_people(desk, hub, (records.clone(), audit.clone()), tasks, stop);
        }
        (self.people, self.first)
    }
}

/// Opens the book, and puts an administrator into it if it is empty.
pub(super) async fn open_people(
    configuration: &Configuration,
    now: Timestamp,
) -> anyhow::Result<Entrance> {
    if !configuration.auth.enabled {
        return Ok(Entrance { people: People::anonymous(), desk: None, first: None });
    }
    let directory = &configuration.data_dir;
    let uplink = configuration.uplink.as_ref();
    let centers =
        Centers { keys: &configuration.auth.center_keys, edge: uplink.map(|uplink| &uplink.edge) };
    let keys = token_keys(directory, &centers, now)?;
    tracing::info!("tokens of this server are verified by {}", keys.signer.public());
    let book = store::People::open(directory).await.context("nobody could sign in")?;
    let first = first_sign_in(&book, directory, now).await.context("nobody could sign in")?;
    let rules = Rules {
        issuer: ISSUER.into(),
        access: configuration.auth.access_lifetime,
        refresh: configuration.auth.refresh_lifetime,
        lock_after: configuration.auth.lock_after,
    };
    let opened = People::open(book, rules, keys).await;
    let (people, desk) = opened.context("nobody could sign in")?;
    Ok(Entrance { people, desk: Some(desk), first })
}

/// The porter, started again where it fails: whoever is in stays in.
fn start_people(
    desk: PeopleDesk,
    hub: &Hub,
    (records, audit): (Records, Audit),
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let desk = Arc::new(Mutex::new(desk));
    let (hub, stopped) = (hub.clone(), stop.clone());
    let run = move || {
        let (records, audit) = (records.clone(), audit.clone());
        run_people(Arc::clone(&desk), hub.clone(), records, audit, stopped.clone())
    };
    let stop = stop.clone();
    tasks.spawn(async move { keep_alive("porter", stop, run).await });
}
