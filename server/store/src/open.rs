//! Opens the database; a damaged one is set aside, and a new one begun.

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

/// The database of this server. Cheap to clone.
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
    #[error("cannot open {path}: {cause}")]
    Refused { path: PathBuf, cause: sqlx::Error },
}

impl Store {
    /// Opens the database of a data directory; both are made where they are missing.
    pub async fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        match Self::open_file(&path).await {
            Err(OpenError::Damaged { path, what }) => {
                let aside = match set_aside(&path) {
                    Ok(aside) => aside,
                    Err(cause) => return Err(OpenError::InTheWay { path, cause }),
                };
                let (path, aside) = (path.display(), aside.display());
                tracing::error!(
                    "{path} is damaged and now called {aside}, a new one begins: {what}"
                );
                Self::open_file(&directory.join(FILE)).await
            }
            opened => opened,
        }
    }

    /// Writes everything to the one file, and lets go of it.
    pub async fn close(self) {
        self.pool.close().await;
    }

    async fn open_file(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(|cause| OpenError::File { path: path.into(), cause })?;
        let pool = connect(path).await.map_err(|error| judge(error, path))?;
        let store = Self { pool };
        match store.make_ready(path).await {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    async fn make_ready(&self, path: &Path) -> Result<(), OpenError> {
        let check = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&self.pool).await;
        let verdict: String = check.map_err(|error| judge(error, path))?;
        if verdict != "ok" {
            return Err(OpenError::Damaged { path: path.into(), what: verdict });
        }
        SCHEMA.run(&self.pool).await.map_err(|error| explain(error, path))
    }
}

/// The directory and the file, for their owner alone; SQLite would let others read.
fn make(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

async fn connect(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
    pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
}

fn judge(error: sqlx::Error, path: &Path) -> OpenError {
    let path = path.into();
    match is_damage(&error) {
        true => OpenError::Damaged { path, what: error.to_string() },
        false => OpenError::Refused { path, cause: error },
    }
}

/// The file, not the disk or the moment, is to blame.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code: Option<u32> = code.and_then(|code| code.parse().ok());
    // The low byte is the code, the others say more about it.
    code.is_some_and(|code| [CORRUPT, NOT_A_DATABASE].contains(&(code & 0xff)))
}

fn explain(error: MigrateError, path: &Path) -> OpenError {
    let known = SCHEMA.iter().map(|migration| migration.version).max().unwrap_or_default();
    let path = path.into();
    match error {
        MigrateError::VersionMissing(found) if found > known => {
            OpenError::Newer { path, found, known }
        }
        cause => OpenError::Schema { path, cause },
    }
}

/// Gives the file a name of its own, with all that SQLite keeps beside it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamps = now().as_millis()..;
    let mut names = stamps.map(|stamp| path.with_file_name(format!("gapless-damaged-{stamp}.db")));
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

static SCHEMA: Migrator = sqlx::migrate!();

/// The name of the database in the data directory.
pub const FILE: &str = "gapless.db";

const ENDINGS: [&str; 3] = ["-wal", "-shm", ""];

/// One that writes, and one for a reader who shall not wait for it.
const CONNECTIONS: u32 = 2;

/// Another program, such as a backup, may hold the database for so long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite's code for a file that contradicts itself.
const CORRUPT: u32 = 11;

/// SQLite's code for a file of another kind.
const NOT_A_DATABASE: u32 = 26;
