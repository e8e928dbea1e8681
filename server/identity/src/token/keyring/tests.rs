//! Forged, foreign, tampered, stale and misdirected tokens (`operations.md` B2).

use proptest::prelude::*;
use protocol::user::{Role, Scope};
use serde_json::{Value, json};

use super::*;
use crate::key::SecretKey;
use crate::session::SessionId;
use crate::token::{Signer, encoded};

const HOUR: Duration = Duration::from_secs(3_600);

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn secret(name: u8) -> SecretKey {
    SecretKey::new(&[name; 32])
}

/// 1 is our own key, 2 that of our center.
fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    assert!(keyring.trust(secret(1).public(), Trust::Own { issuer: "plant-1".into() }));
    assert!(keyring.trust(secret(2).public(), Trust::Center { edge: "north".parse().unwrap() }));
    keyring
}

fn own() -> Claims {
    Claims {
        aud: None,
        exp: now() + HOUR,
        iat: now(),
        iss: "plant-1".into(),
        role: Role::Operator,
        sid: Some(SessionId::new([7; 16])),
        sites: Scope::All,
        sub: "li".parse().unwrap(),
    }
}

fn temporary() -> Claims {
    Claims { aud: Some("north".parse().unwrap()), iss: "center".into(), sid: None, ..own() }
}

fn issued(name: u8, claims: &Claims) -> String {
    Signer::new(secret(name)).issue(claims)
}

/// A token of these very parts, signed by a key of ours.
fn forged(name: u8, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(secret(name).sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn header(name: u8) -> Value {
    json!({ "alg": "EdDSA", "kid": secret(name).public().kid().to_string() })
}

fn verdict(token: &str) -> Result<(), TokenError> {
    keyring().verify(token, now()).map(drop)
}

#[test]
fn a_token_says_what_it_was_issued_for() {
    // S0-84, S0-87
    for (name, claims) in [(1, own()), (2, temporary())] {
        assert_eq!(keyring().verify(&issued(name, &claims), now()), Ok(claims));
    }
}

#[test]
fn what_is_signed_in_another_way_is_refused() {
    let kid = secret(1).public().kid().to_string();
    let claims = json!(own());
    for algorithm in ["none", "None", "HS256", "RS256", "ES256", "eddsa", "Ed25519", ""] {
        let token = forged(1, &json!({ "alg": algorithm, "kid": kid }), &claims);
        assert_eq!(verdict(&token), Err(TokenError::WrongAlgorithm), "{algorithm}");
    }
    let unsigned = format!(
        "{}.{}.",
        encoded(json!({ "alg": "none" }).to_string()),
        encoded(claims.to_string())
    );
    assert_eq!(verdict(&unsigned), Err(TokenError::WrongAlgorithm));
    let bare = issued(1, &own()).rsplit_once('.').map(|(message, _)| format!("{message}."));
    assert_eq!(verdict(&bare.unwrap()), Err(TokenError::BadSignature));
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    // HS256 over the public key that everybody knows
    use protocol::digest::{Algorithm, Seal};
    let public = secret(1).public();
    for algorithm in ["HS256", "EdDSA"] {
        let header = json!({ "alg": algorithm, "kid": public.kid().to_string() });
        let message =
            format!("{}.{}", encoded(header.to_string()), encoded(json!(own()).to_string()));
        let code = Seal::new(Algorithm::HmacSha256, &public.to_string()).of(&message);
        let token = format!("{message}.{}", encoded(hex::decode(code).unwrap()));
        assert!(matches!(
            verdict(&token),
            Err(TokenError::WrongAlgorithm | TokenError::BadSignature)
        ));
    }
}

#[test]
fn foreign_keys_open_nothing_under_whatever_name() {
    let foreign = issued(3, &own());
    assert_eq!(verdict(&foreign), Err(TokenError::UnknownKey));
    assert_eq!(verdict(&forged(3, &header(1), &json!(own()))), Err(TokenError::BadSignature));
    let nameless = json!({ "alg": "EdDSA" });
    assert_eq!(verdict(&forged(1, &nameless, &json!(own()))), Err(TokenError::UnknownKey));
    for kid in [json!("../../etc/passwd"), json!("' or 1=1 --"), json!("")] {
        let header = json!({ "alg": "EdDSA", "kid": kid });
        assert_eq!(verdict(&forged(1, &header, &json!(own()))), Err(TokenError::UnknownKey));
    }
    let inline = json!({ "alg": "EdDSA", "jwk": { "kty": "OKP" }, "jku": "http://x", "kid": null });
    assert_eq!(verdict(&forged(1, &inline, &json!(own()))), Err(TokenError::UnknownKey));
    let mut critical = header(1);
    critical["crit"] = json!(["b64"]);
    assert_eq!(verdict(&forged(1, &critical, &json!(own()))), Err(TokenError::Malformed));
}

#[test]
fn a_token_holds_from_its_beginning_to_its_end() {
    let token = issued(1, &own());
    let millis = Duration::from_millis;
    let before = |by: u64| Timestamp::from_millis(now().as_millis() - by);
    let table = [
        (before(30_001), Err(TokenError::NotYet)),
        (before(30_000), Ok(())),
        (now() + HOUR.saturating_sub(millis(1)), Ok(())),
        (now() + HOUR, Err(TokenError::Expired)),
        (now() + HOUR * 24, Err(TokenError::Expired)),
    ];
    for (at, expected) in table {
        assert_eq!(keyring().verify(&token, at).map(drop), expected, "{at}");
    }
    let later = |nbf: u64| {
        let mut claims = json!(own());
        claims["nbf"] = json!(nbf);
        verdict(&forged(1, &header(1), &claims))
    };
    assert_eq!(later(1_800_000_001), Err(TokenError::NotYet));
    assert_eq!(later(u64::MAX), Err(TokenError::NotYet));
    assert_eq!(later(1_800_000_000), Ok(()));
}

#[test]
fn no_token_is_honoured_longer_than_an_hour() {
    // S0-84
    for (name, claims) in [(1, own()), (2, temporary())] {
        let mut long = json!(claims);
        long["exp"] = json!(u64::MAX);
        let token = forged(name, &header(name), &long);
        assert_eq!(keyring().verify(&token, now()).map(|claims| claims.exp), Ok(now() + HOUR));
        assert_eq!(keyring().verify(&token, now() + HOUR), Err(TokenError::Expired));
        long["iat"] = json!(0);
        assert_eq!(verdict(&forged(name, &header(name), &long)), Err(TokenError::Expired));
    }
}

#[test]
fn each_key_is_believed_for_its_own_purpose_alone() {
    let south = Some("south".parse().unwrap());
    let table = [
        (1, temporary(), TokenError::WrongAudience),
        (1, Claims { sid: None, ..own() }, TokenError::WrongIssuer),
        (1, Claims { iss: "plant-2".into(), ..own() }, TokenError::WrongIssuer),
        (2, own(), TokenError::WrongAudience),
        (2, Claims { aud: south, ..temporary() }, TokenError::WrongAudience),
        (2, Claims { sid: own().sid, ..temporary() }, TokenError::WrongIssuer),
    ];
    for (name, claims, expected) in table {
        assert_eq!(verdict(&issued(name, &claims)), Err(expected), "{claims:?}");
    }
}

#[test]
fn a_key_keeps_the_purpose_that_it_was_first_given() {
    let mut keyring = keyring();
    assert!(!keyring.trust(secret(1).public(), Trust::Center { edge: "north".parse().unwrap() }));
    assert_eq!(keyring.verify(&issued(1, &temporary()), now()), Err(TokenError::WrongAudience));
}

#[test]
fn tokens_of_a_key_that_was_replaced_hold_until_it_retires() {
    let mut keyring = keyring();
    keyring.retire(secret(1).public().kid(), now() + HOUR / 2);
    assert!(keyring.trust(secret(4).public(), Trust::Own { issuer: "plant-1".into() }));
    let (old, new) = (issued(1, &own()), issued(4, &own()));
    assert_eq!(keyring.verify(&old, now()), Ok(own()));
    assert_eq!(keyring.verify(&new, now()), Ok(own()));
    let half = now() + HOUR / 2;
    assert_eq!(keyring.verify(&old, half), Err(TokenError::UnknownKey));
    assert_eq!(keyring.verify(&new, half), Ok(own()));
}

#[test]
fn claims_that_say_too_little_or_nonsense_are_none() {
    let without = |member: &str| {
        let mut claims = json!(own());
        claims.as_object_mut().unwrap().remove(member);
        claims
    };
    let with = |member: &str, value: Value| {
        let mut claims = json!(own());
        claims[member] = value;
        claims
    };
    let table = [
        without("exp"),
        without("iat"),
        without("iss"),
        without("role"),
        without("sites"),
        without("sub"),
        with("exp", json!("never")),
        with("exp", json!(-1)),
        with("exp", json!(1e300)),
        with("role", json!("root")),
        with("sites", json!("north")),
        with("sub", json!("a\r\nb")),
        with("sid", json!("short")),
        json!([]),
        json!(null),
    ];
    for claims in table {
        assert_eq!(
            verdict(&forged(1, &header(1), &claims)),
            Err(TokenError::Malformed),
            "{claims}"
        );
    }
}

#[test]
fn what_is_no_token_is_refused_at_once() {
    let token = issued(1, &own());
    let megabyte = "a.".repeat(500_000);
    let table = ["", ".", "..", "...", "a.b.c", "\0.\0.\0", "ä.ö.ü", "Bearer", megabyte.as_str()];
    for text in table {
        assert_eq!(verdict(text), Err(TokenError::Malformed), "{:.20}", text);
    }
    let deep = encoded("[".repeat(4_000));
    for text in [format!("{deep}.{deep}.x"), format!("{token}."), format!("{token}=")] {
        assert!(verdict(&text).is_err(), "{:.20}", text);
    }
}

#[test]
fn a_temporary_token_opens_the_sites_on_its_list_alone() {
    let sites = ["north-1".parse().unwrap()].into();
    let claims = Claims { sites: Scope::Sites(sites), ..temporary() };
    let read = keyring().verify(&issued(2, &claims), now()).unwrap();
    assert!(read.sites.holds(&"north-1".parse().unwrap()));
    assert!(!read.sites.holds(&"north-2".parse().unwrap()));
}

proptest! {
    #[test]
    fn a_token_with_one_other_character_is_refused(at in any::<prop::sample::Index>(), c in "[A-Za-z0-9_.-]") {
        let token = issued(1, &own());
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != c);
        let mut tampered = token;
        tampered.replace_range(at..=at, &c);
        prop_assert!(verdict(&tampered).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "[A-Za-z0-9_.-]{0,99}|\\PC{0,40}") {
        prop_assert!(verdict(&text).is_err());
    }
}
