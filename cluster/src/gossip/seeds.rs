//! Whom to talk to beside those that chitchat talks to: seeds, whose names are resolved again and again, and the dead.
//!
//! chitchat resolves a name only if it was given at the start, and forgets the dead for good. Here the list itself is asked again,
//! so a registry can stand behind it, and a name that moved is found at its new address. What a name had before is kept
//! until it resolves to something else: a name server that is down must not cut anybody off.

use super::counters::Tally;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// host:port of nodes that may be there. Asked every few seconds on the gossip thread: it must not block.
pub type Seeds = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// How long one name may take.
const LOOKUP: Duration = Duration::from_secs(4);

/// Contacts a round as long as nobody is alive.
const LONELY: usize = 3;

/// The addresses of each seed, as they were last found.
#[derive(Debug, Default)]
pub struct Book(BTreeMap<String, BTreeSet<SocketAddr>>);

impl Book {
    /// Only these are seeds from now on.
    pub fn keep(&mut self, seeds: &[String]) {
        self.0.retain(|name, _| seeds.contains(name));
    }

    /// What was found for a name. To find nothing is an error.
    pub fn found(&mut self, name: &str, addresses: BTreeSet<SocketAddr>) -> Result<(), String> {
        if addresses.is_empty() {
            return Err("it has no address".into());
        }
        self.0.insert(name.to_string(), addresses);
        Ok(())
    }

    pub fn addresses(&self) -> BTreeSet<SocketAddr> {
        self.0.values().flatten().copied().collect()
    }
}

/// Asks and resolves for ever.
pub async fn keep_resolving(
    seeds: Seeds,
    every: Duration,
    tally: Arc<Tally>,
    found: watch::Sender<BTreeSet<SocketAddr>>,
) {
    let mut book = Book::default();
    let mut again = interval(every);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        let names = seeds();
        book.keep(&names);
        for name in names {
            let Err(why) = lookup(&name).await.and_then(|addresses| book.found(&name, addresses)) else { continue };
            tally.count().unresolved += 1;
            if tally.first(format!("seed {name}"), IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
                tracing::warn!(seed = name, "cannot resolve a seed: {why} (tried again, and counted from now on)");
            }
        }
        let addresses = book.addresses();
        found.send_if_modified(|before| {
            let changed = *before != addresses;
            if changed {
                *before = addresses;
            }
            changed
        });
    }
}

async fn lookup(name: &str) -> Result<BTreeSet<SocketAddr>, String> {
    match timeout(LOOKUP, tokio::net::lookup_host(name)).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {} s", LOOKUP.as_secs())),
    }
}

/// Takes its contacts in turn.
#[derive(Debug, Default)]
pub struct Turns {
    next: usize,
    round: u64,
}

impl Turns {
    /// Whom to greet in this round: a few while nobody is alive, else one a second that seems absent.
    pub fn round(
        &mut self,
        contacts: &BTreeSet<SocketAddr>,
        alive: &[SocketAddr],
        rounds_a_second: u64,
    ) -> Vec<SocketAddr> {
        self.round += 1;
        let absent: Vec<SocketAddr> = contacts.iter().filter(|address| !alive.contains(address)).copied().collect();
        let count = match alive.is_empty() {
            true => LONELY.min(absent.len()),
            false if self.round.is_multiple_of(rounds_a_second.max(1)) => 1.min(absent.len()),
            false => 0,
        };
        let chosen = (0..count).map(|n| absent[(self.next + n) % absent.len()]).collect();
        self.next = self.next.wrapping_add(count);
        chosen
    }
}

/// The first address of a name, of the family that the socket speaks. Blocks; for the start only.
pub fn resolve(name: &str, bound: SocketAddr) -> io::Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = std::net::ToSocketAddrs::to_socket_addrs(name)?.collect();
    let of_family = addresses.iter().find(|address| address.is_ipv4() == bound.is_ipv4());
    of_family.or(addresses.first()).copied().ok_or_else(|| io::Error::other("it has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_name_that_moved_is_found_and_a_silent_name_server_forgets_nobody() {
        let mut book = Book::default();
        book.found("seed:1", [address(1)].into()).unwrap();
        book.found("seed:1", [address(2)].into()).unwrap();
        assert_eq!(book.addresses(), [address(2)].into());
        assert!(book.found("seed:1", BTreeSet::new()).is_err());
        assert_eq!(book.addresses(), [address(2)].into());
        book.keep(&["other:1".into()]);
        assert_eq!(book.addresses(), BTreeSet::new());
    }

    #[test]
    fn a_lonely_node_greets_everybody_in_turn() {
        let contacts: BTreeSet<_> = (1..=5).map(address).collect();
        let mut turns = Turns::default();
        let greeted: BTreeSet<_> = (0..2).flat_map(|_| turns.round(&contacts, &[], 5)).collect();
        assert_eq!(greeted, contacts);
    }

    #[test]
    fn among_others_only_who_is_absent_is_greeted_once_a_second() {
        let contacts: BTreeSet<_> = (1..=3).map(address).collect();
        let mut turns = Turns::default();
        let greeted: Vec<_> = (0..20).flat_map(|_| turns.round(&contacts, &[address(1)], 5)).collect();
        assert_eq!(greeted.len(), 4);
        assert!(!greeted.contains(&address(1)) && greeted.contains(&address(2)) && greeted.contains(&address(3)));
    }

    #[test]
    fn nobody_to_greet() {
        assert!(Turns::default().round(&BTreeSet::new(), &[], 5).is_empty());
    }
}
