//! Who is alive: heartbeats that chitchat carries, timed by this node's own waking hours.
//!
//! chitchat's own detector divides a silence by the mean time between heartbeats, so what it calls long changes with the number of
//! nodes; and it counts time in which this process did not run as the others' silence. Here a node is dead after a fixed silence,
//! counted only while this node's own looks come on time: after a late one everybody gets half that time anew.
//!
//! Pure: looks come in by [`Judge::look`] together with the time since the last, so a test needs no clock.

use super::Tuning;
use super::member::{Health, Member, Seen};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use wire::ids::{Incarnation, NodeId};

/// One life of a node. Copies of a data folder are told apart by their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LifeId {
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// Where it gossips.
    pub address: SocketAddr,
}

/// A life as chitchat knows it just now.
#[derive(Clone, Debug)]
pub struct Heard {
    pub id: LifeId,
    pub heartbeat: u64,
    pub member: Member,
    pub topology_version: u64,
}

/// Another life under this node's own id, at work right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    pub incarnation: Incarnation,
    pub address: SocketAddr,
    pub listen: String,
}

#[derive(Debug)]
struct Life {
    member: Member,
    topology_version: u64,
    heartbeat: u64,
    /// When the heartbeat last rose.
    heard: Duration,
    /// It rose so soon before that as well. One alone may be old news that a third node brings.
    twice: bool,
    /// It was alive once: only then is it told of.
    met: bool,
    health: Health,
    since: Duration,
    /// It said good-bye.
    left: bool,
    /// chitchat still knows it.
    known: bool,
}

#[derive(Debug)]
pub struct Judge {
    me: LifeId,
    tuning: Tuning,
    /// How long this node has been awake: no more than a tick for each late look.
    awake: Duration,
    lives: BTreeMap<LifeId, Life>,
    longest_silence: Duration,
}

impl Judge {
    pub fn new(me: LifeId, tuning: Tuning) -> Judge {
        Judge { me, tuning, awake: Duration::ZERO, lives: BTreeMap::new(), longest_silence: Duration::ZERO }
    }

    /// Takes in what chitchat knows now, so long after the last look. Whether the look was late.
    pub fn look(&mut self, after: Duration, heard: impl IntoIterator<Item = Heard>) -> bool {
        let late = after > self.tuning.late;
        self.awake += if late { self.tuning.tick } else { after };
        for life in self.lives.values_mut() {
            life.known = false;
            if late {
                life.heard = life.heard.max(self.awake.saturating_sub(self.tuning.suspect / 2));
            }
        }
        for heard in heard {
            self.hear(heard);
        }
        self.judge();
        self.forget();
        late
    }

    fn hear(&mut self, heard: Heard) {
        let (awake, suspect) = (self.awake, self.tuning.suspect);
        let life = self.lives.entry(heard.id).or_insert_with(|| Life {
            member: heard.member.clone(),
            topology_version: heard.topology_version,
            heartbeat: heard.heartbeat,
            heard: awake,
            twice: true,
            met: false,
            health: Health::Dead,
            since: awake,
            left: false,
            known: true,
        });
        life.known = true;
        life.member = heard.member;
        life.topology_version = heard.topology_version;
        if heard.heartbeat <= life.heartbeat {
            return;
        }
        life.heartbeat = heard.heartbeat;
        let silence = awake - life.heard;
        if life.health == Health::Alive {
            self.longest_silence = self.longest_silence.max(silence);
        }
        life.twice = life.twice && silence <= suspect || life.health == Health::Alive;
        life.heard = awake;
        if life.twice && !life.left && life.health == Health::Dead {
            (life.health, life.since, life.met) = (Health::Alive, awake, true);
        }
        life.twice = true;
    }

    fn judge(&mut self) {
        for life in self.lives.values_mut() {
            let silent = self.awake - life.heard > self.tuning.suspect;
            if life.health == Health::Alive && (silent || life.left) {
                (life.health, life.since) = (Health::Dead, self.awake);
            }
            if silent {
                life.twice = false;
            }
        }
    }

    /// The dead after their time; a life that was replaced, or never met, as soon as chitchat has dropped it.
    fn forget(&mut self) {
        let latest = self.latest();
        let (awake, forget) = (self.awake, self.tuning.forget);
        self.lives.retain(|id, life| {
            let latest = latest.get(&id.node) == Some(id);
            match life.health {
                Health::Alive => true,
                Health::Dead if life.met && latest => awake - life.since <= forget,
                Health::Dead => life.known,
            }
        });
    }

    /// The life that stands for each node: the highest incarnation that was met, of copies a living one.
    fn latest(&self) -> BTreeMap<NodeId, LifeId> {
        let mut latest: BTreeMap<NodeId, (LifeId, Health)> = BTreeMap::new();
        for (id, life) in self.lives.iter().filter(|(_, life)| life.met) {
            let better = latest.get(&id.node).is_none_or(|(best, health)| {
                id.incarnation > best.incarnation || id.incarnation == best.incarnation && life.health < *health
            });
            if better {
                latest.insert(id.node, (*id, life.health));
            }
        }
        latest.into_iter().map(|(node, (id, _))| (node, id)).collect()
    }

    /// A life said good-bye: it is dead from the next look on, whatever heartbeats of it still come around.
    pub fn left(&mut self, node: NodeId, incarnation: Incarnation) {
        for (id, life) in &mut self.lives {
            life.left |= id.node == node && id.incarnation <= incarnation;
        }
    }

    /// The others, each once, in the order of their ids.
    pub fn others(&self) -> Vec<Seen> {
        let latest = self.latest();
        let others = latest.values().filter(|id| id.node != self.me.node);
        others
            .map(|id| {
                let life = &self.lives[id];
                Seen {
                    member: life.member.clone(),
                    health: life.health,
                    since: self.awake - life.since,
                    topology_version: life.topology_version,
                }
            })
            .collect()
    }

    /// Somebody else lives under our id, as long as we or longer.
    pub fn twin(&self) -> Option<Twin> {
        let twin = |id: &LifeId, life: &Life| {
            id.node == self.me.node
                && *id != self.me
                && id.incarnation >= self.me.incarnation
                && life.health == Health::Alive
        };
        let (id, life) = self.lives.iter().rfind(|(id, life)| twin(id, life))?;
        Some(Twin { incarnation: id.incarnation, address: id.address, listen: life.member.listen.clone() })
    }

    /// Where those of a health gossip. What stands where this node does is left out.
    pub fn addresses(&self, health: Health) -> Vec<SocketAddr> {
        let wanted = self.latest().into_values().filter(|id| self.lives[id].health == health);
        wanted.map(|id| id.address).filter(|address| *address != self.me.address).collect()
    }

    #[cfg(test)]
    pub fn lives(&self) -> usize {
        self.lives.len()
    }

    pub fn awake(&self) -> Duration {
        self.awake
    }

    pub fn longest_silence(&self) -> Duration {
        self.longest_silence
    }
}
