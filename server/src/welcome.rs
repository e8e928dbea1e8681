//! What whoever started the server reads first: where it is, and how to sign in.

use std::io::{self, Write};

use config::Configuration;
use gateway::FirstSignIn;

use crate::assemble::Running;

/// Says it in the log, and what is to be read once on standard output.
pub(crate) fn say(running: &Running, configuration: &Configuration) -> io::Result<()> {
    let scheme = if running.is_encrypted { "https" } else { "http" };
    let address = running.address;
    tracing::info!(%address, "Gapless is at {scheme}://{address}");
    let place = format!("{scheme}://{address}");
    if let Some(first) = &running.first {
        return told_once(&mut io::stdout().lock(), &place, first);
    }
    let file = configuration.data_dir.join(gateway::FIRST_PASSWORD_FILE);
    if configuration.auth.enabled && file.exists() {
        tracing::warn!("the first password, in {}, has not been changed yet", file.display());
    }
    Ok(())
}

fn told_once(out: &mut impl Write, place: &str, first: &FirstSignIn) -> io::Result<()> {
    let FirstSignIn { user, password, file } = first;
    writeln!(out)?;
    writeln!(out, "  Address    {place}")?;
    writeln!(out, "  User       {user}")?;
    writeln!(out, "  Password   {password}")?;
    writeln!(out)?;
    writeln!(out, "  Told once; until it is changed at the first sign-in it stands in")?;
    writeln!(out, "  {}", file.display())?;
    writeln!(out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_user_and_password_stand_on_lines_of_their_own() {
        let (user, password) = ("admin".into(), "abcde-fghij".into());
        let first = FirstSignIn { user, password, file: "/data/initial-admin-password".into() };
        let mut out = Vec::new();
        told_once(&mut out, "http://127.0.0.1:8080", &first).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in
            ["  Address    http://127.0.0.1:8080", "  User       admin", "  Password   abcde-fghij"]
        {
            assert!(text.lines().any(|told| told == line), "{text}");
        }
    }
}
