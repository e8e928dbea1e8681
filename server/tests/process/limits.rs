//! How many files may be open.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::running::{Running, serve};

/// The server, with this limit of open files, soft or hard.
fn limited(folder: &Path, limit: &str) -> Command {
    let serve = serve(folder, "127.0.0.1:0");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$@\""), "sh"]).arg(serve.get_program());
    command.args(serve.get_args()).env("GAPLESS_LOG", "info").current_dir(folder);
    command
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::launch(limited(folder.path(), "-S -n 100"));
    server.is_up();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut words = files.split_whitespace();
    let (soft, hard) = (words.next().unwrap(), words.next().unwrap());
    assert!(soft == hard && soft != "100", "{files}");
}

#[test]
fn a_limit_too_low_for_ten_thousand_clients_is_told_and_served_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::launch(limited(folder.path(), "-n 300"));
    server.hear("only 300 files and sockets may be open at once");
    server.is_up();
}
