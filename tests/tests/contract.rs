//! What scripts rely on: flags, files, readiness, exit codes, shapes.

use anyhow::Result;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tests::cli::{call, commons, commons_reading};
use tests::load::{Doors, Record, Until, check, collect, start};
use tests::{Setup, Verb};

async fn node() -> Result<tests::Node> {
    Setup::new(Verb::Start)?.start().await
}

#[tokio::test]
async fn pid_and_token_are_files_and_the_token_is_asked_for() -> Result<()> {
    let mut node = node().await?;
    assert_eq!(std::fs::read_to_string(node.path("pid"))?.trim(), node.pid().to_string());
    let (path, token) = (node.path("token"), node.token().expect("a token"));
    assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    assert!(token.starts_with("cmn_"), "{token}");

    let nobody = tests::http::Http::new(node.http(), None);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(nobody.get(path).await?.code, 200, "{path} asks for no key");
    }
    let stranger = tests::http::Http::new(node.http(), Some("cmn_000000000000000000".into()));
    for caller in [&nobody, &stranger] {
        let refused = caller.call("/v1/wallet/Credit", &json!({"amount": 1, "reference": "x"})).await?;
        let error = refused.json()?;
        assert_eq!((refused.code, &error["code"], &error["outcome"]), (401, &json!(401), &json!("not_run")), "{error}");
        assert_eq!(caller.get("/status").await?.code, 401);
    }
    let stranger = client::Client::builder().node(node.listen().to_string()).token("cmn_wrong00000000").connect().await;
    assert_eq!(stranger.err().and_then(|error| error.answer().map(|answer| answer.code)), Some(401), "over RPC too");
    let keyless = commons(["--node", &node.listen().to_string(), "call", "wallet", "Balance"])?;
    assert_eq!(keyless.code, Some(1));
    assert!(keyless.err.contains("--token-file"), "{}", keyless.err);

    assert_eq!(node.caller().call("/v1/wallet/Balance", &json!({})).await?.done()?["balance"], "0");
    node.kill()?;
    node.restart().await?;
    assert_eq!(node.token().as_deref(), Some(token.as_str()), "the key of a folder stays");
    assert_eq!(std::fs::read_to_string(node.path("pid"))?.trim(), node.pid().to_string());
    node.check_no_panic()
}

#[tokio::test]
async fn status_has_the_contracts_shape() -> Result<()> {
    let node = Setup::new(Verb::Start)?.arg("--groups").arg("3").start().await?;
    let status = node.status().await?;
    assert_eq!(status["cluster_id"].as_str().map(str::len), Some(32), "{status}");
    assert_eq!(status["version"], json!(env!("CARGO_PKG_VERSION")));
    assert!(status["topology_version"].is_u64(), "{status}");
    let nodes = status["nodes"].as_array().expect("nodes");
    assert_eq!((nodes.len(), &nodes[0]["id"], &nodes[0]["state"]), (1, &json!(1), &json!("alive")));
    assert_eq!(nodes[0]["http"], json!(node.http().to_string()));
    assert_eq!(nodes[0]["listen"], json!(node.listen().to_string()));
    assert_eq!((&nodes[0]["groups_led"], &nodes[0]["replicas"]), (&json!(4), &json!(4)), "three groups and meta");
    let groups = status["groups"].as_array().expect("groups");
    assert_eq!(
        groups.iter().map(|group| group["id"].as_u64()).collect::<Vec<_>>(),
        (0..4).map(Some).collect::<Vec<_>>()
    );
    for group in groups {
        assert_eq!((&group["leader"], &group["learners"]), (&json!(1), &json!([])), "{group}");
        assert_eq!(group["voters"].as_array().map(Vec::len), Some(1), "{group}");
    }
    let token = node.token().expect("a token");
    let said = commons(["--node", &node.listen().to_string(), "--token", &token, "status", "--output", "json"])?;
    let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    assert_eq!((said.code, keys(&said.json()?)), (Some(0), keys(&status)), "the CLI tells the same");
    Ok(())
}

/// SIGTERM while calls are under way: exit 0 in time, and every answer was true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_drains_and_exits_0() -> Result<()> {
    let mut node = node().await?;
    let mut doors = vec![];
    for _ in 0..16 {
        doors.push(Doors::of(&node).await?);
    }
    check::create(&doors[0]).await?;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut random = rand::SeedableRng::seed_from_u64(7);
    let clients = start("load", &doors, &mut random, &Until::Told(stop.clone()));
    tests::wait::pass(Duration::from_millis(200)).await;
    let asked = Instant::now();
    node.signal("TERM")?;
    let exit = node.ended(Duration::from_secs(20)).await?;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(exit.code(), Some(0), "{}", exit.said);
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    node.restart().await?;
    let told: Vec<Record> = collect(clients).await?;
    assert!(told.len() > 16, "there was load");
    check::era(&doors[0], &told, &mut Default::default()).await?;
    node.check_no_panic()
}

#[tokio::test]
async fn ipv6_works() -> Result<()> {
    let node = Setup::new(Verb::Start)?.v6().start().await?;
    assert!(node.http().is_ipv6() && node.listen().is_ipv6());
    let credit = json!({"amount": 5, "reference": "six"});
    assert_eq!(node.caller().call("/v1/wallet/Credit", &credit).await?.done()?, json!({"balance": "5"}));
    assert_eq!(call(&node, ["wallet", "Balance"])?.out.trim(), r#"{"balance":"5","held":"0","available":"5"}"#);
    let balance = node.client().await?.call(services::wallet::BalanceRequest::default()).await?.balance;
    assert_eq!(balance, 5);
    Ok(())
}

#[tokio::test]
async fn logs_go_to_stderr_as_text_or_json() -> Result<()> {
    let mut text = Setup::new(Verb::Start)?.start().await?;
    let said = text.stop().await?.said;
    assert!(said.lines().any(|line| line.contains("INFO ready")), "{said}");
    assert_eq!(text.printed(), "", "nothing was asked for, so stdout is empty");
    let mut json = Setup::new(Verb::Start)?.arg("--log-format").arg("json").start().await?;
    let said = json.stop().await?.said;
    for line in said.lines() {
        let line: Value = serde_json::from_str(line)?;
        assert!(line["level"].is_string() && line["timestamp"].is_string() && line["fields"].is_object(), "{line}");
    }
    assert!(said.lines().count() >= 2, "{said}");
    Ok(())
}

#[tokio::test]
async fn call_prints_compact_json_and_exits_0_1_or_2() -> Result<()> {
    let node = node().await?;
    let done = call(&node, ["wallet", "Credit", "--amount", "5", "--reference", "tip"])?;
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(0), "{\"balance\":\"5\"}\n", ""));
    let done = call(&node, ["wallet", "Credit", r#"{"amount":"2","reference":"json"}"#])?;
    assert_eq!((done.code, done.out.as_str()), (Some(0), "{\"balance\":\"7\"}\n"));

    let refused = call(&node, ["wallet", "Debit", "--amount", "50", "--reference", "much"])?;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("insufficient credit") && refused.err.lines().count() == 1, "{}", refused.err);
    let refused = call(&node, ["wallet", "Debit", "--amount", "50", "--reference", "much", "--output", "json"])?;
    let error: Value = serde_json::from_str(refused.err.lines().last().unwrap_or_default())?;
    assert_eq!((&error["reason"], &error["code"]), (&json!("insufficient_credit"), &json!(400)), "{error}");

    let wrong: [(&[&str], &str); 7] = [
        (&["wallet", "Credit", "--amout", "5"], "did you mean --amount"),
        (&["wallet", "Credit", "--amount", "five"], "not a 64-bit integer"),
        (&["wallet", "Credit", "--amount", "9223372036854775808"], "out of range"),
        (&["wallet", "Credi"], "did you mean \"Credit\""),
        (&["walet", "Credit"], "did you mean \"wallet\""),
        (&["wallet", "Credit", "{\"amount\":"], "broken JSON"),
        (&["wallet", "Credit", "--request-id", "two words"], "request id"),
    ];
    for (args, words) in wrong {
        let ran = call(&node, args.iter().copied())?;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
    let nobody = commons(["--node", "127.0.0.1:1", "call", "wallet", "Balance"])?;
    assert_eq!(nobody.code, Some(2), "unreachable: {}", nobody.err);
    assert!(nobody.err.contains("127.0.0.1:1"), "{}", nobody.err);
    let balance = "{\"balance\":\"7\",\"held\":\"0\",\"available\":\"7\"}\n";
    assert_eq!(call(&node, ["wallet", "Balance"])?.out, balance, "none of these did anything");

    let (address, token) = (node.listen().to_string(), node.token().expect("a token"));
    let read =
        commons_reading(["--node", &address, "--token", &token, "call", "cache", "Delete", "-"], r#"{"key":"k"}"#)?;
    assert_eq!((read.code, read.out.as_str()), (Some(0), "{\"status\":\"ok\"}\n"), "{}", read.err);
    let items = call(&node, ["helloworld", "Stream", "--name", "Ann", "--messages", "3"])?;
    assert_eq!((items.code, items.out.lines().count()), (Some(0), 3), "one line an item: {}", items.out);
    node.check_no_panic()
}

#[test]
fn services_and_describe_answer_from_the_binary() -> Result<()> {
    let services = commons(["services", "--output", "json"])?;
    let all = services.json()?;
    let names: Vec<&str> = all.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    let known: Vec<&str> = services::all().iter().map(|service| service.name()).collect();
    assert_eq!((services.code, names), (Some(0), known));
    for service in all.as_array().expect("a list") {
        let name = service["name"].as_str().expect("a name");
        assert!(service["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        let described = commons(["describe", name, "--output", "json"])?.json()?;
        for endpoint in service["endpoints"].as_array().expect("endpoints") {
            let endpoint = endpoint["name"].as_str().expect("a name");
            let one = commons(["describe", name, endpoint, "--output", "json"])?;
            assert_eq!(one.code, Some(0), "{}", one.err);
            let one = one.json()?;
            assert!(one["request"]["properties"].is_object() || one["request"]["type"] == "object", "{one}");
            assert!(described["endpoints"].as_array().expect("endpoints").contains(&one), "{name} {endpoint}");
            assert!(commons(["describe", name, endpoint])?.out.contains(endpoint));
        }
    }
    assert_eq!(commons(["describe", "wallt"])?.code, Some(2));
    let version = commons(["version"])?;
    assert_eq!((version.code, version.out), (Some(0), format!("commons {}\n", env!("CARGO_PKG_VERSION"))));
    Ok(())
}

#[tokio::test]
async fn services_of_a_node_that_is_named_are_the_nodes() -> Result<()> {
    let node = node().await?;
    let token = node.token().expect("a token");
    let theirs = commons(["services", "--output", "json", "--node", &node.listen().to_string(), "--token", &token])?;
    assert_eq!(theirs.json()?, commons(["services", "--output", "json"])?.json()?);
    let nobody = commons(["services", "--node", "127.0.0.1:1"])?;
    assert_eq!(nobody.code, Some(2), "{}", nobody.err);
    Ok(())
}

#[tokio::test]
async fn what_cannot_start_says_why_and_exits() -> Result<()> {
    let node = node().await?;
    let (http, listen) = (node.http().to_string(), node.listen().to_string());
    let place = tests::place::Place::new()?;
    let data = place.path().join("data");
    let data = data.to_str().expect("a path");
    let taken = commons(["start", "--data", data, "--http", &http, "--listen", "127.0.0.1:0"])?;
    assert_eq!(taken.code, Some(1));
    assert!(taken.err.contains(&http) && taken.err.contains("--http"), "{}", taken.err);
    let own = node.data();
    let used = commons([
        "start",
        "--data",
        own.to_str().expect("a path"),
        "--http",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
    ])?;
    assert_eq!(used.code, Some(1));
    assert!(
        used.err.contains("in use by another Commons process") && used.err.contains(&node.pid().to_string()),
        "{}",
        used.err
    );
    // The folder has a secret of its own from the try above.
    let join = commons(["start", "--data", data, "--join", &listen])?;
    assert_eq!(join.code, Some(1));
    assert!(join.err.contains("wrong secret") && join.err.contains("--secret-file"), "{}", join.err);
    let secret = commons(["start", "--data", data, "--secret-file", "/nowhere/secret"])?;
    assert_eq!(secret.code, Some(1));
    assert!(secret.err.contains("/nowhere/secret"), "{}", secret.err);
    for (flag, value) in [("--expect", "3"), ("--groups", "0"), ("--replication", "0"), ("--http", "x")] {
        let ran = commons(["start", "--data", data, flag, value])?;
        assert_eq!(ran.code, Some(2), "{flag}: {}", ran.err);
        assert!(ran.err.contains(flag), "{flag}: {}", ran.err);
    }
    assert!(!std::path::Path::new(data).join("identity").exists(), "nothing was founded");
    assert_eq!(node.caller().call("/v1/wallet/Balance", &json!({})).await?.code, 200, "the first one goes on");
    Ok(())
}

/// A log that cannot be written (its reader is gone, its disk is full) is no reason to do anything else wrong.
#[tokio::test]
async fn a_node_whose_log_is_cut_off_works_and_stops() -> Result<()> {
    for verb in [Verb::Start, Verb::Dev] {
        let mut node = Setup::new(verb)?
            .under(["sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"])
            .env("RUST_LOG", "debug")
            .start()
            .await?;
        let credit = json!({"amount": 5, "reference": "unlogged"});
        assert_eq!(node.caller().call("/v1/wallet/Credit", &credit).await?.done()?, json!({"balance": "5"}));
        let exit = node.stop().await?;
        assert_eq!(exit.code(), Some(0), "{verb:?}: {}", exit.status);
    }
    Ok(())
}
