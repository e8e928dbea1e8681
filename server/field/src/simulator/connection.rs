//! One connection to a simulated board: requests in, answers or faults out.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time;

use super::fault::{Fault, Switches};
use crate::mbap::Frame;
use crate::pdu;

/// A request on its way to the one who owns the memories.
pub(super) struct Question {
    pub(super) unit: u8,
    pub(super) pdu: Vec<u8>,
    pub(super) answer: oneshot::Sender<Vec<u8>>,
}

/// Serves requests one after the other, until the connection ends.
pub(super) async fn serve(
    mut stream: TcpStream,
    owner: mpsc::Sender<Question>,
    faults: watch::Receiver<Switches>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let request = Frame::read(&mut stream).await?;
        let fault = faults.borrow().of(request.unit);
        if fault == Fault::Hang {
            continue;
        }
        let (answer, answered) = oneshot::channel();
        let question = Question { unit: request.unit, pdu: request.pdu, answer };
        let asked = owner.send(question).await;
        let (Ok(()), Ok(pdu)) = (asked, answered.await) else { return Ok(()) };
        say(&mut stream, Frame { pdu, ..request }, fault).await?;
    }
}

/// Sends the right answer, as the fault spoils it.
async fn say(stream: &mut TcpStream, mut answer: Frame, fault: Fault) -> io::Result<()> {
    match fault {
        Fault::None | Fault::Refuse | Fault::Hang => {}
        // The owner of the memories sees to these.
        Fault::IgnoreWrites | Fault::RefuseWrites => {}
        Fault::Exception(code) => answer.pdu = pdu::exception_of(answer.function(), code),
        Fault::Garbage => return stream.write_all(&answer.scrambled()).await,
        Fault::ShortAnswer => answer.shorten(),
        Fault::ForeignUnit => answer.unit = answer.unit.wrapping_add(1),
        Fault::Delay(delay) => time::sleep(delay).await,
        Fault::Cut => {
            let bytes = answer.bytes();
            stream.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default()).await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    stream.write_all(&answer.bytes()).await
}

impl Frame {
    fn function(&self) -> u8 {
        self.pdu.first().copied().unwrap_or(0) & 0x7F
    }

    fn scrambled(&self) -> Vec<u8> {
        self.bytes().into_iter().map(|byte| byte ^ 0x5A).collect()
    }

    fn shorten(&mut self) {
        let missing = if matches!(self.function(), 1 | 2) { 1 } else { 2 };
        self.pdu.truncate(self.pdu.len().saturating_sub(missing).max(2));
        if let (1..=4, Some(count)) = (self.function(), self.pdu.get_mut(1)) {
            *count = count.saturating_sub(missing as u8);
        }
    }
}
