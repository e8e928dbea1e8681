//! What a sign-in costs, on one core: at most 300 ms, and for a name that nobody has as much as for
//! a wrong password.
//!
//! `make bench`, or `cargo bench -p identity`.

#![expect(clippy::unwrap_used, reason = "a program for developers")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use identity::password::{Digest, hash, judge, verify};
use identity::{Claims, Keyring, SecretKey, SessionId, Signer, Trust};
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};

fn passwords(criterion: &mut Criterion) {
    let (right, wrong) = (Digest::of("turbine-heron-9-lagoon"), Digest::of("secret"));
    let kept = hash(&right, [7; 16]);
    let mut group = criterion.benchmark_group("password");
    group.sample_size(20);
    group.bench_function("hash", |bencher| bencher.iter(|| hash(black_box(&right), [7; 16])));
    group.bench_function("right", |bencher| bencher.iter(|| verify(Some(&kept), &right)));
    group.bench_function("wrong", |bencher| bencher.iter(|| verify(Some(&kept), &wrong)));
    group.bench_function("nobody's", |bencher| bencher.iter(|| verify(None, &wrong)));
    let longest = "a1b2c3!d4e5".repeat(23);
    group.bench_function("judge", |bencher| bencher.iter(|| judge(black_box(&longest), &["li"])));
    group.finish();
}

fn tokens(criterion: &mut Criterion) {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let key = SecretKey::new(&[7; 32]);
    let mut keyring = Keyring::default();
    keyring.trust(key.public(), Trust::Own { issuer: "plant".into() });
    let claims = Claims {
        aud: None,
        exp: Timestamp::from_millis(1_800_003_600_000),
        iat: now,
        iss: "plant".into(),
        role: Role::Operator,
        sid: Some(SessionId::new([7; 16])),
        sites: Scope::All,
        sub: "li".parse().unwrap(),
    };
    let signer = Signer::new(key);
    let token = signer.issue(&claims);
    let mut group = criterion.benchmark_group("token");
    group.bench_function("issue", |bencher| bencher.iter(|| signer.issue(black_box(&claims))));
    group.bench_function("verify", |bencher| bencher.iter(|| keyring.verify(&token, now).unwrap()));
    group.finish();
}

criterion_group!(benches, passwords, tokens);
criterion_main!(benches);
