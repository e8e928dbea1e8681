//! A line between edge and center that can be cut, go deaf one way, be held up, or be slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

pub(crate) struct Forwarder {
    pub(crate) address: SocketAddr,
    /// What the center says does not arrive.
    is_deaf: Arc<AtomicBool>,
    /// What the center says waits.
    is_held: watch::Sender<bool>,
    cuts: watch::Sender<u64>,
    dialled: Arc<AtomicUsize>,
}

impl Forwarder {
    pub(crate) async fn to(center: SocketAddr) -> Self {
        Self::paced(center, None).await
    }

    /// One that takes so many bytes a second from the edge.
    pub(crate) async fn slow(center: SocketAddr, pace: usize) -> Self {
        Self::paced(center, Some(pace)).await
    }

    async fn paced(center: SocketAddr, pace: Option<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_deaf, cuts) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let (is_held, never_held) = (watch::Sender::new(false), watch::Sender::new(false));
        let dialled = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&dialled);
        let (deaf, cut, held) = (Arc::clone(&is_deaf), cuts.subscribe(), is_held.subscribe());
        tokio::spawn(async move {
            while let Ok((edge, _)) = listener.accept().await {
                let Ok(center) = TcpStream::connect(center).await else { continue };
                counted.fetch_add(1, Ordering::SeqCst);
                let ((from_edge, to_edge), (from_center, to_center)) =
                    (edge.into_split(), center.into_split());
                let up = pump(from_edge, to_center, Arc::default(), never_held.subscribe(), pace);
                let down = pump(from_center, to_edge, Arc::clone(&deaf), held.clone(), None);
                let mut cut = cut.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = up => {}
                        () = down => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { address, is_deaf, is_held, cuts, dialled }
    }

    /// How often the edge has dialled.
    pub(crate) fn dialled(&self) -> usize {
        self.dialled.load(Ordering::SeqCst)
    }

    pub(crate) fn deafen(&self, is_deaf: bool) {
        self.is_deaf.store(is_deaf, Ordering::SeqCst);
    }

    pub(crate) fn hold_up(&self, is_held: bool) {
        self.is_held.send_replace(is_held);
    }

    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    is_deaf: Arc<AtomicBool>,
    mut is_held: watch::Receiver<bool>,
    pace: Option<usize>,
) {
    let mut buffer = vec![0; pace.map_or(4096, |pace| pace / BREATHS)];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // The line goes with its forwarder.
        let _ = is_held.wait_for(|is_held| !is_held).await;
        if !is_deaf.load(Ordering::SeqCst) && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        if pace.is_some() {
            sleep(Duration::from_secs(1) / BREATHS as u32).await;
        }
    }
}

/// A slow line takes something so many times a second.
const BREATHS: usize = 50;
