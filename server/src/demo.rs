//! The plant of whoever has no configuration yet: the sample, on boards in this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use config::finding::Place;
use config::overrides::{Override, Variables};
use config::{Configuration, PointTable, Refusal, Source};
use field::simulator::Board;

pub(crate) mod simulate;

/// The demonstration: what is configured, and the boards it needs.
pub(crate) struct Demo {
    pub configuration: Configuration,
    pub boards: Vec<Board>,
}

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("no board of the demonstration can listen")]
    Bind(#[from] io::Error),
}

/// The sample that the documentation shows.
pub(crate) fn source() -> Source {
    Source {
        name: "demo gapless.toml".into(),
        text: include_bytes!("../gapless.toml").into(),
        points: PointTable::Embedded(include_bytes!("../points.csv")),
    }
}

/// Reads the sample and gives each of its channels a board at a free port.
pub(crate) async fn prepare(
    variables: &Variables,
    flags: Vec<Override>,
) -> Result<Demo, DemoError> {
    let mut boards = Vec::new();
    let mut overrides = Vec::new();
    for config in config::read(&source(), variables, flags.clone())?.channels {
        let units: Vec<u8> = config.targets.iter().map(|target| target.unit).collect();
        let seed = u64::from(config.id.0) * SEEDS_APART;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut board = Board::bind(address, &units, seed).await?;
        config.targets.iter().for_each(|target| board.wire(target));
        overrides.push(Override {
            path: vec!["channel".into(), config.id.to_string(), "port".into()],
            value: board.local_addr().port().to_string(),
            place: Place::BuiltIn,
        });
        boards.push(board);
    }
    overrides.extend(flags);
    let mut configuration = config::read(&source(), variables, overrides)?;
    configuration.plant.demo = true;
    Ok(Demo { configuration, boards })
}

/// So that boards of different channels never live the same life.
const SEEDS_APART: u64 = 1_000;

#[cfg(test)]
mod tests {
    use field::map::{ChannelConfig, Transport};
    use field::poller::{self, News, Polled};
    use field::work::Jobs;
    use protocol::point::Role;
    use tokio::sync::{mpsc, watch};
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[test]
    fn the_sample_has_neither_mistakes_nor_warnings() {
        let read = config::read(&source(), &[], Vec::new()).unwrap();
        assert_eq!(read.warnings, []);
        let ids: Vec<_> = read.plant.devices.iter().map(|device| device.id.as_str()).collect();
        assert_eq!(ids, ["board-1", "board-2", "board-3", "board-4"]);
        for device in &read.plant.devices {
            // S0-4, S0-6, S0-7, S0-104
            assert!(device.points.len() >= 40, "{}", device.id);
            assert_eq!(device.overview.len(), 3);
            let named = device.points.iter().all(|point| point.name.zh != point.name.en);
            assert!(named, "every point of {} has a name in both languages", device.id);
            let has = |wanted: fn(&Role) -> bool| device.points.iter().any(|p| wanted(&p.role));
            assert!(has(|role| *role == Role::Testing));
            assert!(has(|role| matches!(role, Role::Alarm(Some(_)))));
            assert!(has(|role| matches!(role, Role::Fault(Some(_)))));
        }
    }

    #[test]
    fn every_board_of_the_sample_takes_the_same_orders() {
        // S0-17, S0-18, S0-19, S0-11
        let read = config::read(&source(), &[], Vec::new()).unwrap();
        for device in &read.plant.devices {
            let names: Vec<_> = device.commands.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, ORDERS, "{}", device.id);
            let named = device.commands.iter().all(|command| command.title.zh != command.title.en);
            assert!(named, "every command of {} has a title in both languages", device.id);
        }
    }

    const ORDERS: [&str; 14] = [
        "START",
        "STOP",
        "AUTOMATIC",
        "SET_TEMP_THRESHOLD",
        "RESET_ERROR",
        "SET_POLL_INTERVAL",
        "SET_CLOCK",
        "temp_threshold",
        "stage_1_voltage",
        "stage_1_delay",
        "reset",
        "remote_off",
        "remote_on",
        "automatic",
    ];

    #[tokio::test]
    async fn each_channel_of_the_demonstration_has_a_board_at_its_port() {
        let Demo { configuration, boards } = prepare(&[], Vec::new()).await.unwrap();
        assert!(configuration.plant.demo);
        let listening: Vec<_> = boards.iter().map(|board| board.local_addr().port()).collect();
        let port = |config: &ChannelConfig| match config.transport {
            Transport::Tcp { port, .. } => port,
            Transport::Rtu { .. } => 0,
        };
        let asked: Vec<_> = configuration.channels.iter().map(port).collect();
        assert_eq!(asked, listening);
    }

    #[tokio::test]
    async fn every_point_of_the_demonstration_is_read() {
        let Demo { configuration, boards } = prepare(&[], Vec::new()).await.unwrap();
        let stop = CancellationToken::new();
        let _stop_at_the_end = stop.clone().drop_guard();
        for board in boards {
            tokio::spawn(board.run(stop.clone()));
        }
        for config in configuration.channels {
            let (outbox, mut inbox) = mpsc::channel(1);
            let (_pace, paced) = watch::channel(config.poll_interval);
            let points = config.targets[0].mappings.len();
            let (_jobs, todo) = Jobs::open();
            tokio::spawn(poller::run(config, paced, todo, outbox, stop.clone()));
            let Some(News::Polled(Polled { report, .. })) = inbox.recv().await else { panic!() };
            assert_eq!(report.results.len(), points);
            let failed = report.results.iter().find(|(_, result)| result.is_err());
            assert_eq!(failed, None, "of {}", report.device);
        }
    }
}
