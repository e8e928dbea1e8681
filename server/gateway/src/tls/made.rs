//! A certificate of our own making, for plants that have nobody to sign one.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use time::{Duration, OffsetDateTime};

use super::certificate::{Certificate, TlsError};

/// The one that is kept, as long as it lasts; else a new one.
pub(super) fn read_or_make(
    directory: &Path,
    names: &[String],
    now: i64,
) -> Result<Certificate, TlsError> {
    let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
    match Certificate::read(&certificate, &key) {
        Ok(kept) if kept.expires > now.saturating_add(RENEWED_BEFORE) => return Ok(kept),
        Err(error @ (TlsError::NoPem { .. } | TlsError::NoCertificate { .. })) => {
            tracing::warn!("the certificate is made anew: {error}");
        }
        _ => {}
    }
    let made = make(names, now)?;
    keep(directory, &certificate, &made.certificate, 0o644)?;
    keep(directory, &key, &made.key, 0o600)?;
    Certificate::read(&certificate, &key)
}

struct Made {
    certificate: String,
    key: String,
}

fn make(names: &[String], now: i64) -> Result<Made, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = DistinguishedName::new();
    let name = names.first().map_or("gapless", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // Clocks of plants are not the best.
    params.not_before = now.saturating_sub(Duration::days(1));
    params.not_after = now.saturating_add(Duration::days(LASTS_DAYS));
    let certificate = params.self_signed(&key)?.pem();
    Ok(Made { certificate, key: key.serialize_pem() })
}

/// Replaces a file as a whole: a power cut leaves the old one or the new one.
fn keep(directory: &Path, path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let unkept = |source| TlsError::Unkept { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unkept)?;
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(unkept)
}

/// Names that a certificate of ours is for, where nobody said otherwise: this machine's.
pub fn usual_names(host: Option<String>, listen: IpAddr) -> Vec<String> {
    let own = (!listen.is_unspecified()).then(|| listen.to_string());
    let always = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut names: Vec<String> = host.into_iter().chain(own).chain(always).collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// As long as browsers of phones take one at all.
const LASTS_DAYS: i64 = 825;

/// A certificate that ends within thirty days is made anew at the next look.
const RENEWED_BEFORE: i64 = 30 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_is_made_once_and_kept_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("tls");
        let names = ["plant.example".to_owned(), "10.0.0.7".to_owned()];
        let first = read_or_make(&place, &names, NOW).unwrap();
        let again = read_or_make(&place, &names, NOW + 1).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        let mode = std::fs::metadata(place.join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(first.expires, NOW + LASTS_DAYS * DAY);
    }

    #[test]
    fn one_that_is_about_to_end_or_is_broken_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let first = read_or_make(directory.path(), &["a".into()], NOW).unwrap();
        let late = NOW + (LASTS_DAYS - 30) * DAY;
        let second = read_or_make(directory.path(), &["a".into()], late).unwrap();
        assert_ne!(first.fingerprint(), second.fingerprint());
        std::fs::write(directory.path().join(CERTIFICATE), "nothing").unwrap();
        let third = read_or_make(directory.path(), &["a".into()], late).unwrap();
        assert_ne!(second.fingerprint(), third.fingerprint());
    }

    #[test]
    fn this_machine_goes_by_each_of_its_names_once() {
        let names = usual_names(Some("hmi-1".into()), "0.0.0.0".parse().unwrap());
        assert_eq!(names, ["hmi-1", "localhost", "127.0.0.1", "::1"]);
        let names = usual_names(None, "127.0.0.1".parse().unwrap());
        assert_eq!(names, ["127.0.0.1", "localhost", "::1"]);
    }

    const NOW: i64 = 1_795_000_000;
    const DAY: i64 = 24 * 60 * 60;
}
