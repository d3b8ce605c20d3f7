//! The connection of a client: made when needed, shared by all calls, made again when it broke.

use crate::Error;
use crate::budget;
use crate::link::{self, Link};
use crate::tls::Tls;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};
use wire::Outcome;
use wire::ids::ClusterId;
use wire::rpc::Hello;

/// How long the first connection may take.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

/// A node that was just started should not wait long for its clients; one caller tries for all of a client's calls.
const RECONNECT_WITHIN: Duration = Duration::from_millis(250);

/// Addresses and the one connection to them.
pub struct Pool {
    nodes: Vec<String>,
    tls: Option<Tls>,
    hello: Hello,
    /// Addresses that nodes told of, tried after those that were given.
    learned: RwLock<Vec<String>>,
    /// Known since the first connection; no other cluster is spoken to from then on.
    cluster: OnceLock<ClusterId>,
    current: RwLock<Option<Arc<Link>>>,
    /// One caller connects, the others wait for it.
    making: Mutex<Making>,
}

struct Making {
    /// Which address is tried first: the one that answered last.
    first: usize,
    failures: u32,
    not_before: Instant,
    /// Why the last try failed.
    why: Option<Error>,
}

impl Pool {
    pub fn new(nodes: Vec<String>, tls: Option<Tls>, token: String, agent: String) -> Pool {
        let making = Making { first: 0, failures: 0, not_before: Instant::now(), why: None };
        let hello = Hello { token, cluster: None, agent };
        Pool {
            nodes,
            tls,
            hello,
            learned: RwLock::default(),
            cluster: OnceLock::new(),
            current: RwLock::default(),
            making: Mutex::new(making),
        }
    }

    /// All addresses as one name, for errors.
    pub fn name(&self) -> String {
        self.nodes.join(", ")
    }

    /// One try at each address: who cannot connect at all hears it at once.
    pub async fn first(&self) -> Result<(), Error> {
        let mut making = self.making.lock().await;
        self.make(&mut making, Instant::now() + FIRST_WITHIN).await.map(drop)
    }

    /// The connection; a broken one is made again until `deadline`.
    pub async fn link(&self, deadline: Instant) -> Result<Arc<Link>, Error> {
        if let Some(link) = self.alive() {
            return Ok(link);
        }
        let Ok(mut making) = timeout_at(deadline, self.making.lock()).await else {
            return Err(self.unreachable("another call was still connecting"));
        };
        let connected = timeout_at(deadline, async {
            loop {
                // Whoever had the lock before may have made it.
                if let Some(link) = self.alive() {
                    return Ok(link);
                }
                sleep_until(making.not_before).await;
                match self.make(&mut making, deadline).await {
                    // A node that answers "no" is not asked again and again.
                    Err(error @ (Error::Answered(_) | Error::Untrusted { .. })) => return Err(error),
                    Err(_) => {}
                    Ok(link) => return Ok(link),
                }
            }
        });
        match connected.await {
            Ok(connected) => connected,
            Err(_) => Err(making.why.clone().unwrap_or_else(|| self.unreachable("no answer in time"))),
        }
    }

    /// The connection, if it works.
    pub fn alive(&self) -> Option<Arc<Link>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|link| link.is_alive()).cloned()
    }

    async fn make(&self, making: &mut Making, deadline: Instant) -> Result<Arc<Link>, Error> {
        let mut failed = None;
        let nodes = self.addresses();
        for turn in 0..nodes.len() {
            let at = (making.first + turn) % nodes.len();
            match self.connect(&nodes[at], deadline).await {
                Ok(link) => {
                    *making = Making { first: at, failures: 0, not_before: Instant::now(), why: None };
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(link.clone());
                    return Ok(link);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let wait = budget::wait(making.failures, Duration::ZERO).min(RECONNECT_WITHIN);
        making.not_before = Instant::now() + wait;
        making.failures = making.failures.saturating_add(1);
        let error = failed.unwrap_or_else(|| self.unreachable("no address was given"));
        making.why = Some(error.clone());
        Err(error)
    }

    /// Given and learned.
    fn addresses(&self) -> Vec<String> {
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        let learned = learned.iter().filter(|address| !self.nodes.contains(address));
        self.nodes.iter().chain(learned).cloned().collect()
    }

    /// How many addresses there are to try.
    pub fn count(&self) -> usize {
        self.addresses().len()
    }

    /// Where nodes say that they are.
    pub fn learn(&self, addresses: Vec<String>) {
        *self.learned.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// A connection of its own to one node.
    pub async fn connect_to(&self, address: &str) -> Result<Arc<Link>, Error> {
        self.connect(address, Instant::now() + FIRST_WITHIN).await
    }

    async fn connect(&self, address: &str, deadline: Instant) -> Result<Arc<Link>, Error> {
        let hello = Hello { cluster: self.cluster.get().copied(), ..self.hello.clone() };
        let (link, cluster) = link::connect(address, self.tls.as_ref(), &hello, deadline).await?;
        // Of two at once, both first, the second is checked by its node only from the next on.
        let _ = self.cluster.set(cluster);
        Ok(Arc::new(link))
    }

    /// Calls go over `link` from now on.
    pub fn adopt(&self, link: Arc<Link>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }

    /// The node at the other end of `link` wants no calls just now: the next connection is to another, if there is one.
    pub fn avoid(&self, link: &Arc<Link>) {
        // Whoever has the lock makes another already.
        let Ok(mut making) = self.making.try_lock() else { return };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            *current = None;
            making.first += 1;
        }
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::Unreachable { node: self.name(), why: why.into(), outcome: Outcome::NotRun }
    }
}
