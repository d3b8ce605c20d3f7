//! Who was turned away just now: whoever comes again and again is in the log once a minute.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_secs(60);
/// Hosts kept in mind; of more than that every word is a new one.
const HOSTS_MAX: usize = 256;

#[derive(Default)]
pub struct Told(Mutex<BTreeMap<IpAddr, Instant>>);

impl Told {
    /// Is it time for a word about this host?
    pub fn is_due(&self, host: IpAddr, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&host).is_some_and(|at| now.saturating_duration_since(*at) < QUIET) {
            return false;
        }
        if told.len() >= HOSTS_MAX {
            told.retain(|_, at| now.saturating_duration_since(*at) < QUIET);
        }
        if told.len() < HOSTS_MAX {
            told.insert(host, now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_and_host_and_never_without_bound() {
        let (told, start) = (Told::default(), Instant::now());
        let host = |n: u32| IpAddr::from(n.to_be_bytes());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!([0, 1, 59, 60, 61].map(|at| told.is_due(host(1), after(at))), [true, false, false, true, false]);
        assert!((2..1_000).all(|n| told.is_due(host(n), after(61))));
        assert_eq!(told.0.lock().unwrap().len(), HOSTS_MAX);
        assert!(told.is_due(host(5_000), after(200)));
        assert_eq!(told.0.lock().unwrap().len(), 1);
    }
}
