//! What can be asked about accounts.

use clap::{Args, Subcommand};
use identity::name;
use protocol::id::{SiteId, UserId};
use protocol::user::Role;

use super::Kept;

/// A change to an account, or a look at all of them.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Adds an account.
    Add(Add),
    /// Gives an account another password, and signs it out everywhere.
    Passwd(Passwd),
    /// Takes the lock off an account that had too many wrong passwords.
    Unlock(Account),
    /// Lets nobody in to an account, and signs it out everywhere.
    Disable(Account),
    /// Lets its owner in to an account again.
    Enable(Account),
    /// Lists the accounts.
    List {
        /// As one JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        kept: Kept,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// What its owner signs in as: letters, digits, `-`, `_` and `.`.
    #[arg(value_parser = name::user_name)]
    pub name: UserId,
    /// viewer, operator, engineer, admin, auditor or developer.
    #[arg(long)]
    pub role: Role,
    /// A site that it is for; may be repeated. All of them where none is said.
    #[arg(long, value_name = "ID")]
    pub site: Vec<SiteId>,
    #[command(flatten)]
    pub password: NewPassword,
    #[command(flatten)]
    pub kept: Kept,
}

#[derive(Args, Debug)]
pub(crate) struct Passwd {
    #[arg(value_parser = name::user_name)]
    pub name: UserId,
    #[command(flatten)]
    pub password: NewPassword,
    #[command(flatten)]
    pub kept: Kept,
}

#[derive(Args, Debug)]
pub(crate) struct Account {
    #[arg(value_parser = name::user_name)]
    pub name: UserId,
    #[command(flatten)]
    pub kept: Kept,
}

/// Where a password comes from; usually it is typed twice, or is the line on standard input.
#[derive(Args, Debug)]
pub(crate) struct NewPassword {
    /// Makes a password, and prints it once on standard output.
    #[arg(long)]
    pub generate: bool,
    /// It need not be changed at the next sign-in.
    #[arg(long)]
    pub keep: bool,
}
