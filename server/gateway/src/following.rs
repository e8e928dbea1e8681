//! Wakes a connection whenever one of the streams it follows has moved on.

use std::future::poll_fn;
use std::task::{Context, Poll};

use engine::Window;
use protocol::stream::StreamName;
use tokio::sync::watch;
use tokio_util::sync::ReusableBoxFuture;

/// The streams that one connection follows.
#[derive(Debug, Default)]
pub(crate) struct Following {
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    stream: StreamName,
    moved: ReusableBoxFuture<'static, Option<watch::Receiver<Window>>>,
}

/// Nobody writes the streams any more.
#[derive(Debug)]
pub(crate) struct Ended;

impl Following {
    pub(crate) fn add(&mut self, stream: StreamName, window: watch::Receiver<Window>) {
        self.remove(&stream);
        self.feeds.push(Feed { stream, moved: ReusableBoxFuture::new(moved(window)) });
    }

    pub(crate) fn remove(&mut self, stream: &StreamName) {
        self.feeds.retain(|feed| feed.stream != *stream);
    }

    /// Waits until any of them has moved on; for ever where there is none.
    pub(crate) async fn moved(&mut self) -> Result<(), Ended> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut any = Poll::Pending;
        for feed in &mut self.feeds {
            match feed.moved.poll(context) {
                Poll::Pending => {}
                Poll::Ready(None) => return Poll::Ready(Err(Ended)),
                Poll::Ready(Some(window)) => {
                    feed.moved.set(moved(window));
                    any = Poll::Ready(Ok(()));
                }
            }
        }
        any
    }
}

async fn moved(mut window: watch::Receiver<Window>) -> Option<watch::Receiver<Window>> {
    window.changed().await.ok()?;
    Some(window)
}
