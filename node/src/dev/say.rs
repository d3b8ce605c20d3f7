//! What a person reads while the nodes run.

use super::{Node, Plan};
use std::io::Write;
use std::process::ExitStatus;
use std::time::Duration;

fn line(text: &str) {
    // `eprintln!` panics when nobody reads: the children would go with it.
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub fn beginning(plan: &Plan) {
    let nodes = if plan.nodes == 1 { "1 node".to_string() } else { format!("{} nodes", plan.nodes) };
    line(&format!("commons {}: {nodes}, data in {}", crate::door::VERSION, plan.data.display()));
}

pub fn ready(node: &Node, after: Duration, first: bool) {
    let again = if first { "" } else { " again" };
    let (name, http, listen) = (&node.name, node.http, node.listen);
    line(&format!("  {name}  ready{again} in {:.1} s  http://{http}  tcp {listen}", after.as_secs_f64()));
    if first && name == "node-1" {
        line("");
        line(&format!("  curl {http}/v1/helloworld/Call -d '{{\"name\":\"John\"}}'"));
        let elsewhere = if listen.port() == 7070 { String::new() } else { format!(" --node {listen}") };
        line(&format!("  commons{elsewhere} call wallet Credit --amount 5 --reference tip"));
        line("");
        line("  No key is asked on this machine. Ctrl-C stops it.");
    }
}

pub fn died(node: &Node, how: ExitStatus, was_ready: bool, wait: Duration) {
    let when = if was_ready { "" } else { " before it was ready" };
    let next = match wait.as_secs() {
        0 => "starting it again".to_string(),
        seconds => format!("starting it again in {seconds} s; what it said is above"),
    };
    line(&format!("  {}  ended{when} ({how}): {next}", node.name));
}

pub fn hangs(node: &Node) {
    line(&format!("  {}  does not stop: it is killed", node.name));
}

pub fn end() {
    line("all nodes have stopped");
}
