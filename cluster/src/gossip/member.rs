//! What a node tells of itself, and the rules on it.

use super::GossipError;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ids::{Incarnation, NodeId};

/// A node as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// host:port where nodes and Rust clients reach it.
    pub listen: String,
    /// host:port of its HTTP door.
    pub http: String,
    /// Of its binary.
    pub version: String,
    /// Where it stands; "" if nobody said.
    pub zone: String,
}

/// Whether a node seems to live. A hint, never a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Alive,
    Dead,
}

/// A node as this one sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub member: Member,
    pub health: Health,
    /// How long it has been so, in this node's own waking time.
    pub since: Duration,
    /// The version of the topology that it knew when it was last heard.
    pub topology_version: u64,
}

impl Seen {
    /// The same but for the time that went by.
    pub(super) fn same(&self, other: &Seen) -> bool {
        (&self.member, self.health, self.topology_version) == (&other.member, other.health, other.topology_version)
    }
}

/// A field's key in chitchat's state, and the most bytes it may have.
type Field = (&'static str, usize);
const LISTEN: Field = ("listen", 262);
const HTTP: Field = ("http", 262);
const VERSION: Field = ("version", 64);
const ZONE: Field = ("zone", 64);
pub(super) const TOPOLOGY: &str = "topology";
/// Digits of the largest u64.
const NUMBER: usize = 20;

/// What one node's state may take: keys, values, and around 30 bytes that chitchat names it by.
const STATE: usize = 1024;
const _: () = {
    let (fields, mut at, mut total) = ([LISTEN, HTTP, VERSION, ZONE, (TOPOLOGY, NUMBER)], 0, 2 * NUMBER + 19);
    while at < fields.len() {
        total += fields[at].0.len() + fields[at].1;
        at += 1;
    }
    assert!(total <= STATE);
};

impl Member {
    fn fields(&self) -> [(Field, &str); 4] {
        [(LISTEN, &self.listen), (HTTP, &self.http), (VERSION, &self.version), (ZONE, &self.zone)]
    }

    /// Refuses what would not fit, naming the field.
    pub(super) fn check(&self) -> Result<(), GossipError> {
        for ((field, most), value) in self.fields() {
            if value.len() > most {
                return Err(GossipError::TooLong { field, length: value.len(), most });
            }
            if value.chars().any(char::is_control) {
                return Err(GossipError::Control { field });
            }
        }
        match self.listen.is_empty() {
            true => Err(GossipError::Missing { field: LISTEN.0 }),
            false => Ok(()),
        }
    }

    pub(super) fn state(&self) -> Vec<(String, String)> {
        let fields = self.fields().map(|((key, _), value)| (key.to_string(), value.to_string()));
        fields.into_iter().chain([(TOPOLOGY.to_string(), "0".to_string())]).collect()
    }

    /// A node as chitchat knows it: `None` as long as a field is missing, an error if one breaks the rules.
    pub(super) fn read<'a>(
        node: NodeId,
        incarnation: Incarnation,
        state: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Option<(Member, u64)>, GossipError> {
        let state: BTreeMap<_, _> = state.collect();
        let field = |(key, _): Field| state.get(key).map(|value| value.to_string());
        let fields = (field(LISTEN), field(HTTP), field(VERSION), field(ZONE), state.get(TOPOLOGY));
        let (Some(listen), Some(http), Some(version), Some(zone), Some(topology)) = fields else { return Ok(None) };
        let topology = topology.parse().map_err(|_| GossipError::Number { field: TOPOLOGY })?;
        let member = Member { node, incarnation, listen, http, version, zone };
        member.check()?;
        Ok(Some((member, topology)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        Member {
            node: NodeId(7),
            incarnation: Incarnation(2),
            listen: "host:7070".into(),
            http: "host:8080".into(),
            version: "1.0.0".into(),
            zone: String::new(),
        }
    }

    fn read(state: &[(String, String)]) -> Result<Option<(Member, u64)>, GossipError> {
        let state = state.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Member::read(NodeId(7), Incarnation(2), state)
    }

    #[test]
    fn a_state_reads_back() {
        assert_eq!(read(&member().state()).unwrap(), Some((member(), 0)));
    }

    #[test]
    fn half_a_state_is_no_member_yet() {
        let state = member().state();
        for missing in 0..state.len() {
            let mut half = state.clone();
            half.remove(missing);
            assert_eq!(read(&half).unwrap(), None, "without {}", state[missing].0);
        }
    }

    #[test]
    fn each_field_is_refused_by_name() {
        let long = "x".repeat(263);
        let told = |member: Member| member.check().unwrap_err().to_string();
        assert!(told(Member { listen: long.clone(), ..member() }).contains("`listen`"));
        assert!(told(Member { http: long.clone(), ..member() }).contains("`http`"));
        assert!(told(Member { version: long.clone(), ..member() }).contains("`version`"));
        assert!(told(Member { zone: long, ..member() }).contains("`zone`"));
        assert!(told(Member { zone: "a\nb".into(), ..member() }).contains("`zone`"));
        assert!(told(Member { listen: String::new(), ..member() }).contains("`listen`"));
    }

    #[test]
    fn a_peers_state_is_held_to_the_same_rules() {
        let mut state = member().state();
        state[4].1 = "many".into();
        assert!(read(&state).is_err());
        state[4].1 = "18446744073709551615".into();
        assert_eq!(read(&state).unwrap().unwrap().1, u64::MAX);
        state[3].1 = "z".repeat(65);
        assert!(read(&state).is_err());
    }
}
