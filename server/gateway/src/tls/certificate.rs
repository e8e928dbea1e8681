//! One certificate and its key.

use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use x509_parser::parse_x509_certificate;

/// A chain, its own certificate first, and the key to that one.
pub(super) struct Certificate {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// When it ends, in seconds since 1970.
    pub(super) expires: i64,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} holds no {what} in PEM: {why}")]
    NoPem { path: PathBuf, what: &'static str, why: String },
    #[error("{path} holds no certificate of X.509")]
    NoCertificate { path: PathBuf },
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(#[source] rustls::Error),
    #[error("no certificate can be made: {0}")]
    Unmade(#[from] rcgen::Error),
    #[error("cannot keep the certificate in {path}: {source}")]
    Unkept { path: PathBuf, source: io::Error },
}

impl Certificate {
    /// Reads both from PEM files.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| no_pem(certificate, "certificate", error))?;
        let key = PrivateKeyDer::from_pem_slice(&bytes(key)?)
            .map_err(|error| no_pem(key, "private key", error))?;
        let none = || TlsError::NoCertificate { path: certificate.to_owned() };
        let own = chain.first().ok_or_else(none)?;
        let (_, read) = parse_x509_certificate(own).map_err(|_| none())?;
        let expires = read.validity().not_after.timestamp();
        Ok(Self { chain, key, expires })
    }

    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub(super) fn fingerprint(&self) -> String {
        let own: &[u8] = self.chain.first().map_or(&[], |own| own.as_ref());
        let mut text = String::with_capacity(95);
        for byte in Sha256::digest(own) {
            let colon = if text.is_empty() { "" } else { ":" };
            let _ = write!(text, "{colon}{byte:02X}");
        }
        text
    }
}

/// The key stays out of logs.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("expires", &self.expires).finish_non_exhaustive()
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn no_pem(path: &Path, what: &'static str, error: pem::Error) -> TlsError {
    TlsError::NoPem { path: path.to_owned(), what, why: error.to_string() }
}
