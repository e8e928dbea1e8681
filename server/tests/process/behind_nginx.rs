//! Behind a real nginx, as the README shows it: sockets pass, and callers keep their addresses.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures_util::StreamExt as _;
use protocol::wire::native::{ServerFrame, ServerMessage};
use store::{Kind, Store};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::running::{Running, serve};

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// nginx at `port`, which asks the server from an address of its own.
fn nginx(folder: &Path, port: u16, server: &str) -> Nginx {
    let here = folder.display();
    let snippet = include_str!("../../nginx.conf").replace("127.0.0.1:8080", server);
    let conf = format!(
        "daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;\n\
         fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
         server {{ listen 127.0.0.1:{port}; proxy_bind 127.0.0.2; {snippet} }} }}\n"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, conf).unwrap();
    let mut command = Command::new("nginx");
    command.args(["-c", path.to_str().unwrap(), "-p", folder.to_str().unwrap()]);
    // Debian keeps it where the PATH of users does not lead.
    let paths = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    Nginx(command.env("PATH", paths).stderr(Stdio::null()).spawn().unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_socket_passes_and_its_caller_keeps_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), "127.0.0.1:0");
    command.env("GAPLESS__SERVER__TRUSTED_PROXIES", "127.0.0.2");
    let mut running = Running::launch(command);
    running.is_up();
    let port = free_port();
    let _nginx = nginx(folder.path(), port, &running.address);
    let stream = loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            break stream;
        }
    };
    let url = format!("ws://127.0.0.1:{port}/ws/device?device_id=board-1");
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    // A page of this very host; and a caller who pretends to be somebody else.
    headers.insert("origin", format!("http://127.0.0.1:{port}").parse().unwrap());
    headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let greeting = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let message = ServerFrame::read(&greeting).unwrap().message;
    let ServerMessage::ConnectSuccess(welcome) = message else { panic!("{message:?}") };
    running.signal("-TERM");
    running.ended();

    let store = Store::open(&folder.path().join("data")).await.unwrap();
    let records = store.records_of(&welcome.connection_id, 10).await.unwrap();
    let opened = records.iter().find(|record| record.kind == Kind::Opened).unwrap();
    assert_eq!(opened.detail, "from 127.0.0.1:0", "not nginx, and not whom the caller names");
}
