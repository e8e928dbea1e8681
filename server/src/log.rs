//! One line form for all modules: for people on a terminal, JSON for machines otherwise.

use std::io::{self, IsTerminal as _};

use config::overrides::{Variables, variable};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Why the log cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("{name} holds no log levels: {cause}")]
    Levels { name: &'static str, cause: ParseError },
}

/// Begins the log on standard error; `GAPLESS_LOG` or `RUST_LOG` choose its levels.
pub(crate) fn begin(variables: &Variables) -> Result<(), LogError> {
    let filter = filter(variables)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A log that already runs keeps running.
    let _ = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
    Ok(())
}

fn filter(variables: &Variables) -> Result<EnvFilter, LogError> {
    let chosen = NAMES.iter().find_map(|name| Some((*name, variable(variables, name)?)));
    let Some((name, levels)) = chosen else { return Ok(EnvFilter::new(USUAL)) };
    EnvFilter::try_new(levels).map_err(|cause| LogError::Levels { name, cause })
}

const NAMES: [&str; 2] = ["GAPLESS_LOG", "RUST_LOG"];
const USUAL: &str = "info";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_from_the_environment_ours_first() {
        let table = [
            ("", "", Some("info")),
            ("", "warn", Some("warn")),
            ("field=debug", "warn", Some("field=debug")),
            ("field=loud", "", None),
        ];
        for (ours, usual, expected) in table {
            let variables = [("GAPLESS_LOG", ours), ("RUST_LOG", usual)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let levels = filter(&variables).ok().map(|filter| filter.to_string());
            assert_eq!(levels.as_deref(), expected, "{ours:?}, {usual:?}");
        }
    }
}
