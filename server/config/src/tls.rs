//! `[tls]`: whether the way to the server is encrypted, and with which certificate.

use std::path::PathBuf;

use crate::Source;
use crate::document::Value;
use crate::files::readable;
use crate::finding::shown;
use crate::parse::{list, switch, word};
use crate::section::{Placed, Section};

/// Whether the way to the server is encrypted, and with which certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tls {
    pub enabled: bool,
    /// Where somebody else sees to the certificate; without, the server makes its own.
    pub files: Option<CertificateFiles>,
    /// What a certificate of our own making is for, beside the usual names.
    pub names: Vec<String>,
}

/// A certificate and its key, in PEM; both files could be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What `[tls]` says.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub enabled: Option<bool>,
    /// Whether somebody decided about TLS.
    pub is_said: bool,
    files: Option<CertificateFiles>,
    names: Option<Vec<String>>,
}

pub(crate) fn read(root: &mut Section<'_>, source: &Source) -> Draft {
    let mut section = root.section("tls");
    let is_said = section.has("enabled");
    let enabled = section.read_or("enabled", "false", switch);
    let certificate = section.read("certificate", word);
    let key = section.read("key", word);
    let names = section.read_or("names", "", list(name));
    if let (Some(certificate), Some(false)) = (&certificate, enabled) {
        let text = "`certificate` has no effect: `enabled` is false in [tls]";
        section.notes.findings.warn(&certificate.place, text);
    }
    let files = files(&mut section, source, certificate, key);
    section.finish();
    Draft { enabled, is_said, files, names }
}

impl Draft {
    pub(crate) fn finish(self) -> Option<Tls> {
        Some(Tls { enabled: self.enabled?, files: self.files, names: self.names? })
    }
}

fn files(
    section: &mut Section<'_>,
    source: &Source,
    certificate: Option<Placed<String>>,
    key: Option<Placed<String>>,
) -> Option<CertificateFiles> {
    let findings = &mut section.notes.findings;
    match (certificate, key) {
        (None, None) => None,
        (Some(alone), None) => {
            findings.mistake(&alone.place, "`certificate` goes with a `key`, which is missing");
            None
        }
        (None, Some(alone)) => {
            findings.mistake(&alone.place, "`key` goes with a `certificate`, which is missing");
            None
        }
        (Some(certificate), Some(key)) => {
            let certificate = readable("certificate", &certificate, source, findings);
            let key = readable("key", &key, source, findings);
            Some(CertificateFiles { certificate: certificate?, key: key? })
        }
    }
}

/// A host's name or address, as browsers are asked for it.
fn name(value: &Value) -> Result<String, String> {
    let text = word(value)?.to_ascii_lowercase();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:*".contains(c);
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let is_name = text.len() <= LONGEST_NAME && !text.contains(':') && text.chars().all(is_plain);
    match is_address || is_name {
        true => Ok(text),
        false => Err(format!(
            "must hold names or addresses such as hmi.example or 10.0.0.7, not {}",
            shown(&text)
        )),
    }
}

/// The longest name of a host.
const LONGEST_NAME: usize = 253;
