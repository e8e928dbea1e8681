//! The book of people, on a real disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use protocol::id::UserId;
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use store::{AccountRow, People, SessionRow, SignInRow};

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn name(text: &str) -> UserId {
    text.parse().unwrap()
}

fn account(called: &str) -> AccountRow {
    AccountRow {
        name: name(called),
        hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
        role: Role::Operator,
        sites: Scope::All,
        created_at: time(1),
        password_at: time(1),
        is_disabled: false,
        must_change: true,
        signed_in_at: None,
        unlocked_at: None,
    }
}

fn session(id: &str, account: &str, until: u64, refresh_until: u64) -> SessionRow {
    SessionRow {
        id: id.into(),
        account: name(account),
        since: time(1),
        until: time(until),
        renewed_at: time(1),
        refresh_until: time(refresh_until),
        refresh_hash: "ab".into(),
        spent_hash: None,
        origin: "10.0.0.7".into(),
    }
}

fn attempt(account: &str, seconds: u64, reason: Option<&str>) -> SignInRow {
    let reason = reason.map(String::from);
    SignInRow { at: time(seconds), account: name(account), origin: "10.0.0.7".into(), reason }
}

#[tokio::test]
async fn accounts_read_back_as_written_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let people = People::open(folder.path()).await.unwrap();
    let sites = Scope::Sites(["north".parse().unwrap()].into());
    let (li, wang) = (account("li"), AccountRow { sites, role: Role::Admin, ..account("wang") });
    assert!(people.add_account(&wang).await.unwrap());
    assert!(people.add_account(&li).await.unwrap());
    assert!(!people.add_account(&li).await.unwrap(), "there is one of that name");
    let changed = AccountRow { must_change: false, signed_in_at: Some(time(9)), ..li };
    assert!(people.put_account(&changed).await.unwrap());
    assert!(!people.put_account(&account("nobody")).await.unwrap());
    people.close().await;

    let people = People::open(folder.path()).await.unwrap();
    assert_eq!(people.accounts().await.unwrap(), [changed.clone(), wang]);
    assert_eq!(people.account("li").await.unwrap(), Some(changed));
    assert_eq!(people.account("' OR 1=1 --").await.unwrap(), None);
}

#[tokio::test]
async fn what_belongs_to_an_account_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let people = People::open(folder.path()).await.unwrap();
    for called in ["li", "wang"] {
        people.add_account(&account(called)).await.unwrap();
        people.put_session(&session(called, called, 10, 20)).await.unwrap();
        people.note_sign_in(&attempt(called, 1, None)).await.unwrap();
    }
    assert!(people.remove_account(&name("li")).await.unwrap());
    assert!(!people.remove_account(&name("li")).await.unwrap());
    assert_eq!(people.sessions().await.unwrap(), [session("wang", "wang", 10, 20)]);
    assert_eq!(people.sign_ins(&name("li")).await.unwrap(), []);
}

#[tokio::test]
async fn a_session_is_kept_as_long_as_it_holds_or_can_be_prolonged() {
    let folder = tempfile::tempdir().unwrap();
    let people = People::open(folder.path()).await.unwrap();
    people.add_account(&account("li")).await.unwrap();
    for (id, until, refresh_until) in [("a", 10, 20), ("b", 10, 10), ("c", 30, 10)] {
        people.put_session(&session(id, "li", until, refresh_until)).await.unwrap();
    }
    people.forget_sessions(time(10)).await.unwrap();
    let ids = |rows: Vec<SessionRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(people.sessions().await.unwrap()), ["a", "c"]);
    people.remove_session("a").await.unwrap();
    assert_eq!(ids(people.sessions().await.unwrap()), ["c"]);
    people.remove_sessions_of(&name("li")).await.unwrap();
    assert_eq!(people.sessions().await.unwrap(), []);
}

#[tokio::test]
async fn the_newest_hundred_attempts_of_each_account_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let people = People::open(folder.path()).await.unwrap();
    for called in ["li", "wang"] {
        people.add_account(&account(called)).await.unwrap();
    }
    people.note_sign_in(&attempt("wang", 0, Some("WRONG_PASSWORD"))).await.unwrap();
    for seconds in 0..103 {
        people.note_sign_in(&attempt("li", seconds, None)).await.unwrap();
    }
    let kept = people.sign_ins(&name("li")).await.unwrap();
    assert_eq!((kept.len(), kept[0].at, kept[99].at), (100, time(102), time(3)));
    let kept = people.sign_ins(&name("wang")).await.unwrap();
    assert_eq!(kept, [attempt("wang", 0, Some("WRONG_PASSWORD"))]);
}

#[tokio::test]
async fn a_change_by_another_process_is_noticed_and_ones_own_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = People::open(folder.path()).await.unwrap();
    let there = People::open(folder.path()).await.unwrap();
    let before = here.version().await.unwrap();
    here.add_account(&account("li")).await.unwrap();
    assert_eq!(here.version().await.unwrap(), before);
    there.add_account(&account("wang")).await.unwrap();
    assert_ne!(here.version().await.unwrap(), before);
}
