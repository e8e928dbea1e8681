//! A cable between an edge and its center: it can be cut, go still, and stop before one frame.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::running::PATIENCE;

/// Leads to the center for as long as it is there.
pub(crate) struct Cable {
    pub(crate) address: String,
    state: watch::Sender<State>,
    passed: Arc<Mutex<Vec<Frame>>>,
}

/// To whom a frame goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Up,
    Down,
}

#[derive(Clone, Debug, Default)]
struct State {
    is_cut: bool,
    is_still: bool,
    /// The next frame of this type waits, and all that follows it.
    stop_before: Option<(Way, &'static str)>,
    /// It has come, and waits.
    is_held: bool,
}

/// A frame that has passed.
#[derive(Clone, Debug)]
struct Frame {
    way: Way,
    kind: String,
    text: String,
}

impl Cable {
    pub(crate) async fn to(center: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (state, passed) = (watch::Sender::new(State::default()), Arc::default());
        let (center, switch, log) = (center.to_owned(), state.clone(), Arc::clone(&passed));
        tokio::spawn(async move {
            while let Ok((edge, _)) = listener.accept().await {
                let Ok(center) = TcpStream::connect(&center).await else { continue };
                tokio::spawn(lead(edge, center, switch.clone(), Arc::clone(&log)));
            }
        });
        Self { address, state, passed }
    }

    /// Ends all connections, and each that is tried.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.is_cut = true);
    }

    pub(crate) fn mend(&self) {
        self.state.send_modify(|state| state.is_cut = false);
    }

    /// What is said from now on waits until it flows again; nothing is lost, and nobody told.
    pub(crate) fn be_still(&self) {
        self.state.send_modify(|state| state.is_still = true);
    }

    pub(crate) fn flow(&self) {
        self.state.send_modify(|state| state.is_still = false);
    }

    /// Lets the next frame of this type wait until it is let go.
    pub(crate) fn stop_before(&self, way: Way, kind: &'static str) {
        self.state.send_modify(|state| {
            (state.stop_before, state.is_held) = (Some((way, kind)), false);
        });
    }

    /// Waits until that frame has come.
    pub(crate) async fn holds(&self) {
        let mut state = self.state.subscribe();
        let held = state.wait_for(|state| state.is_held);
        drop(timeout(PATIENCE, held).await.expect("the frame does not come").unwrap());
    }

    pub(crate) fn let_go(&self) {
        self.state.send_modify(|state| {
            (state.stop_before, state.is_held) = (None, false);
        });
    }

    /// What has passed of this type.
    pub(crate) fn passed(&self, way: Way, kind: &str) -> Vec<Value> {
        let passed = self.passed.lock().unwrap();
        let alike = passed.iter().filter(|frame| frame.way == way && frame.kind == kind);
        alike.map(|frame| serde_json::from_str(&frame.text).unwrap()).collect()
    }
}

async fn lead(
    edge: TcpStream,
    center: TcpStream,
    state: watch::Sender<State>,
    passed: Arc<Mutex<Vec<Frame>>>,
) {
    let ((from_edge, to_edge), (from_center, to_center)) = (edge.into_split(), center.into_split());
    let cut = state.clone();
    let pump = |way, from, to| {
        Pump { way, from, to, state: state.clone(), passed: Arc::clone(&passed) }.run()
    };
    tokio::select! {
        () = pump(Way::Up, from_edge, to_center) => {}
        () = pump(Way::Down, from_center, to_edge) => {}
        () = becomes(cut, |state| state.is_cut) => {}
    }
}

async fn becomes(state: watch::Sender<State>, is_so: impl FnMut(&State) -> bool) {
    drop(state.subscribe().wait_for(is_so).await);
}

/// One direction of a connection, frame by frame.
struct Pump {
    way: Way,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    state: watch::Sender<State>,
    passed: Arc<Mutex<Vec<Frame>>>,
}

impl Pump {
    async fn run(mut self) {
        let (mut bytes, mut is_greeted) = (Vec::new(), false);
        while let Ok(1..) = self.from.read_buf(&mut bytes).await {
            if !is_greeted {
                let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
                    continue;
                };
                self.send(bytes.drain(..end + 4).collect()).await;
                is_greeted = true;
            }
            while let Some((length, text)) = frame(&bytes) {
                let frame = bytes.drain(..length).collect();
                self.pass(frame, text).await;
            }
        }
    }

    async fn pass(&mut self, frame: Vec<u8>, text: String) {
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let kind = json["type"].as_str().unwrap_or_default().to_owned();
        let place = (self.way, kind.as_str());
        let mut state = self.state.subscribe();
        loop {
            let is_stopped = state.borrow_and_update().stop_before == Some(place);
            if is_stopped {
                self.state.send_if_modified(|state| !std::mem::replace(&mut state.is_held, true));
            }
            if !is_stopped && !state.borrow().is_still {
                break;
            }
            state.changed().await.unwrap();
        }
        self.passed.lock().unwrap().push(Frame { way: self.way, kind, text });
        self.send(frame).await;
    }

    async fn send(&mut self, bytes: Vec<u8>) {
        // An end that has gone shows when the other is read.
        let _ = self.to.write_all(&bytes).await;
    }
}

/// The first frame of WebSocket, if it is whole: its length, and its text without the mask.
fn frame(bytes: &[u8]) -> Option<(usize, String)> {
    let (is_masked, short) = (bytes.get(1)? >> 7 == 1, bytes.get(1)? & 127);
    let (length, mut at) = match short {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        _ => (usize::from(short), 2),
    };
    let mut mask = [0; 4];
    if is_masked {
        mask = bytes.get(at..at + 4)?.try_into().ok()?;
        at += 4;
    }
    let payload = bytes.get(at..at + length)?.iter().zip(mask.iter().cycle());
    let text = payload.map(|(byte, mask)| byte ^ mask).collect();
    Some((at + length, String::from_utf8(text).unwrap_or_default()))
}
