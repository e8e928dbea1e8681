//! The real binary, running in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

/// A server, and where it is: of the folder's configuration, else the demonstration.
pub(crate) struct Running {
    process: Child,
    pub(crate) address: String,
    log: Receiver<Value>,
}

/// `gapless serve` in this folder, which keeps in `data` what must survive.
pub(crate) fn serve(folder: &Path, address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    command
        .args(["serve", "--listen", address, "--data-dir", "data"])
        .env("GAPLESS_LOG", "info")
        // Whoever runs the tests, even root, keeps no log of them.
        .env("GAPLESS__LOG__DIRECTORY", "")
        // Nobody signs in, but where that is what is tried.
        .env("GAPLESS__AUTH__ENABLED", "false")
        .current_dir(folder);
    command
}

impl Running {
    /// Starts at a port that is free.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0")
    }

    pub(crate) fn start_at(folder: &Path, address: &str) -> Self {
        let mut running = Self::launch(serve(folder, address));
        running.is_up();
        running
    }

    /// Starts, and does not wait until it is up.
    pub(crate) fn launch(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let (lines, heard) = mpsc::channel();
        // Nobody may hang up on a log.
        std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let _ = lines.send(line);
            }
        });
        Self { process, address: String::new(), log: heard }
    }

    /// Reads the log until it tells the address; what it told before that.
    pub(crate) fn is_up(&mut self) -> Vec<String> {
        let (line, before) = self.hear("Gapless is at ");
        self.address = line["address"].as_str().unwrap().to_owned();
        before
    }

    /// The next line of the log with these words in it, and the messages before it.
    pub(crate) fn hear(&mut self, words: &str) -> (Value, Vec<String>) {
        let mut before = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("`{words}` does not come after {before:?}"));
            let message = line["message"].as_str().or(line.as_str()).unwrap_or_default();
            if message.contains(words) {
                return (line, before);
            }
            before.push(message.to_owned());
        }
    }

    /// What else it says, up to its end.
    pub(crate) fn last_words(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            said.push(line["message"].as_str().or(line.as_str()).unwrap_or_default().to_owned());
        }
        said
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for its end; the exit code, unless a signal ended it.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Far longer than anything takes on a busy machine, short enough to wait for in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
