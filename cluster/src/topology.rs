//! Which group owns which slot, and where its replicas are. Versioned; meta's rows hold the truth.

use serde::{Deserialize, Serialize};
use wire::ids::{GroupId, NodeId, ReplicaId};

/// Groups of a new cluster, meta aside.
pub const GROUPS_DEFAULT: u16 = 16;
/// The most a cluster can be made with.
pub const GROUPS_MAX: u16 = 1024;

/// Slot → group → replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// One higher with every change.
    pub version: u64,
    /// Groups that own slots: ids 1 to this. Fixed when the cluster is made.
    pub groups: u16,
    /// Where every group's replicas are, meta's too; always in order of group and replica.
    pub placed: Vec<Placed>,
    /// The next replica id; none is ever used twice (RAFT §4).
    pub next_replica: ReplicaId,
    /// The next node id; none is ever used twice either.
    pub next_node: NodeId,
    /// How many replicas of each group there are, once there are as many nodes.
    pub replication: u8,
}

/// Replicas of each group, unless the founder was told otherwise.
pub const REPLICATION_DEFAULT: u8 = 3;

/// What a replica is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// It belongs to its group, or is about to.
    #[default]
    Here,
    /// It is about to leave its group, and goes once it has.
    Leaving,
}

/// One replica's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placed {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub node: NodeId,
    pub stage: Stage,
}

impl Topology {
    /// A cluster of one: replica `n + 1` of group `n` on its only node.
    pub fn founded(node: NodeId, groups: u16) -> Topology {
        let placed = (0..=u64::from(groups)).map(|n| Placed {
            group: GroupId(n),
            replica: ReplicaId(n + 1),
            node,
            stage: Stage::Here,
        });
        Topology {
            version: 1,
            groups,
            placed: placed.collect(),
            next_replica: ReplicaId(u64::from(groups) + 2),
            next_node: NodeId(node.0 + 1),
            replication: REPLICATION_DEFAULT,
        }
    }

    /// Meta and all groups that own slots.
    pub fn all(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..=u64::from(self.groups)).map(GroupId)
    }

    /// A group's replicas.
    pub fn of(&self, group: GroupId) -> impl Iterator<Item = &Placed> + Clone {
        let from = self.placed.partition_point(|placed| placed.group < group);
        self.placed[from..].iter().take_while(move |placed| placed.group == group)
    }

    /// The node a group's replica is on. Asked for every message to another node.
    pub fn node_of(&self, group: GroupId, replica: ReplicaId) -> Option<NodeId> {
        self.of(group).find(|placed| placed.replica == replica).map(|placed| placed.node)
    }

    /// Places a new replica of `group` on `node`.
    pub fn place(&mut self, group: GroupId, node: NodeId) -> ReplicaId {
        let replica = self.next_replica;
        self.next_replica = ReplicaId(replica.0 + 1);
        self.placed.push(Placed { group, replica, node, stage: Stage::Here });
        self.placed.sort_unstable();
        replica
    }

    /// The group that owns an entity.
    pub fn group_of(&self, account: &str, service: &str, key: &str) -> GroupId {
        wire::slot::owner(self.groups, account, service, key)
    }

    /// All groups that own slots.
    pub fn owners(&self) -> impl Iterator<Item = GroupId> + use<> {
        (1..=u64::from(self.groups)).map(GroupId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_owns_an_even_share_and_meta_none() {
        let topology = Topology::founded(NodeId(1), GROUPS_DEFAULT);
        let mut owned = vec![0; 17];
        (0..16_000).for_each(|n| owned[topology.group_of("local", "cache", &n.to_string()).0 as usize] += 1);
        assert_eq!(owned[0], 0);
        assert!(owned[1..].iter().all(|n| (850..1150).contains(n)), "{owned:?}");
    }

    #[test]
    fn replica_ids_are_not_node_ids_and_the_next_is_unused() {
        let topology = Topology::founded(NodeId(1), 3);
        assert!(topology.placed.iter().all(|p| p.replica < topology.next_replica));
        assert_eq!(topology.placed.len(), 4);
    }

    #[test]
    fn a_groups_replicas_are_found_wherever_they_were_placed() {
        let mut topology = Topology::founded(NodeId(1), 3);
        let placed: Vec<_> = [2, 0, 3].map(|group| (GroupId(group), topology.place(GroupId(group), NodeId(2)))).into();
        for (group, replica) in placed {
            assert_eq!(topology.node_of(group, replica), Some(NodeId(2)));
            assert_eq!(topology.of(group).count(), 2);
        }
        assert_eq!(topology.of(GroupId(1)).count(), 1);
        assert_eq!(topology.node_of(GroupId(1), ReplicaId(3)), None, "of another group");
        assert_eq!(topology.of(GroupId(9)).count(), 0);
    }
}
