//! Clients that come back to a server that was started again find everything (S0-66 to S0-71).

use std::collections::BTreeSet;
use std::path::Path;

use field::simulator::Fault;
use protocol::frame::{EventId, KeyEvent, Sequence};
use protocol::id::{ConnectionId, Epoch};
use protocol::wire::native::{ServerFrame, ServerMessage};

use crate::client::Client;
use crate::plant::{Plant, is_board, is_reached, kept};
use crate::running::Running;

/// What a client remembers of its last socket.
struct Memory {
    connection: ConnectionId,
    epoch: Epoch,
    /// The last number that it applied.
    last: Sequence,
    /// Every key event that it was ever told.
    events: BTreeSet<EventId>,
}

impl Memory {
    /// Reads on to the next frame; no key event may come twice, and no number be left out.
    async fn hear(&mut self, client: &mut Client) -> ServerFrame {
        let frame = client.hear().await;
        if let Some(event) = &frame.event {
            assert!(self.events.insert(event.clone()), "twice: {frame:?}");
        }
        if let Some(seq) = frame.seq.filter(|_| !frame.recovered) {
            assert_eq!(seq, self.last.next(), "{frame:?}");
            self.last = seq;
        }
        frame
    }
}

/// A client that has heard that the board is reached.
async fn join(server: &Running) -> (Client, Memory) {
    let (mut client, welcome) = Client::dial(&server.address, None).await;
    let mut memory = Memory {
        connection: welcome.connection_id,
        epoch: welcome.epoch,
        last: Sequence(0),
        events: BTreeSet::new(),
    };
    while !is_reached(&memory.hear(&mut client).await) {}
    (client, memory)
}

/// Comes back after a restart, while which the board was found again; it was lost before.
///
/// The order is that of `native-wire` 6.
async fn come_back(server: &Running, memory: &mut Memory) -> Client {
    // S0-70
    let (mut client, welcome) = Client::dial(&server.address, Some(&memory.connection)).await;
    assert!(welcome.resumed && welcome.connection_id == memory.connection, "{welcome:?}");
    let (old, last) = (std::mem::replace(&mut memory.epoch, welcome.epoch), memory.last);
    assert_ne!(old, memory.epoch);
    client.resume(&old, last).await;
    memory.last = Sequence(0);

    // S0-71
    let told = memory.hear(&mut client).await;
    let ServerMessage::ServiceRestarted(restarted) = told.message else { panic!("{told:?}") };
    assert_eq!((&restarted.old_epoch, &restarted.epoch), (&old, &memory.epoch));
    assert!(restarted.down_from.unwrap() <= restarted.started_at, "{restarted:?}");

    // S0-66
    let (mut lost, mut found, mut next) = (false, false, memory.hear(&mut client).await);
    while let Some(event) = next.message.key_event() {
        assert!(next.recovered, "{next:?}");
        match next.epoch.as_ref() == Some(&old) {
            true => {
                assert!(!found && next.seq > Some(last), "{next:?}");
                lost |= is_board(&event, false);
            }
            false => {
                assert!(next.seq.is_none() && next.epoch.as_ref() == Some(&memory.epoch));
                found |= is_board(&event, true);
            }
        }
        next = memory.hear(&mut client).await;
    }
    assert!(lost && found, "the board was lost, and found while the server was away");

    let ServerMessage::DataRecovered(answer) = next.message else { panic!("{next:?}") };
    assert_eq!((answer.epoch, answer.ranges), (old, Vec::new()));
    assert_eq!(answer.gone, [(last.next(), None)]);
    let snapshot = memory.hear(&mut client).await;
    assert!(is_reached(&snapshot) && snapshot.epoch.as_ref() == Some(&memory.epoch));
    assert_eq!(snapshot.seq, Some(Sequence::FIRST));
    assert!(matches!(snapshot.message, ServerMessage::FullSnapshot(_)), "{snapshot:?}");
    client
}

/// The board falls silent, and it is on the disk that the server noticed.
async fn lose_board(plant: &Plant, folder: &Path, epoch: &Epoch) {
    plant.faults.set(Fault::Hang);
    let is_lost = |event: &KeyEvent| is_board(event, false);
    kept(folder, |happened| happened.epoch == *epoch && is_lost(&happened.event)).await;
}

/// A server at the same address, which has noticed that the board answers again.
async fn start_again(plant: &Plant, folder: &Path, ended: &Running, epoch: &Epoch) -> Running {
    plant.faults.set(Fault::None);
    let server = Running::start_at(folder, &ended.address);
    let is_found = |event: &KeyEvent| is_board(event, true);
    kept(folder, |happened| happened.epoch != *epoch && is_found(&happened.event)).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn who_returns_to_a_killed_server_misses_nothing_and_hears_nothing_twice() {
    // S0-66, S0-67, S0-68, S0-70, S0-71
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::begin(folder.path()).await;
    let mut server = Running::start(folder.path());
    let (mut client, mut memory) = join(&server).await;
    for _ in 0..2 {
        // What the client reads no more it has missed: its socket dies with the server.
        lose_board(&plant, folder.path(), &memory.epoch).await;
        server.signal("-KILL");
        assert_eq!(server.ended(), None);
        assert_eq!(client.hear_close().await, None);
        server = start_again(&plant, folder.path(), &server, &memory.epoch).await;
        client = come_back(&server, &mut memory).await;
        let next = memory.hear(&mut client).await;
        assert_eq!(next.epoch.as_ref(), Some(&memory.epoch));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_stop_invites_everyone_back_and_loses_nothing() {
    // S0-66, S0-70, S0-71
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::begin(folder.path()).await;
    let mut server = Running::start(folder.path());
    let (client, mut away) = join(&server).await;
    client.close().await;
    let (mut here, _) = join(&server).await;
    lose_board(&plant, folder.path(), &away.epoch).await;

    server.signal("-TERM");
    assert_eq!(here.hear_close().await, Some(1012));
    assert_eq!(server.ended(), Some(0));
    let server = start_again(&plant, folder.path(), &server, &away.epoch).await;
    come_back(&server, &mut away).await;
}
