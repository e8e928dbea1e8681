//! The log in files, beside standard error.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::running::{Running, serve};

/// A server that keeps its log in `log`, in its folder.
fn kept(folder: &Path) -> Command {
    let mut command = serve(folder, "127.0.0.1:0");
    command.env("GAPLESS__LOG__DIRECTORY", "log");
    command
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("log")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[test]
fn what_is_logged_stands_in_the_file_of_its_day_up_to_the_last_line() {
    // S0-78, S0-79
    let folder = tempfile::tempdir().unwrap();
    let day = today();
    let mut running = Running::launch(kept(folder.path()));
    running.is_up();
    running.signal("-TERM");
    let said = running.last_words();
    assert_eq!(running.ended(), Some(0), "{said:?}");
    let mut files = files(folder.path());
    files.sort();
    assert!(files[0].ends_with(format!("gapless-{day}.jsonl")), "{files:?}");
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o640);
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
    let messages: Vec<_> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert!(messages.iter().any(|text| text.starts_with("Gapless is at ")), "{messages:?}");
    assert!(messages.contains(&"SIGTERM: stopping"), "{messages:?}");
    assert_eq!(messages.last(), said.last().map(String::as_str).as_ref(), "{said:?}");
}

#[test]
fn a_disk_that_takes_no_log_is_told_once_and_stops_nothing() {
    let spoil: [fn(&Path); 2] = [
        |folder| fs::write(folder.join("log"), "this is no directory").unwrap(),
        |folder| {
            fs::create_dir(folder.join("log")).unwrap();
            for day in [today(), today().tomorrow().unwrap()] {
                let file = folder.join(format!("log/gapless-{day}.jsonl"));
                symlink("/dev/full", file).unwrap();
            }
        },
    ];
    for spoil in spoil {
        let folder = tempfile::tempdir().unwrap();
        spoil(folder.path());
        let mut running = Running::launch(kept(folder.path()));
        let mut said = running.is_up();
        running.signal("-TERM");
        said.extend(running.last_words());
        assert_eq!(running.ended(), Some(0), "{said:?}");
        let told = said.iter().filter(|text| text.starts_with("cannot keep the log in log: "));
        assert_eq!(told.count(), 1, "{said:?}");
    }
}

#[test]
fn the_configuration_says_what_is_logged_unless_a_variable_does() {
    for (variable, is_heard) in [(None, false), (Some("info"), true)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = kept(folder.path());
        command.env("GAPLESS__LOG__LEVEL", "gapless::welcome=info,warn");
        command.env_remove("RUST_LOG").env_remove("GAPLESS_LOG");
        variable.map(|level| command.env("GAPLESS_LOG", level));
        let mut running = Running::launch(command);
        running.is_up();
        running.signal("-TERM");
        let said = running.last_words();
        assert_eq!(said.iter().any(|text| text == "SIGTERM: stopping"), is_heard, "{said:?}");
    }
}
