//! One line form for all modules: for people on a terminal, JSON for machines otherwise, and in files.

mod files;
mod name;
mod one_line;
mod shelf;

use std::io::{self, IsTerminal as _};

use config::overrides::{Variables, variable};
use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use one_line::OneLine;
use shelf::Shelf;

/// Why the log cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("{name} holds no log levels: {cause}")]
    Levels { name: &'static str, cause: ParseError },
}

/// The log's files. What is on its way to them gets there before this is gone.
#[must_use]
pub(crate) struct Kept {
    _guard: Option<WorkerGuard>,
}

/// Begins the log on standard error; `GAPLESS_LOG` or `RUST_LOG` choose its levels, else `usual`.
pub(crate) fn begin(variables: &Variables, usual: &str) -> Result<(), LogError> {
    let log = registry().with(filter(variables, usual)?).with(to_stderr());
    // A log that already runs keeps running.
    let _ = log.try_init();
    Ok(())
}

/// Begins the log on standard error, and in files where those are configured.
pub(crate) fn begin_kept(variables: &Variables, config: &config::Log) -> Result<Kept, LogError> {
    let filter = filter(variables, &config.level)?;
    let shelf = config.directory.clone().map(|directory| Shelf {
        directory,
        keep: config.keep,
        keep_bytes: config.keep_bytes,
    });
    let (queue, guard) = shelf.map(files::open).unzip();
    let log = registry().with(filter).with(to_stderr()).with(queue.map(to_files));
    let _ = log.try_init();
    Ok(Kept { _guard: guard })
}

fn to_stderr<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match io::stderr().is_terminal() {
        true => fmt::layer().with_writer(|| OneLine(io::stderr())).boxed(),
        false => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
    }
}

/// JSON leaves no line end in a text: a line of a file is an event, whatever is in it.
fn to_files<S>(queue: NonBlocking) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fmt::layer().json().flatten_event(true).with_writer(queue)
}

fn filter(variables: &Variables, usual: &str) -> Result<EnvFilter, LogError> {
    let chosen = NAMES.iter().find_map(|name| Some((*name, variable(variables, name)?)));
    let (name, levels) = chosen.unwrap_or(("log.level", usual));
    EnvFilter::try_new(levels).map_err(|cause| LogError::Levels { name, cause })
}

const NAMES: [&str; 2] = ["GAPLESS_LOG", "RUST_LOG"];

/// Of a command that runs on.
pub(crate) const USUAL: &str = "info";

/// Of a command that only does what it was asked to do.
pub(crate) const QUIET: &str = "warn";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_from_the_environment_ours_first_else_as_configured() {
        let table = [
            ("", "", Some("store=warn")),
            ("", "warn", Some("warn")),
            ("field=debug", "warn", Some("field=debug")),
            ("field=loud", "", None),
        ];
        for (ours, usual, expected) in table {
            let variables = [("GAPLESS_LOG", ours), ("RUST_LOG", usual)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let levels = filter(&variables, "store=warn").ok().map(|filter| filter.to_string());
            assert_eq!(levels.as_deref(), expected, "{ours:?}, {usual:?}");
        }
    }

    #[test]
    fn no_message_makes_a_line_of_a_file_that_was_not_logged() {
        // S0-78
        let folder = tempfile::tempdir().unwrap();
        let keep = std::time::Duration::from_secs(31 * 86_400);
        let shelf = Shelf { directory: folder.path().into(), keep, keep_bytes: u64::MAX };
        let forged = "x\r\n{\"level\":\"INFO\",\"message\":\"forged\"}\n\u{2028}\u{1b}[2J\0";
        let (queue, guard) = files::open(shelf);
        tracing::subscriber::with_default(registry().with(to_files(queue)), || {
            let span = tracing::info_span!("connection", connection_id = forged);
            let _in = span.enter();
            tracing::warn!(target: "WebSocket", user = forged, "{forged}");
        });
        drop(guard);
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(text.ends_with('\n') && !text.trim_end().contains(|c: char| c < ' '), "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["target"], &line["level"]), (&"WebSocket".into(), &"WARN".into()));
        assert_eq!((&line["message"], &line["user"]), (&forged.into(), &forged.into()));
        assert_eq!(line["span"]["connection_id"], forged);
        assert!(line["timestamp"].is_string());
    }
}
