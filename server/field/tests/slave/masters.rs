//! Several masters over TCP, good and bad, and whether they are there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::*;

/// A master that can say anything.
struct Master(TcpStream);

impl Master {
    async fn connect(serving: &Serving) -> Self {
        let address = serving.address.expect("a slave over TCP");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    async fn ask(&mut self, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let length = (pdu.len() as u16 + 1).to_be_bytes();
        let frame = [&[0xAB, 0xCD, 0, 0], &length[..], &[unit], pdu].concat();
        self.0.write_all(&frame).await.expect("a connection");
        let (echo, answer) = self.read().await.expect("an answer");
        assert_eq!(echo, [0xAB, 0xCD, unit]);
        answer
    }

    /// Transaction and unit, and the answer; `None` at the end.
    async fn read(&mut self) -> Option<([u8; 3], Vec<u8>)> {
        let reading = async {
            let mut header = [0; 7];
            self.0.read_exact(&mut header).await.ok()?;
            let [t0, t1, 0, 0, l0, l1, unit] = header else { panic!("{header:?}") };
            let mut pdu = vec![0; usize::from(u16::from_be_bytes([l0, l1])) - 1];
            self.0.read_exact(&mut pdu).await.ok()?;
            Some(([t0, t1, unit], pdu))
        };
        timeout(PATIENCE, reading).await.expect("an answer or the end in time")
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_ends_that_connection_alone() {
    let serving = Serving::over_tcp().await;
    let mut good = Master::connect(&serving).await;
    let table: [&[u8]; 5] = [
        &[0, 1, 0, 9, 0, 6, UNIT, 3, 0, 0, 0, 1],
        &[0, 1, 0, 0, 0, 1, UNIT, 3],
        &[0, 1, 0, 0, 0, 0, UNIT, 3],
        &[0, 1, 0, 0, 0xFF, 0xFF, UNIT, 3, 0, 0, 0, 1],
        b"GET / HTTP/1.1\r\nHost: pscada\r\n\r\n",
    ];
    for bytes in table {
        let mut bad = Master::connect(&serving).await;
        bad.0.write_all(bytes).await.unwrap();
        assert_eq!(bad.read().await, None, "{bytes:?}");
        assert_eq!(good.ask(UNIT, &[3, 0, 0, 0, 1]).await, [3, 2, 0, 1]);
    }
}

#[tokio::test]
async fn half_a_frame_disturbs_nobody() {
    let serving = Serving::over_tcp().await;
    let mut slow = Master::connect(&serving).await;
    slow.0.write_all(&[0, 1, 0, 0, 0, 6, UNIT]).await.unwrap();
    let mut quick = Master::connect(&serving).await;
    assert_eq!(quick.ask(UNIT, &[3, 0, 0, 0, 1]).await, [3, 2, 0, 1]);
    slow.0.write_all(&[3, 0, 0, 0, 1]).await.unwrap();
    assert_eq!(slow.read().await.unwrap().1, [3, 2, 0, 1]);
}

#[tokio::test]
async fn there_is_room_for_sixteen_masters() {
    let serving = Serving::over_tcp().await;
    let mut masters = Vec::new();
    for _ in 0..16 {
        let mut master = Master::connect(&serving).await;
        assert_eq!(master.ask(UNIT, &[3, 0, 0, 0, 1]).await, [3, 2, 0, 1]);
        masters.push(master);
    }
    assert_eq!(Master::connect(&serving).await.read().await, None, "one too many");
    assert_eq!(masters[0].ask(UNIT, &[3, 0, 0, 0, 1]).await, [3, 2, 0, 1]);
}

#[tokio::test]
async fn frames_in_one_breath_are_answered_one_after_the_other() {
    let serving = Serving::over_tcp().await;
    let mut master = Master::connect(&serving).await;
    let one = [0, 1, 0, 0, 0, 6, UNIT, 3, 0, 0, 0, 1];
    let foreign = [0, 2, 0, 0, 0, 6, 9, 3, 0, 0, 0, 1];
    let other = [0, 3, 0, 0, 0, 6, UNIT, 3, 0, 3, 0, 1];
    master.0.write_all(&[one, foreign, other].concat()).await.unwrap();
    assert_eq!(master.read().await, Some(([0, 1, UNIT], vec![3, 2, 0, 1])));
    assert_eq!(master.read().await, Some(([0, 3, UNIT], vec![3, 2, 0, 255])));
}

#[tokio::test]
async fn the_verdict_is_the_answer() {
    let mut serving = Serving::over_tcp().await;
    let mut master = Master::connect(&serving).await;
    let table: [(&[u8], &[u8], &[&str]); 6] = [
        (&[6, 0, 0x10, 2, 0x58], &[6, 0, 0x10, 2, 0x58], &["SET 60"]),
        (&[6, 0, 0x10, 0x27, 0x10], &[0x86, 3], &["SET 1000"]),
        (&[5, 1, 0x21, 0xFF, 0], &[0x85, 6], &["OPEN"]),
        (&[5, 1, 1, 0xFF, 0], &[0x85, 4], &["RESET E001"]),
        // The first that fails is the last.
        (&[15, 1, 0x20, 0, 3, 1, 7], &[0x8F, 6], &["CLOSE", "OPEN"]),
        // Nobody answers this one.
        (&[16, 0, 0x11, 0, 2, 4, 0x41, 0x48, 0, 0], &[0x90, 4], &["LIMIT 12.5"]),
    ];
    for (request, expected, orders) in table {
        assert_eq!(master.ask(UNIT, request).await, expected, "{request:?}");
        for order in orders {
            assert_eq!(serving.next_order().await, *order);
        }
    }
    assert!(serving.ordered.is_empty());
}

#[tokio::test]
async fn pscada_is_there_while_it_asks_something_sensible() {
    // S0-8
    let mut serving = Serving::over_tcp().await;
    let mut master = Master::connect(&serving).await;
    assert_eq!(master.ask(UNIT, &[7]).await, [0x87, 1]);
    assert_eq!(master.ask(UNIT, &[3, 9, 9, 0, 1]).await, [0x83, 2]);
    assert!(serving.reach.borrow_and_update().is_empty(), "that could be anyone");
    master.ask(UNIT, &[3, 0, 0, 0, 1]).await;
    let reached = |there: &std::collections::BTreeSet<_>| there.contains(&id("board-1"));
    timeout(PATIENCE, serving.reach.wait_for(reached)).await.unwrap().unwrap();
    timeout(PATIENCE, serving.reach.wait_for(|there| there.is_empty())).await.unwrap().unwrap();
}
