//! What a plain server would do: axum, a broadcast channel, and one text for all.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::interval;

/// What to say and how often.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub address: SocketAddr,
    pub bytes: usize,
    pub every: Duration,
}

/// Says the same to everyone, for ever.
pub async fn run(plan: Plan) -> anyhow::Result<()> {
    let (news, _) = broadcast::channel(HELD);
    let router = Router::new()
        .route("/readyz", get(|| async {}))
        .route("/ws", get(accept))
        .with_state(news.clone());
    let listener = TcpListener::bind(plan.address).await?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (mut ticks, text) = (interval(plan.every), Utf8Bytes::from("x".repeat(plan.bytes)));
    loop {
        ticks.tick().await;
        // Nobody may be there.
        let _ = news.send(text.clone());
    }
}

async fn accept(
    State(news): State<broadcast::Sender<Utf8Bytes>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.read_buffer_size(READ_BUFFER);
    upgrade.on_upgrade(move |socket| tell(socket, news.subscribe()))
}

async fn tell(mut socket: WebSocket, mut news: broadcast::Receiver<Utf8Bytes>) {
    loop {
        let text = tokio::select! {
            text = news.recv() => text,
            heard = socket.recv() => match heard {
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        let sent = match text {
            Ok(text) => socket.send(Message::Text(text)).await,
            Err(RecvError::Lagged(_)) => Ok(()),
            Err(RecvError::Closed) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

const HELD: usize = 16;

/// As the server under test has it.
const READ_BUFFER: usize = 4 * 1024;
