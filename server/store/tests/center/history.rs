//! What those who ask are told of an edge.

use store::EdgeFilter;

use crate::desk::{Desk, all_of, at, batch, ids};

#[tokio::test]
async fn pages_hold_every_row_once_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    for number in (0..10).rev() {
        desk.keep("north", batch("one", number * 100..(number + 1) * 100)).await;
        desk.keep("south", batch("one", number * 100..(number + 1) * 100)).await;
    }
    let device = Some("board-1".parse().unwrap());
    let (from, to) = (Some(at(20)), Some(at(80)));
    let history = desk.center.history();
    for filter in [
        all_of("north"),
        EdgeFilter { device: device.clone(), ..all_of("south") },
        EdgeFilter { device, from, to, ..all_of("north") },
        EdgeFilter { from, ..all_of("north") },
        all_of("east"),
    ] {
        let is_wanted = |id: &u64| {
            let moment = at(id / 7);
            filter.edge.as_str() != "east"
                && filter.device.as_ref().is_none_or(|_| id % 3 == 1)
                && filter.from.is_none_or(|from| moment >= from)
                && filter.to.is_none_or(|to| moment < to)
        };
        let expected: Vec<_> = (0..1_000).filter(is_wanted).collect();
        for limit in [1_u32, 7, 100] {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let page = history.page(&filter, before, limit.try_into().unwrap()).await.unwrap();
                assert!(page.rows.len() <= limit as usize);
                found.extend(page.rows);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert!(found.is_sorted_by(|a, b| a.row.row.timestamp >= b.row.row.timestamp));
            let mut ids = ids(&found);
            ids.sort_unstable();
            assert_eq!(ids, expected, "{filter:?} by {limit}");
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn rows_that_come_meanwhile_change_no_page_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep("north", batch("one", 0..300)).await;
    let (history, filter) = (desk.center.history(), all_of("north"));
    let first = history.page(&filter, None, 50.try_into().unwrap()).await.unwrap();
    desk.keep("north", batch("one", 300..400)).await;
    let second = history.page(&filter, first.next, 50.try_into().unwrap()).await.unwrap();
    assert!(ids(&second.rows).into_iter().eq((200..250).rev()));
    desk.close().await;
}
