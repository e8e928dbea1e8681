//! Where a port cannot be had at once.

use std::net::TcpListener;
use std::process::Command;

use crate::client::get;
use crate::running::{Running, serve};

#[tokio::test]
async fn a_taken_port_is_waited_for() {
    // S0-68, S0-69
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut server = Running::launch(serve(folder.path(), &address));
    server.hear(&format!("cannot listen on {address}, trying until it can be had"));
    drop(other);
    let meanwhile = server.is_up();
    assert!(!meanwhile.iter().any(|line| line.contains("cannot listen")), "{meanwhile:?}");
    assert_eq!(server.address, address);
    assert!(get(&address, "/livez").await.starts_with("HTTP/1.1 200"));
}

#[test]
fn who_waits_for_a_port_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    // The last is kept for documentation: no machine has it.
    for address in [taken.as_str(), "192.0.2.1:8080"] {
        let mut server = Running::launch(open(serve(folder.path(), address)));
        server.hear("trying until it can be had");
        server.signal("-TERM");
        assert_eq!(server.ended(), Some(0), "{address}");
    }
}

#[test]
fn an_address_that_can_never_be_had_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    // A link-local address says nothing without the name of its link.
    let mut server = Running::launch(open(serve(folder.path(), "[fe80::1]:8080")));
    server.hear("gapless: cannot listen on [fe80::1]:8080: ");
    assert_eq!(server.ended(), Some(1));
}

/// In plain http, wherever it listens.
fn open(mut command: Command) -> Command {
    command.env("GAPLESS__TLS__ENABLED", "false");
    command
}
