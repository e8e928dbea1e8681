//! What orders change for good.

use store::{read_settings, setting_in_force};

use crate::desk::{Desk, PATIENCE, now};

const PACE: &str = "channel/1/poll_interval_ms";

#[tokio::test]
async fn what_an_order_set_holds_after_a_restart_until_the_configuration_is_edited() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read_settings(folder.path(), PATIENCE).await.unwrap().is_empty());
    let before = now();
    let desk = Desk::open(folder.path());
    assert!(desk.commands.set(PACE, "5000", "1000").await);
    assert!(desk.commands.set("channel/2/poll_interval_ms", "300", "1000").await);
    desk.close().await;
    let desk = Desk::open(folder.path());
    assert!(desk.commands.set(PACE, "2000", "1000").await);
    desk.close().await;
    let kept = read_settings(folder.path(), PATIENCE).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept[PACE].at >= before);
    assert_eq!(setting_in_force(kept.get(PACE), "1000"), "2000");
    assert_eq!(setting_in_force(kept.get(PACE), "500"), "500");
    assert_eq!(setting_in_force(kept.get("channel/3/poll_interval_ms"), "500"), "500");
}
