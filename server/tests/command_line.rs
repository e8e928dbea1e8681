//! What `gapless` prints and how it ends, seen from a shell.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PLANT: &str = r#"
[integrity]
key = "a key that nobody sees"
[[site]]
id = "north"
[[channel]]
id = 1
transport = "tcp"
host = "10.0.0.7"
[[device]]
id = "board-1"
site = "north"
channel = 1
unit = 1
"#;

const POINTS: &str =
    "device,point_id,type,area,address,datatype\nboard-1,temperature,T,hr,40001,int16\n";

/// `gapless` in a folder of its own, with nothing of ours in the environment.
fn gapless(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("GAPLESS"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    // Whoever runs the tests, even root, keeps no log of them.
    command.env("GAPLESS__LOG__DIRECTORY", "").current_dir(folder);
    command
}

fn folder(toml: &str, points: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("the system has room");
    std::fs::write(folder.path().join("gapless.toml"), toml).expect("the system has room");
    std::fs::write(folder.path().join("points.csv"), points).expect("the system has room");
    folder
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("what is printed is UTF-8")
}

#[test]
fn check_config_prints_what_is_in_effect_and_hides_secrets() {
    let folder = folder(PLANT, POINTS);
    let output = gapless(folder.path())
        .arg("check-config")
        .env("GAPLESS__SERVER__LISTEN", "127.0.0.1:9")
        .output()
        .unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "server.listen = 127.0.0.1:9  # GAPLESS__SERVER__LISTEN",
        "push_strategy.full_snapshot_interval = 30  # default",
        "channel[1].host = 10.0.0.7  # gapless.toml:9:8",
        "integrity.key = ****  # gapless.toml:3:7",
        "gapless.toml is right: 1 site, 1 channel, 1 device, 1 point",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("nobody sees"), "{text}");
}

#[test]
fn check_config_tells_all_mistakes_and_ends_with_two() {
    let folder = folder(
        &PLANT.replace("host", "hots"),
        &POINTS.replace("int16", "int17").replace("board-1", "board-2"),
    );
    let output = gapless(folder.path()).arg("check-config").output().unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for line in [
        "mistake: gapless.toml:9:1: unknown key `channel[1].hots`; did you mean `host`?",
        "mistake: points.csv: row 2, `datatype`: `int17` is no data type",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn serve_lets_a_network_in_only_where_somebody_decided_about_tls() {
    let folder = folder(PLANT, POINTS);
    let output = gapless(folder.path()).args(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--listen: 0.0.0.0:0 can be reached from the network: write"), "{told}");
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        gapless(folder.path()).args(["check-config", "--config", "gone.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read gone.toml"));
}

#[test]
fn the_version_is_for_people_and_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let output = gapless(folder.path()).args(["version", "--json"]).output().unwrap();
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn simulated_boards_take_faults_while_they_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut boards = gapless(folder.path())
        .args(["simulate", "--listen", "127.0.0.1:0", "--boards", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(boards.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("board-2 127.0.0.1:"));
    let address = first.split(' ').nth(1).unwrap();

    // Read one holding register of unit 16; transaction, protocol, length, unit, function, …
    let request = [0, 1, 0, 0, 0, 6, 16, 3, 0, 5, 0, 1];
    let mut line = TcpStream::connect(address).unwrap();
    line.write_all(&request).unwrap();
    let mut answer = [0; 11];
    line.read_exact(&mut answer).unwrap();
    assert_eq!(answer[7..9], [3, 2], "two bytes, by function 3");

    boards.stdin.as_mut().unwrap().write_all(b"board-1=exception:4\n").unwrap();
    // The switch acts on the next question after it is heard.
    let exception = (0..).find(|_| {
        line.write_all(&request).unwrap();
        let mut head = [0; 9];
        line.read_exact(&mut head).unwrap();
        let is_exception = head[7] == 0x83;
        if !is_exception {
            line.read_exact(&mut [0; 2]).unwrap();
        }
        is_exception
    });
    assert!(exception.is_some());
    boards.kill().unwrap();
    boards.wait().unwrap();
}

#[test]
fn a_signal_ends_it_politely() {
    let folder = tempfile::tempdir().unwrap();
    let mut boards = gapless(folder.path())
        .args(["simulate", "--listen", "127.0.0.1:0", "--boards", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    BufReader::new(boards.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let told = Command::new("kill").args(["-TERM", &boards.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(boards.wait().unwrap().code(), Some(0));
}
