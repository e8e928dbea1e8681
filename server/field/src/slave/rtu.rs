//! Masters on a serial line, which we may share with other slaves.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{self, Instant};

use super::SerialLine;
use super::assembler::{Assembler, Frame};
use super::clerk::Clerk;
use super::clock::Staged;
use crate::serial;

/// Serves the line until it is dropped; one that vanishes is opened again after a pause.
pub(super) async fn serve(line: &SerialLine, clerk: Clerk) {
    let path = &line.path;
    let mut is_lost = false;
    loop {
        let error = match serial::open(line.port()) {
            Ok(port) => {
                tracing::info!(%path, "the line to PSCADA, {path}, is open");
                is_lost = false;
                let Err(error) = converse(port, line, &clerk).await;
                error
            }
            Err(error) => error,
        };
        if !is_lost {
            tracing::warn!(%path, %error, "there is no line to PSCADA at {path}: {error}");
            is_lost = true;
        }
        time::sleep(PAUSE).await;
    }
}

/// Until the line is lost.
async fn converse(
    mut port: impl AsyncRead + AsyncWrite + Unpin,
    line: &SerialLine,
    clerk: &Clerk,
) -> io::Result<Infallible> {
    let gap = line.silence().max(SHORTEST_GAP);
    let (mut heard, mut staged) = (Assembler::default(), Staged::default());
    let mut last = Instant::now();
    let mut bytes = [0; 512];
    loop {
        tokio::select! {
            // What has come already is never taken for silence.
            biased;
            count = port.read(&mut bytes) => match count? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => {
                    let heard_now = bytes.get(..count).unwrap_or_default();
                    heard.hear(heard_now, last.elapsed());
                    last = Instant::now();
                }
            },
            () = time::sleep_until(last + gap), if heard.is_hearing() => {
                if let Some(frame) = heard.fall_silent() {
                    answer(&mut port, frame, line, clerk, &mut staged).await?;
                }
            }
        }
    }
}

async fn answer(
    port: &mut (impl AsyncWrite + Unpin),
    request: Frame,
    line: &SerialLine,
    clerk: &Clerk,
    staged: &mut Staged,
) -> io::Result<()> {
    let Frame { unit, pdu } = request;
    if unit == EVERYONE {
        clerk.hear_broadcast(&pdu, &line.path, staged).await;
        return Ok(());
    }
    if let Some(pdu) = clerk.answer(unit, &pdu, &line.path, staged).await {
        port.write_all(&Frame { unit, pdu }.bytes()).await?;
        port.flush().await?;
    }
    Ok(())
}

/// Whoever is called by this number hears, and does not answer.
const EVERYONE: u8 = 0;

/// From 19,200 baud on the standard wants no shorter silence.
const SHORTEST_GAP: Duration = Duration::from_micros(1750);

/// PSCADA has its line back within three seconds.
const PAUSE: Duration = Duration::from_secs(1);
