//! Files that cannot be used as they are.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqlitePool;
use store::{FILE, OpenError, Store};

use crate::desk::{Desk, on_record, opened};

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("gapless-damaged-")).collect()
}

/// A database with some pages, of which the later ones are overwritten.
async fn with_torn_pages(folder: &Path) -> Vec<u8> {
    let desk = Desk::open(folder);
    (0..2_000).for_each(|millis| desk.records.append(opened("c1", millis)));
    desk.close().await;
    let mut bytes = fs::read(folder.join(FILE)).unwrap();
    bytes[8 * 1024..].fill(0xa5);
    bytes
}

#[tokio::test]
async fn a_damaged_database_is_set_aside_and_a_new_one_begun() {
    let torn = with_torn_pages(tempfile::tempdir().unwrap().path()).await;
    let table = [("no database", b"not a database at all".repeat(400)), ("torn pages", torn)];
    for (name, bytes) in table {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), &bytes).unwrap();
        let desk = Desk::open(folder.path());
        desk.records.append(opened("c1", 10));
        desk.close().await;
        assert_eq!(on_record(folder.path()).await, [opened("c1", 10)], "{name}");
        let aside = set_aside(folder.path());
        assert_eq!(aside.len(), 1, "{name}: {aside:?}");
        assert!(fs::read(&aside[0]).unwrap() == bytes, "{name}: nothing of it is lost");
    }
}

#[tokio::test]
async fn two_damaged_databases_are_kept_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        fs::write(folder.path().join(FILE), b"not a database at all".repeat(400)).unwrap();
        Store::open(folder.path()).await.unwrap().close().await;
    }
    assert_eq!(set_aside(folder.path()).len(), 2);
}

#[tokio::test]
async fn the_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    let path = folder.path().join(FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations VALUES (9000, 'newer', 0, TRUE, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;

    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9000, .. }), "{error}");
    assert!(error.to_string().contains("written by a newer version of Gapless"), "{error}");
    assert!(set_aside(folder.path()).is_empty());
}

#[tokio::test]
async fn the_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep/data");
    Store::open(&directory).await.unwrap().close().await;
    let mode = fs::metadata(directory.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
