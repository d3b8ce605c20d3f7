//! The README's calls: made by `cargo xtask dev`, so that what the README shows is what happens.

use crate::{cargo, house};
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

struct Call {
    /// As the README has it, for a shell in the clone.
    line: &'static str,
    exit: i32,
    /// What the answer must hold, in a folder with nothing in it.
    says: &'static str,
}

const CREDIT_ONCE: &str =
    r#"curl localhost:8080/v1/wallet/Credit -H 'Idempotency-Key: order-17' -d '{"amount":5,"reference":"tip"}'"#;

const EXAMPLE: &str = "cargo run -q --release -p client --example wallet";

const CALLS: &[Call] = &[
    Call {
        line: r#"curl localhost:8080/v1/wallet/Credit -d '{"amount":5,"reference":"tip"}'"#,
        exit: 0,
        says: r#"{"balance":"5"}"#,
    },
    Call { line: CREDIT_ONCE, exit: 0, says: r#"{"balance":"10"}"# },
    // The same key again: the same reply, and the money came once.
    Call { line: CREDIT_ONCE, exit: 0, says: r#"{"balance":"10"}"# },
    Call {
        line: r#"curl localhost:8080/v1/wallet/Debit -d '{"amount":50,"reference":"too much"}'"#,
        exit: 0,
        says: r#""reason":"insufficient_credit""#,
    },
    Call { line: "commons call cache Increment --key visits --value 1", exit: 0, says: r#""value":"1""# },
    Call { line: EXAMPLE, exit: 0, says: "balance" },
];

/// What a fresh folder must answer is checked; a folder from before only has to answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    Fresh,
    Used,
}

/// Makes each call and prints it and its output. All are made, then the first that went wrong is the error.
pub fn make(node: &Path, http: SocketAddr, listen: SocketAddr, folder: Folder) -> Result<()> {
    let mut wrong = Vec::new();
    for call in CALLS {
        if call.line == EXAMPLE && !cargo::has_target("client", "example", "wallet")? {
            eprintln!("(left out, the example is not written yet: {EXAMPLE})");
            continue;
        }
        let line = call.line.replace("localhost:8080", &shown(http));
        println!("$ {line}");
        // Captured, curl would draw its progress; a reader's terminal shows none.
        let output =
            shell(&line.replacen("curl ", "curl -sS ", 1), node, listen).output().context("cannot start sh")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        println!("{}", said.trim_end());
        if output.status.code() != Some(call.exit) {
            wrong.push(format!("`{line}` ended with {}, not {}", output.status, call.exit));
        } else if folder == Folder::Fresh && !said.contains(call.says) {
            wrong.push(format!("`{line}` did not say {:?}", call.says));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// `commons` and `cargo` mean what they mean in the README: our binary, our target folder.
fn shell(line: &str, node: &Path, listen: SocketAddr) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = node.parent().unwrap_or(Path::new("."));
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).current_dir(house::root());
    command.env("PATH", format!("{}:{path}", bin.display())).env("COMMONS_NODE", listen.to_string());
    command.env("CARGO_TARGET_DIR", house::target()).stdin(Stdio::null());
    command
}

fn shown(http: SocketAddr) -> String {
    if http.ip().is_loopback() && http.is_ipv4() { format!("localhost:{}", http.port()) } else { http.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_these_calls() {
        let Ok(readme) = std::fs::read_to_string(house::root().join("README.md")) else { return };
        for Call { line, .. } in CALLS.iter().filter(|call| call.line != EXAMPLE) {
            assert!(readme.contains(line), "README.md does not show `{line}`: change it, or xtask/src/dev/calls.rs");
        }
        assert!(readme.contains("client/examples/wallet.rs"), "README.md does not lead to the client's example");
    }
}
