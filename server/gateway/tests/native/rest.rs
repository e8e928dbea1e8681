//! What is asked for over plain HTTP.

use crate::house::{House, KEY, web};

#[tokio::test]
async fn the_key_goes_to_pages_of_this_server_alone() {
    let house = House::open().await;
    let own = format!("http://{}", house.address);
    let table = [
        (vec![], 200),
        (vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")], 200),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("origin", "https://console.example")], 403),
    ];
    for (headers, expected) in table {
        let answer = web::get(house.address, "/api/session", &headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{headers:?}: {answer}");
        assert_eq!(answer.contains(KEY), expected == 200, "{headers:?}");
        assert!(expected != 200 || answer.contains("cache-control: no-store"), "{answer}");
    }
}

#[tokio::test]
async fn devices_are_listed_and_shown() {
    let house = House::open().await;
    let table = [
        (
            "/api/devices",
            200,
            r#"{"id":"board-2","name":{"zh":"控制板","en":"Board"},"site":"plant"}"#,
        ),
        ("/api/devices/board-1", 200, r#""key":"temperature""#),
        ("/api/devices/board-9", 404, r#"{"code":"DEVICE_NOT_FOUND","msg":"device `board-9`"#),
        ("/api/devices/%00%ff", 400, ""),
        ("/livez", 200, "ok"),
        ("/readyz", 200, "ok"),
        ("/ws/device?device_id=board-1", 400, r#""code":"NO_HANDSHAKE""#),
    ];
    for (path, status, part) in table {
        let answer = web::get(house.address, path, &[]).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{path}: {answer}");
    }
}
