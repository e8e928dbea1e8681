//! Every route, called by nobody and by each role (`operations.md` B2).

use protocol::user::Role;

use crate::house::{House, web};

/// Who may call what. Whoever adds a route has to say here for whom it is.
fn table() -> Vec<(&'static str, &'static str, Vec<Role>)> {
    use Role::{Admin, Auditor, Developer, Engineer, Operator, Viewer};
    let all = vec![Viewer, Operator, Engineer, Admin, Auditor, Developer];
    let records = vec![Engineer, Admin, Auditor];
    let admin = vec![Admin];
    vec![
        ("GET", "/api/audit", records.clone()),
        ("GET", "/api/audit.csv", records.clone()),
        ("GET", "/api/commands", all.clone()),
        ("GET", "/api/commands.csv", all.clone()),
        ("GET", "/api/connections", admin.clone()),
        ("GET", "/api/devices", all.clone()),
        ("GET", "/api/devices/{id}", all.clone()),
        ("POST", "/api/logout", all.clone()),
        ("GET", "/api/logs/websocket", records.clone()),
        ("GET", "/api/logs/websocket.csv", records),
        ("POST", "/api/password", all.clone()),
        ("GET", "/api/session", all.clone()),
        ("GET", "/api/sessions", admin.clone()),
        ("DELETE", "/api/sessions/{id}", admin.clone()),
        ("GET", "/api/sign-ins", all.clone()),
        ("POST", "/api/tokens", admin.clone()),
        ("POST", "/api/unlock", all),
        ("GET", "/api/users", admin.clone()),
        ("POST", "/api/users", admin.clone()),
        ("PUT", "/api/users/{name}", admin.clone()),
        ("DELETE", "/api/users/{name}", admin.clone()),
        ("POST", "/api/users/{name}/unlock", admin.clone()),
        ("GET", "/metrics", admin),
    ]
}

/// Open to everybody: signing in, and whether the process is there.
const PUBLIC: [(&str, &str); 4] =
    [("POST", "/api/login"), ("POST", "/api/refresh"), ("GET", "/livez"), ("GET", "/readyz")];

/// To those whom they are not for they are not there.
const HIDDEN: [&str; 2] = ["/api/connections", "/metrics"];

/// No neighbour of the server: metrics are for those too.
const AWAY: (&str, &str) = ("x-forwarded-for", "192.0.2.1");

#[tokio::test]
async fn every_route_is_open_to_those_whom_it_is_for_and_to_nobody_else() {
    // S0-85; CWE-306, CWE-862
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    // What nobody has opened is waited for.
    house.write_commands(folder.path());
    house.write_audit(folder.path());
    house.write_records(folder.path());
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, format!("Bearer {}", house.sign_in(role.name()).await.access_token)));
    }
    let call = async |method: &str, path: &str, token: Option<&str>| {
        let path = path.replace("{id}", "none").replace("{name}", "nobody");
        let mut headers = vec![AWAY];
        headers.extend(token.map(|token| ("authorization", token)));
        let answer = web::send(house.address, method, &path, &headers, Some("{}")).await;
        answer[9..12].parse::<u16>().unwrap()
    };
    for (method, path, may) in table() {
        // Those would end what the others need.
        let is_last = path == "/api/logout";
        let anonymous = call(method, path, None).await;
        assert!([401, 404].contains(&anonymous), "{method} {path}, anonymous: {anonymous}");
        for (role, token) in tokens.iter().filter(|_| !is_last) {
            let status = call(method, path, Some(token)).await;
            let is_hidden = HIDDEN.contains(&path) && status == 404;
            let is_open = ![401, 403].contains(&status) && !is_hidden;
            assert_eq!(is_open, may.contains(role), "{method} {path}, {role}: {status}");
        }
    }
    for (method, path) in PUBLIC {
        let status = call(method, path, None).await;
        assert!([200, 400, 401].contains(&status), "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn no_route_is_left_out() {
    let house = House::open().await;
    let table = table();
    let known: Vec<_> = table.iter().map(|(method, path, _)| (*method, *path)).collect();
    let rules = gateway::rules(&house.gateway);
    for rule in rules.iter().filter(|rule| !rule.is_socket) {
        let route = (rule.method.as_str(), rule.path);
        assert!(known.contains(&route) || PUBLIC.contains(&route), "for whom is {route:?}?");
    }
    let sockets = rules.iter().filter(|rule| rule.is_socket).map(|rule| rule.path);
    assert!(sockets.eq(["/ws/device"]), "each socket has tests of its own");
}

#[tokio::test]
async fn pages_of_other_sites_change_and_read_nothing() {
    // CWE-352
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_locked(folder.path()).await;
    let token = format!("gapless={}", house.sign_in("admin").await.access_token);
    for (method, path, _) in table() {
        for site in ["cross-site", "same-site"] {
            let path = path.replace("{id}", "none").replace("{name}", "nobody");
            let headers = [AWAY, ("cookie", token.as_str()), ("sec-fetch-site", site)];
            let answer = web::send(house.address, method, &path, &headers, Some("{}")).await;
            let is_shut = ["403", "404"].contains(&&answer[9..12]);
            assert!(is_shut, "{method} {path} from {site}: {answer}");
        }
    }
    let body = r#"{"username":"admin","password":"x"}"#;
    let cross = [("origin", "https://evil.example")];
    let (head, _) = web::post(house.address, "/api/login", &cross, body).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
}
