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
use super::echo::Echo;
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
    let mut echo = Echo::default();
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
                let frame = heard.fall_silent().filter(|frame| !echo.is(frame, last));
                if let Some(frame) = frame
                    && let Some(answer) = answer(frame, line, clerk, &mut staged).await
                {
                    let bytes = answer.bytes();
                    port.write_all(&bytes).await?;
                    port.flush().await?;
                    echo.expect(answer, line.transmission(bytes.len()));
                }
            }
        }
    }
}

/// What is to be said to a request.
async fn answer(
    request: Frame,
    line: &SerialLine,
    clerk: &Clerk,
    staged: &mut Staged,
) -> Option<Frame> {
    let Frame { unit, pdu } = request;
    if unit == EVERYONE {
        clerk.hear_broadcast(&pdu, &line.path, staged).await;
        return None;
    }
    let pdu = clerk.answer(unit, &pdu, &line.path, staged).await?;
    Some(Frame { unit, pdu })
}

/// Whoever is called by this number hears, and does not answer.
const EVERYONE: u8 = 0;

/// From 19,200 baud on the standard wants no shorter silence.
const SHORTEST_GAP: Duration = Duration::from_micros(1750);

/// PSCADA has its line back within three seconds.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::id::DeviceId;
    use tokio::io::{DuplexStream, duplex};
    use tokio::sync::mpsc;

    use super::super::answer::{Rules, Source, Stale};
    use super::super::map::{Command, Content, Entry, Param, SlaveMap};
    use super::super::wish::{Verdict, Wish};
    use super::*;
    use crate::map::{Area, ByteOrder, DataType, Mapping, Parity};

    /// The confirmation of either is the request once more.
    const WRITES: [[u8; 5]; 2] = [[6, 0, 0x10, 0, 60], [5, 1, 0x20, 0xFF, 0]];

    const QUESTION: [u8; 5] = [3, 0, 0x10, 0, 1];
    const TOLD: [u8; 4] = [3, 2, 0, 0];

    #[tokio::test(start_paused = true)]
    async fn an_echo_of_a_confirmation_is_no_second_order() {
        for write in WRITES {
            let mut line = Line::lay();
            line.say(&write).await;
            line.hears(&write).await;
            line.say(&write).await;
            line.falls_silent().await;
            // What comes next is heard: it is the first that is answered after the echo.
            line.say(&QUESTION).await;
            line.hears(&TOLD).await;
            assert_eq!(line.orders(), 1, "{write:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_repeated_write_is_an_order_behind_an_echo_and_later() {
        for (write, has_echo) in
            WRITES.into_iter().flat_map(|write| [(write, true), (write, false)])
        {
            let mut line = Line::lay();
            line.say(&write).await;
            line.hears(&write).await;
            if has_echo {
                line.say(&write).await;
                line.falls_silent().await;
            } else {
                // The answer is on its way for 9 ms.
                time::sleep(Duration::from_millis(60)).await;
            }
            line.say(&write).await;
            line.hears(&write).await;
            assert_eq!(line.orders(), 2, "{write:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_echo_of_what_was_told_is_not_answered() {
        let mut line = Line::lay();
        for _ in 0..3 {
            line.say(&QUESTION).await;
            line.hears(&TOLD).await;
            line.say(&TOLD).await;
            line.falls_silent().await;
        }
    }

    /// A slave on a line in memory, and its master's end.
    struct Line {
        master: DuplexStream,
        wanted: mpsc::UnboundedReceiver<()>,
    }

    impl Line {
        fn lay() -> Self {
            let (ours, master) = duplex(1024);
            let (told, wanted) = mpsc::unbounded_channel();
            tokio::spawn(async move { converse(ours, &line(), &clerk(told)).await });
            Self { master, wanted }
        }

        async fn say(&mut self, pdu: &[u8]) {
            self.master.write_all(&frame(pdu)).await.unwrap();
        }

        async fn hears(&mut self, pdu: &[u8]) {
            let mut heard = vec![0; pdu.len() + 3];
            time::timeout(PAUSE, self.master.read_exact(&mut heard)).await.unwrap().unwrap();
            assert_eq!(heard, frame(pdu));
        }

        /// Until what was said is a whole frame.
        async fn falls_silent(&self) {
            time::sleep(line().silence() * 2).await;
        }

        fn orders(&mut self) -> usize {
            std::iter::from_fn(|| self.wanted.try_recv().ok()).count()
        }
    }

    /// Knows a register and a coil that take orders, which are carried out at once.
    fn clerk(told: mpsc::UnboundedSender<()>) -> Clerk {
        let (wishes, mut wanted) = mpsc::channel::<Wish>(8);
        let (asked, mut signs) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(wish) = wanted.recv().await {
                told.send(()).unwrap();
                wish.answer.send(Verdict::Done).unwrap();
            }
        });
        tokio::spawn(async move { while signs.recv().await.is_some() {} });
        let map = SlaveMap::new([
            (UNIT, entry(Area::HoldingRegister, 0x10, DataType::Uint16, Param::Written)),
            (UNIT, entry(Area::Coil, 0x0120, DataType::Bit, Param::Fixed(None))),
        ]);
        let rules = Arc::new(Rules { map, stale: Stale::Last, sentinel: 0 });
        let source: Arc<dyn Source> = Arc::new(|_: &DeviceId| None);
        Clerk { rules, source, wishes, asked }
    }

    fn entry(area: Area, address: u16, data_type: DataType, param: Param) -> Entry {
        let mapping = Mapping {
            area,
            address,
            data_type,
            byte_order: ByteOrder::Ab,
            bit: None,
            scale: 1.0,
            offset: 0.0,
            poll: None,
            decimals: 0,
        };
        let command = Some(Command { name: "SET".into(), param });
        let content = Content::Value { point: None, command };
        Entry { device: "board-1".parse().unwrap(), mapping, content }
    }

    fn line() -> SerialLine {
        SerialLine {
            path: "/dev/ttyS0".into(),
            baud_rate: 9600,
            data_bits: 8,
            stop_bits: 1,
            parity: Parity::None,
        }
    }

    fn frame(pdu: &[u8]) -> Vec<u8> {
        Frame { unit: UNIT, pdu: pdu.into() }.bytes()
    }

    const UNIT: u8 = 0x5E;
}
