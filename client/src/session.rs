//! Request ids of a client: a random name, then 1, 2, 3 …, made before the first try (P5).

use rand::TryRngCore;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wire::rpc::RequestId;

/// Nodes forget a session after 10 idle minutes. Half of that leaves room for clocks that run apart.
const IDLE: Duration = Duration::from_secs(300);

/// Numbers the calls of one client.
pub struct Session {
    state: Mutex<State>,
}

struct State {
    client: u128,
    next: u64,
    outstanding: BTreeSet<u64>,
    used: Instant,
}

/// A call's place in its session, until it has its answer.
pub struct Ticket {
    session: Arc<Session>,
    client: u128,
    n: u64,
}

impl Session {
    pub fn new() -> Arc<Session> {
        Arc::new(Session { state: Mutex::new(State::begin(Instant::now())) })
    }

    pub fn ticket(self: &Arc<Session>) -> Ticket {
        self.ticket_at(Instant::now())
    }

    fn ticket_at(self: &Arc<Session>, now: Instant) -> Ticket {
        let mut state = self.lock();
        if state.outstanding.is_empty() && now.saturating_duration_since(state.used) > IDLE {
            *state = State::begin(now);
        }
        state.used = now;
        let n = state.next;
        state.next += 1;
        state.outstanding.insert(n);
        Ticket { session: self.clone(), client: state.client, n }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(now: Instant) -> State {
        let mut random = [0; 16];
        rand::rngs::OsRng.try_fill_bytes(&mut random).expect("the operating system has random bytes");
        State { client: u128::from_le_bytes(random), next: 1, outstanding: BTreeSet::new(), used: now }
    }
}

impl Ticket {
    /// The id to send now: the lowest outstanding number moves on between tries.
    pub fn id(&self) -> RequestId {
        let low = self.session.lock().outstanding.first().copied().unwrap_or(self.n);
        RequestId::Session { client: self.client, n: self.n, low: low.min(self.n) }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.session.lock();
        state.outstanding.remove(&self.n);
        state.used = Instant::now().max(state.used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ticket: &Ticket) -> (u128, u64, u64) {
        match ticket.id() {
            RequestId::Session { client, n, low } => (client, n, low),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_dense_and_low_is_the_first_without_an_answer() {
        let session = Session::new();
        let (one, two, three) = (session.ticket(), session.ticket(), session.ticket());
        let client = parts(&one).0;
        assert_eq!((parts(&one), parts(&two), parts(&three)), ((client, 1, 1), (client, 2, 1), (client, 3, 1)));
        drop(two);
        assert_eq!(parts(&three), (client, 3, 1));
        drop(one);
        assert_eq!(parts(&three), (client, 3, 3));
        drop(three);
        assert_eq!(parts(&session.ticket()), (client, 4, 4));
    }

    #[test]
    fn an_idle_session_is_left_for_a_new_one() {
        let session = Session::new();
        let before = parts(&session.ticket()).0;
        let later = Instant::now() + IDLE + Duration::from_secs(1);
        let held = session.ticket_at(later);
        assert_eq!((parts(&held).1, parts(&held).0 == before), (1, false));
        // A call that is under way keeps its session.
        let client = parts(&held).0;
        assert_eq!(parts(&session.ticket_at(later + IDLE * 2)).0, client);
    }
}
