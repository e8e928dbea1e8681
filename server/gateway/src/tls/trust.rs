//! Whose certificate an edge takes for its center's.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::certificate::TlsError;

/// Whose certificate is taken for a server's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Trust {
    /// Whoever the system trusts.
    #[default]
    System,
    /// Whoever these authorities have signed for, in a PEM file.
    Authority(PathBuf),
    /// Whoever shows this very certificate, by its SHA-256.
    Fingerprint([u8; 32]),
}

impl Trust {
    /// How to speak TLS to such a server.
    pub fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(TlsError::Unusable)?;
        let config = match self {
            Self::System => builder.with_root_certificates(system()),
            Self::Authority(path) => builder.with_root_certificates(authority(path)?),
            Self::Fingerprint(expected) => {
                let pinned = Pinned::new(*expected, &provider);
                builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned))
            }
        };
        Ok(Arc::new(config.with_no_client_auth()))
    }
}

fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!("the system trusts no authority: no center can be verified");
    }
    roots
}

fn authority(path: &PathBuf) -> Result<RootCertStore, TlsError> {
    let no_pem = |error: rustls::pki_types::pem::Error| TlsError::NoPem {
        path: path.clone(),
        what: "certificate",
        why: error.to_string(),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(no_pem)? {
        let added = roots.add(certificate.map_err(no_pem)?);
        added.map_err(|_| TlsError::NoCertificate { path: path.clone() })?;
    }
    if roots.is_empty() { Err(TlsError::NoCertificate { path: path.clone() }) } else { Ok(roots) }
}

/// Takes one certificate and no other, whatever name and time it is for: a server's own needs no
/// authority, and whoever wrote its fingerprint down has looked at it.
struct Pinned {
    expected: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(expected: [u8; 32], provider: &CryptoProvider) -> Self {
        Self { expected, algorithms: provider.signature_verification_algorithms }
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found: [u8; 32] = Sha256::digest(shown).into();
        match bool::from(found.ct_eq(&self.expected)) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
