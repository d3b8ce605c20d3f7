//! `_`: what the node itself answers over RPC, in JSON. `_.Outcome` is the runtime's, and called like any service's endpoint.

use crate::door::Doors;
use serde_json::{Value, json};

/// The service's name; no service of the catalogue can have it.
pub const NAME: &str = actors::outcome::SERVICE;

/// `Status`: as `GET /status`. `Topology`: what a client needs to go straight to who leads. `Services`: the catalogue with
/// schemas, as `commons describe` shows it. `None`: none of them.
pub fn answer(doors: &Doors, account: &str, service: &str, endpoint: &str) -> Option<Value> {
    match (service, endpoint) {
        (NAME, "Status") => Some(doors.status.status()),
        (NAME, "Topology") => Some(topology(&doors.status.status(), doors.identity.node.0, account)),
        (NAME, "Services") => Some(serde_json::to_value(doors.catalogue.described()).unwrap_or_default()),
        _ => None,
    }
}

/// Of the status: version, how many groups own slots, who leads each where that is known, where the nodes are, who
/// answers, and whose rows this caller's are.
fn topology(status: &Value, me: u64, account: &str) -> Value {
    let list = |name: &str| status[name].as_array().map(Vec::as_slice).unwrap_or_default();
    // Group 0 is meta: it owns no slots.
    let owners = list("groups").iter().filter(|group| group["id"] != json!(0));
    let nodes =
        list("nodes").iter().map(|node| json!({"id": node["id"], "listen": node["listen"], "state": node["state"]}));
    json!({
        "version": status["topology_version"],
        "groups": owners.clone().count(),
        "leaders": owners.map(|group| json!({"group": group["id"], "node": group["leader"]})).collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
        "node": me,
        "account": account,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topology_is_what_a_client_needs() {
        let status = json!({
            "topology_version": 9, "rows": 5,
            "groups": [{"id": 0, "leader": 1}, {"id": 1, "leader": 2, "applied": 7}, {"id": 2, "leader": null}],
            "nodes": [{"id": 1, "listen": "a:7070", "state": "alive", "zone": "z"}],
        });
        let told = topology(&status, 1, "local");
        let want = json!({
            "version": 9, "groups": 2, "node": 1, "account": "local",
            "leaders": [{"group": 1, "node": 2}, {"group": 2, "node": null}],
            "nodes": [{"id": 1, "listen": "a:7070", "state": "alive"}],
        });
        assert_eq!(told, want);
        assert_eq!(topology(&json!({"nodes": []}), 1, "a")["groups"], 0, "a node that is starting");
    }
}
