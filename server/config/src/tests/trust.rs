use crate::Trust;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const TOKEN: &str = "0123456789abcdef";
const UPLINK: &str =
    "[uplink]\nurl = \"wss://c/ws\"\nedge = \"north\"\ntoken = \"0123456789abcdef\"\n";

/// Reads `toml` from a folder that holds the files of a certificate.
fn read_beside(toml: &str) -> Result<Configuration, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["cert.pem", "key.pem"] {
        std::fs::write(folder.path().join(name), "in PEM").unwrap();
    }
    std::fs::write(folder.path().join("points.csv"), points()).unwrap();
    let points = PointTable::Beside(folder.path().into());
    let text = format!("{toml}{PLANT}").into_bytes().into();
    read(&Source { name: "gapless.toml".into(), text, points }, &[], Vec::new())
}

fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn setting(read: &Configuration, key: &str) -> (String, Place) {
    let found = read.settings.iter().find(|setting| setting.key == key);
    found.map(|setting| (setting.value.clone(), setting.place.clone())).unwrap()
}

#[test]
fn who_says_nothing_has_sign_in_and_keeps_enough() {
    // S0-79, S0-82, S0-87
    let read = read_texts(PLANT, &points()).unwrap();
    let auth = &read.auth;
    assert!(auth.enabled);
    assert_eq!((auth.access_lifetime, auth.refresh_lifetime), (DAY / 24, 7 * DAY));
    assert_eq!(auth.lock_after, Some(Duration::from_secs(900)));
    assert_eq!((auth.notice.clone(), auth.center_keys.len()), (None, 0));
    assert!(!read.tls.enabled && read.tls.files.is_none() && read.tls.names.is_empty());
    assert_eq!((read.log.keep, read.log.keep_bytes), (31 * DAY, 1_000_000_000));
    assert_eq!(read.log.level, "info");
    assert_eq!((read.records.keep, read.records.keep_security), (31 * DAY, 180 * DAY));
    assert!(read.trusted_proxies.is_empty() && read.base_path.is_empty());
    assert_eq!(read.integrity.previous_key, None);
    assert_eq!(setting(&read, "auth.enabled"), ("true".into(), Place::Default));
    assert_eq!(setting(&read, "tls.enabled"), ("false".into(), Place::Default));
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
}

#[test]
fn everything_about_trust_can_be_said() {
    // S0-84, S0-100
    let toml = r#"
[server]
listen = "0.0.0.0:8443"
trusted_proxies = ["10.0.0.7", "10.1.2.3/16", "fd00::/8"]
base_path = "/gapless/hmi"
[auth]
access_lifetime = "30m"
refresh_lifetime = "1d"
lock_after = 0
notice_zh = "仅限授权人员"
center_keys = ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"]
[tls]
enabled = true
certificate = "cert.pem"
key = "key.pem"
names = ["HMI.example", "10.0.0.9"]
[log]
directory = "logs"
keep = "90d"
keep_bytes = "500MB"
level = "field=debug,warn"
[records]
keep = "60d"
keep_security = "365d"
"#;
    let read = read_beside(toml).unwrap();
    assert_eq!(told(&read.warnings), Vec::<String>::new());
    let proxies: Vec<_> = read.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.7/32", "10.1.0.0/16", "fd00::/8"]);
    assert_eq!(read.base_path, "/gapless/hmi");
    assert_eq!((read.auth.access_lifetime, read.auth.refresh_lifetime), (DAY / 48, DAY));
    assert_eq!(read.auth.lock_after, None);
    assert_eq!(read.auth.notice.unwrap().en, "仅限授权人员", "one language for both");
    assert!(read.auth.center_keys[0].iter().copied().eq(0..32));
    let files = read.tls.files.unwrap();
    assert!(files.certificate.is_absolute() && files.certificate.ends_with("cert.pem"));
    assert!(files.key.ends_with("key.pem"));
    assert_eq!(read.tls.names, ["hmi.example", "10.0.0.9"]);
    assert_eq!(read.log.directory.as_deref(), Some(Path::new("logs")));
    assert_eq!((read.log.keep, read.log.keep_bytes), (90 * DAY, 500_000_000));
    assert_eq!(read.log.level, "field=debug,warn");
    assert_eq!((read.records.keep, read.records.keep_security), (60 * DAY, 365 * DAY));
}

#[test]
fn a_network_is_let_in_only_by_who_decided_about_tls() {
    // S0-100, S0-101
    let open = "[server]\nlisten = \"0.0.0.0:80\"\n";
    let refusal = read_texts(&format!("{open}{PLANT}"), &points()).unwrap_err();
    let expected = "gapless.toml:2:10: 0.0.0.0:80 can be reached from the network: write \
                    `enabled = true` in [tls], or `enabled = false` where plain http is meant";
    assert_eq!(told(&refusal.mistakes), [expected]);
    let table = [
        ("[tls]\nenabled = true\n", vec![]),
        ("[tls]\nenabled = false\n", vec!["in plain http: passwords and values can be read"]),
        ("[tls]\nenabled = true\n[auth]\nenabled = false\n", vec!["sign-in is off"]),
        (
            "[tls]\nenabled = false\n[auth]\nenabled = false\n",
            vec!["sign-in is off", "in plain http"],
        ),
    ];
    for (text, expected) in table {
        let read = read_texts(&format!("{open}{text}{PLANT}"), &points()).unwrap();
        let told = told(&read.warnings);
        assert_eq!(told.len(), expected.len(), "{text}: {told:?}");
        let is_told = |part: &&str| told.iter().any(|line| line.contains(*part));
        assert!(expected.iter().all(is_told), "{text}: {told:?}");
        assert!(told.iter().all(|line| line.starts_with("gapless.toml:2:10: ")), "{told:?}");
    }
    let behind = format!("{open}trusted_proxies = [\"10.0.0.7\"]\n[tls]\nenabled = false\n{PLANT}");
    assert!(read_texts(&behind, &points()).unwrap().warnings.is_empty(), "the proxy has TLS");
    let home = format!("[auth]\nenabled = false\n{PLANT}");
    assert!(read_texts(&home, &points()).unwrap().warnings.is_empty(), "nobody else comes in");
}

#[test]
fn every_mistake_about_trust_names_its_line() {
    for (text, expected) in MISTAKES {
        let refusal = read_beside(text).expect_err(text);
        let told = told(&refusal.mistakes);
        assert!(told.len() == 1 && told[0].contains(expected), "{text}: {told:#?}");
    }
}

const MISTAKES: [(&str, &str); 32] = [
    ("[auth]\nenable = true\n", "gapless.toml:2:1: unknown key `auth.enable`; did you mean `enabl"),
    ("[auth]\nenabled = 1\n", "gapless.toml:2:11: `enabled` must be true or false"),
    ("[auth]\naccess_lifetime = \"2h\"\n", "`access_lifetime` must be 1m to 1h, not 2h"),
    ("[auth]\naccess_lifetime = 60\n", "`access_lifetime` must be a time with its unit"),
    ("[auth]\nrefresh_lifetime = \"31d\"\n", "`refresh_lifetime` must be 1h to 30d, not 31d"),
    ("[auth]\nlock_after = \"9h\"\n", "`lock_after` must be 1m to 8h, not 9h; 0 is never"),
    ("[auth]\ncenter_keys = [\"AAEC\"]\n", "`center_keys` must hold public keys of 32 bytes in"),
    ("[auth]\ncenter_keys = [7]\n", "gapless.toml:2:15: `center_keys` must be a text in quotes"),
    ("[tls]\ncertficate = \"cert.pem\"\n", "`tls.certficate`; did you mean `certificate`?"),
    ("[tls]\nenabled = true\nkey = \"key.pem\"\n", "gapless.toml:3:7: `key` goes with a"),
    ("[tls]\nenabled = true\ncertificate = \"cert.pem\"\n", "`certificate` goes with a `key`"),
    (
        "[tls]\nenabled = true\ncertificate = \"gone.pem\"\nkey = \"key.pem\"\n",
        "gapless.toml:3:15: `certificate` cannot be read, ",
    ),
    (
        "[tls]\nenabled = true\ncertificate = \"cert.pem\"\nkey = \".\"\n",
        "gapless.toml:4:7: `key` must be a file, not ",
    ),
    ("[tls]\nnames = [\"a b\"]\n", "`names` must hold names or addresses such as hmi.example"),
    ("[server]\ntrusted_proxies = [\"proxy\"]\n", "`trusted_proxies` must hold addresses such as"),
    ("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]\n", "must hold addresses such as 10.0.0.7"),
    ("[server]\nbase_path = \"gapless\"\n", "gapless.toml:2:13: `base_path` must be empty or like"),
    ("[server]\nbase_path = \"/gapless/\"\n", "`base_path` must be empty or like /gapless"),
    ("[server]\nbase_path = \"/a/../b\"\n", "`base_path` must be empty or like /gapless"),
    ("[server]\nbase_path = \"/a b\"\n", "`base_path` must be empty or like /gapless"),
    (
        "[log]\nkeep = \"7d\"\n",
        "gapless.toml:2:8: `keep` must be 30d to 3660d, not 7d: logs are kept for at least 30 \
         days (S0-79)",
    ),
    ("[log]\nkeep = \"20y\"\n", "`keep` `y` is no unit: ms, s, m, h or d"),
    ("[log]\nkeep_bytes = \"1KB\"\n", "`keep_bytes` must be 10MB to 1TB, not `1KB`"),
    ("[log]\nlevel = \"field=debgu\"\n", "`level` `debgu` is none of error, warn, info, debug, "),
    ("[log]\nlevel = \"=info\"\n", "`level` names no module: ``"),
    ("[records]\nkeep = \"29d\"\n", "not 29d: logs are kept for at least 30 days (S0-79)"),
    ("[records]\nkeep_security = \"1h\"\n", "at least 30 days (S0-79)"),
    (
        "[integrity]\nkey = \"at least sixteen characters\"\n",
        "gapless.toml:2:7: `key` is the text of the sample, which everybody knows",
    ),
    (
        "[integrity]\nprevious_key = \"at-least-sixteen-characters\"\n",
        "`previous_key` is the text of the sample",
    ),
    (
        "[metrics]\ntoken = \"at-least-sixteen-characters\"\n",
        "gapless.toml:2:9: `token` is the text of the sample, which everybody knows",
    ),
    (
        "[uplink]\nurl = \"ws://c/ws\"\nedge = \"n\"\ntoken = \"at-least-sixteen-characters\"\n",
        "gapless.toml:4:9: `token` is the text of the sample",
    ),
    (
        "[uplink]\nurl = \"ws://c/ws\"\nedge = \"n\"\ntoken = \"0123456789abcdef\"\nca = \"cert.pem\"\n",
        "gapless.toml:5:1: `ca` goes with a url of wss://",
    ),
];

#[test]
fn what_weakens_trust_is_a_warning() {
    let table = [
        ("[records]\nkeep_security = \"90d\"\n", "gapless.toml:2:17: `keep_security` is 90d: who"),
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]\n", "gapless.toml:2:19: `trusted_proxies` h"),
        ("[integrity]\nprevious_key = \"short\"\n", "gapless.toml:2:16: a key of fewer than 16"),
        (
            "[integrity]\nkey = \"0123456789abcdef\"\nprevious_key = \"0123456789abcdef\"\n",
            "gapless.toml:3:16: `previous_key` is the same as `key`",
        ),
        (
            "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
            "gapless.toml:2:15: `certificate` has no effect: `enabled` is false in [tls]",
        ),
    ];
    for (text, expected) in table {
        let told = told(&read_beside(text).unwrap().warnings);
        assert!(told.len() == 1 && told[0].contains(expected), "{text}: {told:#?}");
    }
}

#[test]
fn an_edge_knows_its_center_by_what_it_was_told() {
    // S0-100
    let digits = "00:FF".to_owned() + &":a0".repeat(30);
    let known = Trust::Fingerprint([&[0, 255][..], &[160; 30]].concat().try_into().unwrap());
    let table = [
        (String::new(), Trust::System),
        (format!("fingerprint = \"sha256:{digits}\"\n"), known.clone()),
        (format!("fingerprint = \"sha256:{}\"\n", digits.replace(':', "")), known),
    ];
    for (text, expected) in table {
        let read = read_beside(&format!("{UPLINK}{text}")).unwrap();
        assert_eq!(read.uplink.unwrap().trust, expected, "{text}");
    }
    let read = read_beside(&format!("{UPLINK}ca = \"cert.pem\"\n")).unwrap();
    let uplink = read.uplink.unwrap();
    assert_eq!(uplink.url, "wss://c/ws");
    assert!(matches!(&uplink.trust, Trust::Authority(file) if file.ends_with("cert.pem")));
    assert!(!format!("{uplink:?}").contains(TOKEN));
}

#[test]
fn a_center_is_known_in_one_way() {
    let digits = "a0".repeat(32);
    let table = [
        (format!("fingerprint = \"sha256:{digits}0\"\n"), "`fingerprint` must be `sha256:` and 64"),
        (format!("fingerprint = \"{digits}\"\n"), "`fingerprint` must be `sha256:` and 64"),
        ("ca = \"gone.pem\"\n".into(), "gapless.toml:5:6: `ca` cannot be read, "),
        (format!("ca = \"cert.pem\"\nfingerprint = \"sha256:{digits}\"\n"), "exclude each other"),
    ];
    for (text, expected) in table {
        let told = told(&read_beside(&format!("{UPLINK}{text}")).unwrap_err().mistakes);
        assert!(told.len() == 1 && told[0].contains(expected), "{text}: {told:#?}");
    }
}

#[test]
fn a_key_that_stands_where_its_file_belongs_is_not_told() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "-----BEGIN PRIVATE KEY-----\nhush\n-----END").unwrap();
    let toml = format!("[tls]\nenabled = true\ncertificate = \"points.csv\"\n{PLANT}");
    let variables = [("GAPLESS__TLS__KEY_FILE", secret.path().to_str().unwrap())];
    let read = read_bytes(toml.as_bytes(), points().as_bytes(), &variables);
    let mut printed = Vec::new();
    report::print(&mut printed, "gapless.toml", &read).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let expected =
        "GAPLESS__TLS__KEY_FILE: `key` must be the name of a file, not what stands in it";
    assert!(printed.contains(expected) && !printed.contains("hush"), "{printed}");
}

#[test]
fn what_is_printed_stays_on_its_line() {
    let read = read_beside("[auth]\nnotice_en = \"a\\nb\\u001b[2J\"\n");
    let mut printed = Vec::new();
    report::print(&mut printed, "gapless.toml", &read).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.contains("auth.notice_en = a\\nb\\u{1b}[2J  # gapless.toml:2:13"), "{printed}");
}
