//! The book of people and the audit trail, as a command beside the server writes to them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use config::Configuration;
use protocol::id::{SiteId, UserId};
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use protocol::user::Scope;
use serde_json::{Value, json};
use store::{
    AUDIT_FILE, AccountRow, Action, Audit, AuditPolicy, Deed, PEOPLE_FILE, People, write_audit,
};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::UserError;
use crate::command::kept;

/// The accounts of a data directory.
pub(super) struct Book<'a> {
    pub people: People,
    configuration: &'a Configuration,
}

impl<'a> Book<'a> {
    pub(super) async fn open(configuration: &'a Configuration) -> anyhow::Result<Self> {
        let directory = &configuration.data_dir;
        for file in [PEOPLE_FILE, AUDIT_FILE] {
            let made = kept::belongs_to_owner(directory, file);
            made.with_context(|| format!("cannot make {}", directory.join(file).display()))?;
        }
        Ok(Self { people: People::open(directory).await?, configuration })
    }

    pub(super) async fn account(&self, name: &UserId) -> anyhow::Result<AccountRow> {
        let account = self.people.account(name.as_str()).await?;
        Ok(account.ok_or_else(|| UserError::NoSuchAccount(name.clone()))?)
    }

    pub(super) async fn put(&self, account: &AccountRow) -> anyhow::Result<()> {
        let is_there = self.people.put_account(account).await?;
        Ok(is_there.then_some(()).ok_or_else(|| UserError::NoSuchAccount(account.name.clone()))?)
    }

    pub(super) async fn close(self) {
        self.people.close().await;
    }

    /// Puts on record what was done, and lets go of the book.
    pub(super) async fn record(
        self,
        action: Action,
        before: Option<&AccountRow>,
        after: &AccountRow,
    ) -> anyhow::Result<()> {
        let deed = Deed {
            at: now(),
            user: whoami::username().unwrap_or_else(|_| UNKNOWN.into()),
            role: None,
            origin: "console".into(),
            action,
            target: after.name.to_string(),
            before: before.map(told),
            after: Some(told(after)),
            is_done: true,
            detail: asked_by(std::env::var("SUDO_USER").ok()),
        };
        let recorded = record(deed, self.configuration).await;
        self.close().await;
        recorded
    }
}

/// Runs a writer of the trail for one deed. The server's own, in another process, goes on.
async fn record(deed: Deed, configuration: &Configuration) -> anyhow::Result<()> {
    let (audit, inbox) = Audit::open();
    let working = Condition { since: deed.at, state: PartState::Working, why: None };
    let (conditions, condition) = watch::channel(working);
    let policy =
        AuditPolicy { keep: configuration.records.keep_security, ..AuditPolicy::default() };
    let stop = CancellationToken::new();
    let directory = configuration.data_dir.clone();
    let writer = tokio::spawn(write_audit(directory, inbox, policy, stop.clone(), conditions));
    audit.append(deed);
    let is_written = timeout(PATIENCE, audit.flushed()).await.unwrap_or(false);
    stop.cancel();
    // It ends by itself once it was told to.
    let _ = writer.await;
    let why =
        || condition.borrow().why.clone().unwrap_or_else(|| "the disk does not answer".into());
    Ok(is_written.then_some(()).ok_or_else(|| UserError::Unrecorded(why()))?)
}

/// What an account is, in words.
pub(super) fn told(account: &AccountRow) -> String {
    let mut told = format!("{} for {}", account.role, shown(&account.sites));
    if account.is_disabled {
        told += ", disabled";
    }
    if account.must_change {
        told += ", has to change the password";
    }
    told
}

fn shown(sites: &Scope) -> String {
    match sites {
        Scope::All => "all sites".into(),
        Scope::Sites(sites) => {
            let sites: Vec<_> = sites.iter().map(SiteId::as_str).collect();
            if sites.is_empty() { "no site".into() } else { sites.join(", ") }
        }
    }
}

pub(super) fn as_json(account: &AccountRow) -> Value {
    json!({
        "name": account.name,
        "role": account.role,
        "sites": account.sites,
        "is_disabled": account.is_disabled,
        "must_change_password": account.must_change,
        "created_at": account.created_at,
        "password_at": account.password_at,
        "signed_in_at": account.signed_in_at,
    })
}

fn asked_by(person: Option<String>) -> String {
    person.map(|person| format!("asked by {person}")).unwrap_or_default()
}

pub(super) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// A user of the system without a name.
const UNKNOWN: &str = "unknown";

/// A disk that has not taken one row by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);
