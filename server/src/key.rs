//! The key that seals frames: the configured one, else one that is made once and kept.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use config::{Integrity, SHORTEST_KEY};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("cannot make the data directory {path}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot keep a key in {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} holds no key; remove it, and a new one is made")]
    Broken { path: PathBuf },
    #[error("a key in `auth.center_keys` is none: {0}")]
    Center(identity::key::KeyError),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The key of this server; the same at each start, where the disk lets it be.
///
/// Where it does not, the key lasts for this run: pages ask for it before each socket, and nobody
/// is turned away for a disk (S0-68).
pub(crate) fn integrity_key(configured: &Integrity, data_dir: &Path) -> Result<String, KeyError> {
    if let Some(key) = &configured.key {
        return Ok(key.clone());
    }
    match kept_key(data_dir) {
        Err(error @ (KeyError::Directory { .. } | KeyError::File { .. })) => {
            let why = anyhow::Error::from(error);
            tracing::error!("the key of frames changes with the next start: {why:#}");
            generate()
        }
        key => key,
    }
}

fn kept_key(data_dir: &Path) -> Result<String, KeyError> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => check(text.trim(), path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory(data_dir)?;
            let key = generate()?;
            let kept = keep(&key, &path);
            kept.map_err(|source| KeyError::File { path, source })?;
            Ok(key)
        }
        Err(source) => Err(KeyError::File { path, source }),
    }
}

/// The data directory; made where it is missing, for its owner alone.
pub(crate) fn make_directory(path: &Path) -> Result<(), KeyError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| KeyError::Directory { path: path.into(), source })
}

fn check(key: &str, path: PathBuf) -> Result<String, KeyError> {
    if key.len() < SHORTEST_KEY { Err(KeyError::Broken { path }) } else { Ok(key.into()) }
}

fn generate() -> Result<String, KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Under its name it is whole or not there: a power cut must not leave half a key.
pub(crate) fn keep(key: &str, path: &Path) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

const FILE: &str = "integrity.key";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use protocol::digest::Algorithm;

    use super::*;

    const NONE: Integrity = Integrity { algorithm: Algorithm::Md5, key: None, previous_key: None };

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("deep/data");
        let key = integrity_key(&NONE, &data_dir).unwrap();
        assert_eq!(key.len(), 64);
        assert_eq!(integrity_key(&NONE, &data_dir).unwrap(), key);
        let mode = fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_configured_key_goes_before_a_kept_one() {
        let configured = Integrity { key: Some("configured".into()), ..NONE };
        let nowhere = Path::new("/proc/nowhere");
        assert_eq!(integrity_key(&configured, nowhere).unwrap(), "configured");
    }

    #[test]
    fn a_disk_that_keeps_no_key_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("data");
        fs::write(&in_the_way, "a file").unwrap();
        let key = integrity_key(&NONE, &in_the_way).unwrap();
        assert_eq!(key.len(), 64);
        assert_ne!(integrity_key(&NONE, &in_the_way).unwrap(), key);
    }

    #[test]
    fn a_broken_key_is_not_replaced_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "").unwrap();
        let error = integrity_key(&NONE, folder.path()).unwrap_err();
        assert!(matches!(error, KeyError::Broken { .. }), "{error}");
    }
}
