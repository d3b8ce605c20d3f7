//! What must hold, one property a file. Each is told of every step and answers with the violation.

mod agreement;
mod leaders;
mod outcomes;
mod reads;

pub use agreement::Agreement;
pub use leaders::OneLeaderATerm;
pub use outcomes::Outcomes;
pub use reads::ReadsNeverGoBack;

/// What went wrong, in words.
pub type Violation = String;

/// All checkers of a world.
#[derive(Default)]
pub struct Checkers {
    pub agreement: Agreement,
    pub leaders: OneLeaderATerm,
    pub outcomes: Outcomes,
    pub reads: ReadsNeverGoBack,
}
