//! What the server keeps, for commands beside it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::Path;

use config::Configuration;
use config::overrides::Variables;

use super::source;
use crate::cli::Kept;
use crate::demo;

/// Something that a command is about, and that the server has not begun yet.
#[derive(Debug, thiserror::Error)]
#[error("there is no {file} in {}", directory.display())]
pub(crate) struct Missing {
    file: &'static str,
    directory: std::path::PathBuf,
}

/// The configuration of the server that a command is about.
pub(super) fn configuration(kept: &Kept, variables: &Variables) -> anyhow::Result<Configuration> {
    let source = source(&kept.configured, variables)?.unwrap_or_else(demo::source);
    Ok(config::read(&source, variables, kept.overrides())?)
}

/// Whoever only looks makes nothing.
pub(super) fn is_there(directory: &Path, file: &'static str) -> Result<(), Missing> {
    let is_there = directory.join(file).exists();
    is_there.then_some(()).ok_or_else(|| Missing { file, directory: directory.into() })
}

/// Makes a file that is missing one of the directory's owner: what root adds to on the console has
/// to be open to a server that is not root.
pub(super) fn belongs_to_owner(directory: &Path, file: &str) -> io::Result<()> {
    let path = directory.join(file);
    let made = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
    match made.map_err(|error| error.kind()) {
        // Whoever opens a database makes the directory as well.
        Err(io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Ok(()),
        Err(kind) => Err(kind.into()),
        Ok(made) => {
            let (file, owner) = (made.metadata()?, fs::metadata(directory)?);
            match (file.uid(), file.gid()) == (owner.uid(), owner.gid()) {
                true => Ok(()),
                false => chown(&path, Some(owner.uid()), Some(owner.gid())),
            }
        }
    }
}
