//! Files that the configuration names; their names count from it.

use std::path::{Path, PathBuf};

use crate::finding::{Findings, shown};
use crate::section::Placed;
use crate::{PointTable, Source};

/// Where the file is that `key` names; one that cannot be read is a mistake.
pub(crate) fn readable(
    key: &str,
    name: &Placed<String>,
    source: &Source,
    findings: &mut Findings,
) -> Option<PathBuf> {
    let opened = open(&name.value, source).map_err(|why| format!("`{key}` {why}"));
    findings.keep(&name.place, opened)
}

fn open(name: &str, source: &Source) -> Result<PathBuf, String> {
    // Nobody should find a key in what is printed.
    if name.contains("-----BEGIN") || name.contains('\n') {
        return Err("must be the name of a file, not what stands in it".into());
    }
    let path = folder(source).join(name);
    let cannot = |error| format!("cannot be read, {}: {error}", shown(&path.to_string_lossy()));
    let about = std::fs::metadata(&path).map_err(cannot)?;
    if !about.is_file() {
        return Err(format!("must be a file, not {}", shown(&path.to_string_lossy())));
    }
    std::fs::File::open(&path).map_err(cannot)?;
    Ok(path)
}

fn folder(source: &Source) -> &Path {
    match &source.points {
        PointTable::Beside(folder) => folder,
        PointTable::Embedded(_) => Path::new(""),
    }
}
