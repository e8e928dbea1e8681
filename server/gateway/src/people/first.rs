//! The first account: where there is none yet, an administrator with a password that nobody chose.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use identity::{Digest, password};
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use store::{AccountRow, People as Book, PeopleError};

/// How the first administrator signs in.
pub struct FirstSignIn {
    pub user: String,
    pub password: String,
    /// Where it is written down too, for its owner alone.
    pub file: PathBuf,
}

/// Why there is no first account.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    #[error(transparent)]
    Book(#[from] PeopleError),
    #[error("cannot write the first password to {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("the password could not be hashed")]
    Hash,
}

/// Makes the first account in a book without any; `None` where there is one. Its password is to be
/// changed at the first sign-in, and stands in a file until then.
pub async fn first_sign_in(
    book: &Book,
    directory: &Path,
    now: Timestamp,
) -> Result<Option<FirstSignIn>, FirstError> {
    let (accounts, file) = (book.accounts().await?, directory.join(FIRST_PASSWORD_FILE));
    let known = accounts.iter().find(|account| account.name.as_str() == ADMIN);
    if !accounts.is_empty() {
        if known.is_none_or(|admin| !admin.must_change) {
            // It opens nothing any more.
            let _ = std::fs::remove_file(&file);
        }
        return Ok(None);
    }
    let password = password::readable(random()?);
    write(&file, &password).map_err(|source| FirstError::File { path: file.clone(), source })?;
    let (digest, salt) = (Digest::of(&password), random()?);
    let hash = tokio::task::spawn_blocking(move || password::hash(&digest, salt)).await;
    let account = AccountRow {
        name: ADMIN.parse().expect("five letters are an identifier"),
        hash: hash.map_err(|_| FirstError::Hash)?.as_str().into(),
        role: Role::Admin,
        sites: Scope::All,
        created_at: now,
        password_at: now,
        is_disabled: false,
        must_change: true,
        signed_in_at: None,
        unlocked_at: None,
    };
    book.add_account(&account).await?;
    Ok(Some(FirstSignIn { user: ADMIN.into(), password, file }))
}

fn write(file: &Path, password: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}

fn random<const N: usize>() -> Result<[u8; N], FirstError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(FirstError::Random)?;
    Ok(bytes)
}

const ADMIN: &str = "admin";

/// In the data directory, for its owner alone.
pub const FIRST_PASSWORD_FILE: &str = "initial-admin-password";
