//! ws or wss, by one switch (S0-100, S0-101): the certificate, and its exchange while all goes on.

mod certificate;
mod keep;
mod made;
mod trust;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use tokio::sync::watch;

use self::certificate::Certificate;
pub use self::certificate::TlsError;
pub use self::keep::keep_certificate;
pub use self::made::usual_names;
pub use self::trust::Trust;

/// Where the certificate comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// Somebody else sees to it, in two PEM files.
    Files { certificate: std::path::PathBuf, key: std::path::PathBuf },
    /// We make one ourselves, for these names, and keep it in this directory.
    Made { directory: std::path::PathBuf, names: Vec<String> },
}

/// The certificate that callers are shown now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls {
    shown: watch::Receiver<Arc<Shown>>,
    /// Somebody else than we ourselves has signed the certificate.
    is_vouched_for: bool,
}

/// What tells the listener of a new certificate.
#[derive(Debug)]
pub struct Exchange {
    source: Source,
    shown: watch::Sender<Arc<Shown>>,
}

/// A certificate, and how to speak with it.
#[derive(Debug)]
struct Shown {
    certificate: Certificate,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the certificate, or makes it at `now`, in seconds since 1970.
    pub fn open(source: Source, now: i64) -> Result<(Self, Exchange), TlsError> {
        let shown = Shown::read(&source, now)?;
        let (sender, receiver) = watch::channel(Arc::new(shown));
        let is_vouched_for = matches!(source, Source::Files { .. });
        Ok((Self { shown: receiver, is_vouched_for }, Exchange { source, shown: sender }))
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        self.shown.borrow().certificate.fingerprint()
    }

    /// When the certificate ends, in seconds since 1970.
    pub fn expires(&self) -> i64 {
        self.shown.borrow().certificate.expires
    }

    /// Whether browsers may be told to come by TLS alone: with a certificate of our own making they
    /// could be locked out.
    pub(crate) fn is_vouched_for(&self) -> bool {
        self.is_vouched_for
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shown.borrow().config)
    }
}

impl Shown {
    fn read(source: &Source, now: i64) -> Result<Self, TlsError> {
        let certificate = match source {
            Source::Files { certificate, key } => Certificate::read(certificate, key)?,
            Source::Made { directory, names } => made::read_or_make(directory, names, now)?,
        };
        let config = Arc::new(config(&certificate)?);
        Ok(Self { certificate, config })
    }
}

fn config(certificate: &Certificate) -> Result<ServerConfig, TlsError> {
    let (chain, key) = (certificate.chain.clone(), certificate.key.clone_key());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
