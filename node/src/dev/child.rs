//! One node's process, over its lives.

use super::pace::Pace;
use super::{Node, probe, say};
use crate::door::Stop;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep_until, timeout};

/// A node drains within 10 s; one that does not is killed.
const GONE_WITHIN: Duration = Duration::from_secs(12);

enum Ended {
    Died(ExitStatus),
    Stopped,
}

/// Keeps the node running until `stop`.
pub async fn keep(program: &Path, node: &Node, mut stop: Stop) -> io::Result<()> {
    let (mut pace, mut first) = (Pace::default(), true);
    loop {
        let mut child = spawn(program, node)?;
        // Taken out of the child: waiting for a child closes the stdin that is still in it.
        let leash = child.stdin.take();
        let mut was_ready = false;
        match live(&mut child, node, &mut stop, &mut first, &mut was_ready).await? {
            Ended::Stopped => return stop_child(child, leash, node).await,
            Ended::Died(how) => {
                if was_ready {
                    pace.was_ready();
                }
                let wait = pace.ended(was_ready);
                say::died(node, how, was_ready, wait);
                tokio::select! {
                    biased;
                    () = stop.wait() => return Ok(()),
                    () = sleep_until(Instant::now() + wait) => {}
                }
            }
        }
    }
}

async fn live(
    child: &mut Child,
    node: &Node,
    stop: &mut Stop,
    first: &mut bool,
    was_ready: &mut bool,
) -> io::Result<Ended> {
    let started = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = stop.wait() => return Ok(Ended::Stopped),
            died = child.wait() => return Ok(Ended::Died(died?)),
            () = probe::until_ready(node.http), if !*was_ready => {
                say::ready(node, started.elapsed(), *first);
                (*was_ready, *first) = (true, false);
            }
        }
    }
}

fn spawn(program: &Path, node: &Node) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg("start").arg("--dev").arg("--with-parent").arg("--data").arg(&node.data);
    command.arg("--http").arg(node.http.to_string()).arg("--listen").arg(node.listen.to_string());
    if let Some(secret) = &node.secret {
        command.arg("--secret-file").arg(secret);
    }
    if let Some(first) = node.join {
        command.arg("--join").arg(first.to_string());
    }
    // What it logs is for when something is wrong; RUST_LOG asks for more.
    if std::env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "warn");
    }
    // Ctrl-C in a terminal goes to a whole process group: the parent alone hears it, and lets its children drain.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
    let started = command.spawn();
    started.map_err(|why| io::Error::new(why.kind(), format!("cannot start {}: {why}", program.display())))
}

/// The end of its stdin is its sign to stop.
async fn stop_child(mut child: Child, leash: Option<ChildStdin>, node: &Node) -> io::Result<()> {
    drop(leash);
    if timeout(GONE_WITHIN, child.wait()).await.is_err() {
        say::hangs(node);
        child.kill().await?;
    }
    Ok(())
}
