//! Who gets in, and what those hear who do not.

use protocol::wire::native::{FailReason, ServerMessage};
use tokio_tungstenite::tungstenite::Error;

use crate::house::client::Client;
use crate::house::{House, Rules};

const OFFER: &str = "sec-websocket-protocol";

async fn refusal(
    house: &House,
    query: &str,
    offer: &[(&'static str, &str)],
) -> (FailReason, String, Option<u16>) {
    let mut client = Client::dial_at(house, query, offer).await.unwrap();
    let ServerMessage::ConnectFail(fail) = client.hear().await.message else {
        panic!("{query} must be refused");
    };
    (fail.reason, fail.detail, client.hear_close().await)
}

#[tokio::test]
async fn an_unknown_device_is_said_to_be_one() {
    // S0-31, S0-32, S0-35, S0-36
    let house = House::open().await;
    let table = [
        ("", "missing"),
        ("device_id=", "empty"),
        ("device_id=board-9", "`board-9` is not configured"),
        ("device_id=..%2Fetc", "may hold only"),
        ("device_id=board-1&device_id=board-2", "cannot be read"),
        ("device_id=board-9&token=secret", "`board-9` is not configured"),
    ];
    for (query, expected) in table {
        let (reason, detail, code) = refusal(&house, query, &[]).await;
        assert_eq!((reason, code), (FailReason::DeviceNotFound, Some(4404)), "{query}");
        assert!(detail.contains(expected) && !detail.contains("secret"), "{query}: {detail}");
    }
}

#[tokio::test]
async fn the_known_sub_protocol_is_returned() {
    // S0-97
    let house = House::open().await;
    let known = Some("gapless.v1".to_owned());
    let table = [(vec!["gapless.v1"], known.clone()), (vec!["bearer.abc, gapless.v1"], known)];
    for (offers, expected) in table {
        let headers: Vec<_> = offers.iter().map(|offer| (OFFER, *offer)).collect();
        let mut client = Client::dial_at(&house, "device_id=board-1", &headers).await.unwrap();
        assert_eq!(client.selected, expected, "{offers:?}");
        assert!(matches!(client.hear().await.message, ServerMessage::ConnectSuccess(_)));
    }
}

#[tokio::test]
async fn an_unknown_version_is_told_so() {
    let house = House::open().await;
    let offer = [(OFFER, "gapless.v2, chat")];
    let (reason, detail, code) = refusal(&house, "device_id=board-1", &offer).await;
    assert_eq!((reason, code), (FailReason::UnsupportedVersion, Some(4002)));
    assert!(detail.contains("gapless.v2"), "{detail}");
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_before_the_upgrade() {
    let house = House::open().await;
    let own = format!("http://{}", house.address);
    let table =
        [(own.as_str(), true), ("https://console.example", true), ("http://evil.example", false)];
    for (origin, is_let_in) in table {
        let dialed = Client::dial_at(&house, "device_id=board-1", &[("origin", origin)]).await;
        match dialed {
            Ok(_) => assert!(is_let_in, "{origin}"),
            Err(Error::Http(response)) => {
                assert!(!is_let_in && response.status() == 403, "{origin}");
            }
            Err(error) => panic!("{origin}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_full_house_says_so_and_a_leaver_makes_room() {
    let house = House::open_with(Rules { connections: 2, ..Rules::default() }).await;
    let (mut leaver, _) = Client::join(&house).await;
    let (_stayer, _) = Client::join(&house).await;
    let (reason, _, code) = refusal(&house, "device_id=board-1", &[]).await;
    assert_eq!((reason, code), (FailReason::Limit, Some(4003)));

    leaver.socket.close(None).await.unwrap();
    leaver.hear_close().await;
    Client::join(&house).await;
}
