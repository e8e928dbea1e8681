//! Where the server looks for its configuration, and where it keeps what must survive.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::overrides::{Variables, variable};

/// The configuration file to read, if there is one: the one that was asked for, whether it is
/// there or not, else the first of the usual places that is.
pub fn find(asked: Option<&Path>, variables: &Variables) -> Option<PathBuf> {
    let asked = asked.map(Path::to_owned);
    let asked = asked.or_else(|| variable(variables, "GAPLESS_CONFIG").map(PathBuf::from));
    asked.or_else(|| USUAL.into_iter().map(PathBuf::from).find(|path| path.exists()))
}

/// The data directory where none is configured: what systemd gives, else the system's for root
/// and the user's own for others.
pub(crate) fn data_dir(variables: &Variables, is_root: bool) -> PathBuf {
    if let Some(folder) = variable(variables, "STATE_DIRECTORY") {
        return folder.split(':').next().unwrap_or(folder).into();
    }
    if is_root {
        return "/var/lib/gapless".into();
    }
    let home = || Some(Path::new(variable(variables, "HOME")?).join(".local/share"));
    let base = variable(variables, "XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_default().join("gapless")
}

/// The directory of the log where none is configured: what systemd gives, else the system's for
/// root; others have none.
pub(crate) fn log_dir(variables: &Variables, is_root: bool) -> Option<PathBuf> {
    let given = variable(variables, "LOGS_DIRECTORY");
    let given = given.map(|folder| folder.split(':').next().unwrap_or(folder).into());
    given.or_else(|| is_root.then(|| "/var/log/gapless".into()))
}

/// A process belongs to whom its entry in `/proc` belongs.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

const USUAL: [&str; 2] = ["gapless.toml", "/etc/gapless/gapless.toml"];

#[cfg(test)]
mod tests {
    use super::*;

    fn own(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn the_file_that_was_asked_for_goes_before_the_variable() {
        let variables = own(&[("GAPLESS_CONFIG", "b.toml")]);
        assert_eq!(find(Some(Path::new("a.toml")), &variables), Some("a.toml".into()));
        assert_eq!(find(None, &variables), Some("b.toml".into()));
    }

    #[test]
    fn the_data_directory_is_what_the_system_gives() {
        let variables = own(&[("STATE_DIRECTORY", "/var/lib/gapless"), ("HOME", "/home/li")]);
        assert_eq!(data_dir(&variables, false), Path::new("/var/lib/gapless"));
        let home = own(&[("HOME", "/home/li")]);
        assert_eq!(data_dir(&home, false), Path::new("/home/li/.local/share/gapless"));
        assert_eq!(data_dir(&home, true), Path::new("/var/lib/gapless"));
        let xdg = own(&[("HOME", "/home/li"), ("XDG_DATA_HOME", "/data")]);
        assert_eq!(data_dir(&xdg, false), Path::new("/data/gapless"));
    }
    #[test]
    fn only_a_service_has_a_log_directory() {
        let given = own(&[("LOGS_DIRECTORY", "/var/log/gapless:/var/log/more")]);
        assert_eq!(log_dir(&given, false), Some("/var/log/gapless".into()));
        assert_eq!(log_dir(&[], true), Some("/var/log/gapless".into()));
        assert_eq!(log_dir(&[], false), None);
    }
}
