//! Opens a database; a damaged one is set aside, and a new one begun.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::Timestamp;
use sqlx::ConnectOptions as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::disk::{is_damage, words};

/// The records of this server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: SqlitePool,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot write to {path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("{path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("{path} is damaged and cannot be set aside: {cause}")]
    InTheWay { path: PathBuf, cause: io::Error },
    #[error(
        "{path} was written by a newer version of Gapless: its schema is {found}, \
         this version knows {known}; install that version again, or move the file away"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the schema of {path} cannot be brought up to date: {cause}")]
    Schema { path: PathBuf, cause: MigrateError },
    #[error("cannot open {path}: {}", words(.cause))]
    Refused { path: PathBuf, cause: sqlx::Error },
}

/// A database of this server.
#[derive(Debug)]
pub(crate) struct Database {
    /// Its name in the data directory.
    pub(crate) file: &'static str,
    pub(crate) schema: Migrator,
    pub(crate) connections: u32,
    /// How many pages the write-ahead log holds before a commit has to copy them into the file.
    pub(crate) log_pages: u32,
}

/// How closely a file is looked at when it is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Look {
    /// Read it whole if that is quickly done. Damage in a larger one shows when its pages are read.
    IfSmall,
    Whole,
}

/// A damaged file that got a name of its own, so that a new one can begin.
#[derive(Debug, thiserror::Error)]
#[error("{path} was damaged and is now called {aside}, a new one begins: {what}")]
pub(crate) struct SetAside {
    path: PathBuf,
    aside: PathBuf,
    what: String,
}

impl Store {
    /// Opens the records of a data directory; both are made where they are missing.
    pub async fn open(directory: &Path) -> Result<Self, OpenError> {
        Ok(Self::open_anyway(directory).await?.0)
    }

    pub(crate) async fn open_anyway(
        directory: &Path,
    ) -> Result<(Self, Option<SetAside>), OpenError> {
        let (pool, set_aside) = RECORDS.open_anyway(directory, Look::Whole).await?;
        Ok((Self { pool }, set_aside))
    }

    /// Writes everything to the one file, and lets go of it.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

impl Database {
    /// Opens the database of a data directory. A damaged one is set aside.
    pub(crate) async fn open_anyway(
        &self,
        directory: &Path,
        look: Look,
    ) -> Result<(SqlitePool, Option<SetAside>), OpenError> {
        match self.open(directory, look).await {
            Err(OpenError::Damaged { path, what }) => {
                let set_aside = match set_aside(&path) {
                    Ok(aside) => SetAside { path, aside, what },
                    Err(cause) => return Err(OpenError::InTheWay { path, cause }),
                };
                tracing::error!("{set_aside}");
                Ok((self.open(directory, look).await?, Some(set_aside)))
            }
            opened => Ok((opened?, None)),
        }
    }

    /// Opens the database of a data directory as it is.
    pub(crate) async fn open(&self, directory: &Path, look: Look) -> Result<SqlitePool, OpenError> {
        let path = directory.join(self.file);
        let size = make(path.clone()).await;
        let size = size.map_err(|cause| OpenError::File { path: path.clone(), cause })?;
        let pool = self.connect(&path).await.map_err(|error| judge(error, &path))?;
        let is_checked = look == Look::Whole || size <= SMALL;
        match self.make_ready(&pool, &path, is_checked).await {
            Ok(()) => Ok(pool),
            Err(error) => {
                pool.close().await;
                Err(error)
            }
        }
    }

    /// Connections that only read what the writer of the database has opened.
    pub(crate) fn reader(&self, directory: &Path) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(directory.join(self.file))
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options)
    }

    async fn connect(&self, path: &Path) -> Result<SqlitePool, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", self.log_pages.to_string())
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(self.connections);
        pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
    }

    async fn make_ready(
        &self,
        pool: &SqlitePool,
        path: &Path,
        is_checked: bool,
    ) -> Result<(), OpenError> {
        if is_checked {
            let check = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await;
            let verdict: String = check.map_err(|error| judge(error, path))?;
            if verdict != "ok" {
                return Err(OpenError::Damaged { path: path.into(), what: verdict });
            }
        }
        self.schema.run(pool).await.map_err(|error| self.explain(error, path))
    }

    fn explain(&self, error: MigrateError, path: &Path) -> OpenError {
        let known = self.schema.iter().map(|migration| migration.version).max();
        let known = known.unwrap_or_default();
        match error {
            MigrateError::VersionMissing(found) if found > known => {
                OpenError::Newer { path: path.into(), found, known }
            }
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => {
                judge(cause, path)
            }
            cause => OpenError::Schema { path: path.into(), cause },
        }
    }
}

/// The directory and the file, for their owner alone; SQLite would let others read. The file's size.
async fn make(path: PathBuf) -> io::Result<u64> {
    let make = move || {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?
            .metadata()
            .map(|file| file.len())
    };
    tokio::task::spawn_blocking(make).await.unwrap_or_else(|error| Err(error.into()))
}

fn judge(error: sqlx::Error, path: &Path) -> OpenError {
    let path = path.into();
    match is_damage(&error) {
        true => OpenError::Damaged { path, what: error.to_string() },
        false => OpenError::Refused { path, cause: error },
    }
}

/// Gives the file a name of its own, with all that SQLite keeps beside it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stem = path.file_stem().unwrap_or_default().display();
    let stamps = now().as_millis()..;
    let mut names = stamps.map(|stamp| path.with_file_name(format!("{stem}-damaged-{stamp}.db")));
    let taken = |aside: &PathBuf| ENDINGS.iter().any(|ending| with(aside, ending).exists());
    let aside = names.find(|aside| !taken(aside)).ok_or(io::ErrorKind::AlreadyExists)?;
    // The file itself goes last: alone, its companions could be taken for the new one's.
    for ending in ENDINGS {
        match fs::rename(with(path, ending), with(&aside, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn ago(now: Timestamp, age: Duration) -> Timestamp {
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(age))
}

/// One connection writes, and one is for a reader who shall not wait for it.
pub(crate) static RECORDS: Database = Database {
    file: FILE,
    schema: sqlx::migrate!("migrations/records"),
    connections: 2,
    log_pages: USUAL_LOG,
};

/// The name of the records' database in the data directory.
pub const FILE: &str = "gapless.db";

const ENDINGS: [&str; 3] = ["-wal", "-shm", ""];

/// What SQLite does unless it is told otherwise.
pub(crate) const USUAL_LOG: u32 = 1000;

/// A commit that has to copy the log takes ten times as long as another: this makes it one of
/// hundreds. The log grows to 16 MiB.
pub(crate) const LONG_LOG: u32 = 4000;

/// In bytes: so much is read within a fifth of a second.
const SMALL: u64 = 64 << 20;

/// How many may read a database at a time, beside its writer.
const READERS: u32 = 4;

/// Another program, such as a backup, may hold the database for so long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
