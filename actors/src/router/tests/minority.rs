//! P22: a node that is cut off says so at once; only reads that may be behind are answered, and marked.

use super::cluster::{Cluster, Fate};
use super::rig::bump;
use crate::kit::*;
use wire::Outcome;
use wire::error::reasons;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_node_cut_off_refuses_at_once_and_sends_nothing() {
    let cluster = Cluster::start().await;
    cluster.at(1, bump("e", 1)).await.unwrap();
    cluster.cut_off(2);
    let refused = [
        cluster.at(2, bump("e", 1)).await.unwrap_err(),
        cluster.at(2, CountRequest { entity: "e".into() }).await.unwrap_err(),
        cluster.at(2, AllRequest::default()).await.unwrap_err(),
    ];
    for error in refused {
        assert!(error.is(&reasons::NO_QUORUM) && error.code == 503, "{error:?}");
        assert!(error.outcome == Outcome::NotRun && error.retry_after_ms > 0, "{error:?}");
    }
    assert_eq!(cluster.sent(), []);
    // Nobody else is refused.
    assert_eq!(cluster.at(3, bump("e", 1)).await.unwrap().count, 2);
    // Nor is what the node leads: its group has its quorum, whatever became of other nodes.
    cluster.lead(2);
    assert_eq!(cluster.at(2, bump("e", 1)).await.unwrap().count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_reads_that_may_be_behind_are_answered_and_marked() {
    let cluster = Cluster::start().await;
    for n in 0..20 {
        cluster.at(1, bump(&format!("e{n}"), n)).await.unwrap();
    }
    cluster.cut_off(2);
    let entity = || "e7".to_string();
    assert_eq!(cluster.stale_at(2, CountRequest { entity: entity() }).await.unwrap().count, 7);
    let page = cluster.stale_at(2, AllRequest { limit: 15, cursor: String::new() }).await.unwrap();
    assert_eq!((page.names.len(), page.cursor.is_empty()), (15, false));
    assert_eq!(cluster.sent(), [], "its own rows, at once");
    let error = cluster.stale_at(2, bump("e7", 1)).await.unwrap_err();
    assert!(error.is(&reasons::NO_QUORUM), "no command is a read: {error:?}");
    // The others read their own rows as well, if that is what the caller wants.
    assert_eq!(cluster.stale_at(3, CountRequest { entity: entity() }).await.unwrap().count, 7);
    assert_eq!(cluster.sent(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_node_without_the_rows_asks_once_and_gives_up() {
    let cluster = Cluster::of(|node, _| node != 3, |_| service()).await;
    cluster.at(1, bump("e", 7)).await.unwrap();
    cluster.cut_off(3);
    assert_eq!(cluster.stale_at(3, CountRequest { entity: "e".into() }).await.unwrap().count, 7);
    cluster.sent();
    for node in [1, 2] {
        cluster.next(node, [Fate::NotSent; 1000]);
    }
    let error = cluster.stale_at(3, CountRequest { entity: "e".into() }).await.unwrap_err();
    assert!(error.is(&reasons::NO_QUORUM), "{error:?}");
    assert_eq!(cluster.sent().len(), 2);
}
