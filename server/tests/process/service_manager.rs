//! What systemd hears; the test sits at its socket.

use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::plant::Plant;
use crate::running::{PATIENCE, Running, serve};

/// The next message with this line in it.
async fn hear(socket: &UnixDatagram, line: &str) -> String {
    let hear = async {
        loop {
            let mut buffer = [0; 4096];
            let length = socket.recv(&mut buffer).await.unwrap();
            let message = std::str::from_utf8(&buffer[..length]).unwrap();
            if message.lines().any(|one| one == line) {
                return message.to_owned();
            }
        }
    };
    timeout(PATIENCE, hear).await.unwrap_or_else(|_| panic!("systemd does not hear {line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_of_each_stage_and_that_the_station_answers() {
    // S0-68
    let folder = tempfile::tempdir().unwrap();
    let _plant = Plant::begin(folder.path()).await;
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = serve(folder.path(), "127.0.0.1:0");
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "600000").env_remove("WATCHDOG_PID");
    let mut server = Running::launch(command);
    hear(&socket, "STATUS=waiting for 127.0.0.1:0").await;
    server.is_up();
    let serving = format!("STATUS=serving at http://{}", server.address);
    assert!(hear(&socket, "READY=1").await.contains(&serving));
    assert!(hear(&socket, "WATCHDOG=1").await.contains(&serving));

    // S0-9
    server.signal("-HUP");
    let reloading = hear(&socket, "RELOADING=1").await;
    assert!(reloading.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading}");
    hear(&socket, "READY=1").await;
    hear(&socket, "WATCHDOG=1").await;

    server.signal("-TERM");
    hear(&socket, "STOPPING=1").await;
    assert_eq!(server.ended(), Some(0));
}
