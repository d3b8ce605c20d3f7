//! Real nodes under test: the built `commons` binary, its folders, its doors, and what breaks them.
//!
//! Nothing in here knows how a node works inside: it starts a process, speaks over sockets and reads files. A test builds a
//! [`Setup`], starts a [`Node`], and asks it over [`http`], [`cli`] or the Rust client. Each node has ports and a folder of its
//! own, so tests run side by side; whatever a test starts is gone with it, even when the test is killed.
//!
//! Absent on purpose: sleeps. What has no event (a process that gets ready, a file that appears) is polled by [`wait::until`],
//! with a deadline that says what was waited for.

pub mod binary;
pub mod cli;
pub mod cluster;
pub mod conformance;
pub mod faults;
pub mod history;
pub mod http;
pub mod load;
pub mod npm;
pub mod place;
pub mod port;
pub mod wait;

mod node;
mod setup;

pub use node::{Exit, Node, is_alive, signal};
pub use setup::{Setup, Verb};

/// The key's file in a node's folder.
pub const TOKEN: &str = "token";
