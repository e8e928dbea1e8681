//! Looks after the certificate: exchanges it when its files change, and warns before it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Exchange, Shown};
use crate::hub::Hub;

/// Looks again and again until `stop`. Connections that stand keep what they were shown.
pub async fn keep_certificate(exchange: &Exchange, hub: &Hub, stop: CancellationToken) {
    let mut keeper = Keeper { exchange, warned: None, complaint: None };
    loop {
        let now = i64::try_from(hub.time().as_millis() / 1000).unwrap_or(i64::MAX);
        keeper.look(now);
        if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

struct Keeper<'a> {
    exchange: &'a Exchange,
    /// The days of the last warning.
    warned: Option<i64>,
    /// What was wrong with the files at the last look.
    complaint: Option<String>,
}

impl Keeper<'_> {
    fn look(&mut self, now: i64) {
        match Shown::read(&self.exchange.source, now) {
            Ok(read) => {
                self.complaint = None;
                self.exchange(read);
            }
            Err(error) => self.complain(error.to_string()),
        }
        self.warn(now);
    }

    fn exchange(&mut self, read: Shown) {
        let is_new = read.certificate.chain != self.exchange.shown.borrow().certificate.chain;
        if is_new {
            let fingerprint = read.certificate.fingerprint();
            tracing::info!(%fingerprint, "a new certificate is in use, SHA-256 {fingerprint}");
            self.exchange.shown.send_replace(Arc::new(read));
            self.warned = None;
        }
    }

    /// The old certificate stays in use; what is wrong is said once.
    fn complain(&mut self, complaint: String) {
        if self.complaint.as_ref() != Some(&complaint) {
            tracing::error!("the certificate in use stays: {complaint}");
        }
        self.complaint = Some(complaint);
    }

    fn warn(&mut self, now: i64) {
        let left = (self.exchange.shown.borrow().certificate.expires - now).div_euclid(DAY);
        let due = WARNED_AT.into_iter().filter(|days| left < *days).min();
        if due.is_some() && due != self.warned {
            match left {
                ..0 => tracing::error!("the certificate has ended"),
                _ => tracing::warn!(days = left, "the certificate ends in {left} days"),
            }
        }
        self.warned = due;
    }
}

/// Whoever puts a new certificate there looks for it right after.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// So many days before the end somebody should do something.
const WARNED_AT: [i64; 4] = [30, 14, 7, 0];

const DAY: i64 = 24 * 60 * 60;
