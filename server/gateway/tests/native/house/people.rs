//! People for a house where everybody has to sign in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Keys, People, PeopleDesk, Rules as PeopleRules};
use identity::key::SecretKey;
use identity::token::{Keyring, Signer, Trust};
use identity::{Digest, password};
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use protocol::wire::people::Tokens;
use store::AccountRow;

use super::{House, Rules, web};

/// The password of every account here.
pub(crate) const PASSWORD: &str = "turbine-otter-lantern-42";

/// The center whose tokens a house believes.
pub(crate) fn center() -> Signer {
    Signer::new(SecretKey::new(&[9; 32]))
}

impl House {
    /// One account a role, called like it; and `north`, an operator of another site.
    pub(crate) async fn open_locked(folder: &Path) -> Self {
        Self::open_locked_with(folder, Rules::default()).await
    }

    pub(crate) async fn open_locked_with(folder: &Path, rules: Rules) -> Self {
        let people = open(folder, Duration::from_secs(3600)).await;
        Self::open_to(rules, None, Some(people)).await
    }

    /// Sign-ins hold for so long.
    pub(crate) async fn open_locked_for(folder: &Path, access: Duration) -> Self {
        let people = open(folder, access).await;
        Self::open_to(Rules::default(), None, Some(people)).await
    }

    /// Signs in, for tokens.
    pub(crate) async fn sign_in(&self, name: &str) -> Tokens {
        let body = format!(r#"{{"username":"{name}","password":"{PASSWORD}"}}"#);
        let (head, body) = web::post(self.address, "/api/login", &[], &body).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
        serde_json::from_str(&body).unwrap()
    }
}

async fn open(folder: &Path, access: Duration) -> (People, PeopleDesk) {
    let book = store::People::open(folder).await.unwrap();
    let hash = password::hash(&Digest::of(PASSWORD), [7; 16]);
    let account = |name: &str, role, sites| AccountRow {
        name: name.parse().unwrap(),
        hash: hash.as_str().into(),
        role,
        sites,
        created_at: Timestamp::default(),
        password_at: Timestamp::default(),
        is_disabled: false,
        must_change: name == "fresh",
        signed_in_at: None,
        unlocked_at: None,
    };
    let elsewhere = Scope::Sites(["elsewhere".parse().unwrap()].into());
    let others = [("north", Role::Operator, elsewhere), ("fresh", Role::Operator, Scope::All)];
    let one_a_role = Role::ALL.map(|role| (role.name(), role, Scope::All));
    for (name, role, sites) in one_a_role.into_iter().chain(others) {
        book.add_account(&account(name, role, sites)).await.unwrap();
    }
    let key = SecretKey::new(&[8; 32]);
    let mut keyring = Keyring::default();
    keyring.trust(key.public(), Trust::Own { issuer: "house".into() });
    let edge = "this-edge".parse().unwrap();
    keyring.trust(SecretKey::new(&[9; 32]).public(), Trust::Center { edge });
    let rules = PeopleRules {
        issuer: "house".into(),
        access,
        refresh: Duration::from_secs(7 * 24 * 3600),
        lock_after: Some(Duration::from_secs(900)),
    };
    People::open(book, rules, Keys { signer: Signer::new(key), keyring }).await.unwrap()
}

/// The porter at work.
pub(super) fn run(house: &House, desk: PeopleDesk, records: store::Records, audit: store::Audit) {
    let desk = Arc::new(tokio::sync::Mutex::new(desk));
    let (hub, stop) = (house.hub.clone(), house.stop.clone());
    tokio::spawn(gateway::run_people(desk, hub, records, audit, stop));
}
