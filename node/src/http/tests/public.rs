//! What is shown without a key: the page, the OpenAPI document, the catalogue of M3O's clients.

use super::*;
use crate::door::Catalogue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sdk::Service;
use sha2::{Digest, Sha256};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn with(services: &[Service]) -> Arc<Doors> {
    doors(Fake::echo(), |doors| doors.catalogue = Catalogue::new(services))
}

async fn page(doors: &Arc<Doors>, host: &str) -> Reply {
    let mut asked = request("GET", "/", &[("accept", BROWSER)], "");
    asked.headers_mut().insert("host", host.parse().unwrap());
    send(doors, asked).await
}

async fn explore(what: &str, body: &str) -> Value {
    let reply =
        send(&with(&services::all()), request("POST", &format!("/publicapi/explore/{what}"), &[], body.to_string()))
            .await;
    assert_eq!(reply.code, 200, "{what} {body}: {}", reply.text);
    reply.json()
}

fn names(answer: &Value) -> Vec<&str> {
    answer["apis"].as_array().unwrap().iter().map(|api| api["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn browsers_get_the_page_and_programs_the_version() {
    let door = with(&services::all());
    let reply = page(&door, "127.0.0.1:9").await;
    assert_eq!((reply.code, reply.header("content-type")), (200, "text/html; charset=utf-8"));
    let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept", "Origin"]);
    for part in
        ["id=\"wallet.Credit\"", "Add to a wallet.", "commons call wallet Credit", "curl 127.0.0.1:9/v1/wallet/Credit"]
    {
        assert!(reply.text.contains(part), "{part} is not on the page");
    }
    assert!(!reply.text.contains("localhost:8080"), "the address is the one that was asked");
    let reply = send(&door, request("GET", "/", &[("accept", "*/*")], "")).await;
    assert_eq!(reply.json(), json!({"version": crate::door::VERSION}));
    assert_eq!(send(&door, request("POST", "/", &[("accept", BROWSER)], "")).await.code, 405);
}

#[tokio::test]
async fn the_page_fetches_nothing_and_runs_only_its_own_script() {
    let reply = page(&with(&services::all()), "localhost").await;
    let policy = reply.header("content-security-policy");
    for tag in ["style", "script"] {
        let inside = reply.text.split_once(&format!("<{tag}>")).unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
        let hash = format!("{tag}-src 'sha256-{}'", STANDARD.encode(Sha256::digest(inside)));
        assert!(policy.contains(&hash), "{policy} does not name {hash}");
        assert_eq!(reply.text.matches(&format!("<{tag}")).count(), 1);
    }
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for part in [" src=", "@import", "url(", "<link rel=\"style", " onclick", " style="] {
        assert!(!reply.text.contains(part), "{part} is on the page");
    }
    for target in reply.text.split("href=\"").skip(1) {
        assert!(target.starts_with(['/', '#']) || target.starts_with("data:,"), "{}", &target[..40.min(target.len())]);
    }
}

#[tokio::test]
async fn nothing_that_is_described_becomes_markup() {
    use crate::door::testing::{BalanceRequest, CreditResponse};
    let evil = "<script>alert(1)</script>\"'><img src=x>";
    let service = Service::new("demo", "<script>alert(1)</script>\"'><img src=x>")
        .category("<b>")
        .display_name("<script>x")
        .not_yet::<BalanceRequest>("<i>")
        .example(
            "<img src=x>",
            BalanceRequest { id: evil.into() },
            CreditResponse { note: evil.into(), ..Default::default() },
        );
    let door = with(&[service]);
    let reply = page(&door, "localhost\"><b>").await;
    assert_eq!(reply.code, 200);
    for part in ["<script>a", "<script>x", "<img", "<b>", "<i>"] {
        assert!(!reply.text.contains(part), "{part} is on the page");
    }
    assert!(reply.text.contains("&lt;script&gt;alert(1)"), "it is shown all the same");
}

#[tokio::test]
async fn the_document_is_for_the_address_asked() {
    let door = with(&services::all());
    let reply = send(&door, request("GET", "/openapi.json", &[("x-forwarded-proto", "https")], "")).await;
    assert_eq!((reply.code, reply.header("content-type")), (200, "application/json"));
    let mut want = sdk::describe::openapi::openapi(&services::all(), crate::door::VERSION);
    want["servers"] = json!([{"url": "https://localhost:8080"}]);
    assert_eq!(reply.json(), want);
    let mut asked = request("GET", "/openapi.json", &[], "");
    asked.headers_mut().insert("host", "a\"b".parse().unwrap());
    assert_eq!(send(&door, asked).await.json()["servers"][0]["url"], "http://localhost:8080");
    let dev = doors(Fake::echo(), |doors| doors.access = Access::dev(TOKEN, "local"));
    let document = send(&dev, request("GET", "/openapi.json", &[], "")).await.json();
    assert_eq!(document["security"], json!([{"bearer": []}, {"basic": []}, {}]), "dev mode asks for no key");
}

#[tokio::test]
async fn the_catalogue_is_listed_and_searched_as_m3o_does() {
    let index = explore("Index", "{}").await;
    let all = names(&index);
    assert!(all.is_sorted() && all.contains(&"wallet"), "{all:?}");
    let cache = index["apis"].as_array().unwrap().iter().find(|api| api["name"] == "cache").unwrap();
    assert_eq!(
        (&cache["category"], &cache["display_name"], &cache["icon"]),
        (&json!("storage"), &json!("Cache"), &json!(""))
    );
    assert_eq!(cache["endpoints"][0], json!({"name": "Cache.Get"}));
    let page = explore("Index", r#"{"limit":"1","offset":1}"#).await;
    assert_eq!(names(&page), all[1..2]);
    // `wallet` has it in an endpoint, `cache` only in its description.
    let found = explore("Search", r#"{"search_term":"WALLET"}"#).await;
    assert_eq!(names(&found)[0], "wallet");
    assert_eq!(
        names(&explore("Search", r#"{"search_term":"wallet","categories":["storage"]}"#).await),
        Vec::<&str>::new()
    );
    assert_eq!(names(&explore("Search", r#"{"categories":["Storage"]}"#).await), ["cache"]);
    let shelves = explore("ListCategories", "").await;
    assert!(shelves["categories"].as_array().unwrap().contains(&json!("finance")), "{shelves}");
    let prices = explore("Pricing", "{}").await;
    let cache = prices["prices"].as_array().unwrap().iter().find(|price| price["name"] == "cache").unwrap();
    assert_eq!((&cache["pricing"]["Cache.ListKeys"], &cache["quotas"]["Cache.Get"]), (&json!("0"), &json!("0")));
}

#[tokio::test]
async fn names_come_before_endpoints_and_those_before_descriptions() {
    use crate::door::testing::{BalanceRequest, WatchRequest};
    let by_summary = Service::new("aaa", "keeps a demo");
    // Its endpoint is Demo.Watch in the catalogue's words: found by "watch" alone.
    let by_endpoint = Service::new("demo", "x").not_yet::<WatchRequest>("y").not_yet::<BalanceRequest>("y");
    let by_name = Service::new("watchers", "z");
    let door = with(&[by_summary, by_endpoint, by_name, Service::new("bbb", "to watch")]);
    let reply = send(&door, request("GET", "/publicapi/explore/search?search_term=watch", &[], "")).await;
    assert_eq!(names(&reply.json()), ["watchers", "demo", "bbb"]);
    let reply = send(&door, request("GET", "/publicapi/explore/Search?search_term=demo", &[], "")).await;
    assert_eq!(names(&reply.json()), ["demo", "aaa"]);
}

#[tokio::test]
async fn a_services_documents_are_json_in_strings() {
    let api = explore("API", r#"{"name":"Wallet"}"#).await;
    assert_eq!((&api["summary"]["name"], &api["api"]["id"]), (&json!("wallet"), &json!("wallet")));
    let inside = |name: &str| serde_json::from_str::<Value>(api["api"][name].as_str().unwrap()).unwrap();
    let document = inside("open_api_json");
    assert_eq!(document["servers"][0]["url"], "http://localhost:8080/v1");
    assert!(document["paths"]["/wallet/Wallet/Credit"]["post"].is_object());
    assert_eq!(document["security"], json!([{"bearer": []}]));
    assert_eq!(inside("examples_json")["credit"][0]["response"], json!({"balance": "10"}));
    assert_eq!(inside("postman_json")["item"][0]["request"]["method"], "POST");
    let door = with(&services::all());
    for (path, body, code) in [
        ("API", r#"{"name":"wallt"}"#, 404),
        ("Nothing", "{}", 404),
        ("Index", "{", 400),
        ("Index", r#"{"limit":"x"}"#, 400),
        ("Index", &"x".repeat(20_000), 413),
    ] {
        let reply = send(&door, request("POST", &format!("/publicapi/explore/{path}"), &[], body.to_string())).await;
        assert_eq!((reply.code, &reply.json()["id"]), (code, &json!("v1")), "{path} {}", reply.text);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let reply = send(&door, request("POST", "/publicapi/explore/API?name=cache", &form, "name=wallet")).await;
    assert_eq!(reply.json()["api"]["name"], "wallet", "the body wins");
}

#[tokio::test]
async fn no_foreign_page_reads_a_developers_node() {
    let door = doors(Fake::echo(), |doors| doors.access = Access::dev(TOKEN, "local"));
    let (wrong, right) = ("Bearer cmn_wrong", format!("Bearer {TOKEN}"));
    let origin = ("origin", "http://evil.example");
    let site = ("sec-fetch-site", "cross-site");
    for path in ["/", "/openapi.json", "/publicapi/explore/Index"] {
        assert_eq!(send(&door, request("GET", path, &[], "")).await.code, 200, "{path}");
        for foreign in [vec![origin], vec![site], vec![origin, ("authorization", wrong)], vec![("origin", "null")]] {
            let reply = send(&door, request("GET", path, &foreign, "")).await;
            assert_eq!((reply.code, &reply.json()["reason"]), (403, &json!("foreign_origin")), "{path} {foreign:?}");
        }
        let mut rebound = request("GET", path, &[], "");
        rebound.headers_mut().insert("host", "evil.example".parse().unwrap());
        assert_eq!(send(&door, rebound).await.code, 403, "{path}");
        assert_eq!(
            send(&door, request("GET", path, &[origin, ("authorization", &right)], "")).await.code,
            200,
            "{path}"
        );
    }
    let opened = [site, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("accept", BROWSER)];
    assert_eq!(send(&door, request("GET", "/", &opened, "")).await.code, 200, "a link may lead here");
    let framed = [site, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe"), ("accept", BROWSER)];
    assert_eq!(send(&door, request("GET", "/", &framed, "")).await.code, 403, "but nobody frames it");
}
