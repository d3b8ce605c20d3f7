//! Operations, and what became of them.

use rand::Rng;
use rand::rngs::StdRng;

/// What is asked for. Wallet and counter are numbers within the era.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Credit { wallet: usize, amount: i64 },
    Debit { wallet: usize, amount: i64 },
    Increment { counter: usize, by: i64 },
}

/// By which door and under which id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The Rust client as programs use it: it retries by itself, in its session.
    Session,
    /// The Rust client under an id of ours, which we ask again under.
    RustId,
    /// `Idempotency-Key`.
    HttpKey,
    /// The same; a lost answer is asked for by its id, with a fence, and never asked again (P6).
    HttpOutcome,
    /// HTTP without an id: asked once.
    HttpBare,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Op {
    pub what: What,
    pub way: Way,
    /// Nobody else's: the transaction's reference, and the id where there is one.
    pub label: String,
}

/// What the caller knows in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Done; the balance or value it was answered.
    Done(i64),
    /// The service refused: the reason's word.
    Refused(String),
    /// It did not run and will not.
    NotRun,
    /// Nobody told. Whole or absent.
    Unknown,
}

pub const WALLETS: usize = 4;
pub const COUNTERS: usize = 2;

impl Op {
    pub fn random(random: &mut StdRng, label: String) -> Op {
        let wallet = random.random_range(0..WALLETS);
        let what = match random.random_range(0..10) {
            0..4 => What::Credit { wallet, amount: random.random_range(1..100) },
            // More than is paid in, so that many are refused.
            4..8 => What::Debit { wallet, amount: random.random_range(1..150) },
            // So large that no two sets of increments have the same sum, but by a chance nobody will see.
            _ => What::Increment { counter: random.random_range(0..COUNTERS), by: random.random_range(1..1 << 40) },
        };
        let way = match random.random_range(0..8) {
            0..3 => Way::Session,
            3 => Way::RustId,
            4 => Way::HttpKey,
            5 => Way::HttpOutcome,
            _ => Way::HttpBare,
        };
        Op { what, way, label }
    }

    /// May the caller ask again until it is answered?
    pub fn has_id(&self) -> bool {
        matches!(self.way, Way::RustId | Way::HttpKey)
    }

    /// The change of the balance, if it is one.
    pub fn signed(&self) -> i64 {
        match self.what {
            What::Credit { amount, .. } => amount,
            What::Debit { amount, .. } => -amount,
            What::Increment { by, .. } => by,
        }
    }

    pub fn is_of_wallet(&self, number: usize) -> bool {
        matches!(self.what, What::Credit { wallet, .. } | What::Debit { wallet, .. } if wallet == number)
    }

    pub fn is_of_counter(&self, number: usize) -> bool {
        matches!(self.what, What::Increment { counter, .. } if counter == number)
    }
}
