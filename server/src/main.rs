//! The binary `gapless`: does what it is asked to do until it is told to stop.

use std::process::ExitCode;

use clap::Parser as _;

mod assemble;
mod assets;
mod cli;
mod command;
mod demo;
mod first_page;
mod key;
mod log;
mod notify;
mod open_files;
mod paces;
mod pages;
mod reload;
mod shutdown;
mod supervise;
mod token_key;
mod welcome;

fn main() -> ExitCode {
    // What is not UTF-8 holds no value of ours.
    let variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    ExitCode::from(command::run(cli::Cli::parse(), &variables))
}
