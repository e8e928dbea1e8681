//! The audit trail, on a real disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use protocol::user::Role;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use store::{
    AUDIT_FILE, Action, Audit, AuditFilter, AuditPolicy, Broken, Deed, VerifyError, verify_audit,
    write_audit,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

fn deed(seconds: u64, user: &str, action: Action) -> Deed {
    Deed {
        at: Timestamp::from_millis(seconds * 1000),
        user: user.into(),
        role: Some(Role::Operator),
        origin: "10.0.0.7".into(),
        action,
        target: "board-1".into(),
        before: Some("30.5".into()),
        after: None,
        is_done: true,
        detail: "START\r\n as ordered".into(),
    }
}

/// An audit trail in `folder`, and its writer.
fn open(folder: &Path, policy: AuditPolicy) -> (Audit, CancellationToken, JoinHandle<()>) {
    let (audit, inbox) = Audit::open();
    let stop = CancellationToken::new();
    let condition = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, _) = watch::channel(condition);
    let write = write_audit(folder.into(), inbox, policy, stop.clone(), conditions);
    (audit, stop, tokio::spawn(write))
}

fn for_ever() -> AuditPolicy {
    AuditPolicy { keep: Duration::from_secs(100 * 365 * 24 * 60 * 60), ..AuditPolicy::default() }
}

/// Writes deeds of seconds 1, 2, 3, … and closes.
async fn write(folder: &Path, count: u64) {
    let (audit, stop, written) = open(folder, for_ever());
    (1..=count).for_each(|second| audit.append(deed(second, "li", Action::Command)));
    assert!(audit.flushed().await);
    stop.cancel();
    written.await.unwrap();
}

async fn tamper(folder: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(folder.join(AUDIT_FILE));
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_chain_holds_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for rows in [3, 6_u32] {
        write(folder.path(), 3).await;
        let verified = verify_audit(folder.path()).await.unwrap();
        assert_eq!((verified.rows, verified.last), (rows.into(), rows.into()));
        assert_eq!(verified.hash.len(), 64);
    }
}

#[tokio::test]
async fn two_writers_of_one_trail_make_one_chain() {
    // The server writes while `gapless user` does, in a process of its own.
    let folder = tempfile::tempdir().unwrap();
    let server = open(folder.path(), for_ever());
    let console = open(folder.path(), for_ever());
    for second in 1..=5 {
        server.0.append(deed(second, "li", Action::Command));
        assert!(server.0.flushed().await);
        console.0.append(deed(second, "root", Action::AccountAdded));
        assert!(console.0.flushed().await);
    }
    let at_once = 1..=50;
    at_once.clone().for_each(|second| server.0.append(deed(second, "li", Action::Command)));
    at_once.for_each(|second| console.0.append(deed(second, "root", Action::Unlocked)));
    for (audit, stop, written) in [server, console] {
        assert!(audit.flushed().await);
        stop.cancel();
        written.await.unwrap();
    }
    let verified = verify_audit(folder.path()).await.unwrap();
    assert_eq!((verified.rows, verified.last), (110, 110));
}

#[tokio::test]
async fn what_is_cut_off_leaves_a_hole_that_nothing_fills() {
    let forget = "DELETE FROM sqlite_sequence";
    for more in [None, Some(forget)] {
        let folder = tempfile::tempdir().unwrap();
        let (audit, stop, written) = open(folder.path(), for_ever());
        (1..=5).for_each(|second| audit.append(deed(second, "li", Action::Command)));
        assert!(audit.flushed().await);
        tamper(folder.path(), "DELETE FROM audit WHERE id > 3").await;
        if let Some(sql) = more {
            tamper(folder.path(), sql).await;
        }
        audit.append(deed(6, "li", Action::Command));
        assert!(audit.flushed().await);
        stop.cancel();
        written.await.unwrap();
        match verify_audit(folder.path()).await {
            Err(VerifyError::Broken(broken)) => {
                assert_eq!(broken, Broken::Missing { expected: 4, found: 6 }, "{more:?}");
            }
            other => panic!("{more:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn whatever_is_done_to_the_file_shows() {
    let table = [
        ("UPDATE audit SET detail = '' WHERE id = 2", Broken::Changed(2)),
        ("UPDATE audit SET is_done = 0 WHERE id = 5", Broken::Changed(5)),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", Broken::Changed(1)),
        ("UPDATE audit SET user = 'wang' WHERE id = 3", Broken::Changed(3)),
        ("UPDATE audit SET after = before WHERE id = 3", Broken::Changed(3)),
        ("UPDATE audit SET hash = upper(hash) WHERE id = 3", Broken::Changed(3)),
        ("DELETE FROM audit WHERE id = 2", Broken::Missing { expected: 2, found: 3 }),
        ("DELETE FROM audit WHERE id = 1", Broken::Missing { expected: 1, found: 2 }),
        ("DELETE FROM audit WHERE id > 3", Broken::CutOff { from: 4, to: 5 }),
        ("DELETE FROM audit", Broken::CutOff { from: 1, to: 5 }),
    ];
    for (sql, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 5).await;
        tamper(folder.path(), sql).await;
        match verify_audit(folder.path()).await {
            Err(VerifyError::Broken(broken)) => assert_eq!(broken, expected, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs()
}

async fn rows(audit: &Audit) -> usize {
    let all: Vec<_> = audit.history().all(AuditFilter::default()).try_collect().await.unwrap();
    all.len()
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_the_chain_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (audit, stop, written) = open(folder.path(), for_ever());
    let begin = now() - 1_200;
    (0..1_200).for_each(|second| audit.append(deed(begin + second, "li", Action::Command)));
    assert!(audit.flushed().await);
    stop.cancel();
    written.await.unwrap();
    let keep = Duration::from_secs(600);
    let policy = AuditPolicy { keep, ..AuditPolicy::default() };
    let (audit, stop, written) = open(folder.path(), policy);
    while rows(&audit).await > 700 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    audit.append(deed(now(), "li", Action::Command));
    assert!(audit.flushed().await);
    stop.cancel();
    written.await.unwrap();
    let verified = verify_audit(folder.path()).await.unwrap();
    assert_eq!(verified.last, 1_201);
    assert!((500..=701).contains(&verified.rows), "{verified:?}");
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // In 1970, by the clock of before.
    write(folder.path(), 10).await;
    let policy = AuditPolicy { keep: Duration::from_secs(3_600), ..AuditPolicy::default() };
    let (audit, stop, written) = open(folder.path(), policy);
    audit.append(deed(now(), "li", Action::Command));
    assert!(audit.flushed().await);
    stop.cancel();
    written.await.unwrap();
    // What is old is looked for at each start.
    let (audit, stop, written) = open(folder.path(), policy);
    assert_eq!(rows(&audit).await, 11);
    stop.cancel();
    written.await.unwrap();
    assert_eq!(verify_audit(folder.path()).await.unwrap().rows, 11);
}

#[tokio::test]
async fn rows_are_found_by_who_what_and_when() {
    let folder = tempfile::tempdir().unwrap();
    let (audit, stop, written) = open(folder.path(), for_ever());
    audit.append(deed(1, "li", Action::SignIn));
    audit.append(deed(2, "li", Action::Command));
    audit.append(Deed { target: "board-2".into(), ..deed(3, "wang", Action::Command) });
    audit.append(Deed {
        is_done: false,
        detail: "Conflict".into(),
        ..deed(4, "wang", Action::Command)
    });
    assert!(audit.flushed().await);
    let any = AuditFilter::default;
    let time = |seconds: u64| Some(Timestamp::from_millis(seconds * 1000));
    let table = [
        (any(), vec![4, 3, 2, 1]),
        (AuditFilter { user: Some("li".into()), ..any() }, vec![2, 1]),
        (AuditFilter { action: Some(Action::Command), ..any() }, vec![4, 3, 2]),
        (AuditFilter { target: Some("board-2".into()), ..any() }, vec![3]),
        (AuditFilter { from: time(2), to: time(4), ..any() }, vec![3, 2]),
        (AuditFilter { text: Some("conflict".into()), ..any() }, vec![4]),
        (AuditFilter { text: Some("' OR 1=1".into()), ..any() }, vec![]),
    ];
    for (filter, expected) in table {
        let page = audit.history().page(&filter, None, NonZeroU32::MAX).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        assert_eq!((ids, page.next), (expected, None), "{filter:?}");
    }
    let first = audit.history().page(&any(), None, NonZeroU32::new(3).unwrap()).await.unwrap();
    assert_eq!(first.rows[2].detail, "START as ordered", "a detail is one line");
    let next = first.next.unwrap().parse().unwrap();
    let rest = audit.history().page(&any(), Some(next), NonZeroU32::MAX).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
    stop.cancel();
    written.await.unwrap();
}
