//! Signing in to the real binary: the first start, the first password, and what a restart leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use protocol::wire::people::Tokens;
use store::verify_audit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::running::{Running, serve};

pub(crate) fn start(folder: &Path, address: &str, more: &[(&str, &str)]) -> Running {
    let mut command = serve(folder, address);
    command.env("GAPLESS__AUTH__ENABLED", "true").stdout(Stdio::null()).envs(more.iter().copied());
    let mut running = Running::launch(command);
    running.is_up();
    running
}

pub(crate) async fn send(
    address: &str,
    method: &str,
    path: &str,
    head: &str,
    body: &str,
) -> String {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{head}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn sign_in(address: &str, password: &str) -> Result<Tokens, String> {
    sign_in_as(address, "admin", password).await
}

pub(crate) async fn sign_in_as(
    address: &str,
    user: &str,
    password: &str,
) -> Result<Tokens, String> {
    let body = format!(r#"{{"username":"{user}","password":"{password}"}}"#);
    let answer = send(address, "POST", "/api/login", "", &body).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if !head.starts_with("HTTP/1.1 200") {
        return Err(answer);
    }
    Ok(serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn the_first_password_is_nobodys_choice_and_is_changed_before_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/initial-admin-password");
    let mut first = start(folder.path(), "127.0.0.1:0", &[]);
    let address = first.address.clone();
    let password = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = sign_in(&address, "admin").await.unwrap_err();
    assert!(refused.starts_with("HTTP/1.1 401"), "no usual password: {refused}");

    let tokens = sign_in(&address, &password).await.unwrap();
    assert!(tokens.must_change_password);
    let bearer = format!("authorization: Bearer {}\r\n", tokens.access_token);
    let shut = send(&address, "GET", "/api/devices", &bearer, "").await;
    assert!(shut.starts_with("HTTP/1.1 403"), "{shut}");
    let new = "cobalt-lantern-otter-93";
    let change = format!(r#"{{"old":"{password}","new":"{new}"}}"#);
    let changed = send(&address, "POST", "/api/password", &bearer, &change).await;
    assert!(changed.starts_with("HTTP/1.1 204"), "{changed}");
    let open = send(&address, "GET", "/api/devices", &bearer, "").await;
    assert!(open.starts_with("HTTP/1.1 200"), "{open}");

    first.signal("-KILL");
    first.ended();
    let mut second = start(folder.path(), &address, &[]);
    assert!(!file.exists(), "it opens nothing any more");
    let still = send(&address, "GET", "/api/devices", &bearer, "").await;
    assert!(still.starts_with("HTTP/1.1 200"), "a sign-in outlives a restart: {still}");
    assert!(sign_in(&address, &password).await.is_err());
    sign_in(&address, new).await.unwrap();
    second.signal("-TERM");
    second.ended();
    let verified = verify_audit(&folder.path().join("data")).await.unwrap();
    assert!(verified.rows >= 2, "{verified:?}");
}

#[tokio::test]
async fn nothing_but_the_way_in_is_open_to_everybody() {
    // CWE-1188; `operations.md` B2
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), "127.0.0.1:0", &[]);
    let html = "accept: text/html\r\n";
    for path in ["/", "/devices/board-1", "/commands", "/no/such/page"] {
        let answer = send(&running.address, "GET", path, html, "").await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{path}: {answer}");
        assert!(answer.contains("location: /login"), "{path}: {answer}");
        assert!(!answer.contains("board-1\""), "{path} tells nothing of the plant");
    }
    for (path, status) in [("/api/devices", 401), ("/api/session", 401), ("/livez", 200)] {
        let answer = send(&running.address, "GET", path, "", "").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_certificate_is_made_where_tls_is_on_and_cookies_are_bound_to_it() {
    // S0-100, S0-101
    let folder = tempfile::tempdir().unwrap();
    let more = [("GAPLESS__TLS__ENABLED", "true")];
    let running = start(folder.path(), "127.0.0.1:0", &more);
    let certificate = folder.path().join("data/tls/certificate.pem");
    let password = fs::read_to_string(folder.path().join("data/initial-admin-password")).unwrap();
    let body = format!(r#"{{"username":"admin","password":"{}","cookie":true}}"#, password.trim());
    let url =
        format!("https://localhost:{}/api/login", running.address.rsplit(':').next().unwrap());
    let line = [
        "--silent",
        "--include",
        "--http1.1",
        "--header",
        "content-type: application/json",
        "--cacert",
        certificate.to_str().unwrap(),
        "--data",
        &body,
        &url,
    ]
    .map(str::to_owned);
    let curl = move || std::process::Command::new("curl").args(line).output().unwrap();
    let output = tokio::task::spawn_blocking(curl).await.unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer} {output:?}");
    assert!(answer.contains("set-cookie: __Host-gapless="), "{answer}");
    assert!(answer.contains("; HttpOnly; SameSite=Strict; Secure"), "{answer}");
    let plain = send(&running.address, "GET", "/", "", "").await;
    assert!(plain.starts_with("HTTP/1.1 400") && plain.contains("https://"), "{plain}");
}
