//! The Station, and the journal that lets it and the next process go on where it was.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use config::Configuration;
use engine::{ArbiterPolicy, Event, Journal, Limits, Setup};
use gateway::{Hub, Shelf, Stopwatch};
use protocol::command::OrderKey;
use protocol::job::Job;
use protocol::journal::Past;
use protocol::part::Part;
use protocol::time::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parts::tell_condition;
use crate::paces::Paces;
use crate::supervise::keep_alive;

/// What the Station starts from beside its journal: orders, and the pace of each channel.
pub(super) struct Orders {
    pub commands: store::Commands,
    pub inbox: store::CommandsInbox,
    /// Intents that are on the disk.
    pub durable: mpsc::Receiver<OrderKey>,
    pub paces: Paces,
    pub journal: store::JournalInbox,
    /// The Station has ended for good: what is still to be written is written now.
    pub ended: CancellationToken,
}

impl Orders {
    /// Opens what orders are kept in, and reads what earlier processes left there and elsewhere.
    pub(super) async fn open(
        configuration: &Configuration,
        backlog: Option<store::Backlog>,
        audit: store::Audit,
        stopwatch: Stopwatch,
    ) -> (Self, Shelf) {
        let directory = &configuration.data_dir;
        let now = stopwatch.clock().at(stopwatch.now());
        let (commands, inbox, durable) = store::Commands::open();
        let (disk, journal) = store::Journal::open();
        let since = Timestamp::from_millis(now.as_millis().saturating_sub(SAME_ORDER_MS));
        let (past, recent, settings) = tokio::join!(
            store::read_past(directory, READ_PAST_WITHIN),
            store::read_recent_commands(directory, since, READ_PAST_WITHIN),
            store::read_settings(directory, READ_PAST_WITHIN),
        );
        let past = past.unwrap_or_else(|error| {
            tracing::error!("nothing of the time before is known: {error}");
            Past::default()
        });
        let recent = recent.unwrap_or_else(|error| {
            tracing::error!("no order of the time before is known: {error}");
            Vec::new()
        });
        let settings = settings.unwrap_or_else(|error| {
            tracing::error!("what was ordered to stay is not known: {error}");
            BTreeMap::new()
        });
        let paces = Paces::new(configuration, &settings, commands.clone());
        let past = Past { commands: recent, ..past };
        let (journal_past, commands_here) = (Journal::after(past, now), commands.clone());
        let shelf = Shelf { journal: journal_past, disk, commands: commands_here, backlog, audit };
        let ended = CancellationToken::new();
        (Self { commands, inbox, durable, paces, journal, ended }, shelf)
    }
}

/// The one writer of all streams, started again where it fails; and the journal that lets it, and
/// the next process, go on where it was. What it wants done comes out of the second answer.
pub(super) fn start_station(
    configuration: &Configuration,
    shelf: Shelf,
    orders: &Orders,
    stopwatch: Stopwatch,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> (Hub, mpsc::Receiver<Job>) {
    let (hub, desk, todo) = Hub::open(&configuration.plant, shelf, stopwatch);
    let desk = Arc::new(Mutex::new(desk));
    let setup = {
        let (plant, push) = (configuration.plant.clone(), configuration.push);
        let (paces, arbiter) = (orders.paces.clone(), configuration.arbiter);
        move || Setup {
            plant: plant.clone(),
            intervals: paces.all(),
            push,
            limits: Limits::default(),
            arbiter: ArbiterPolicy { hold: arbiter.hold },
        }
    };
    let stopped = stop.clone();
    let run = move || gateway::run_station(Arc::clone(&desk), setup(), stopped.clone());
    let (stopped, ended) = (stop.clone(), orders.ended.clone());
    start_journal(configuration, orders.journal.clone(), &hub, tasks, ended.clone());
    tasks.spawn(async move {
        keep_alive("station", stopped, run).await;
        ended.cancel();
    });
    (hub, todo)
}

/// Brings to the disk what the Station keeps. It ends by itself once the Station has `ended` and all
/// is written; a disk that fails just then is not waited for much longer.
fn start_journal(
    configuration: &Configuration,
    inbox: store::JournalInbox,
    hub: &Hub,
    tasks: &TaskTracker,
    ended: CancellationToken,
) {
    let conditions = tell_condition(Part::Journal, hub, tasks, &ended);
    let stop = CancellationToken::new();
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
    let write = move || {
        let policy = store::JournalPolicy::default();
        store::write_journal(
            directory.clone(),
            inbox.clone(),
            policy,
            stopped.clone(),
            conditions.clone(),
        )
    };
    tasks.spawn(async move {
        let mut writing = pin!(keep_alive("writer of the journal", stop.clone(), write));
        let last_moment = async {
            ended.cancelled().await;
            sleep(LAST_WRITE).await;
        };
        tokio::select! {
            () = &mut writing => return,
            () = last_moment => stop.cancel(),
        }
        writing.await;
    });
}

/// Follows the machine's wall clock, which somebody may set.
pub(super) async fn follow_clock(hub: Hub, stop: CancellationToken) {
    let stopwatch = hub.stopwatch();
    while stop.run_until_cancelled(sleep(LOOK_AT_CLOCK)).await.is_some() {
        let (clock, now) = (stopwatch.clock(), stopwatch.now());
        let (told, shown) = (hub.time(), clock.at(now));
        if told.since(shown).max(shown.since(told)) < CLOCK_TOLERANCE {
            continue;
        }
        tracing::warn!("the clock was set from {told} to {shown}");
        if hub.tell(Event::ClockSet(clock)).await.is_err() {
            return;
        }
    }
}

/// A disk that takes longer to be read keeps nobody waiting: the server has to be back within three
/// seconds (S0-69).
const READ_PAST_WITHIN: Duration = Duration::from_millis(1500);

/// So long the same id is the same order (`native-wire` 8).
const SAME_ORDER_MS: u64 = 600_000;

/// How long a disk that fails may hold up the end of the process.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How soon a clock that was set is noticed, and how far it may drift unnoticed.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
const CLOCK_TOLERANCE: Duration = Duration::from_millis(500);
