//! Listens, and serves HTTP on each connection until told to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::Gateway;
use crate::caller::Caller;
use crate::tls::Tls;

/// How callers of a listener are received.
#[derive(Clone, Debug, Default)]
struct Door {
    /// `None` where they speak in the open.
    tls: Option<Tls>,
    proxies: Arc<[IpNet]>,
}

/// Opens a port that holds many callers at once and can be opened again right after a crash.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Opens a port, and waits for it where another program has it, or the network is not up yet;
/// `None` where it is time to stop.
pub async fn bind_patiently(
    address: SocketAddr,
    stop: &CancellationToken,
) -> io::Result<Option<TcpListener>> {
    let mut is_told = false;
    loop {
        match bind(address) {
            Ok(listener) => return Ok(Some(listener)),
            Err(error) if !may_pass(&error) => return Err(error),
            Err(error) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::error!(
                        "cannot listen on {address}, trying until it can be had: {error}"
                    );
                }
            }
        }
        if stop.run_until_cancelled(sleep(BIND_PAUSE)).await.is_none() {
            return Ok(None);
        }
    }
}

fn may_pass(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}

/// Serves `router` until the gateway is stopped and every socket has been closed.
pub async fn serve(listener: TcpListener, router: Router, gateway: Gateway) {
    let Gateway { stop, tasks, config, .. } = gateway;
    let door = Door { tls: config.tls.clone(), proxies: config.proxies.clone().into() };
    serve_until(listener, router, door, stop, tasks).await;
}

/// Serves `router` until `stop`, beside a gateway that may be long at its goodbyes.
pub async fn serve_aside(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_until(listener, router, Door::default(), stop, TaskTracker::new()).await;
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    door: Door,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                tune(&stream);
                tasks.spawn(attend(stream, peer, door.clone(), router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "some connections did not end in time");
    }
}

/// Small frames leave at once, what a slow client does not read stays with us, where it can still
/// be replaced by a snapshot, and a peer that is gone is noticed. None of it is worth a refusal.
fn tune(stream: &TcpStream) {
    let outcome = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_send_buffer_size(SEND_BUFFER))
        .and_then(|()| keep_the_unsent(stream))
        .and_then(|()| notice_silence(stream));
    if let Err(error) = outcome {
        tracing::debug!(%error, "a socket could not be tuned");
    }
}

#[cfg(target_os = "linux")]
fn keep_the_unsent(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_notsent_lowat(MOST_UNSENT)
}

#[cfg(not(target_os = "linux"))]
fn keep_the_unsent(_stream: &TcpStream) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn notice_silence(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_user_timeout(Some(USER_TIMEOUT))
}

#[cfg(not(target_os = "linux"))]
fn notice_silence(_stream: &TcpStream) -> io::Result<()> {
    Ok(())
}

async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    router: Router,
    stop: CancellationToken,
) {
    let Some(tls) = &door.tls else { return converse(stream, peer, &door, router, stop).await };
    match timeout(HANDSHAKE_TIMEOUT, shake_hands(stream, tls)).await {
        Ok(Ok(stream)) => converse(stream, peer, &door, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

/// Whoever speaks HTTP in the open is told in its words that this is the wrong way.
async fn shake_hands(mut stream: TcpStream, tls: &Tls) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first != TLS_HANDSHAKE {
        stream.write_all(SPEAK_TLS.as_bytes()).await?;
        stream.shutdown().await?;
        return Err(io::Error::other("the caller speaks in the open"));
    }
    TlsAcceptor::from(tls.config()).accept(stream).await
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    door: &Door,
    router: Router,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let is_encrypted = door.tls.is_some();
        let caller = Caller::of(peer, is_encrypted, request.headers(), &door.proxies);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(caller.address));
        extensions.insert(caller.is_encrypted);
        let answering = router.clone().oneshot(request);
        let is_strict = door.tls.as_ref().is_some_and(Tls::is_vouched_for);
        async move {
            let mut answer = answering.await.unwrap_or_else(|never| match never {});
            if is_strict {
                let year = HeaderValue::from_static("max-age=31536000");
                answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, year);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "an HTTP connection failed");
    }
}

/// With the usual 128, the last of ten thousand returning clients waits half a minute.
const BACKLOG: u32 = 4096;

/// Enough for the largest overview; left alone, the system would take up to 4 MiB.
const SEND_BUFFER: usize = 128 * 1024;

/// Bytes that the system may hold beyond those on their way: what is with us can still be replaced.
#[cfg(target_os = "linux")]
const MOST_UNSENT: u32 = 16 * 1024;

/// Sent bytes that stay unacknowledged for so long end a connection.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// RFC 8446: the first byte of whoever begins a handshake.
const TLS_HANDSHAKE: [u8; 1] = [0x16];

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

const SPEAK_TLS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
                         content-length: 41\r\nconnection: close\r\n\r\n\
                         This port speaks https:// and wss:// only";

/// A request's head must be there by then; so long may a kept connection idle, too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

const HEADER_BUFFER: usize = 64 * 1024;

/// S0-69: a port that is free again is taken well within three seconds.
const BIND_PAUSE: Duration = Duration::from_millis(250);

/// Without file descriptors left, trying again at once is of no use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a stop waits for the goodbyes.
const GRACE: Duration = Duration::from_secs(5);
