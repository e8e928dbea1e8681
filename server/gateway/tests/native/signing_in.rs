//! Signing in over HTTP and on sockets, and how it ends.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::Claims;
use protocol::command::Failure;
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use protocol::wire::native::{ClientMessage, Command, FailReason, ServerMessage};
use protocol::wire::people::{Account, SessionLine, SignInLine, Tokens};
use protocol::wire::session::SessionGrant;
use store::Kind;

use crate::house::client::Client;
use crate::house::people::{PASSWORD, center};
use crate::house::{House, web};

/// SHA-256 of the password, as S0's clients say it.
fn hash() -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(PASSWORD).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn login(name: &str, password: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{password}"}}"#)
}

fn bearer(tokens: &Tokens) -> String {
    format!("Bearer {}", tokens.access_token)
}

/// What a socket that shows this is greeted with.
async fn greeting(house: &House, query: &str, headers: &[(&'static str, &str)]) -> ServerMessage {
    let query = format!("device_id=board-1{query}");
    let mut client = Client::dial_at(house, &query, headers).await.unwrap();
    client.hear().await.message
}

fn is_in(message: &ServerMessage, who: &str) -> bool {
    matches!(message, ServerMessage::ConnectSuccess(welcome) if welcome.user == who)
}

#[tokio::test]
async fn a_password_and_its_hash_are_worth_the_same() {
    // S0-83, S0-87, S0-88
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let by_hash = format!(r#"{{"username":"operator","password_hash":"{}"}}"#, hash());
    for body in [login("operator", PASSWORD), by_hash] {
        let (head, body) = web::post(house.address, "/api/login", &[], &body).await;
        assert!(head.starts_with("HTTP/1.1 200") && !head.contains("set-cookie"), "{head}");
        let tokens: Tokens = serde_json::from_str(&body).unwrap();
        let lasts = tokens.expires.since(house.hub.time());
        assert!(lasts <= Duration::from_secs(3600) && lasts > Duration::from_secs(3500));
        let answer =
            web::get(house.address, "/api/session", &[("authorization", &bearer(&tokens))]).await;
        let grant: SessionGrant =
            serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!((grant.user.as_str(), grant.role), ("operator", Role::Operator));
        assert_eq!(grant.expires, Some(tokens.expires));
    }
}

#[tokio::test]
async fn a_page_gets_cookies_that_no_script_reads() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let body = format!(r#"{{"username":"viewer","password":"{PASSWORD}","cookie":true}}"#);
    let (head, body) = web::post(house.address, "/api/login", &[], &body).await;
    let cookies: Vec<_> = head.lines().filter(|line| line.starts_with("set-cookie: ")).collect();
    assert_eq!(cookies.len(), 2, "{head}");
    for cookie in &cookies {
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains("Secure") && !cookie.contains("__Host-"), "there is no TLS");
    }
    assert!(!body.contains("token") && body.contains("viewer"), "{body}");
    let pairs: Vec<_> = cookies
        .iter()
        .map(|cookie| cookie["set-cookie: ".len()..].split(';').next().unwrap())
        .collect();
    let shown = pairs.join("; ");
    let answer = web::get(house.address, "/api/session", &[("cookie", &shown)]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (head, _) = web::post(house.address, "/api/refresh", &[("cookie", &shown)], "").await;
    assert!(head.starts_with("HTTP/1.1 400"), "an empty body is no JSON: {head}");
    let renewed =
        web::send(house.address, "POST", "/api/refresh", &[("cookie", &shown)], None).await;
    assert!(
        renewed.starts_with("HTTP/1.1 200") && renewed.contains("gapless-refresh="),
        "{renewed}"
    );
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_told_alike() {
    // IEC 62443 CR 1.10
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let answers = [login("operator", "wrong"), login("nobody", "wrong")];
    let mut told = Vec::new();
    for body in &answers {
        let (head, body) = web::post(house.address, "/api/login", &[], body).await;
        assert!(head.starts_with("HTTP/1.1 401"), "{head}");
        told.push(body);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn what_is_no_sign_in_is_told_in_our_words() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let long = login(&"x".repeat(1_000_000), "x");
    let table = [
        ("{", 400, "the body is not JSON"),
        ("{}", 400, "a member is missing"),
        (r#"{"username":"li"}"#, 400, "either `password` or `password_hash`"),
        (r#"{"username":"li","password":"x","password_hash":"x"}"#, 400, "either"),
        (r#"{"username":"li","password_hash":"x"}"#, 400, "64 hexadecimal digits"),
        (r#"{"username":"li","passwort":"x"}"#, 400, "unknown"),
        (r#"{"username":"\u0000\u202eli\r\nx","password":"x"}"#, 401, "wrong"),
        (long.as_str(), 413, ""),
    ];
    for (body, status, part) in table {
        let shown: String = body.chars().take(60).collect();
        let (head, told) = web::post(house.address, "/api/login", &[], body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{shown}: {head}");
        assert!(told.contains(part), "{shown}: {told}");
    }
}

#[tokio::test]
async fn a_socket_is_opened_by_each_way_to_sign_in() {
    // S0-82 to S0-85, D4
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = house.sign_in("operator").await.access_token;
    let (bearer, cookie) = (format!("Bearer {token}"), format!("gapless={token}"));
    let basic = format!("Basic {}", STANDARD.encode(format!("operator:{}", hash())));
    let offered = format!("gapless.v1, bearer.{token}");
    let table = [
        (String::new(), ("authorization", bearer)),
        (String::new(), ("cookie", cookie)),
        (format!("&token={token}"), ("x-nothing", String::new())),
        (String::new(), ("sec-websocket-protocol", offered)),
        (String::new(), ("authorization", basic)),
    ];
    for (query, (name, value)) in table {
        let message = greeting(&house, &query, &[(name, &value)]).await;
        assert!(is_in(&message, "operator"), "{name}: {message:?}");
    }
    let mut client = Client::dial(&house).await;
    let auth = format!(r#"{{"type":"AUTH","username":"viewer","password_hash":"{}"}}"#, hash());
    client.say_text(auth).await;
    let message = client.hear().await.message;
    assert!(is_in(&message, "viewer"), "{message:?}");
}

#[tokio::test]
async fn ten_sockets_with_one_password_come_at_the_same_time() {
    // S0-83
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let basic = format!("Basic {}", STANDARD.encode(format!("operator:{}", hash())));
    let headers = [("authorization", basic.as_str())];
    let greetings = (0..10).map(|_| greeting(&house, "", &headers));
    for message in futures_util::future::join_all(greetings).await {
        assert!(is_in(&message, "operator"), "{message:?}");
    }
}

#[tokio::test]
async fn a_sign_in_for_a_socket_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let admin = bearer(&house.sign_in("admin").await);
    let by_admin = [("authorization", admin.as_str())];
    let held = async || {
        let answer = web::get(house.address, "/api/sessions", &by_admin).await;
        let lines: Vec<SessionLine> =
            serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        lines.into_iter().filter(|line| line.user == "operator").count()
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("operator:{}", hash())));
    let headers = [("authorization", basic.as_str())];
    let mut client = Client::dial_at(&house, "device_id=board-1", &headers).await.unwrap();
    assert!(is_in(&client.hear().await.message, "operator"));
    assert_eq!(held().await, 1);
    drop(client);
    while held().await > 0 {}
}

#[tokio::test]
async fn nobody_gets_in_without_and_it_is_put_on_record() {
    // S0-35, S0-36, S0-85, S0-86, S0-90
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = house.sign_in("operator").await.access_token;
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let none = STANDARD.encode(r#"{"alg":"none"}"#).replace('=', "");
    let forged = [
        format!("{head}.{claims}.{}", signature.replace(&signature[..4], "AAAA")),
        format!("{none}.{claims}."),
        format!("{head}.{}.{signature}", STANDARD.encode("{}").replace('=', "")),
        "nothing".into(),
    ];
    for token in &forged {
        let mut client = Client::dial_at(&house, &format!("device_id=board-1&token={token}"), &[])
            .await
            .unwrap();
        let message = client.hear().await.message;
        let ServerMessage::ConnectFail(fail) = message else { panic!("{token}: {message:?}") };
        assert_eq!(fail.reason, FailReason::Unauthorized);
        assert_eq!(client.hear_close().await, Some(4401));
    }
    let mut client = Client::dial(&house).await;
    client.say(ClientMessage::Heartbeat).await;
    assert!(matches!(client.hear().await.message, ServerMessage::ConnectFail(_)));
    assert_eq!(client.hear_close().await, Some(4401));

    let store = house.close(folder.path()).await;
    let ever = Timestamp::default()..Timestamp::from_millis(i64::MAX as u64);
    let records = store.records_between(ever, 100).await.unwrap();
    let unauthorized: Vec<_> =
        records.iter().filter(|record| record.kind == Kind::Unauthorized).collect();
    assert_eq!(unauthorized.len(), forged.len() + 1);
    for record in unauthorized {
        assert!(record.detail.starts_with("UNAUTHORIZED_CONNECT_ATTEMPT"), "{record:?}");
        assert!(!record.detail.contains(claims), "no token stands in the log");
    }
}

#[tokio::test]
async fn ten_sockets_are_enough_for_one_person() {
    // `native-wire` 9
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = bearer(&house.sign_in("viewer").await);
    let headers = [("authorization", token.as_str())];
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut client = Client::dial_at(&house, "device_id=board-1", &headers).await.unwrap();
        assert!(is_in(&client.hear().await.message, "viewer"));
        open.push(client);
    }
    let message = greeting(&house, "", &headers).await;
    let ServerMessage::ConnectFail(fail) = message else { panic!("{message:?}") };
    assert_eq!(fail.reason, FailReason::Limit);
    let other = bearer(&house.sign_in("operator").await);
    assert!(is_in(&greeting(&house, "", &[("authorization", &other)]).await, "operator"));
}

#[tokio::test]
async fn a_connection_is_taken_up_by_the_same_person_alone() {
    // CWE-639
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let operator = bearer(&house.sign_in("operator").await);
    let viewer = bearer(&house.sign_in("viewer").await);
    let message = greeting(&house, "", &[("authorization", &operator)]).await;
    let ServerMessage::ConnectSuccess(welcome) = message else { panic!("{message:?}") };
    let again = format!("&connection_id={}", welcome.connection_id);
    for (token, is_resumed) in [(&viewer, false), (&operator, true)] {
        let message = greeting(&house, &again, &[("authorization", token)]).await;
        let ServerMessage::ConnectSuccess(welcome) = message else { panic!("{message:?}") };
        assert_eq!(welcome.resumed, is_resumed);
    }
}

#[tokio::test]
async fn a_viewer_follows_and_gives_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = bearer(&house.sign_in("viewer").await);
    let mut client =
        Client::dial_at(&house, "device_id=board-1", &[("authorization", &token)]).await.unwrap();
    client.hear().await;
    let (id, name) = ("c-1".to_owned(), "START".to_owned());
    client.say(ClientMessage::Command(Command { id, name, param: None, valid_until: None })).await;
    let frame = client.hear_until(|frame| frame.message.kind() == "COMMAND_RESULT").await;
    let ServerMessage::CommandResult(result) = frame.message else { unreachable!() };
    assert_eq!(result.reason, Some(Failure::Unauthorized));
}

#[tokio::test]
async fn what_is_of_another_site_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = bearer(&house.sign_in("north").await);
    let message = greeting(&house, "", &[("authorization", &token)]).await;
    let ServerMessage::ConnectFail(fail) = message else { panic!("{message:?}") };
    assert_eq!(fail.reason, FailReason::Unauthorized);
    let list = web::get(house.address, "/api/devices", &[("authorization", &token)]).await;
    assert!(list.ends_with("[]"), "{list}");
    let one = web::get(house.address, "/api/devices/board-1", &[("authorization", &token)]).await;
    assert!(one.starts_with("HTTP/1.1 404"), "{one}");
}

#[tokio::test]
async fn a_sign_in_that_is_ended_closes_its_sockets_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let operator = bearer(&house.sign_in("operator").await);
    let admin = bearer(&house.sign_in("admin").await);
    let headers = [("authorization", operator.as_str())];
    let mut client = Client::dial_at(&house, "device_id=board-1", &headers).await.unwrap();
    client.hear().await;
    let by_admin = [("authorization", admin.as_str())];
    let answer = web::get(house.address, "/api/sessions", &by_admin).await;
    let lines: Vec<SessionLine> =
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let line = lines.iter().find(|line| line.user == "operator").unwrap();
    assert!(!line.is_own && line.from == "127.0.0.1", "{line:?}");
    let path = format!("/api/sessions/{}", line.id);
    let ended = web::send(house.address, "DELETE", &path, &by_admin, None).await;
    assert!(ended.starts_with("HTTP/1.1 204"), "{ended}");
    assert_eq!(client.hear_close().await, Some(4401));
    let answer = web::get(house.address, "/api/devices", &headers).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn a_sign_in_ends_with_its_time_unless_it_is_prolonged() {
    // S0-87, S0-89
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked_for(folder.path(), Duration::from_secs(3)).await;
    let tokens = house.sign_in("operator").await;
    let token = bearer(&tokens);
    let headers = [("authorization", token.as_str())];
    let mut client = Client::dial_at(&house, "device_id=board-1", &headers).await.unwrap();
    client.hear().await;
    let body = format!(r#"{{"refresh_token":"{}"}}"#, tokens.refresh_token.unwrap());
    let (head, told) = web::post(house.address, "/api/refresh", &[], &body).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{told}");
    let renewed: Tokens = serde_json::from_str(&told).unwrap();
    assert!(renewed.expires >= tokens.expires);
    assert_eq!(client.hear_close().await, Some(4401));
    assert!(house.hub.time() >= renewed.expires, "not before its time");
}

#[tokio::test]
async fn a_changed_account_has_to_sign_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let operator = bearer(&house.sign_in("operator").await);
    let admin = bearer(&house.sign_in("admin").await);
    let by_admin = [("authorization", admin.as_str())];
    let put = async |name: &str, body: &str| {
        let path = format!("/api/users/{name}");
        web::send(house.address, "PUT", &path, &by_admin, Some(body)).await
    };
    let viewer = r#"{"is_disabled":false,"role":"viewer","sites":null}"#;
    assert!(put("operator", viewer).await.starts_with("HTTP/1.1 204"));
    let by_operator = [("authorization", operator.as_str())];
    let answer = web::get(house.address, "/api/devices", &by_operator).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(house.sign_in("operator").await.role, Role::Viewer);
    let last = put("admin", viewer).await;
    assert!(last.starts_with("HTTP/1.1 409") && last.contains("LAST_ADMIN"), "{last}");
    let weak =
        put("operator", r#"{"is_disabled":false,"role":"viewer","sites":null,"password":"x"}"#);
    assert!(weak.await.contains("WEAK_PASSWORD"));
    let nobody = put("nobody", viewer).await;
    assert!(nobody.starts_with("HTTP/1.1 404"), "{nobody}");
}

#[tokio::test]
async fn accounts_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let admin = bearer(&house.sign_in("admin").await);
    let by_admin = [("authorization", admin.as_str())];
    let add = async |name: &str| {
        let body = format!(r#"{{"name":"{name}","password":"{PASSWORD}","role":"engineer"}}"#);
        web::post(house.address, "/api/users", &by_admin, &body).await
    };
    assert!(add("li").await.0.starts_with("HTTP/1.1 201"));
    assert!(add("li").await.1.contains("NAME_TAKEN"));
    for name in ["", "..", "anonymous", "a b", "\\u202enimda", "<script>"] {
        let (head, told) = add(name).await;
        assert!(head.starts_with("HTTP/1.1 400") && told.contains("BAD_NAME"), "{name}: {told}");
    }
    let list = web::get(house.address, "/api/users", &by_admin).await;
    let list: Vec<Account> = serde_json::from_str(list.split_once("\r\n\r\n").unwrap().1).unwrap();
    let li = list.iter().find(|account| account.name == "li").unwrap();
    assert_eq!((li.role, &li.sites, li.must_change_password), (Role::Engineer, &Scope::All, true));
    let gone = web::send(house.address, "DELETE", "/api/users/li", &by_admin, None).await;
    assert!(gone.starts_with("HTTP/1.1 204"), "{gone}");
}

#[tokio::test]
async fn whoever_got_a_password_changes_it_before_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let tokens = house.sign_in("fresh").await;
    assert!(tokens.must_change_password);
    let token = bearer(&tokens);
    let headers = [("authorization", token.as_str())];
    let shut = web::get(house.address, "/api/devices", &headers).await;
    assert!(shut.starts_with("HTTP/1.1 403") && shut.contains("PASSWORD_CHANGE"), "{shut}");
    assert!(matches!(greeting(&house, "", &headers).await, ServerMessage::ConnectFail(_)));
    let change = |old: &str, new: &str| format!(r#"{{"old":"{old}","new":"{new}"}}"#);
    for (body, status) in [
        (change(PASSWORD, "short"), 400),
        (change(PASSWORD, PASSWORD), 400),
        (change("wrong", "another-harbour-violet-7"), 401),
        (change(PASSWORD, "another-harbour-violet-7"), 204),
    ] {
        let (head, told) = web::post(house.address, "/api/password", &headers, &body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {head} {told}");
    }
    let open = web::get(house.address, "/api/devices", &headers).await;
    assert!(open.starts_with("HTTP/1.1 200"), "{open}");
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_an_account_and_an_administrator_unlocks_it() {
    // CR 1.11
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let admin = bearer(&house.sign_in("admin").await);
    // From elsewhere; a proxy that is not ours names nobody, and is not near.
    let away = [("x-forwarded-for", "192.0.2.1")];
    let attempt = async |password: &str| {
        web::post(house.address, "/api/login", &away, &login("operator", password)).await
    };
    let mut head = attempt("wrong").await.0;
    while !head.starts_with("HTTP/1.1 429") {
        head = attempt("wrong").await.0;
    }
    assert!(head.contains("retry-after: "), "{head}");
    let (head, _) = attempt(PASSWORD).await;
    assert!(head.starts_with("HTTP/1.1 429"), "even the right one waits: {head}");
    let by_admin = [("authorization", admin.as_str())];
    let (head, _) = web::post(house.address, "/api/users/operator/unlock", &by_admin, "{}").await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    assert!(attempt(PASSWORD).await.0.starts_with("HTTP/1.1 200"));
    let operator = bearer(&house.sign_in("operator").await);
    let mine = web::get(house.address, "/api/sign-ins", &[("authorization", &operator)]).await;
    let mine: Vec<SignInLine> =
        serde_json::from_str(mine.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(mine[0].reason, None);
    assert!(mine.iter().any(|line| line.reason.as_deref() == Some("WRONG_PASSWORD")), "{mine:?}");
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let tokens = house.sign_in("operator").await;
    let body = |token: &str| format!(r#"{{"refresh_token":"{token}"}}"#);
    let first = body(&tokens.refresh_token.unwrap());
    let (_, told) = web::post(house.address, "/api/refresh", &[], &first).await;
    let renewed: Tokens = serde_json::from_str(&told).unwrap();
    // Two pages that ask at the same time are no thieves.
    let (head, told) = web::post(house.address, "/api/refresh", &[], &first).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(serde_json::from_str::<Tokens>(&told).unwrap().refresh_token, None);
    for bad in ["", "x", &"A".repeat(43)] {
        let (head, _) = web::post(house.address, "/api/refresh", &[], &body(bad)).await;
        assert!(head.starts_with("HTTP/1.1 401"), "{bad}: {head}");
    }
    let (head, _) =
        web::post(house.address, "/api/logout", &[("authorization", &bearer(&renewed))], "{}")
            .await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    let last = body(&renewed.refresh_token.unwrap());
    let (head, _) = web::post(house.address, "/api/refresh", &[], &last).await;
    assert!(head.starts_with("HTTP/1.1 401"), "who signed out is out: {head}");
}

#[tokio::test]
async fn a_token_of_the_center_opens_its_edge_without_a_session() {
    // S0-84
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let now = house.hub.time();
    let claims = Claims {
        aud: Some("this-edge".parse().unwrap()),
        exp: now + Duration::from_secs(600),
        iat: now,
        iss: "center".into(),
        role: Role::Operator,
        sid: None,
        sites: Scope::All,
        sub: "wang".parse().unwrap(),
    };
    let token = format!("Bearer {}", center().issue(&claims));
    let message = greeting(&house, "", &[("authorization", &token)]).await;
    assert!(is_in(&message, "wang"), "{message:?}");
    for (name, claims) in [
        ("another edge", Claims { aud: Some("other".parse().unwrap()), ..claims.clone() }),
        ("no edge", Claims { aud: None, ..claims.clone() }),
        ("over", Claims { exp: now, ..claims }),
    ] {
        let token = format!("Bearer {}", center().issue(&claims));
        let message = greeting(&house, "", &[("authorization", &token)]).await;
        assert!(matches!(message, ServerMessage::ConnectFail(_)), "{name}: {message:?}");
    }
}
