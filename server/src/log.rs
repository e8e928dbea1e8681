//! One line form for all modules: for people on a terminal, JSON for machines otherwise.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::overrides::{Variables, variable};

/// Why the log cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("{name} holds no log levels")]
    Levels { name: &'static str, source: ParseError },
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
    EnvFilter::try_new(levels).map_err(|source| LogError::Levels { name, source })
}

const NAMES: [&str; 2] = ["GAPLESS_LOG", "RUST_LOG"];
const USUAL: &str = "info";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_from_the_environment_ours_first() {
        let table: [(&[(&str, &str)], Option<&str>); 5] = [
            (&[], Some("info")),
            (&[("RUST_LOG", "warn")], Some("warn")),
            (&[("RUST_LOG", "warn"), ("GAPLESS_LOG", "field=debug")], Some("field=debug")),
            (&[("GAPLESS_LOG", "")], Some("info")),
            (&[("GAPLESS_LOG", "field=loud")], None),
        ];
        for (variables, expected) in table {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let variables: Vec<_> = variables.iter().map(own).collect();
            let levels = filter(&variables).ok().map(|filter| filter.to_string());
            assert_eq!(levels.as_deref(), expected, "{variables:?}");
        }
    }
}
