//! Accounts, the audit trail and the log, seen to from a shell while the server runs.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use protocol::wire::people::Tokens;
use serde_json::Value;

use crate::running::Running;
use crate::signing_in::{send, sign_in_as, start};

/// `gapless` with these words, about the data of the server in `folder`.
fn gapless(folder: &Path, words: &str, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    command.args(words.split(' ')).args(["--data-dir", "data"]).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // Whoever does not read a password hangs up.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

fn done(folder: &Path, words: &str, input: &str) -> String {
    let output = gapless(folder, words, input);
    let (out, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{words}: {told}");
    out
}

fn refused(folder: &Path, words: &str, input: &str) -> String {
    let output = gapless(folder, words, input);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}: {told}");
    told
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Signs in as soon as the server knows of it. Those who are too early are not held up for it.
async fn at_last(folder: &Path, address: &str, user: &str, password: &str) -> Tokens {
    for _ in 0..PATIENT {
        if let Ok(tokens) = sign_in_as(address, user, password).await {
            return tokens;
        }
        done(folder, &format!("user unlock {user}"), "");
    }
    panic!("the password of {user} opens nothing");
}

/// Asks until the answer is this: the server looks at what others wrote twice a second.
async fn until(running: &Running, bearer: &str, status: &str) {
    for _ in 0..PATIENT {
        let answer = send(&running.address, "GET", "/api/session", bearer, "").await;
        if answer.starts_with(&format!("HTTP/1.1 {status}")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the server does not come to answer {status}");
}

#[tokio::test]
async fn an_account_that_is_made_on_the_console_opens_a_server_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = start(folder, "127.0.0.1:0", &[]);
    let address = running.address.clone();
    done(folder, "user add li --role operator", "cobalt-lantern-otter-93\n");
    let tokens = at_last(folder, &address, "li", "cobalt-lantern-otter-93").await;
    assert!(tokens.must_change_password, "nobody keeps a password that another person knows");
    let bearer = format!("authorization: Bearer {}\r\n", tokens.access_token);
    until(&running, &bearer, "200").await;

    let generated = done(folder, "user passwd li --generate --keep", "");
    until(&running, &bearer, "401").await;
    let tokens = sign_in_as(&address, "li", generated.trim()).await.unwrap();
    assert!(!tokens.must_change_password);
    let bearer = format!("authorization: Bearer {}\r\n", tokens.access_token);
    until(&running, &bearer, "200").await;
    done(folder, "user disable li", "");
    until(&running, &bearer, "401").await;
    assert!(sign_in_as(&address, "li", generated.trim()).await.is_err());
    done(folder, "user enable li", "");

    let accounts: Vec<Value> = serde_json::from_str(&done(folder, "user list --json", "")).unwrap();
    let names: Vec<_> = accounts.iter().map(|account| account["name"].as_str()).collect();
    assert_eq!(names, [Some("admin"), Some("li")]);
    assert_eq!((&accounts[1]["role"], &accounts[1]["sites"]), (&"operator".into(), &Value::Null));
    let list = done(folder, "user list", "");
    assert!(list.contains("admin  admin for all sites, has to change the password\n"), "{list}");
    assert!(list.contains("li     operator for all sites\n"), "{list}");
    // The server wrote to the trail before and after: it is one chain.
    let verified = done(folder, "audit verify --json", "");
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["holds"], true);
    assert!(verified["rows"].as_u64() >= Some(6), "{verified}");
}

#[tokio::test]
async fn a_password_that_is_set_on_the_console_takes_the_first_one_away() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = start(folder, "127.0.0.1:0", &[]);
    let file = folder.join("data/initial-admin-password");
    assert!(file.exists());
    let refused = refused(folder, "user disable admin", "");
    assert!(refused.contains("`admin` is the last administrator who can sign in"), "{refused}");
    let password = done(folder, "user passwd admin --generate", "");
    assert!(!file.exists(), "it opens nothing any more");
    at_last(folder, &running.address, "admin", password.trim()).await;
}

#[test]
fn what_is_asked_in_vain_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = refused(folder, "user list", "");
    assert!(none.contains("there is no people.db in data"), "{none}");
    assert!(!folder.join("data").exists(), "whoever only looks makes nothing");
    let made = gapless(folder, "user add li --role viewer --generate", "");
    assert_eq!(made.status.code(), Some(0));
    let told = text(&made.stderr);
    assert!(told.contains("there is no administrator who can sign in"), "{told}");
    let table = [
        ("user add li --role viewer --generate", "", "there is an account `li` already"),
        ("user add wang --role viewer", "short\n", "at least 12 characters"),
        ("user add wang --role viewer", "wang-wang-wang\n", "too easy to guess"),
        ("user add wang --role viewer", "", "no password on standard input"),
        ("user passwd wang --generate", "", "there is no account `wang`"),
        ("user unlock wang", "", "there is no account `wang`"),
        ("user disable wang", "", "there is no account `wang`"),
    ];
    for (words, input, expected) in table {
        let told = refused(folder, words, input);
        assert!(told.contains(expected), "{words}: {told}");
    }
    let mistakes = [
        ("user add wang --role viewer --site moon --generate", "no site `moon` is configured"),
        ("user add wang --role king --generate", "`king` is no role"),
        ("user add a:b --role viewer --generate", "may hold only letters"),
        ("logs query --from yesterday", "neither"),
        ("logs query --csv --json", "cannot be used with"),
    ];
    for (words, expected) in mistakes {
        let output = gapless(folder, words, "");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}: {told}");
        assert!(told.contains(expected), "{words}: {told}");
    }
}

#[tokio::test]
async fn a_trail_that_was_tampered_with_is_told_and_ends_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["li", "wang", "zhao"] {
        done(folder, &format!("user add {name} --role admin --generate"), "");
    }
    done(folder, "user disable li", "");
    let verified = done(folder, "audit verify", "");
    let lines: Vec<_> = verified.lines().collect();
    assert_eq!(lines[..3], ["the audit trail holds", "  rows   4", "  last   4"], "{verified}");
    assert_eq!(lines[3].len(), "  hash   ".len() + 64, "{verified}");

    let url = format!("sqlite:{}", folder.join("data/audit.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let who: Vec<(String, String, String, Option<String>)> =
        sqlx::query_as("SELECT origin, action, target, after FROM audit ORDER BY id DESC LIMIT 1")
            .fetch_all(&pool)
            .await
            .unwrap();
    let after = "admin for all sites, disabled, has to change the password".to_owned();
    let expected = ("console".into(), "account_changed".into(), "li".into(), Some(after));
    assert_eq!(who, [expected]);
    sqlx::query("UPDATE audit SET target = 'zhao' WHERE id = 2").execute(&pool).await.unwrap();
    pool.close().await;
    let told = refused(folder, "audit verify", "");
    assert!(told.contains("tampered with: row 2 is not what was written"), "{told}");
    let output = gapless(folder, "audit verify --json", "");
    assert_eq!(output.status.code(), Some(1));
    let broken: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(broken["why"], "row 2 is not what was written");
}

#[tokio::test]
async fn the_log_is_asked_by_connection_by_time_and_by_words() {
    // S0-78, S0-80, S0-81
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = refused(folder, "logs query", "");
    assert!(none.contains("there is no gapless.db in data"), "{none}");
    let running = start(folder, "127.0.0.1:0", &[]);
    assert!(sign_in_as(&running.address, "mallory", "wrong").await.is_err());
    let password = fs::read_to_string(folder.join("data/initial-admin-password")).unwrap();
    sign_in_as(&running.address, "admin", password.trim()).await.unwrap();
    let mut lines = Vec::new();
    while lines.len() < 2 {
        lines = done(folder, "logs query", "").lines().map(ToOwned::to_owned).collect();
    }
    assert!(lines[0].ends_with("INFO  [Auth] conn=- user=admin signed_in: from 127.0.0.1"));
    assert!(lines[1].ends_with("WARN  [Auth] conn=- user=mallory sign_in_failed: from 127.0.0.1"));
    let at = lines[0].split(' ').next().unwrap();
    let table = [
        ("logs query --user mallory".to_owned(), vec![&lines[1]]),
        ("logs query --level warn".to_owned(), vec![&lines[1]]),
        ("logs query --module auth --limit 1".to_owned(), vec![&lines[0]]),
        ("logs query --module websocket".to_owned(), vec![]),
        ("logs query --text SIGNED".to_owned(), vec![]),
        ("logs query --conn c-17".to_owned(), vec![]),
        (format!("logs query --from {at}"), vec![&lines[0]]),
        (format!("logs query --to {at}"), vec![&lines[1]]),
        ("logs query --to 0".to_owned(), vec![]),
    ];
    for (words, expected) in table {
        let told = done(folder, &words, "");
        assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{words}");
    }
    let sheet = done(folder, "logs query --csv", "");
    assert!(sheet.starts_with("\u{feff}id,at,at_ms,level,module,kind,connection_id"), "{sheet}");
    assert_eq!(sheet.lines().count(), 3, "{sheet}");
    let rows = done(folder, "logs query --json", "");
    let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signed_in", "sign_in_failed"]);
}

/// Half a minute, in looks.
const PATIENT: usize = 600;
