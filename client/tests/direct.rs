//! Straight to the node that leads: nodes played by the test, which say who they are.

use bytes::BytesMut;
use client::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::codec;
use wire::error::reasons;
use wire::frame::{Frame, Kind};
use wire::ids::{ClusterId, NodeId};
use wire::rpc::{Body, Call, Reply, Welcome};

wire::endpoints! { who:
    Query Leads(LeadsRequest) -> LeadsResponse, key entity;
}

/// For tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct LeadsRequest {
    entity: String,
}

/// For tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct LeadsResponse {
    node: u64,
}

/// What the nodes of the cluster say.
#[derive(Clone)]
struct Scene(Arc<Mutex<Said>>);

struct Said {
    topology: Value,
    /// Nodes that say `no_leader`, and one that says it is cut off.
    refuse: Vec<(u64, wire::Reason)>,
}

impl Scene {
    fn new() -> Scene {
        Scene(Arc::new(Mutex::new(Said { topology: Value::Null, refuse: vec![] })))
    }

    /// Groups 1 and 2 are led by these.
    fn led(&self, leaders: [u64; 2], nodes: &[(u64, String)]) {
        let nodes: Vec<_> = nodes.iter().map(|(id, listen)| json!({"id": id, "listen": listen})).collect();
        let leaders = [json!({"group": 1, "node": leaders[0]}), json!({"group": 2, "node": leaders[1]})];
        self.0.lock().unwrap().topology =
            json!({"version": 1, "groups": 2, "account": "local", "leaders": leaders, "nodes": nodes});
    }

    fn refuse(&self, refuse: &[(u64, wire::Reason)]) {
        self.0.lock().unwrap().refuse = refuse.to_vec();
    }

    /// A node that answers with its number; told to stop, it closes its connections and its port.
    async fn node(&self, id: u64) -> (String, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let scene = self.clone();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(scene.clone().serve(id, stream));
            }
        });
        (address, serving)
    }

    async fn serve(self, id: u64, mut stream: TcpStream) {
        let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
        loop {
            while let Some(frame) = Frame::decode(&mut input).unwrap() {
                let (kind, payload) = match frame.kind {
                    Kind::Hello => {
                        let version = String::new();
                        let welcome = Welcome { cluster: ClusterId([5; 16]), node: NodeId(id), version };
                        (Kind::Welcome, codec::encode(&welcome).unwrap())
                    }
                    Kind::Call => match self.answer(id, &codec::decode(&frame.payload).unwrap()) {
                        Ok(body) => (Kind::Reply, codec::encode(&Reply { body, stale: false }).unwrap()),
                        Err(error) => (Kind::Error, codec::encode(&error).unwrap()),
                    },
                    _ => continue,
                };
                Frame::new(kind, frame.stream, payload).encode(&mut out);
            }
            if stream.write_all_buf(&mut out).await.is_err() || stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }

    fn answer(&self, id: u64, call: &Call) -> Result<Body, wire::Error> {
        let said = self.0.lock().unwrap();
        if call.service == "_" {
            let mut topology = said.topology.clone();
            topology["node"] = id.into();
            return Ok(Body::Json(wire::Bytes(topology.to_string().into_bytes())));
        }
        if let Some((_, reason)) = said.refuse.iter().find(|(node, _)| *node == id) {
            return Err(reason.refuse("as the test has it"));
        }
        let bytes = codec::encode(&LeadsResponse { node: id }).unwrap();
        Ok(Body::Binary { schema: 0, bytes: wire::Bytes(bytes) })
    }
}

/// An entity of the group.
fn entity(group: u64) -> String {
    let mut names = (0..).map(|n| format!("e{n}"));
    names.find(|name| wire::slot::owner(2, "local", "who", name).0 == group).unwrap()
}

async fn ask(client: &Client, group: u64) -> u64 {
    client.call(LeadsRequest { entity: entity(group) }).await.unwrap().node
}

/// Calls until both groups' entities are answered by these nodes.
async fn until(client: &Client, nodes: [u64; 2]) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while [ask(client, 1).await, ask(client, 2).await] != nodes {
        assert!(Instant::now() < give_up, "it never came to {nodes:?}");
    }
}

#[tokio::test]
async fn a_typed_call_goes_to_the_leader_and_follows_it() {
    let scene = Scene::new();
    let (one, _) = scene.node(1).await;
    let (two, _) = scene.node(2).await;
    let nodes = [(1, one.clone()), (2, two)];
    scene.led([1, 2], &nodes);
    let client = Client::connect(one).await.unwrap();
    until(&client, [1, 2]).await;
    for _ in 0..20 {
        assert_eq!([ask(&client, 1).await, ask(&client, 2).await], [1, 2], "it stays so");
    }
    // The lead moves; who had it says so.
    scene.led([2, 1], &nodes);
    scene.refuse(&[(2, reasons::NO_LEADER)]);
    let moved = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, 2).await }
    });
    assert_eq!(moved.await.unwrap(), 1, "the same call, elsewhere");
    scene.refuse(&[]);
    until(&client, [2, 1]).await;
}

#[tokio::test]
async fn a_leader_out_of_reach_costs_a_hop_and_no_call() {
    let scene = Scene::new();
    let (one, _) = scene.node(1).await;
    // Bound and given back: nobody listens there.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    scene.led([2, 2], &[(1, one.clone()), (2, gone)]);
    let client = Client::connect(one).await.unwrap();
    for _ in 0..50 {
        assert_eq!([ask(&client, 1).await, ask(&client, 2).await], [1, 1]);
    }
}

#[tokio::test]
async fn the_cluster_is_reached_when_the_node_that_was_named_is_gone() {
    let scene = Scene::new();
    let (one, named) = scene.node(1).await;
    let (two, _) = scene.node(2).await;
    scene.led([1, 2], &[(1, one.clone()), (2, two)]);
    let client = Client::connect(one).await.unwrap();
    until(&client, [1, 2]).await;
    named.abort();
    until(&client, [2, 2]).await;
}

#[tokio::test]
async fn a_node_that_is_cut_off_is_left() {
    let scene = Scene::new();
    let (one, _) = scene.node(1).await;
    let (two, _) = scene.node(2).await;
    scene.led([1, 1], &[(1, one.clone()), (2, two)]);
    let client = Client::connect(one).await.unwrap();
    until(&client, [1, 1]).await;
    scene.refuse(&[(1, reasons::NO_QUORUM)]);
    assert_eq!(ask(&client, 1).await, 2);
}

#[tokio::test]
async fn who_hears_from_all_nodes_that_they_are_cut_off_says_so() {
    let scene = Scene::new();
    let (one, _) = scene.node(1).await;
    scene.refuse(&[(1, reasons::NO_QUORUM)]);
    let client = Client::connect(one).await.unwrap().with_deadline(Duration::from_secs(60));
    let error = client.call(LeadsRequest::default()).await.unwrap_err();
    assert!(error.is(&reasons::NO_QUORUM), "{error:?}");
}
