//! The key that signs tokens: made once, kept for its owner alone, and replaced each quarter.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use gateway::Keys;
use identity::key::{PublicKey, SecretKey};
use identity::token::{Keyring, LONGEST_LIFE, Signer, Trust};
use protocol::id::EdgeId;
use protocol::time::Timestamp;

use crate::key::{KeyError, keep, make_directory};

/// Whose temporary tokens open this server: centers, and what they call it.
pub(crate) struct Centers<'a> {
    pub keys: &'a [[u8; 32]],
    pub edge: Option<&'a EdgeId>,
}

/// What tokens are made and checked with. The key before the current one is believed until the last
/// token under it has ended.
///
/// Where the disk keeps no key, it lasts for this run: then everybody signs in again after it.
pub(crate) fn token_keys(
    data_dir: &Path,
    centers: &Centers<'_>,
    now: Timestamp,
) -> Result<Keys, KeyError> {
    let (secret, previous) = match kept(data_dir) {
        Err(error @ (KeyError::Directory { .. } | KeyError::File { .. })) => {
            let why = anyhow::Error::from(error);
            tracing::error!("the key of tokens changes with the next start: {why:#}");
            (fresh()?, None)
        }
        kept => kept?,
    };
    let mut keyring = Keyring::default();
    let own = || Trust::Own { issuer: ISSUER.into() };
    keyring.trust(secret.public(), own());
    if let Some(previous) = previous
        && keyring.trust(previous, own())
    {
        keyring.retire(previous.kid(), now + LONGEST_LIFE);
    }
    believe(&mut keyring, centers)?;
    Ok(Keys { signer: Signer::new(secret), keyring })
}

fn believe(keyring: &mut Keyring, centers: &Centers<'_>) -> Result<(), KeyError> {
    let Some(edge) = centers.edge else { return Ok(()) };
    for bytes in centers.keys {
        let key = PublicKey::from_bytes(bytes).map_err(KeyError::Center)?;
        keyring.trust(key, Trust::Center { edge: edge.clone() });
    }
    Ok(())
}

fn kept(data_dir: &Path) -> Result<(SecretKey, Option<PublicKey>), KeyError> {
    let (path, before) = (data_dir.join(FILE), data_dir.join(PREVIOUS));
    let previous = read(&before)?.map(|key| key.public());
    match read(&path)? {
        Some(key) if age(&path) < REPLACED_AFTER => Ok((key, previous)),
        Some(old) => {
            let file = |source| KeyError::File { path: before.clone(), source };
            fs::rename(&path, &before).map_err(file)?;
            Ok((make(data_dir, &path)?, Some(old.public())))
        }
        None => Ok((make(data_dir, &path)?, previous)),
    }
}

fn make(data_dir: &Path, path: &Path) -> Result<SecretKey, KeyError> {
    make_directory(data_dir)?;
    let key = fresh()?;
    let kept = keep(key.to_pem().trim_end(), path);
    kept.map_err(|source| KeyError::File { path: path.to_owned(), source })?;
    Ok(key)
}

fn fresh() -> Result<SecretKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyError::Random)?;
    Ok(SecretKey::new(&seed))
}

fn read(path: &Path) -> Result<Option<SecretKey>, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let key = SecretKey::from_pem(&text);
            key.map(Some).map_err(|_| KeyError::Broken { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::File { path: path.to_owned(), source }),
    }
}

/// A clock that was set back makes nothing older.
fn age(path: &Path) -> Duration {
    let made = fs::metadata(path).and_then(|file| file.modified());
    let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    age.unwrap_or_default()
}

/// Who signs, as tokens say: the key tells one server from another.
pub(crate) const ISSUER: &str = "gapless";

const FILE: &str = "token.key";
const PREVIOUS: &str = "token-previous.key";

const REPLACED_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::PermissionsExt as _;

    use identity::Claims;
    use protocol::user::{Role, Scope};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn keys(folder: &Path) -> Keys {
        token_keys(folder, &Centers { keys: &[], edge: None }, NOW).unwrap()
    }

    fn token(keys: &Keys) -> String {
        keys.signer.issue(&Claims {
            aud: None,
            exp: NOW + Duration::from_secs(3600),
            iat: NOW,
            iss: ISSUER.into(),
            role: Role::Viewer,
            sid: Some(identity::SessionId::new([1; 16])),
            sites: Scope::All,
            sub: "li".parse().unwrap(),
        })
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("deep/data");
        let first = keys(&data_dir);
        assert!(keys(&data_dir).keyring.verify(&token(&first), NOW).is_ok());
        let mode = fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_old_key_is_replaced_and_its_tokens_end_in_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = keys(folder.path());
        let quarter_ago = SystemTime::now() - REPLACED_AFTER;
        let file = File::options().write(true).open(folder.path().join(FILE)).unwrap();
        file.set_modified(quarter_ago).unwrap();
        let second = keys(folder.path());
        assert_ne!(first.signer.kid(), second.signer.kid());
        assert!(second.keyring.verify(&token(&first), NOW).is_ok());
        let again = keys(folder.path());
        assert_eq!(again.signer.kid(), second.signer.kid());
        assert!(again.keyring.verify(&token(&first), NOW).is_ok());
        assert!(again.keyring.verify(&token(&first), NOW + LONGEST_LIFE).is_err());
    }

    #[test]
    fn a_broken_key_is_not_replaced_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "nothing").unwrap();
        let error = token_keys(folder.path(), &Centers { keys: &[], edge: None }, NOW);
        assert!(matches!(error, Err(KeyError::Broken { .. })));
    }
}
