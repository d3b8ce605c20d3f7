//! `cargo xtask conformance`: each published example of the services there are, against a node of its own; a line each.

use anyhow::Result;
use std::process::ExitCode;
use tests::conformance::{Found, check, examples};
use tests::{Setup, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            println!("{wrong} examples are not answered as documented");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("conformance: {why:#}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<usize> {
    let node = Setup::new(Verb::Start)?.start().await?;
    let mut wrong = 0;
    for example in examples()? {
        let said = match check(&node.caller(), &example).await {
            Ok(Found::Same) => "same value".into(),
            Ok(Found::SameShape) => "same shape".into(),
            Ok(Found::NotYet) => "not yet (501)".into(),
            Err(why) => {
                wrong += 1;
                format!("WRONG {why:#}")
            }
        };
        println!("{:<24} {said:<14} {}", example.id(), example.title);
    }
    Ok(wrong)
}
