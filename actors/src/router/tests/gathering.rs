//! Gathers over nodes none of which holds all groups, and programs whose types differ.

use super::cluster::{Cluster, Fate};
use super::rig::bump;
use crate::kit::*;
use wire::ids::GroupId;

/// Of groups 1 to 4: 1 and 2 on the first node, 3 on the second, 4 on the third.
fn apart(node: u64, group: GroupId) -> bool {
    node == group.0.saturating_sub(1).max(1)
}

async fn filled(cluster: &Cluster) -> Vec<String> {
    cluster.lead_some(2, |group| group.0 == 3);
    cluster.lead_some(3, |group| group.0 == 4);
    let mut names: Vec<String> = (0..45).map(|n| format!("n{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        cluster.at(1 + n as u64 % 3, bump(name, 1)).await.unwrap();
    }
    names.sort();
    cluster.sent();
    names
}

async fn pages(cluster: &Cluster, node: u64) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = cluster.at(node, AllRequest { limit: 10, cursor }).await.unwrap();
        found.extend(page.names);
        cursor = page.cursor;
        if cursor.is_empty() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gather_is_one_message_to_each_other_node() {
    let cluster = Cluster::of(apart, |_| service()).await;
    let names = filled(&cluster).await;
    for node in 1..=3 {
        assert_eq!(pages(&cluster, node).await, names);
        let others: Vec<_> = (1..=3).filter(|other| *other != node).map(|other| (node, other)).collect();
        assert_eq!(cluster.sent(), others.repeat(5));
    }
    // One that cannot answer now is asked again; the rest is not.
    cluster.next(2, [Fate::NotSent, Fate::Lost]);
    assert_eq!(pages(&cluster, 1).await, names);
    let sent = cluster.sent();
    assert_eq!(sent.iter().filter(|to| **to == (1, 2)).count(), 7);
    assert_eq!(sent.iter().filter(|to| **to == (1, 3)).count(), 5);
}

/// The kit of a later version: `Bump` takes a field more and tells one more.
mod later {
    use schemars::JsonSchema;
    use sdk::prelude::*;

    endpoints! { kit:
        Command  Bump(BumpRequest)   -> Counted, key entity;
        Query    Count(CountRequest) -> Counted, key entity;
        Gather   All(AllRequest)     -> AllResponse, page(names: Json, 10..100);
    }

    /// For tests.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    pub struct BumpRequest {
        pub entity: String,
        pub by: i64,
        pub times: Option<u8>,
    }
    /// For tests.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    pub struct CountRequest {
        pub entity: String,
    }
    /// For tests.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    pub struct Counted {
        pub parity: u8,
        pub count: i64,
    }
    /// For tests.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    pub struct AllRequest {
        pub limit: i64,
        pub cursor: String,
        pub order: String,
    }
    /// For tests.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    pub struct AllResponse {
        /// The same JSON, and other bytes.
        pub names: Vec<Json>,
        pub cursor: String,
    }
    pub static COUNT: Row<i64> = Row::new("count");

    pub fn service() -> Service {
        Service::new("kit", "For tests, later")
            .row(&COUNT)
            .command(|tx, req: BumpRequest| {
                let count = tx.get_or_default(&COUNT)? + req.by * i64::from(req.times.unwrap_or(1));
                tx.put(&COUNT, &count)?;
                Ok(Counted { parity: (count % 2) as u8, count })
            })
            .query(|view, _: CountRequest| {
                let count = view.get_or_default(&COUNT)?;
                Ok(Counted { parity: (count % 2) as u8, count })
            })
            .gather(Listing::of(&COUNT, |entity, _: i64, _: &AllRequest| Some(Json(entity.into()))))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_of_two_versions_talk() {
    // The first node's program is the later one.
    let program = |node| if node == 1 { later::service() } else { service() };
    let cluster = Cluster::of(apart, program).await;
    cluster.lead_some(2, |group| group.0 == 3);
    cluster.lead_some(3, |group| group.0 == 4);
    let mut names = Vec::new();
    for n in 0..30 {
        let entity = format!("n{n}");
        assert_eq!(cluster.at(2, bump(&entity, 5)).await.unwrap().count, 5, "{entity}");
        let later = later::BumpRequest { entity: entity.clone(), by: 5, times: None };
        let told = cluster.at(1, later).await.unwrap();
        // Where the older program answered, what it does not know has its zero.
        assert_eq!(told.count, 10, "{entity}");
        assert_eq!(cluster.count(3, &entity).await, 10);
        assert_eq!(cluster.at(1, later::CountRequest { entity: entity.clone() }).await.unwrap().count, 10);
        names.push(entity);
    }
    names.sort();
    assert_eq!(pages(&cluster, 2).await, names);
    let page = cluster.at(1, later::AllRequest { limit: 100, ..Default::default() }).await.unwrap();
    assert_eq!(page.names, names.into_iter().map(|name| wire::Json(name.into())).collect::<Vec<_>>());
}
