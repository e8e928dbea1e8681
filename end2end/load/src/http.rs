//! The few plain requests that go before a socket.

use std::net::SocketAddr;

use anyhow::Context as _;
use protocol::digest::Seal;
use protocol::wire::session::SessionGrant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How the server at this address seals its frames.
pub async fn seal(address: SocketAddr) -> anyhow::Result<Seal> {
    let body = get(address, "/api/session").await?;
    let grant: SessionGrant = serde_json::from_str(&body).context("the server grants nothing")?;
    Ok(grant.integrity.seal())
}

/// The server has read its configuration, and every board once.
pub async fn is_ready(address: SocketAddr) -> bool {
    get(address, "/readyz").await.is_ok()
}

/// The body of a good answer.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
    anyhow::ensure!(
        head.starts_with("HTTP/1.1 200"),
        "{path}: {}",
        head.lines().next().unwrap_or("")
    );
    Ok(body.into())
}
