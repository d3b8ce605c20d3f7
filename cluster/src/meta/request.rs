//! What nodes ask whoever leads meta, and what they hear.

use super::{Meta, NodeRow};
use crate::consensus::Conf;
use crate::trust::rotation::{Begin, Phase};
use serde::{Deserialize, Serialize};
use wire::ids::{ClusterId, GroupId, Index, NodeId, ReplicaId, Term};

/// Asked of any node; one that does not lead meta says who might.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Of a node that belongs to no cluster yet: who it will be.
    Join,
    /// A node is there, in a new life.
    Register(NodeRow),
    /// How the groups of a node are. Said over and over.
    Report(Report),
    /// All of meta, if it is newer than this version. Answered by any node that knows something newer.
    Get { newer_than: u64 },
    /// What this node had is gone (damage, a new disk): its replicas are to be replaced.
    Lost(NodeId),
    /// Change the cluster's secret. Answered with meta.
    Rotate(Begin),
    /// A node holds what a phase of that asks for.
    Followed { node: NodeId, number: u64, phase: Phase },
    /// Do you hear of this node just now, in whatever life? Answered by any node.
    Lives(NodeId),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Joined {
        cluster: ClusterId,
        node: NodeId,
        meta: Meta,
        /// What callers show at every door of the cluster.
        token: String,
    },
    Registered(Meta),
    Reported(Orders),
    /// `None`: nothing newer.
    Meta(Option<Meta>),
    /// Only replicas from `floor` on are the asker's: what came before is gone.
    Lost {
        floor: ReplicaId,
        meta: Meta,
    },
    /// Where it lives, if it does.
    Lives(Option<String>),
    /// Not here; perhaps at this node.
    Elsewhere(Option<(NodeId, String)>),
    /// No, for good; says why and what to do.
    Refused(String),
    /// Not now: what it waits for.
    NotYet(String),
}

/// One node's groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub node: NodeId,
    /// Its disk is too slow to lead.
    pub slow: bool,
    pub groups: Vec<GroupReport>,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReport {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub term: Term,
    pub applied: Index,
    pub flushed: Index,
    /// The membership, if it leads.
    pub leads: Option<Conf>,
}

/// What the steward wants of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Meta's version: whoever has an older one fetches it.
    pub version: u64,
    /// Who should lead groups that the node leads.
    pub hand_over: Vec<(GroupId, ReplicaId)>,
}
