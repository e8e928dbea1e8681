//! Changes to accounts, and who may not be changed.

use identity::{Digest, Hashed, SessionId, name, password};
use protocol::id::UserId;
use protocol::user::{Role, Scope};
use protocol::wire::people::{Account, AccountChange, NewAccount, SignInLine};
use store::{AccountRow, Action};
use tokio::sync::oneshot;

use super::call::{By, Denied};
use super::desk::{Knocked, Pens, PeopleDesk, Purpose, locked_until, random, unavailable};
use super::hashing::Task;
use super::sessions::is_last_admin;

type Answer = oneshot::Sender<Result<(), Denied>>;

impl PeopleDesk {
    pub(super) fn list(&self, pens: &Pens) -> Vec<Account> {
        let now = (pens.hub.stopwatch().now(), pens.hub.time());
        let told = |account: &AccountRow| Account {
            created_at: account.created_at,
            is_disabled: account.is_disabled,
            locked_until: locked_until(&self.lockout, &account.name, now),
            must_change_password: account.must_change,
            name: account.name.to_string(),
            role: account.role,
            sites: account.sites.clone(),
            signed_in_at: account.signed_in_at,
        };
        self.accounts.values().map(told).collect()
    }

    pub(super) fn add(&mut self, by: By, new: NewAccount, answer: Answer, pens: &Pens) {
        let account = self.new_account(&new, pens);
        let make = Digest::of(&new.password);
        match account.and_then(|account| Ok((account, random()?))) {
            Err(denied) => drop(answer.send(Err(denied))),
            Ok(_) if self.hashing.is_full() => drop(answer.send(Err(Denied::Busy))),
            Ok((account, salt)) => {
                let task = Task { check: None, make: Some((make, salt)) };
                self.hashing.begin(Purpose::Add { by, account, answer }, task);
            }
        }
    }

    fn new_account(&self, new: &NewAccount, pens: &Pens) -> Result<AccountRow, Denied> {
        let called =
            name::user_name(&new.name).map_err(|error| Denied::BadName(error.to_string()))?;
        if self.accounts.contains_key(&called) {
            return Err(Denied::NameTaken);
        }
        good_enough(&new.password, called.as_str())?;
        let now = pens.hub.time();
        Ok(AccountRow {
            name: called,
            hash: String::new(),
            role: new.role,
            sites: new.sites.clone(),
            created_at: now,
            password_at: now,
            is_disabled: false,
            must_change: true,
            signed_in_at: None,
            unlocked_at: None,
        })
    }

    pub(super) async fn added(
        &mut self,
        by: &By,
        account: AccountRow,
        made: Option<Hashed>,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let hash = made.ok_or(Denied::Unavailable)?.as_str().into();
        let account = AccountRow { hash, ..account };
        let is_new = self.book.add_account(&account).await;
        if !is_new.map_err(|error| unavailable(&error))? {
            return Err(Denied::NameTaken);
        }
        let detail = format!("{} for {}", account.role, shown(&account.sites));
        deed(by, Action::AccountAdded, &account.name, &detail, pens);
        self.accounts.insert(account.name.clone(), account);
        Ok(())
    }

    pub(super) async fn change(
        &mut self,
        by: By,
        called: &UserId,
        change: AccountChange,
        answer: Answer,
        pens: &Pens,
    ) {
        let account = match self.changed(called, &change) {
            Ok(account) => account,
            Err(denied) => return drop(answer.send(Err(denied))),
        };
        let Some(new) = change.password else {
            return drop(answer.send(self.set(&by, account, None, pens).await));
        };
        match random() {
            Err(denied) => drop(answer.send(Err(denied))),
            Ok(_) if self.hashing.is_full() => drop(answer.send(Err(Denied::Busy))),
            Ok(salt) => {
                let account = AccountRow {
                    must_change: true,
                    password_at: pens.hub.time(),
                    hash: String::new(),
                    ..account
                };
                let task = Task { check: None, make: Some((Digest::of(&new), salt)) };
                self.hashing.begin(Purpose::Set { by, account, answer }, task);
            }
        }
    }

    /// What an account would be after a change, if it may be.
    fn changed(&self, called: &UserId, change: &AccountChange) -> Result<AccountRow, Denied> {
        let account = self.accounts.get(called).ok_or(Denied::NoSuchAccount)?;
        let stays_admin = change.role == Role::Admin && !change.is_disabled;
        if !stays_admin && is_last_admin(account, &self.accounts) {
            return Err(Denied::LastAdmin);
        }
        if let Some(new) = &change.password {
            good_enough(new, called.as_str())?;
        }
        let AccountChange { is_disabled, role, sites, .. } = change.clone();
        Ok(AccountRow { is_disabled, role, sites, ..account.clone() })
    }

    /// An account is what it says from now on; whoever is signed in to it has to sign in again.
    pub(super) async fn set(
        &mut self,
        by: &By,
        account: AccountRow,
        made: Option<Hashed>,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let before = self.accounts.get(&account.name).ok_or(Denied::NoSuchAccount)?;
        let is_new_password = account.hash.is_empty();
        let hash = match (is_new_password, made) {
            (true, Some(made)) => made.as_str().into(),
            (true, None) => return Err(Denied::Unavailable),
            (false, _) => before.hash.clone(),
        };
        let state = |is_disabled| if is_disabled { ", disabled" } else { "" };
        let told = |account: &AccountRow| {
            format!("{} for {}{}", account.role, shown(&account.sites), state(account.is_disabled))
        };
        let with = if is_new_password { ", with a new password" } else { "" };
        let detail = format!("{} → {}{with}", told(before), told(&account));
        let called = account.name.clone();
        self.put(AccountRow { hash, ..account }).await?;
        self.all_over(&called, None).await;
        deed(by, Action::AccountChanged, &called, &detail, pens);
        Ok(())
    }

    pub(super) async fn remove(
        &mut self,
        by: &By,
        called: &UserId,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let account = self.accounts.get(called).ok_or(Denied::NoSuchAccount)?;
        if is_last_admin(account, &self.accounts) {
            return Err(Denied::LastAdmin);
        }
        self.book.remove_account(called).await.map_err(|error| unavailable(&error))?;
        self.accounts.remove(called);
        self.sessions.end_all_of(called, None);
        deed(by, Action::AccountRemoved, called, "", pens);
        Ok(())
    }

    pub(super) async fn unlock(
        &mut self,
        by: &By,
        called: &UserId,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let account = self.accounts.get(called).ok_or(Denied::NoSuchAccount)?.clone();
        self.lockout.unlock(called);
        self.put(AccountRow { unlocked_at: Some(pens.hub.time()), ..account }).await?;
        deed(by, Action::Unlocked, called, "", pens);
        Ok(())
    }

    pub(super) fn change_password(
        &mut self,
        by: By,
        old: Digest,
        new: &str,
        answer: Answer,
        pens: &Pens,
    ) {
        let called = by.person.user.to_string();
        if let Err(denied) = good_enough(new, &called) {
            return drop(answer.send(Err(denied)));
        }
        if old == Digest::of(new) {
            let same = Denied::WeakPassword("this is the password that is to be changed".into());
            return drop(answer.send(Err(same)));
        }
        let knock = Knocked { name: called, origin: by.origin };
        let about = |knock, answer| Purpose::Change { knock, by, answer };
        self.ask_again(knock, old, Some(Digest::of(new)), answer, about, pens);
    }

    /// Whoever else is signed in to the account has to sign in again.
    pub(super) async fn own_password(
        &mut self,
        account: AccountRow,
        made: Hashed,
        by: &By,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let (called, password_at) = (account.name.clone(), pens.hub.time());
        let hash = made.as_str().into();
        self.put(AccountRow { hash, password_at, must_change: false, ..account }).await?;
        if let Some(sid) = by.person.sid {
            self.sessions.is_settled(sid);
        }
        self.all_over(&called, by.person.sid).await;
        deed(by, Action::PasswordChanged, &called, "", pens);
        Ok(())
    }

    pub(super) async fn end(&mut self, by: &By, sid: SessionId, pens: &Pens) -> Result<(), Denied> {
        let ended = self.over(sid).await.ok_or(Denied::NoSuchSession)?;
        let detail = format!("from {}", ended.origin);
        deed(by, Action::SessionEnded, &ended.account, &detail, pens);
        Ok(())
    }

    pub(super) async fn sign_ins(&mut self, user: &UserId) -> Result<Vec<SignInLine>, Denied> {
        let rows = self.book.sign_ins(user).await.map_err(|error| unavailable(&error))?;
        let told =
            |row: store::SignInRow| SignInLine { at: row.at, from: row.origin, reason: row.reason };
        Ok(rows.into_iter().map(told).collect())
    }

    async fn all_over(&mut self, account: &UserId, but: Option<SessionId>) {
        for sid in self.sessions.end_all_of(account, but) {
            if let Err(error) = self.book.remove_session(&sid.to_string()).await {
                unavailable(&error);
            }
        }
    }
}

fn deed(by: &By, action: Action, target: &UserId, detail: &str, pens: &Pens) {
    let who = (by.person.user.as_str(), Some(by.person.role));
    pens.deed(who, &by.origin, action, target.as_str(), detail);
}

fn good_enough(new: &str, owner: &str) -> Result<(), Denied> {
    password::judge(new, &[owner]).map_err(|weak| Denied::WeakPassword(weak.to_string()))
}

fn shown(sites: &Scope) -> String {
    match sites {
        Scope::All => "all sites".into(),
        Scope::Sites(sites) => {
            let names: Vec<_> = sites.iter().map(|site| site.as_str()).collect();
            if names.is_empty() { "no site".into() } else { names.join(", ") }
        }
    }
}
