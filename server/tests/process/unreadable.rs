//! What cannot be read back keeps nobody from being served, and operators hear of it.

use std::fs;
use std::path::Path;

use field::simulator::Fault;
use protocol::journal::Happened;
use protocol::part::{Condition, Part, PartState};
use protocol::stream::StreamName;
use protocol::wire::native::{ClientMessage, ServerMessage};

use crate::client::{Client, get};
use crate::plant::{Plant, is_board, is_reached, kept};
use crate::running::{Running, serve};

/// How the journal fares, as the stream `system` tells it.
async fn journal(client: &mut Client) -> Condition {
    loop {
        let frame = client.hear().await;
        let parts = match frame.message {
            ServerMessage::FullSnapshot(snapshot) => snapshot.update.parts,
            ServerMessage::DataUpdate(update) => update.parts,
            _ => continue,
        };
        if let Some(condition) = parts.get(&Part::Journal)
            && frame.stream == Some(StreamName::System)
            && condition.state == PartState::Failing
        {
            return condition.clone();
        }
    }
}

async fn is_healthy(address: &str) {
    for path in ["/livez", "/readyz"] {
        let answer = get(address, path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_place_that_takes_no_files_is_told_of_and_everything_is_served() {
    // S0-67, S0-68
    let a_file: fn(&Path) = |data| fs::write(data, "in the way").unwrap();
    let a_folder: fn(&Path) = |data| fs::create_dir_all(data.join(store::JOURNAL_FILE)).unwrap();
    for put_in_the_way in [a_file, a_folder] {
        let folder = tempfile::tempdir().unwrap();
        put_in_the_way(&folder.path().join("data"));
        let server = Running::start(folder.path());
        let (mut client, _) = Client::dial(&server.address, None).await;
        client.say(ClientMessage::Subscribe(vec!["system".into()])).await;
        let why = journal(&mut client).await.why.unwrap();
        assert!(why.contains(store::JOURNAL_FILE), "{why}");
        is_healthy(&server.address).await;
    }
}

/// The board falls silent once it was heard, and this run's journal holds it.
async fn lose_board(plant: &Plant, folder: &Path, server: &Running) {
    let (mut client, welcome) = Client::dial(&server.address, None).await;
    while !is_reached(&client.hear().await) {}
    plant.faults.set(Fault::Hang);
    let is_lost = |happened: &Happened| is_board(&happened.event, false);
    kept(folder, |happened| happened.epoch == welcome.epoch && is_lost(happened)).await;
}

/// Ruins the journal: its log of writes would heal the file alone.
fn garble(data: &Path) {
    for file in fs::read_dir(data).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with(store::JOURNAL_FILE) {
            fs::write(file.path(), "no journal".repeat(999)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_set_aside_and_a_new_one_begun() {
    // S0-67, S0-68
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::begin(folder.path()).await;
    let mut first = Running::start(folder.path());
    lose_board(&plant, folder.path(), &first).await;
    first.signal("-KILL");
    first.ended();
    garble(&folder.path().join("data"));

    plant.faults.set(Fault::None);
    let mut second = Running::launch(serve(folder.path(), &first.address));
    second.hear("nothing of the time before is known");
    let before = second.is_up();
    let damaged = "was damaged and is now called";
    if !before.iter().any(|line| line.contains(damaged)) {
        second.hear(damaged);
    }
    lose_board(&plant, folder.path(), &second).await;
    is_healthy(&second.address).await;
}
