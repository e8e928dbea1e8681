//! Whether PSCADA is there: as long as a unit is asked often enough, it is, for all its devices.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::id::DeviceId;
use tokio::sync::{mpsc, watch};
use tokio::time::{self, Instant};

use super::map::SlaveMap;

/// Keeps `reach` true, until nobody can ask any more.
pub(super) async fn watch(
    mut asked: mpsc::Receiver<u8>,
    map: &SlaveMap,
    timeout: Duration,
    reach: &watch::Sender<BTreeSet<DeviceId>>,
) {
    let mut last = BTreeMap::<u8, Instant>::new();
    loop {
        let next = last.values().min().map(|at| *at + timeout);
        tokio::select! {
            unit = asked.recv() => match unit {
                Some(unit) => drop(last.insert(unit, Instant::now())),
                None => return,
            },
            () = time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                let now = Instant::now();
                last.retain(|_, at| *at + timeout > now);
            }
        }
        let there: BTreeSet<_> = last.keys().flat_map(|unit| map.devices(*unit)).collect();
        reach.send_if_modified(|known| {
            let is_news = !known.iter().eq(there.iter().copied());
            if is_news {
                *known = there.iter().copied().cloned().collect();
            }
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{Area, ByteOrder, DataType, Mapping};
    use crate::slave::{Content, Entry};

    #[tokio::test(start_paused = true)]
    async fn pscada_is_there_as_long_as_it_asks() {
        // S0-8
        let map = SlaveMap::new([(94, entry("a")), (94, entry("b")), (95, entry("c"))]);
        let (reach, mut told) = watch::channel(BTreeSet::new());
        let (asked, heard) = mpsc::channel(1);
        let timeout = Duration::from_secs(10);
        tokio::spawn(async move { watch(heard, &map, timeout, &reach).await });
        let begun = Instant::now();
        asked.send(94).await.unwrap();
        assert_eq!(next(&mut told).await, ["a", "b"]);
        time::sleep(Duration::from_secs(6)).await;
        asked.send(95).await.unwrap();
        assert_eq!(next(&mut told).await, ["a", "b", "c"]);
        assert_eq!(next(&mut told).await, ["c"]);
        assert_eq!(begun.elapsed().as_secs(), 10);
        assert_eq!(next(&mut told).await, [] as [&str; 0]);
        assert_eq!(begun.elapsed().as_secs(), 16);
    }

    async fn next(told: &mut watch::Receiver<BTreeSet<DeviceId>>) -> Vec<String> {
        told.changed().await.unwrap();
        told.borrow_and_update().iter().map(ToString::to_string).collect()
    }

    fn entry(device: &str) -> Entry {
        let mapping = Mapping {
            area: Area::HoldingRegister,
            address: 0,
            data_type: DataType::Uint16,
            byte_order: ByteOrder::Ab,
            bit: None,
            scale: 1.0,
            offset: 0.0,
            poll: None,
            decimals: 0,
        };
        Entry { device: device.parse().unwrap(), mapping, content: Content::Reserved }
    }
}
