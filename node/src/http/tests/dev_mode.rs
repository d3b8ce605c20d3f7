//! P21: without a key, only this machine's own programs and pages drive the node.

use super::*;

async fn code(method: &str, path: &str, host: &str, headers: &[(&str, &str)]) -> u16 {
    let door = doors(Fake::echo(), |doors| doors.access = Access::dev(TOKEN, "local"));
    let mut asked = request(method, path, headers, "");
    asked.headers_mut().insert("host", host.parse().unwrap());
    send(&door, asked).await.code
}

const HERE: &str = "localhost:8080";

#[tokio::test]
async fn programs_and_pages_of_this_machine_are_welcome() {
    for host in [HERE, "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(code("POST", "/v1/demo/Credit", host, &[]).await, 200, "{host}");
    }
    for origin in ["http://localhost:3000", "http://127.0.0.1:3000", "https://[::1]"] {
        assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("origin", origin)]).await, 200, "{origin}");
    }
    for key in ["Bearer ", "Bearer YOUR_TOKEN", "Basic bWU6"] {
        assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("authorization", key)]).await, 200, "{key}");
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused() {
    for host in ["evil.example", "10.0.0.1:8080", "localhost.evil.example:8080"] {
        assert_eq!(code("POST", "/v1/demo/Credit", host, &[]).await, 403, "{host}");
        assert_eq!(code("GET", "/status", host, &[]).await, 403, "{host}");
    }
}

#[tokio::test]
async fn a_request_across_sites_is_refused() {
    assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("sec-fetch-site", "same-site")]).await, 200);
}

#[tokio::test]
async fn a_null_origin_is_refused() {
    assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("origin", "null")]).await, 403);
}

#[tokio::test]
async fn a_foreign_origin_is_refused() {
    for origin in
        ["http://evil.example", "https://localhost.evil.example", "file://", "http://127.0.0.1@evil.example", ""]
    {
        assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("origin", origin)]).await, 403, "{origin}");
    }
    let both = [("origin", "http://localhost:3000"), ("origin", "http://evil.example")];
    assert_eq!(code("POST", "/v1/demo/Credit", HERE, &both).await, 403);
}

#[tokio::test]
async fn a_get_from_another_page_changes_nothing() {
    assert_eq!(code("GET", "/v1/demo/Credit", HERE, &[]).await, 200);
    for (site, want) in [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("odd", 403)] {
        assert_eq!(code("GET", "/v1/demo/Credit", HERE, &[("sec-fetch-site", site)]).await, want, "{site}");
    }
    assert_eq!(code("GET", "/v1/demo/Balance", HERE, &[("sec-fetch-site", "same-site")]).await, 200);
}

#[tokio::test]
async fn the_right_key_enters_from_anywhere_and_a_wrong_one_never() {
    let key = format!("Bearer {TOKEN}");
    let foreign = [("authorization", key.as_str()), ("origin", "http://evil.example")];
    assert_eq!(code("POST", "/v1/demo/Credit", "node.example", &foreign).await, 200);
    assert_eq!(code("POST", "/v1/demo/Credit", HERE, &[("authorization", "Bearer cmn_wrong")]).await, 401);
}

#[tokio::test]
async fn another_machine_needs_the_key() {
    let door = doors(Fake::echo(), |doors| doors.access = Access::dev(TOKEN, "local"));
    let mut asked = request("POST", "/v1/demo/Credit", &[], "");
    asked.extensions_mut().insert(Peer(([10, 0, 0, 7], 5000).into()));
    let response = router(door).oneshot(asked).await.unwrap();
    assert_eq!(response.status().as_u16(), 401);
}
