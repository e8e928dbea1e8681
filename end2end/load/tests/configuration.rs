//! The server takes the configurations that are written for it.
//!
//! Needs the program: `GAPLESS` says where it is; as long as it is not built, nothing is tried.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use load::plant::Shape;

fn check(shape: &Shape) {
    let gapless = std::env::var_os("GAPLESS").unwrap_or_default();
    if !Path::new(&gapless).is_file() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let boards: Vec<_> = (0..shape.channels).map(|n| ([127, 0, 0, 1], 5_000 + n).into()).collect();
    let path = shape.write(folder.path(), &boards).unwrap();
    let checked = Command::new(gapless).arg("check-config").arg("--config").arg(path).output();
    let checked = checked.unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && !said.contains("warning"), "{shape:?}: {said}");
}

#[test]
fn plants_of_all_sizes_are_accepted() {
    let second = Duration::from_secs(1);
    check(&Shape::plain(100, second));
    check(&Shape { name_length: 60, ..Shape::plain(5, Duration::from_millis(100)) });
    check(&Shape { devices: 1_000, channels: 20, ..Shape::plain(20, second) });
    check(&Shape { switches: 128, key_switches: 60, faults: 60, ..Shape::plain(48, second) });
}
