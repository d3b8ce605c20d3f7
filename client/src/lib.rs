//! The Rust client: typed calls, retries that never do a thing twice, streams.
//!
//! ```no_run
//! # async fn example() -> Result<(), client::Error> {
//! use services::wallet;
//! let client = client::Client::connect("127.0.0.1:7070").await?;
//! let request = wallet::CreditRequest { amount: 5, reference: "tip".into(), ..Default::default() };
//! let balance = client.call(request).await?.balance;
//! # Ok(()) }
//! ```
//!
//! A call gets its request id before its first try and keeps it: a retry after a lost connection finds the reply of the
//! first try instead of doing it again (P5). When that fails too, [`Error::outcome`] tells *did not run* from *unknown*.
//!
//! Absent on purpose: types of services (they come with the service), and any way to retry under a new id.

mod budget;
mod builder;
mod call;
mod direct;
mod error;
mod link;
mod pool;
mod session;
mod stream;
mod tls;
mod way;

pub use builder::Builder;
pub use call::{Client, Told};
pub use error::Error;
pub use stream::Items;
pub use wire::{Outcome, Reason, Request};
