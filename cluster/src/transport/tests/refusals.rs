use super::*;
use crate::transport::ask::ask_over;
use crate::transport::{CallError, Refusal};

async fn other(town: &Town, me: Me) -> Node {
    Node::start(town, me, Limits::default()).await
}

fn joiner() -> Me {
    Me { cluster: None, node: NodeId(0), incarnation: Incarnation(0) }
}

fn word_at(node: &Node, address: &str) -> Option<&'static str> {
    node.network.refusals().into_iter().find(|refused| refused.address == address).map(|refused| refused.refusal.word())
}

fn why(answer: Result<Bytes, CallError>) -> String {
    match answer {
        Err(CallError::NotSent(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_cluster_is_refused_by_name_on_both_sides() {
    let town = Town::default();
    let one = other(&town, me(1, 1)).await;
    let theirs = ClusterId([9; 16]);
    let two = other(&town, Me { cluster: Some(theirs), ..me(2, 1) }).await;
    let told = why(one.call(two.id, ECHO, "").await);
    assert!(told.contains("refused there") && told.contains(&theirs.to_string()), "{told}");
    let counted = |node: &Node| node.network.counters().refused.contains_key("other_cluster");
    until("both count it", || counted(&one) && counted(&two)).await;
    assert_eq!(word_at(&one, &town.address(2)), Some("other_cluster"));
    let refused = two.network.refusals();
    let ours = Refusal::OtherCluster { theirs: cluster(), ours: theirs };
    assert_eq!((refused[0].address.as_str(), &refused[0].refusal), ("127.0.0.1", &ours));
}

#[tokio::test]
async fn an_address_that_leads_home_or_to_another_node_is_refused() {
    let (town, one, two) = pair().await;
    town.set(3, town.address(1));
    town.set(4, town.address(2));
    let told = why(one.network.call(NodeId(3), ECHO, Bytes::new(), soon()).await);
    assert!(told.contains("this address leads back here"), "{told}");
    let told = why(one.network.call(NodeId(4), ECHO, Bytes::new(), soon()).await);
    assert!(told.contains("it is n2, not n4"), "{told}");
    until("told", || word_at(&two, "127.0.0.1") == Some("other_node")).await;
    assert_eq!(one.call(two.id, ECHO, "fine").await.unwrap(), "fine", "and that node itself is none the worse");
}

#[tokio::test]
async fn an_older_life_and_a_twin_are_refused() {
    let town = Town::default();
    let one = other(&town, me(1, 1)).await;
    let now = other(&town, me(2, 5)).await;
    assert_eq!(one.call(now.id, ECHO, "5").await.unwrap(), "5");
    let older = other(&town, me(2, 4)).await;
    let told = why(older.call(one.id, ECHO, "").await);
    assert!(told.contains("n2 was started again since") && told.contains("copied data folder"), "{told}");
    let twin = other(&town, me(2, 5)).await;
    let told = why(twin.call(one.id, ECHO, "").await);
    assert!(told.contains("two processes go by n2"), "{told}");
    assert_eq!(now.call(one.id, ECHO, "still").await.unwrap(), "still", "whom it was first stays connected");
}

#[tokio::test]
async fn who_joins_may_ask_and_nothing_else() {
    let town = Town::default();
    let mut one = other(&town, me(1, 1)).await;
    let nobody = joiner();
    let address = town.address(1);
    let ask = |me, kind, body: &'static str| {
        let address = address.clone();
        async move { ask_over(&plain(), &address, me, kind, body.into(), soon()).await }
    };
    assert_eq!(ask(nobody, ECHO, "may I?").await.unwrap(), "may I?");
    assert_eq!(one.event().await, Event::Called(NodeId(0), ECHO));
    assert_eq!(ask(nobody, REFUSE, "").await, Err(CallError::Refused(NO.because("never").at("test.call"))));
    assert_eq!(ask(me(2, 1), ECHO, "a member").await.unwrap(), "a member");
    let told = why(ask(Me { cluster: Some(ClusterId([1; 16])), ..me(2, 1) }, ECHO, "").await);
    assert!(told.contains("it belongs to cluster"), "{told}");
    assert!(why(ask(me(1, 1), ECHO, "").await).contains("this address leads back here"));

    let joining = other(&town, nobody).await;
    assert!(why(joining.call(one.id, ECHO, "").await).contains("may only ask to join"));
    let told = why(ask_over(&plain(), &town.address(0), me(1, 1), ECHO, Bytes::new(), soon()).await);
    assert!(told.contains("it is joining one itself"), "{told}");
}

#[tokio::test]
async fn only_so_many_ask_at_once() {
    let town = Town::default();
    let mut one = Node::start(&town, me(1, 1), Limits { asking: 1, ..Limits::default() }).await;
    let address = town.address(1);
    let (dial, asks) = (plain(), address.clone());
    let held = tokio::spawn(async move { ask_over(&dial, &asks, joiner(), GATE, "held".into(), soon()).await });
    assert_eq!(one.event().await, Event::Called(NodeId(0), GATE));
    let told = why(ask_over(&plain(), &address, joiner(), ECHO, Bytes::new(), soon()).await);
    assert!(told.contains("too many are asking"), "{told}");
    one.told.gate.add_permits(1);
    assert_eq!(held.await.unwrap().unwrap(), "held");
}

#[tokio::test]
async fn a_hello_of_another_version_is_told_so() {
    let town = Town::default();
    let one = other(&town, me(1, 1)).await;
    let mut tcp = tokio::net::TcpStream::connect(town.address(1)).await.unwrap();
    let told = strangers::say(&mut tcp, &[6, 0, 0, 0, 99, 1, 2, 3, 4, 5]).await;
    assert!(told.contains("speaks wire version 99"), "{told}");
    assert_eq!(one.network.counters().refused["version"], 1);
}
