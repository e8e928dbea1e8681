//! PSCADA beside an operator: what its master reads and writes, and who of the two gives way.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use field::simulator::Board;
use protocol::command::Origin;
use protocol::frame::{CommandStatus, KeyEvent};
use protocol::wire::native::{ClientMessage, Command, ServerMessage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::running::{PATIENCE, Running};

/// A Modbus master at our slave's address.
struct Master(TcpStream);

impl Master {
    /// The slave opens its port beside the rest of the server.
    async fn dial(address: SocketAddr) -> Self {
        let dialling = async {
            loop {
                if let Ok(stream) = TcpStream::connect(address).await {
                    return Self(stream);
                }
            }
        };
        timeout(PATIENCE, dialling).await.expect("nobody answers PSCADA")
    }

    async fn ask(&mut self, pdu: &[u8]) -> Vec<u8> {
        let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
        let frame = [&[0, 7, 0, 0], length.as_slice(), &[UNIT], pdu].concat();
        self.0.write_all(&frame).await.unwrap();
        let mut head = [0; 7];
        timeout(PATIENCE, self.0.read_exact(&mut head)).await.unwrap().unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
        self.0.read_exact(&mut answer).await.unwrap();
        answer
    }
}

/// One simulated board, and PSCADA at `pscada`.
async fn configure(folder: &Path, stop: CancellationToken) -> SocketAddr {
    let board = Board::bind("127.0.0.1:0".parse().unwrap(), &[16], 1).await.unwrap();
    let port = board.local_addr().port();
    tokio::spawn(board.run(stop));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pscada = free.local_addr().unwrap();
    let text = format!(
        "[pscada]\ntransport = \"tcp\"\nlisten = \"{pscada}\"\n\n[[site]]\nid = \"north\"\n\n\
         [[channel]]\nid = 1\ntransport = \"tcp\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         poll_interval = \"200ms\"\n\n[[device]]\nid = \"board-1\"\nsite = \"north\"\nchannel = 1\n\
         unit = 16\npscada_unit = {UNIT}\n\n\
         [command.START]\npoint = \"on\"\nvalue = \"ON\"\nverify = \"mode\"\nverify_value = 4\n\n\
         [command.STOP]\npoint = \"off\"\nvalue = \"ON\"\nverify = \"mode\"\nverify_value = 3\n"
    );
    fs::write(folder.join("gapless.toml"), text).unwrap();
    let points = "device,point_id,type,area,address,datatype,decimals\n\
                  board-1,mode,T,hr,0x0007,uint16,0\n\
                  board-1,off,C,co,0x0120,bool,\nboard-1,on,C,co,0x0121,bool,\n";
    fs::write(folder.join("points.csv"), points).unwrap();
    let map = "device,area,address,datatype,point,command,param\n\
               board-1,hr,0x0000,uint16,mode,,\n\
               board-1,co,0x0120,bool,,STOP,\nboard-1,co,0x0121,bool,,START,\n";
    fs::write(folder.join("pscada.csv"), map).unwrap();
    pscada
}

fn start(id: &str) -> ClientMessage {
    let (id, name) = (id.into(), "START".into());
    ClientMessage::Command(Command { id, name, param: None, valid_until: None })
}

/// Reads on until a frame is what is waited for.
async fn hears<T>(client: &mut Client, is_it: impl Fn(ServerMessage) -> Option<T>) -> T {
    loop {
        if let Some(found) = is_it(client.hear().await.message) {
            return found;
        }
    }
}

#[tokio::test]
async fn what_pscada_orders_is_carried_out_and_keeps_operators_away() {
    // S0-8, S0-28, S0-29, S0-30
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let _stop_at_the_end = stop.clone().drop_guard();
    let pscada = configure(folder.path(), stop).await;
    let running = Running::start(folder.path());
    let (mut client, _) = Client::dial(&running.address, None).await;
    let (mut master, mut other) = (Master::dial(pscada).await, Master::dial(pscada).await);

    let reached = |message| match message {
        ServerMessage::DataUpdate(update) => update.links.filter(|links| links.pscada),
        ServerMessage::FullSnapshot(snapshot) => snapshot.update.links.filter(|links| links.pscada),
        _ => None,
    };
    let asking = async {
        loop {
            other.ask(&READ_MODE).await;
        }
    };
    tokio::select! {
        links = hears(&mut client, reached) => assert!(links.pscada),
        () = asking => {}
    }
    // The board has to be reached, too, before anything is ordered of it.
    let stopping = async { while master.ask(&STOP).await != STOP {} };
    timeout(PATIENCE, stopping).await.expect("the board is not stopped");
    assert_eq!(master.ask(&READ_MODE).await, [3, 2, 0, 3]);

    let executed = |message: ServerMessage| match message.key_event() {
        Some(KeyEvent::CommandExecuted(done)) => Some(done),
        _ => None,
    };
    let stopped = loop {
        let done = hears(&mut client, executed).await;
        if done.status == CommandStatus::Success {
            break done;
        }
    };
    assert_eq!((stopped.origin, stopped.command.as_str()), (Origin::Pscada, "STOP"));
    client.say(start("1")).await;
    let conflict = |message| match message {
        ServerMessage::ConflictHighPriority(conflict) => Some(conflict),
        _ => None,
    };
    let conflict = hears(&mut client, conflict).await;
    assert_eq!(conflict.holder.origin, Origin::Pscada);
    let starting = async { while master.ask(&START).await != START {} };
    timeout(PATIENCE, starting).await.expect("PSCADA itself goes on");
    assert_eq!(master.ask(&READ_MODE).await, [3, 2, 0, 4]);
    assert_eq!(master.ask(&[3, 0xFF, 0, 0, 1]).await, [0x83, 2], "there is no such register");
    assert_eq!(master.ask(&[99]).await, [0xE3, 1], "there is no such function");
}

const UNIT: u8 = 0x5E;
const READ_MODE: [u8; 5] = [3, 0, 0, 0, 1];
const STOP: [u8; 5] = [5, 0x01, 0x20, 0xFF, 0];
const START: [u8; 5] = [5, 0x01, 0x21, 0xFF, 0];
