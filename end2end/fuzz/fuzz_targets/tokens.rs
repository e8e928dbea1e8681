//! Verifies any text as a token, and any header and claims under a key that is believed.
//!
//! An input is a token, or a header and claims on a line each, which are signed here; then whatever
//! else people hand in: names, session ids, keys.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use identity::name::{shown, user_name};
use identity::session::RefreshHash;
use identity::{
    Claims, Hashed, Keyring, Person, PublicKey, RefreshToken, SecretKey, SessionId, Signer, Trust,
};
use libfuzzer_sys::fuzz_target;
use protocol::time::Timestamp;

fuzz_target!(|text: &str| {
    if let Ok(claims) = KEYRING.verify(text, NOW) {
        holds(&claims);
    }
    if let Some((header, claims)) = text.split_once('\n') {
        for seed in [OWN, CENTERS] {
            if let Ok(claims) = KEYRING.verify(&signed(seed, header, claims), NOW) {
                holds(&claims);
                can_be_issued_again(seed, claims);
            }
        }
    }
    is_shown_harmlessly(text);
    for word in text.lines() {
        comes_back::<SessionId>(word);
        comes_back::<RefreshHash>(word);
        comes_back::<PublicKey>(word);
        if let Ok(token) = word.parse::<RefreshToken>() {
            assert_eq!(*token.reveal(), word);
        }
    }
    if let Ok(hashed) = text.parse::<Hashed>() {
        assert_eq!(hashed.as_str(), text);
    }
    if let Ok(key) = SecretKey::from_pem(text) {
        let again = SecretKey::from_pem(&key.to_pem()).expect("it was written by us");
        assert_eq!(again.public(), key.public());
    }
});

fn signed(seed: [u8; 32], header: &str, claims: &str) -> String {
    let encoded = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let message = format!("{}.{}", encoded(header.as_bytes()), encoded(claims.as_bytes()));
    let signature = SigningKey::from_bytes(&seed).sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", encoded(&signature))
}

/// Whatever is believed, is so for an hour at most, here, and by whom it may be said.
fn holds(claims: &Claims) {
    let Claims { aud, exp, iat, iss, sid, .. } = claims;
    assert!(NOW < *exp && *exp <= *iat + Duration::from_secs(3_600), "{claims:?}");
    assert!(*iat <= NOW + Duration::from_secs(30), "{claims:?}");
    match aud {
        Some(edge) => assert!(edge.as_str() == EDGE && sid.is_none(), "{claims:?}"),
        None => assert!(iss == ISSUER && sid.is_some(), "{claims:?}"),
    }
    let person = Person::from(claims);
    assert_eq!((person.role, person.sid), (claims.role, *sid));
}

fn can_be_issued_again(seed: [u8; 32], claims: Claims) {
    let token = Signer::new(SecretKey::new(&seed)).issue(&claims);
    // Too many sites make a token that is too long to be looked at.
    if token.len() <= identity::token::LONGEST {
        assert_eq!(KEYRING.verify(&token, NOW), Ok(claims));
    }
}

fn is_shown_harmlessly(text: &str) {
    let line = shown(text);
    assert!(line.chars().count() <= 41 && !line.contains(char::is_control), "{line:?}");
    assert!(!line.contains(['\u{200B}', '\u{202E}', '\u{2066}', '\u{FEFF}']), "{line:?}");
    assert_eq!(shown(&line), line);
    match user_name(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text);
            assert!(line.is_ascii() || text.len() > 40, "{line:?}");
        }
        Err(error) => {
            let error = error.to_string();
            assert!(error.len() < 300 && !error.contains(char::is_control), "{error:?}");
        }
    }
}

/// What was understood is understood again when we write it.
fn comes_back<T: Display + FromStr<Err: Debug>>(word: &str) {
    if let Ok(value) = word.parse::<T>() {
        let written = value.to_string();
        let again: T = written.parse().expect("it was written by us");
        assert_eq!(again.to_string(), written);
    }
}

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let mut keyring = Keyring::default();
    let edge = EDGE.parse().expect("an identifier");
    keyring.trust(SecretKey::new(&OWN).public(), Trust::Own { issuer: ISSUER.into() });
    keyring.trust(SecretKey::new(&CENTERS).public(), Trust::Center { edge });
    keyring
});

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const OWN: [u8; 32] = [1; 32];
const CENTERS: [u8; 32] = [2; 32];
const ISSUER: &str = "plant";
const EDGE: &str = "north";
