//! A new password: typed twice, read from standard input, or made.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail, ensure};
use identity::{Digest, password};
use protocol::id::UserId;

use crate::cli::NewPassword;

/// A password that is good enough for its account.
pub(super) struct New {
    /// What is kept of it.
    pub hash: String,
    /// The password, where nobody has seen it yet.
    pub to_show: Option<String>,
}

pub(super) fn get(owner: &UserId, asked: &NewPassword) -> anyhow::Result<New> {
    let chosen = match asked.generate {
        true => password::readable(random()?),
        false => chosen(owner)?,
    };
    password::judge(&chosen, &[owner.as_str()])?;
    let hash = password::hash(&Digest::of(&chosen), random()?).as_str().to_owned();
    Ok(New { hash, to_show: asked.generate.then_some(chosen) })
}

/// It stands alone on standard output: a script takes it from there.
pub(super) fn show(password: Option<String>) -> io::Result<()> {
    password.map_or(Ok(()), |password| writeln!(io::stdout(), "{password}"))
}

fn chosen(owner: &UserId) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let ask = |text: String| rpassword::prompt_password(text).context("cannot ask for a password");
    let first = ask(format!("New password of {owner}: "))?;
    let second = ask("The same again: ".into())?;
    ensure!(first == second, "these are two different passwords");
    Ok(first)
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = io::stdin().lines().next().transpose();
    if let Some(first) = read.context("cannot read the password from standard input")? {
        line = first;
    }
    if line.is_empty() {
        bail!("there is no password on standard input; --generate makes one");
    }
    Ok(line)
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes)
}
