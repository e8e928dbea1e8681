//! The certificate, where callers are to speak TLS.

use anyhow::Context as _;
use config::Configuration;
use gateway::{Exchange, Hub, Source, Tls, keep_certificate, usual_names};
use protocol::time::Timestamp;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::supervise::keep_alive;

/// Reads the certificate, or makes one; `None` where callers speak in the open.
pub(super) fn open_tls(
    configuration: &Configuration,
    now: Timestamp,
) -> anyhow::Result<Option<(Tls, Exchange)>> {
    if !configuration.tls.enabled {
        return Ok(None);
    }
    let source = match &configuration.tls.files {
        Some(files) => {
            Source::Files { certificate: files.certificate.clone(), key: files.key.clone() }
        }
        None => Source::Made {
            directory: configuration.data_dir.join("tls"),
            names: names(configuration),
        },
    };
    let seconds = i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX);
    let opened = Tls::open(source, seconds).context("nobody could speak TLS")?;
    tracing::info!("the certificate has SHA-256 {}", opened.0.fingerprint());
    Ok(Some(opened))
}

fn names(configuration: &Configuration) -> Vec<String> {
    if !configuration.tls.names.is_empty() {
        return configuration.tls.names.clone();
    }
    let uname = rustix::system::uname();
    let host = uname.nodename().to_str().ok().filter(|host| !host.is_empty());
    usual_names(host.map(str::to_owned), configuration.listen.ip())
}

/// Takes up new certificates while all goes on.
pub(super) fn start_certificate(
    exchange: Exchange,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (exchange, hub, stopped) = (Arc::new(exchange), hub.clone(), stop.clone());
    let keep = move || {
        let (exchange, hub, stop) = (Arc::clone(&exchange), hub.clone(), stopped.clone());
        async move { keep_certificate(&exchange, &hub, stop).await }
    };
    let stop = stop.clone();
    tasks.spawn(async move { keep_alive("keeper of the certificate", stop, keep).await });
}
