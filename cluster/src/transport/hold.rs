//! Which connections with a peer may go on.

use super::hello::{Hello, Lane};
use super::refusal::Refusal;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep_until;
use wire::ids::Incarnation;

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Dialled = 0,
    Accepted = 1,
}

/// What decides whether a connection with the peer may go on.
#[derive(Clone, Debug, Default)]
pub struct Life {
    incarnation: Incarnation,
    process: u64,
    /// It is no longer part of the cluster, or this node stops.
    left: bool,
    /// Its newest connections on lanes 1 and 2: what it dials anew, it has given up before.
    newest: [u64; 2],
    /// How often it fell silent, by [`Side`].
    silences: [u64; 2],
}

impl Life {
    fn check(&self, theirs: &Hello) -> Result<(), Refusal> {
        let node = theirs.node;
        if theirs.incarnation < self.incarnation {
            return Err(Refusal::OlderLife { node, theirs: theirs.incarnation, seen: self.incarnation });
        }
        if theirs.incarnation == self.incarnation && self.process != 0 && theirs.process != self.process {
            return Err(Refusal::Twin { node, life: theirs.incarnation });
        }
        Ok(())
    }
}

/// The lives of a peer, as its connections show them.
#[derive(Default)]
pub struct Lives(watch::Sender<Life>);

impl Lives {
    /// Would a connection with this hello be taken?
    pub fn check(&self, theirs: &Hello) -> Result<(), Refusal> {
        self.0.borrow().check(theirs)
    }

    /// Takes a connection. A newer life of the peer ends all connections with the one before.
    pub fn admit(&self, theirs: &Hello, lane: Lane, side: Side, secrets: Secrets) -> Result<Hold, Refusal> {
        let mut checked = Ok((0, 0));
        self.0.send_if_modified(|life| {
            checked = life.check(theirs).map(|()| {
                (life.incarnation, life.process) = (theirs.incarnation, theirs.process);
                let serial = match (side, slot(lane)) {
                    (Side::Accepted, Some(slot)) => {
                        life.newest[slot] += 1;
                        life.newest[slot]
                    }
                    _ => 0,
                };
                (serial, life.silences[side as usize])
            });
            checked.is_ok()
        });
        let (serial, silences) = checked?;
        let bound = Bound { incarnation: theirs.incarnation, lane, side, serial, silences };
        let until = Until::Life(self.0.subscribe(), bound);
        let grace = match (lane, side) {
            // What is lost here is said again.
            (Lane::Raft, _) => Duration::ZERO,
            (Lane::Calls | Lane::Ask, Side::Dialled) => Duration::from_secs(5),
            // Longer than its dialler, who sees to it that nothing is under way.
            (Lane::Calls | Lane::Ask, Side::Accepted) => Duration::from_secs(10),
            (Lane::Snapshot, _) => Duration::from_secs(60),
        };
        Ok(Hold { until, secrets, stale: None, grace })
    }

    /// Waits until the peer has left.
    pub async fn left(&self) {
        let _ = self.0.subscribe().wait_for(|life| life.left).await;
    }

    /// Ends all connections with it, for good.
    pub fn leave(&self) {
        self.0.send_modify(|life| life.left = true);
    }

    /// Lane 1 fell silent: what the same side opened on the other lanes is as dead.
    pub fn silent(&self, side: Side) {
        self.0.send_modify(|life| life.silences[side as usize] += 1);
    }
}

fn slot(lane: Lane) -> Option<usize> {
    match lane {
        Lane::Raft => Some(0),
        Lane::Calls => Some(1),
        // Any number at a time.
        Lane::Ask | Lane::Snapshot => None,
    }
}

/// Tells when the cluster's secrets were replaced: a connection is trusted under those it was made with.
pub type Secrets = watch::Receiver<u64>;

/// A connection's right to be.
pub struct Hold {
    until: Until,
    secrets: Secrets,
    /// Since when it is to end for its secret's sake.
    stale: Option<Instant>,
    grace: Duration,
}

enum Until {
    Life(watch::Receiver<Life>, Bound),
    /// For somebody who only asks.
    Stopped(watch::Receiver<bool>),
}

/// What a connection was made with.
struct Bound {
    incarnation: Incarnation,
    lane: Lane,
    side: Side,
    serial: u64,
    silences: u64,
}

impl Bound {
    fn over(&self, life: &Life) -> Option<&'static str> {
        let replaced = |slot: usize| self.side == Side::Accepted && life.newest[slot] > self.serial;
        if life.left {
            Some("it left, or this node stops")
        } else if life.incarnation > self.incarnation {
            Some("it was started again")
        } else if slot(self.lane).is_some_and(replaced) {
            Some("it dialled anew")
        } else if self.lane != Lane::Raft && life.silences[self.side as usize] > self.silences {
            Some("it fell silent")
        } else {
            None
        }
    }
}

impl Until {
    async fn ended(&mut self) -> &'static str {
        match self {
            Until::Stopped(stopped) => {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                "this node stops"
            }
            Until::Life(life, bound) => {
                let mut why = None;
                let look = |life: &Life| {
                    why = bound.over(life);
                    why.is_some()
                };
                let _ = life.wait_for(look).await;
                why.unwrap_or("it is forgotten")
            }
        }
    }
}

impl Hold {
    /// Of a stranger with a question: until this node stops.
    pub fn asking(stopped: watch::Receiver<bool>, secrets: Secrets) -> Hold {
        Hold { until: Until::Stopped(stopped), secrets, stale: None, grace: Duration::from_secs(10) }
    }

    /// Waits until the connection has to end; says why. May be dropped at any time.
    pub async fn ended(&mut self) -> &'static str {
        let Hold { until, secrets, stale, grace } = self;
        let outlived = async {
            if stale.is_none() {
                if secrets.changed().await.is_err() {
                    // Nobody can replace them any more.
                    std::future::pending::<()>().await;
                }
                *stale = Some(Instant::now());
            }
            if let Some(since) = *stale {
                sleep_until((since + *grace).into()).await;
            }
        };
        tokio::select! {
            biased;
            why = until.ended() => why,
            () = outlived => "the cluster's secrets were replaced",
        }
    }

    /// Its secret was replaced: it should end as soon as nothing is under way.
    pub fn is_stale(&self) -> bool {
        self.stale.is_some() || self.secrets.has_changed().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use wire::ids::NodeId;

    impl Lives {
        fn take(&self, theirs: &Hello, lane: Lane, side: Side) -> Result<Hold, Refusal> {
            self.admit(theirs, lane, side, watch::channel(0).1)
        }
    }

    fn hello(incarnation: u64, process: u64) -> Hello {
        Hello { cluster: None, node: NodeId(2), incarnation: Incarnation(incarnation), process, lane: Lane::Raft }
    }

    #[test]
    fn a_newer_life_ends_the_older_and_an_older_one_is_refused() {
        let lives = Lives::default();
        let mut old = lives.take(&hello(4, 1), Lane::Calls, Side::Dialled).unwrap();
        assert_eq!(old.ended().now_or_never(), None);
        let mut new = lives.take(&hello(5, 2), Lane::Calls, Side::Dialled).unwrap();
        assert_eq!(old.ended().now_or_never(), Some("it was started again"));
        assert_eq!(new.ended().now_or_never(), None);
        let refused = lives.take(&hello(4, 1), Lane::Raft, Side::Accepted).err();
        let (theirs, seen) = (Incarnation(4), Incarnation(5));
        assert_eq!(refused, Some(Refusal::OlderLife { node: NodeId(2), theirs, seen }));
    }

    #[test]
    fn two_processes_of_one_life_are_told_apart() {
        let lives = Lives::default();
        lives.take(&hello(4, 1), Lane::Raft, Side::Accepted).unwrap();
        assert_eq!(lives.check(&hello(4, 1)), Ok(()));
        let twin = Refusal::Twin { node: NodeId(2), life: Incarnation(4) };
        assert_eq!(lives.check(&hello(4, 2)), Err(twin));
    }

    #[test]
    fn what_a_peer_dials_anew_replaces_what_it_dialled_before_lane_by_lane() {
        let lives = Lives::default();
        let mut raft = lives.take(&hello(1, 1), Lane::Raft, Side::Accepted).unwrap();
        let mut dialled = lives.take(&hello(1, 1), Lane::Raft, Side::Dialled).unwrap();
        let mut calls = lives.take(&hello(1, 1), Lane::Calls, Side::Accepted).unwrap();
        lives.take(&hello(1, 1), Lane::Raft, Side::Accepted).unwrap();
        assert_eq!(raft.ended().now_or_never(), Some("it dialled anew"));
        assert_eq!((dialled.ended().now_or_never(), calls.ended().now_or_never()), (None, None));
        let mut first = lives.take(&hello(1, 1), Lane::Snapshot, Side::Accepted).unwrap();
        lives.take(&hello(1, 1), Lane::Snapshot, Side::Accepted).unwrap();
        assert_eq!(first.ended().now_or_never(), None, "snapshots have a connection each");
    }

    #[test]
    fn a_silence_ends_what_the_same_side_opened() {
        let lives = Lives::default();
        let hold = |lane, side| lives.take(&hello(1, 1), lane, side).unwrap();
        let mut raft = hold(Lane::Raft, Side::Dialled);
        let mut calls = hold(Lane::Calls, Side::Dialled);
        let mut accepted = hold(Lane::Calls, Side::Accepted);
        lives.silent(Side::Dialled);
        assert_eq!(calls.ended().now_or_never(), Some("it fell silent"));
        assert_eq!((raft.ended().now_or_never(), accepted.ended().now_or_never()), (None, None));
        let mut later = hold(Lane::Calls, Side::Dialled);
        lives.silent(Side::Accepted);
        assert_eq!(later.ended().now_or_never(), None);
        lives.leave();
        assert!([raft, later].iter_mut().all(|hold| hold.ended().now_or_never().is_some()));
    }

    #[test]
    fn a_replaced_secret_ends_lane_1_at_once_and_the_others_once_they_had_time() {
        let (lives, secrets) = (Lives::default(), watch::Sender::new(0));
        let hold = |lane| lives.admit(&hello(1, 1), lane, Side::Dialled, secrets.subscribe()).unwrap();
        let (mut raft, mut calls) = (hold(Lane::Raft), hold(Lane::Calls));
        assert!(raft.ended().now_or_never().is_none() && !calls.is_stale());
        secrets.send_modify(|changes| *changes += 1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let why = runtime.block_on(async {
            assert!(calls.is_stale() && calls.ended().now_or_never().is_none() && calls.is_stale());
            raft.ended().await
        });
        assert_eq!(why, "the cluster's secrets were replaced");
        assert!(!hold(Lane::Calls).is_stale(), "made under the new one");
    }
}
