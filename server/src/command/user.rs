//! `gapless user`: accounts, seen to on the console. A server that runs notices within a second.

mod book;
mod password;

use std::io::{self, Write};

use config::Configuration;
use config::overrides::Variables;
use gateway::FIRST_PASSWORD_FILE;
use protocol::id::{SiteId, UserId};
use protocol::user::{Role, Scope};
use store::{AccountRow, Action, PEOPLE_FILE};
use tokio::runtime::Runtime;

use super::kept;
use crate::cli::{Account, AccountCommand, Add, DONE, Kept, Passwd};
use crate::log;
use book::{Book, told};

/// Why an account cannot be what it was asked to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    #[error("there is no account `{0}`")]
    NoSuchAccount(UserId),
    #[error("there is an account `{0}` already")]
    NameTaken(UserId),
    #[error("no site `{site}` is configured; there are {known}")]
    NoSuchSite { site: SiteId, known: String },
    #[error("`{0}` is the last administrator who can sign in")]
    LastAdmin(UserId),
    #[error("it is done, but cannot be put on record in the audit trail: {0}")]
    Unrecorded(String),
}

pub(super) fn run(asked: AccountCommand, variables: &Variables) -> anyhow::Result<u8> {
    log::begin(variables, log::QUIET)?;
    let runtime = Runtime::new()?;
    let done = match asked {
        AccountCommand::Add(asked) => runtime.block_on(add(asked, variables)),
        AccountCommand::Passwd(asked) => runtime.block_on(passwd(asked, variables)),
        AccountCommand::Unlock(asked) => runtime.block_on(unlock(asked, variables)),
        AccountCommand::Disable(asked) => runtime.block_on(switch(asked, true, variables)),
        AccountCommand::Enable(asked) => runtime.block_on(switch(asked, false, variables)),
        AccountCommand::List { json, kept } => {
            let configuration = existing(&kept, variables)?;
            runtime.block_on(list(json, &configuration))
        }
    };
    done.map(|()| DONE)
}

async fn add(asked: Add, variables: &Variables) -> anyhow::Result<()> {
    let Add { name, role, site, password, kept } = asked;
    let configuration = kept::configuration(&kept, variables)?;
    let sites = scope(site, &configuration)?;
    let book = Book::open(&configuration).await?;
    if book.people.account(name.as_str()).await?.is_some() {
        return Err(UserError::NameTaken(name).into());
    }
    let new = password::get(&name, &password)?;
    let now = book::now();
    let account = AccountRow {
        name: name.clone(),
        hash: new.hash,
        role,
        sites,
        created_at: now,
        password_at: now,
        is_disabled: false,
        must_change: !password.keep,
        signed_in_at: None,
        unlocked_at: None,
    };
    if !book.people.add_account(&account).await? {
        return Err(UserError::NameTaken(name).into());
    }
    say(&format!("{name} is added: {}", told(&account)))?;
    password::show(new.to_show)?;
    let is_led = book.people.accounts().await?.iter().any(is_admin);
    if !is_led {
        say("there is no administrator who can sign in; add one with --role admin")?;
    }
    book.record(Action::AccountAdded, None, &account).await
}

async fn passwd(asked: Passwd, variables: &Variables) -> anyhow::Result<()> {
    let Passwd { name, password, kept } = asked;
    let configuration = existing(&kept, variables)?;
    let book = Book::open(&configuration).await?;
    book.account(&name).await?;
    let new = password::get(&name, &password)?;
    // Its owner may have signed in while the password was typed.
    let before = book.account(&name).await?;
    let account = AccountRow {
        hash: new.hash,
        password_at: book::now(),
        must_change: !password.keep,
        ..before.clone()
    };
    book.put(&account).await?;
    book.people.remove_sessions_of(&name).await?;
    if account.role == Role::Admin {
        // What the server made at its first start opens nothing any more, if it was this one's.
        forget_first_password(&name, &configuration);
    }
    say(&format!("{name} has another password, and is signed out everywhere"))?;
    password::show(new.to_show)?;
    book.record(Action::PasswordChanged, Some(&before), &account).await
}

async fn unlock(asked: Account, variables: &Variables) -> anyhow::Result<()> {
    let Account { name, kept } = asked;
    let configuration = existing(&kept, variables)?;
    let book = Book::open(&configuration).await?;
    let before = book.account(&name).await?;
    let account = AccountRow { unlocked_at: Some(book::now()), ..before.clone() };
    book.put(&account).await?;
    say(&format!("{name} is not locked"))?;
    book.record(Action::Unlocked, Some(&before), &account).await
}

async fn switch(asked: Account, is_disabled: bool, variables: &Variables) -> anyhow::Result<()> {
    let Account { name, kept } = asked;
    let configuration = existing(&kept, variables)?;
    let book = Book::open(&configuration).await?;
    let before = book.account(&name).await?;
    if is_disabled && is_admin(&before) {
        let accounts = book.people.accounts().await?;
        if !accounts.iter().any(|other| other.name != name && is_admin(other)) {
            return Err(UserError::LastAdmin(name).into());
        }
    }
    let account = AccountRow { is_disabled, ..before.clone() };
    book.put(&account).await?;
    if is_disabled {
        book.people.remove_sessions_of(&name).await?;
        say(&format!("{name} is disabled, and is signed out everywhere"))?;
    } else {
        say(&format!("{name} may sign in"))?;
    }
    book.record(Action::AccountChanged, Some(&before), &account).await
}

async fn list(json: bool, configuration: &Configuration) -> anyhow::Result<()> {
    let book = Book::open(configuration).await?;
    let accounts = book.people.accounts().await?;
    let mut out = io::stdout().lock();
    if json {
        let accounts: Vec<_> = accounts.iter().map(book::as_json).collect();
        writeln!(out, "{}", serde_json::to_string(&accounts)?)?;
    } else {
        let longest = accounts.iter().map(|account| account.name.as_str().len()).max();
        let width = longest.unwrap_or_default();
        for account in &accounts {
            writeln!(out, "{:<width$}  {}", account.name.as_str(), told(account))?;
        }
    }
    book.close().await;
    Ok(())
}

/// The configuration of a server that has accounts.
fn existing(kept: &Kept, variables: &Variables) -> anyhow::Result<Configuration> {
    let configuration = kept::configuration(kept, variables)?;
    kept::is_there(&configuration.data_dir, PEOPLE_FILE)?;
    Ok(configuration)
}

/// The sites that were asked for, all of which are configured; or all there are and will be.
fn scope(asked: Vec<SiteId>, configuration: &Configuration) -> Result<Scope, UserError> {
    let sites = &configuration.plant.sites;
    let unknown = asked.iter().find(|asked| !sites.iter().any(|site| site.id == **asked));
    if let Some(site) = unknown {
        let known: Vec<_> = sites.iter().map(|site| site.id.as_str()).collect();
        return Err(UserError::NoSuchSite { site: site.clone(), known: known.join(", ") });
    }
    Ok(if asked.is_empty() { Scope::All } else { Scope::Sites(asked.into_iter().collect()) })
}

fn is_admin(account: &AccountRow) -> bool {
    account.role == Role::Admin && !account.is_disabled
}

fn forget_first_password(name: &UserId, configuration: &Configuration) {
    if name.as_str() == FIRST_ADMIN {
        // Where it is gone already, all is well.
        let _ = std::fs::remove_file(configuration.data_dir.join(FIRST_PASSWORD_FILE));
    }
}

/// Standard output is left to what is asked for.
fn say(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{text}")
}

/// Whom the server makes at its first start.
const FIRST_ADMIN: &str = "admin";
