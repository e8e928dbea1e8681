//! The Station, and the journal that lets it and the next process go on where it was.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use config::Configuration;
use engine::{Event, Journal, Limits, Setup};
use gateway::{Hub, Stopwatch};
use protocol::id::ChannelId;
use protocol::journal::Past;
use protocol::part::Part;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parts::tell_condition;
use crate::supervise::keep_alive;

/// The one writer of all streams, started again where it fails; and the journal that lets it, and
/// the next process, go on where it was.
pub(super) async fn start_station(
    configuration: &Configuration,
    paces: &BTreeMap<ChannelId, watch::Receiver<Duration>>,
    stopwatch: Stopwatch,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Hub {
    let (disk, inbox) = store::Journal::open();
    let past = store::read_past(&configuration.data_dir, READ_PAST_WITHIN).await;
    let past = past.unwrap_or_else(|error| {
        tracing::error!("nothing of the time before is known: {error}");
        Past::default()
    });
    let journal = Journal::after(past, stopwatch.clock().at(stopwatch.now()));
    let (hub, desk) = Hub::open(&configuration.plant, journal, disk, stopwatch);
    let desk = Arc::new(Mutex::new(desk));
    let setup = {
        let (plant, push) = (configuration.plant.clone(), configuration.push);
        let paces = paces.clone();
        move || Setup {
            plant: plant.clone(),
            intervals: paces.iter().map(|(id, pace)| (*id, *pace.borrow())).collect(),
            push,
            limits: Limits::default(),
        }
    };
    let stopped = stop.clone();
    let run = move || gateway::run_station(Arc::clone(&desk), setup(), stopped.clone());
    let (stopped, ended) = (stop.clone(), CancellationToken::new());
    start_journal(configuration, inbox, &hub, tasks, ended.clone());
    tasks.spawn(async move {
        keep_alive("station", stopped, run).await;
        ended.cancel();
    });
    hub
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

/// How long a disk that fails may hold up the end of the process.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How soon a clock that was set is noticed, and how far it may drift unnoticed.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
const CLOCK_TOLERANCE: Duration = Duration::from_millis(500);
