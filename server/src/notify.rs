//! Tells systemd, where it started the process, what the process is at and that it is well.

use std::net::SocketAddr;
use std::time::Duration;

use gateway::Hub;
use sd_notify::NotifyState;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What the process is at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// It wants to listen there, and waits where another program does.
    Opening(SocketAddr),
    /// It can serve, from now on or again.
    Serving(SocketAddr),
    /// It reads its configuration again; `Serving` follows.
    Reloading,
    /// It serves, and its Station answers.
    Alive(SocketAddr),
    /// Its Station does not answer.
    Hung,
    Stopping,
}

/// Tells systemd. Without `NOTIFY_SOCKET` in the environment nobody hears it.
pub(crate) fn tell(stage: Stage) {
    let words = stage.words();
    let told = stage.states(&words).and_then(|states| sd_notify::notify(&states));
    if let Err(error) = told {
        tracing::warn!("systemd cannot be told that {words}: {error}");
    }
}

/// Waits until clients can be served; `false` where it is time to stop first.
pub(crate) async fn is_ready(hub: &Hub, stop: &CancellationToken) -> bool {
    let ready = async {
        while hub.ready().await.is_err() {
            sleep(LOOK_AGAIN).await;
        }
    };
    stop.run_until_cancelled(ready).await.is_some()
}

/// How often systemd wants to hear of us: thrice within the time after which it ends the process.
pub(crate) fn beat() -> Option<Duration> {
    let period = sd_notify::watchdog_enabled()?.checked_div(BEATS)?;
    (!period.is_zero()).then_some(period)
}

/// Shows at each beat, until `stop`, that the Station answers. One that does not is not vouched
/// for, so that systemd starts the process again (S0-68).
pub(crate) async fn keep_beating(
    beat: Duration,
    (hub, address): (&Hub, SocketAddr),
    stop: &CancellationToken,
    tell: impl Fn(Stage),
) {
    while stop.run_until_cancelled(sleep(beat)).await.is_some() {
        match stop.run_until_cancelled(hub.answers(beat)).await {
            Some(Ok(())) => tell(Stage::Alive(address)),
            Some(Err(error)) => {
                tracing::error!("{error}: systemd is not told that all is well");
                tell(Stage::Hung);
            }
            None => return,
        }
    }
}

impl Stage {
    /// For people: `systemctl status` shows it.
    fn words(&self) -> String {
        match self {
            Self::Opening(address) => format!("waiting for {address}"),
            Self::Serving(address) | Self::Alive(address) => format!("serving at http://{address}"),
            Self::Reloading => "reading the configuration again".into(),
            Self::Hung => "the station does not answer".into(),
            Self::Stopping => "stopping".into(),
        }
    }

    fn states<'a>(&self, words: &'a str) -> std::io::Result<Vec<NotifyState<'a>>> {
        let status = NotifyState::Status(words);
        Ok(match self {
            Self::Opening(_) | Self::Hung => vec![status],
            Self::Serving(_) => vec![NotifyState::Ready, status],
            Self::Reloading => {
                vec![NotifyState::Reloading, NotifyState::monotonic_usec_now()?, status]
            }
            Self::Alive(_) => vec![NotifyState::Watchdog, status],
            // The last beat lasts longer than the grace period.
            Self::Stopping => vec![NotifyState::Stopping, NotifyState::Watchdog, status],
        })
    }
}

/// Of three beats, two may come late.
const BEATS: u32 = 3;

/// How soon it is noticed that all streams have begun.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::{ArbiterPolicy, Journal, Limits, PushStrategy, Setup};
    use gateway::{Shelf, Stopwatch};
    use tokio::sync::{Mutex, mpsc};

    use super::*;
    use crate::demo;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 8080))
    }

    fn lines(stage: Stage) -> Vec<String> {
        let words = stage.words();
        stage.states(&words).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_stage_is_told_in_systemds_words() {
        let serving = "STATUS=serving at http://127.0.0.1:8080";
        let table: [(Stage, &[&str]); 5] = [
            (Stage::Opening(address()), &["STATUS=waiting for 127.0.0.1:8080"]),
            (Stage::Serving(address()), &["READY=1", serving]),
            (Stage::Alive(address()), &["WATCHDOG=1", serving]),
            (Stage::Hung, &["STATUS=the station does not answer"]),
            (Stage::Stopping, &["STOPPING=1", "WATCHDOG=1", "STATUS=stopping"]),
        ];
        for (stage, told) in table {
            assert_eq!(lines(stage), told, "{stage:?}");
        }
        let reloading = lines(Stage::Reloading);
        assert_eq!(reloading.first().map(String::as_str), Some("RELOADING=1"));
        let at = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        assert!(at.parse::<u64>().unwrap() > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_station_that_does_not_answer_is_not_vouched_for() {
        // S0-68
        let (plant, stopwatch) =
            (demo::prepare(&[], Vec::new()).await.unwrap(), Stopwatch::start());
        let plant = plant.configuration.plant;
        let (disk, _inbox) = store::Journal::open();
        let (commands, _commands_inbox, _durable) = store::Commands::open();
        let (audit, _) = store::Audit::open();
        let journal = Journal::default();
        let shelf = Shelf { journal, disk, commands, backlog: None, audit };
        let (hub, desk, _todo) = Hub::open(&plant, shelf, stopwatch);
        let desk = Arc::new(Mutex::new(desk));
        let (heard, mut stages) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (here, stopped) = (hub.clone(), stop.clone());
        let beating = tokio::spawn(async move {
            let tell = |stage| heard.send(stage).unwrap();
            keep_beating(Duration::from_secs(3), (&here, address()), &stopped, tell).await;
        });
        // Nobody sits at the desk.
        assert_eq!(stages.recv().await, Some(Stage::Hung));
        assert!(hub.ready().await.is_err());

        let setup = Setup {
            plant,
            intervals: [].into(),
            push: PushStrategy::default(),
            limits: Limits::default(),
            arbiter: ArbiterPolicy::default(),
        };
        let station = tokio::spawn(gateway::run_station(desk, setup, stop.clone()));
        while stages.recv().await != Some(Stage::Alive(address())) {}
        assert!(is_ready(&hub, &stop).await);

        station.abort();
        while stages.recv().await != Some(Stage::Hung) {}
        stop.cancel();
        beating.await.unwrap();
        assert!(!is_ready(&hub, &stop).await);
    }
}
