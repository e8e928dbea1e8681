//! wss: which versions are spoken, and a certificate that is exchanged while all goes on.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::StreamExt as _;
use gateway::{Exchange, Source, Tls, keep_certificate};
use protocol::wire::native::{ServerFrame, ServerMessage};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::house::{House, Rules, web};

async fn open(folder: &Path) -> (House, Tls, Exchange) {
    let source = Source::Made {
        directory: folder.into(),
        names: vec!["localhost".into(), "127.0.0.1".into()],
    };
    let (tls, exchange) = Tls::open(source, NOW).unwrap();
    let house = House::open_behind(Rules::default(), Some(tls.clone())).await;
    (house, tls, exchange)
}

/// Trusts what stands in the folder, and nothing else.
async fn shake(
    house: &House,
    folder: &Path,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(folder.join("certificate.pem")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(house.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn dial(house: &House, folder: &Path) -> Socket {
    let stream = shake(house, folder, &rustls::version::TLS13).await.unwrap();
    let url = "wss://localhost/ws/device?device_id=board-1";
    client_async(url, stream).await.unwrap().0
}

async fn hear(socket: &mut Socket) -> ServerMessage {
    let text = socket.next().await.unwrap().unwrap();
    ServerFrame::read(text.to_text().unwrap()).unwrap().message
}

#[tokio::test]
async fn both_versions_of_tls_carry_the_native_wire() {
    // S0-100
    let folder = tempfile::tempdir().unwrap();
    let (house, ..) = open(folder.path()).await;
    for (version, expected) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let stream = shake(&house, folder.path(), version).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
    }
    let mut socket = dial(&house, folder.path()).await;
    assert!(matches!(hear(&mut socket).await, ServerMessage::ConnectSuccess(_)));
    assert!(matches!(hear(&mut socket).await, ServerMessage::FullSnapshot(_)));
}

#[tokio::test]
async fn openssl_finds_tls_1_2_and_1_3_and_nothing_older() {
    // S0-100
    let folder = tempfile::tempdir().unwrap();
    let (house, ..) = open(folder.path()).await;
    for (version, expected) in
        [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false), ("-tls1", false)]
    {
        let address = house.address.to_string();
        let scan = move || {
            let line = ["s_client", "-connect", &address, version, "-cipher", "ALL:@SECLEVEL=0"];
            let mut command = Command::new("openssl");
            command.args(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().unwrap().success()
        };
        assert_eq!(tokio::task::spawn_blocking(scan).await.unwrap(), expected, "{version}");
    }
}

#[tokio::test]
async fn whoever_speaks_in_the_open_is_told_so() {
    // S0-101
    let folder = tempfile::tempdir().unwrap();
    let (house, ..) = open(folder.path()).await;
    let answer = web::get(house.address, "/livez", &[]).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_open_sockets_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (house, tls, exchange) = open(folder.path()).await;
    let mut socket = dial(&house, folder.path()).await;
    hear(&mut socket).await;
    hear(&mut socket).await;

    let first = tls.fingerprint();
    let (hub, stop) = (house.hub.clone(), house.stop.clone());
    tokio::spawn(async move { keep_certificate(&exchange, &hub, stop).await });
    std::fs::remove_file(folder.path().join("certificate.pem")).unwrap();
    while tls.fingerprint() == first {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    dial(&house, folder.path()).await;
    house.poll("board-1", 30.5).await;
    assert!(matches!(hear(&mut socket).await, ServerMessage::DataUpdate(_)));
}

const NOW: i64 = 1_795_000_000;
