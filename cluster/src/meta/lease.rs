//! Small numbers for nodes (worker numbers of ids): each leased by one life of a node, never given out again too early.

use super::amend::Writing;
use super::{MetaError, caught_up, key, put};
use crate::group::Group;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use storage::replica::ReplicaStore;
use storage::state::{Order, View};
use wire::codec;
use wire::ids::{Incarnation, NodeId};

/// Numbers are below this.
pub const WORKERS: u16 = 1_024;
/// How long a lease holds; its holder renews it several times meanwhile.
pub const LEASE: Duration = Duration::from_secs(120);
/// A number rests this long after its lease: two nodes' clocks may differ by as much.
const SKEW: Duration = Duration::from_secs(10);

/// Who has a number, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WorkerRow {
    node: NodeId,
    incarnation: Incarnation,
    ends_ns: i64,
}

/// Leases a number to this life of a node, or renews the lease it has: good for [`LEASE`] from the moment before the call.
///
/// `epoch` is random, used once.
pub async fn lease(
    group: &dyn Group,
    store: &ReplicaStore,
    node: NodeId,
    incarnation: Incarnation,
    epoch: u64,
    now_ns: i64,
) -> Result<u16, MetaError> {
    caught_up(group).await?;
    let writing = Writing::open(group, epoch, now_ns).await?;
    let rows = rows(store)?;
    let number = choose(&rows, node, incarnation, now_ns).ok_or(MetaError::Missing("free worker number"))?;
    let row = WorkerRow { node, incarnation, ends_ns: now_ns.saturating_add(LEASE.as_nanos() as i64) };
    writing.write(1, vec![put(&row_key(number), &row)?]).await?;
    Ok(number)
}

/// The number this life has, while its lease holds; else the lowest that has rested.
fn choose(rows: &BTreeMap<u16, WorkerRow>, node: NodeId, incarnation: Incarnation, now_ns: i64) -> Option<u16> {
    let ours = |row: &WorkerRow| (row.node, row.incarnation) == (node, incarnation) && row.ends_ns > now_ns;
    let rested = |row: &WorkerRow| row.ends_ns.saturating_add(SKEW.as_nanos() as i64) <= now_ns;
    let own = rows.iter().find(|(_, row)| ours(row)).map(|(number, _)| *number);
    own.or_else(|| (0..WORKERS).find(|number| rows.get(number).is_none_or(rested)))
}

fn row_key(number: u16) -> Vec<u8> {
    key("worker/", &number.to_be_bytes())
}

fn rows(store: &ReplicaStore) -> Result<BTreeMap<u16, WorkerRow>, MetaError> {
    let (from, to) = (key("worker/", &[]), key("worker0", &[]));
    let found = store.view(|rows| Ok(rows.scan(&from..&to, Order::Ascending, usize::MAX)?))?;
    let number = |row_key: &[u8]| {
        let bytes = row_key.last_chunk::<2>().ok_or(MetaError::Missing("worker number in its row's key"))?;
        Ok::<_, MetaError>(u16::from_be_bytes(*bytes))
    };
    found.iter().map(|(key, row)| Ok((number(key)?, codec::decode(row)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn row(node: u64, incarnation: u64, ends_s: i64) -> WorkerRow {
        WorkerRow { node: NodeId(node), incarnation: Incarnation(incarnation), ends_ns: ends_s * SECOND }
    }

    #[test]
    fn a_number_is_never_given_out_too_early() {
        let rows = BTreeMap::from([(0, row(1, 1, 100)), (1, row(2, 7, 100)), (3, row(3, 1, 50))]);
        let choose = |node, life, now_s: i64| choose(&rows, NodeId(node), Incarnation(life), now_s * SECOND).unwrap();
        assert_eq!(choose(1, 1, 99), 0, "renewed while it holds");
        assert_eq!(choose(1, 2, 99), 2, "the node's next life takes another");
        assert_eq!(choose(1, 1, 100), 2, "over is over: somebody may think it free");
        assert_eq!((choose(9, 1, 109), choose(9, 1, 110)), (2, 0), "a lease and the skew have to pass");
    }

    #[test]
    fn they_can_run_out() {
        let rows = (0..WORKERS).map(|number| (number, row(u64::from(number) + 10, 1, 100))).collect();
        assert_eq!(choose(&rows, NodeId(1), Incarnation(1), 0), None);
        assert_eq!(choose(&rows, NodeId(15), Incarnation(1), 0), Some(5));
    }
}
