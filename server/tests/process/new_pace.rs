//! A poll interval that changes while the server runs.

use std::fs;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::running::{PATIENCE, Running};

/// One board that nobody answers for, polled every `interval`.
fn configure(folder: &Path, interval: &str) {
    let text = format!(
        "[[site]]\nid = \"north\"\n\n\
         [[channel]]\nid = 1\ntransport = \"tcp\"\nhost = \"127.0.0.1\"\nport = 9\n\
         poll_interval = \"{interval}\"\n\n\
         [[device]]\nid = \"cabinet-1\"\nsite = \"north\"\nchannel = 1\nunit = 16\n"
    );
    fs::write(folder.join("gapless.toml"), text).unwrap();
    let points = "device,point_id,type,area,address,datatype\ncabinet-1,temperature,T,hr,0,int16\n";
    fs::write(folder.join("points.csv"), points).unwrap();
}

/// What a page is told of how often the board is polled.
async fn is_polled_every(running: &Running, millis: u32) -> bool {
    let mut socket = TcpStream::connect(&running.address).await.unwrap();
    let request = "GET /devices/cabinet-1 HTTP/1.1\r\nHost: plant\r\nAccept: text/html\r\n\
                   Connection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).await.unwrap();
    page.replace('\\', "").contains(&format!("\"poll_ms\":{{\"cabinet-1\":{millis}}}"))
}

#[tokio::test]
async fn a_new_poll_interval_applies_without_a_restart() {
    // S0-9, S0-11
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "1s");
    let running = Running::start(folder.path());
    let known = async { while !is_polled_every(&running, 1000).await {} };
    timeout(PATIENCE, known).await.expect("the first interval is known");

    configure(folder.path(), "200ms");
    running.signal("-HUP");
    let applied = async { while !is_polled_every(&running, 200).await {} };
    timeout(PATIENCE, applied).await.expect("the new interval applies");
}
