//! What a request's body may look like, how large it may be, and how slow.

use super::*;
use std::io::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Posts to an endpoint that takes 10 MiB.
async fn weigh(headers: &[(&str, &str)], body: impl Into<Body>) -> (Reply, Vec<Value>) {
    let fake = Fake::new(|_| Reaction::Reply(credited(1)));
    let token = format!("Bearer {TOKEN}");
    let headers = [&[("authorization", token.as_str())], headers].concat();
    let reply = send(&doors(fake.clone(), |_| {}), request("POST", "/v1/demo/Weigh", &headers, body)).await;
    (reply, fake.seen().into_iter().map(|seen| seen.body).collect())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

fn form(file: &[u8]) -> Vec<u8> {
    let head = b"--b\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n17\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: image/png\r\n\r\n";
    [head, file, b"\r\n--b--\r\n"].concat()
}

#[tokio::test]
async fn a_form_with_a_file_is_fitted_by_the_schema() {
    let (reply, seen) = weigh(&[FORM], form(&[0, 255, 1])).await;
    assert_eq!((reply.code, seen), (200, vec![json!({"file": "AP8B", "label": "17"})]), "{}", reply.text);
    let (reply, seen) = weigh(&[FORM, ("content-encoding", "gzip")], gzip(&form(&[0, 255, 1]))).await;
    assert_eq!((reply.code, seen.len()), (200, 1), "{}", reply.text);
    let (reply, seen) = weigh(&[FORM], form(&vec![7; 9 << 20])).await;
    assert_eq!((reply.code, seen.len()), (200, 1), "{}", reply.text);
    let (reply, seen) = weigh(&[FORM], "--b\r\nnonsense").await;
    assert_eq!((reply.code, &reply.json()["reason"], seen.len()), (400, &json!("bad_body"), 0));
}

#[tokio::test]
async fn packed_bodies_are_unpacked() {
    let body = br#"{"label":"x"}"#;
    for (name, sent) in [("gzip", gzip(body)), ("identity", body.to_vec())] {
        let (reply, seen) = weigh(&[("content-encoding", name)], sent).await;
        assert_eq!((reply.code, &seen[0]["label"]), (200, &json!("x")), "{name}");
    }
    let (reply, seen) = weigh(&[("content-encoding", "gzip")], body.to_vec()).await;
    assert_eq!((reply.code, &reply.json()["reason"], seen.len()), (400, &json!("bad_body"), 0));
}

#[tokio::test]
async fn as_text_and_in_binary_a_request_has_its_own_bound() {
    let label = |length: usize| format!(r#"{{"label":"{}"}}"#, "x".repeat(length));
    let id = |length: usize| format!(r#"{{"id":"{}"}}"#, "x".repeat(length));
    let spaces = |length: usize| " ".repeat(length) + "{}";
    let rows: [(&str, String, u16); 7] = [
        // Wordy text that says little is fine.
        ("/v1/demo/Credit", spaces((8 << 20) - 2), 200),
        ("/v1/demo/Credit", spaces(8 << 20), 413),
        ("/v1/demo/Credit", id((1 << 20) - 64), 200),
        ("/v1/demo/Credit", id((1 << 20) + 1), 413),
        // This one has declared 10 MiB.
        ("/v1/demo/Weigh", label((10 << 20) - 64), 200),
        ("/v1/demo/Weigh", label((10 << 20) + 1), 413),
        ("/v1/demo/Weigh", spaces(20 << 20), 413),
    ];
    for (path, body, code) in rows {
        let (length, fake) = (body.len(), Fake::new(|_| Reaction::Reply(credited(1))));
        let reply = send(&doors(fake.clone(), |_| {}), post(path, body)).await;
        assert_eq!(
            (reply.code, fake.seen().len()),
            (code, usize::from(code == 200)),
            "{path} {length}: {}",
            reply.text
        );
        if code == 413 {
            let error = reply.json();
            assert_eq!((&error["reason"], &error["outcome"]), (&json!("too_large"), &json!("not_run")));
            assert!(error["detail"].as_str().unwrap().contains("MiB"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_where_a_long_body_is() {
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    let (reply, seen) = weigh(&[("content-encoding", "gzip")], bomb).await;
    assert_eq!((reply.code, seen.len()), (413, 0), "{}", reply.text);
}

#[tokio::test]
async fn bodies_under_way_are_counted_and_the_count_ends_with_them() {
    let door = doors(Fake::echo(), |doors| doors.gate = Gate::new(Bounds { bytes: 1000, ..Bounds::default() }));
    for _ in 0..3 {
        let reply = send(&door, post("/v1/demo/Credit", " ".repeat(2000))).await;
        assert_eq!((reply.code, &reply.json()["reason"]), (429, &json!("overloaded")));
        assert_eq!(send(&door, post("/v1/demo/Credit", " ".repeat(900))).await.code, 200);
    }
}

/// A byte every so often.
fn trickle(every: Duration) -> Body {
    let next = move |at: Instant| async move {
        tokio::time::sleep_until(at).await;
        Some((Ok::<_, std::convert::Infallible>(bytes::Bytes::from_static(b" ")), at + every))
    };
    Body::from_stream(futures::stream::unfold(Instant::now(), next))
}

#[tokio::test(start_paused = true)]
async fn a_body_arrives_within_30_s_or_is_given_up() {
    for every in [Duration::from_millis(100), Duration::from_secs(5), Duration::from_secs(3600)] {
        let begun = Instant::now();
        let (reply, seen) = weigh(&[], trickle(every)).await;
        assert_eq!((reply.code, &reply.json()["reason"], seen.len()), (408, &json!("request_too_slow"), 0));
        assert_eq!(begun.elapsed().as_secs(), 30, "{every:?}");
    }
}
