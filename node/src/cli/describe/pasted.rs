//! The examples of the docs, pasted into a shell: what it makes of them is the example's request.

use super::super::args::{Cli, Command};
use super::super::fields;
use crate::door::testing;
use clap::Parser;
use sdk::describe::{DescribedExample, describe};
use sdk::{Endpoint, Service};
use serde_json::Value;
use wire::fit::{Fit, Origin};

/// The words a shell hands to the program.
fn words(line: &str) -> Vec<String> {
    let script = format!("show() {{ printf '%s\\0' \"$@\"; }}\nshow {line}");
    let ran = std::process::Command::new("sh").args(["-c", &script]).output().expect("there is a shell");
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8(ran.stdout).expect("words are text");
    text.split_terminator('\0').map(str::to_string).collect()
}

/// As a service would read it.
fn read(endpoint: &Endpoint, request: Value) -> Vec<u8> {
    let strict = Fit::of(&(endpoint.request)()).take(request, Origin::Json).expect("it fits");
    (endpoint.request_from_json)(strict).expect("it is a request")
}

fn check_command(endpoint: &Endpoint, example: &DescribedExample) {
    let Ok(Cli { command: Command::Call(call), .. }) = Cli::try_parse_from(words(&example.cli)) else {
        panic!("{} is no call", example.cli);
    };
    assert_eq!((call.service.as_str(), call.endpoint.as_str()), (endpoint.service, endpoint.name));
    let fit = Fit::of(&(endpoint.request)());
    let given = fields::parse(&fit, &call.rest, || panic!("no example reads stdin")).expect(&example.cli);
    assert!(given.options.is_empty(), "{}: {:?}", example.cli, given.options);
    assert_eq!(read(endpoint, given.request), read(endpoint, example.request.clone()), "{}", example.cli);
}

fn check_curl(endpoint: &Endpoint, example: &DescribedExample) {
    let words = words(&example.curl);
    let url = format!("localhost:8080/v1/{}/{}", endpoint.service, endpoint.name);
    assert_eq!(words[..5], ["curl", &url, "-H", "Content-Type: application/json", "-d"]);
    let body = serde_json::from_str(&words[5]).expect(&example.curl);
    assert_eq!((read(endpoint, body), words.len()), (read(endpoint, example.request.clone()), 6), "{}", example.curl);
}

fn check(services: &[Service]) -> usize {
    let mut count = 0;
    for described in describe(services) {
        let service = services.iter().find(|service| service.name() == described.name).expect("it was described");
        for endpoint in service.endpoints() {
            let told = described.endpoints.iter().find(|told| told.name == endpoint.name);
            for example in told.map(|told| told.examples.as_slice()).unwrap_or_default() {
                check_command(endpoint, example);
                check_curl(endpoint, example);
                count += 1;
            }
        }
    }
    count
}

#[test]
fn the_catalogues_examples_are_what_they_say() {
    assert!(check(&services::all()) >= 16);
}

#[test]
fn so_are_examples_that_a_shell_would_misread() {
    for odd in [
        "it's $HOME `id` \\ \"q\"",
        "two\nlines\t",
        "--help",
        "-",
        "*",
        "ünï ☃",
        "{\"a\":1}",
        "[x",
        "!!",
        "~/x",
        "@f",
        "5",
    ] {
        let request = testing::CreditRequest {
            id: odd.into(),
            session_id: odd.into(),
            amount: -5,
            visible: true,
            tags: vec![odd.into(), "a,b".into(), String::new()],
            part: Some(testing::Part { n: u64::MAX }),
            ..Default::default()
        };
        let demo = testing::services().remove(0).example("odd", request, testing::CreditResponse::default());
        assert_eq!(check(&[demo]), 1, "{odd}");
    }
}
