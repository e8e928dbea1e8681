//! Masters that come over TCP: several at once, each heard one request after the other.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time;

use super::clerk::Clerk;
use super::clock::Staged;
use crate::mbap::Frame;

/// Serves masters until it is dropped.
pub(super) async fn serve(listener: TcpListener, clerk: Clerk) {
    let mut masters = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((_, peer)) if masters.len() >= MOST_MASTERS => {
                    tracing::warn!(%peer, "there are {MOST_MASTERS} masters: {peer} is turned away");
                }
                Ok((stream, peer)) => {
                    masters.spawn(talk(stream, peer.to_string(), clerk.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "no master can connect: {error}");
                    time::sleep(PAUSE).await;
                }
            },
            Some(_) = masters.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, peer: String, clerk: Clerk) {
    tracing::info!(%peer, "a PSCADA master has come: {peer}");
    if let Err(error) = converse(stream, &peer, &clerk).await {
        tracing::info!(%peer, %error, "the PSCADA master {peer} has gone: {error}");
    }
}

/// Until the master hangs up, sends what is no Modbus, or says nothing for too long.
async fn converse(mut stream: TcpStream, peer: &str, clerk: &Clerk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut staged = Staged::default();
    loop {
        let request = within(Frame::read(&mut stream)).await?;
        let answer = clerk.answer(request.unit, &request.pdu, peer, &mut staged).await;
        if let Some(pdu) = answer {
            within(stream.write_all(&Frame { pdu, ..request }.bytes())).await?;
        }
    }
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    time::timeout(IDLE, work).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// PSCADA has two or three masters; what lies beyond is a mistake or an attack.
const MOST_MASTERS: usize = 16;

/// A master that has said nothing for so long has gone without a word.
const IDLE: Duration = Duration::from_secs(60);

/// Between two tries to take a connection.
const PAUSE: Duration = Duration::from_millis(100);
