//! How it ends.

use std::process::Command;

use crate::client::Client;
use crate::running::Running;

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    // It waits for a client that does not answer the close.
    let _client = Client::dial(&server.address, None).await;
    let both = format!("kill -TERM {0}; kill -INT {0}", server.id());
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    assert_eq!(server.ended(), Some(130));
}
