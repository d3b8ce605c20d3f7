//! The `commons` binary and library: configuration, command line, doors, and how they are wired to the services.

pub mod assembly;
pub mod cli;
pub mod dev;
pub mod door;
pub mod http;
mod open_files;
pub mod repair;
pub mod rpc;
pub mod start;
mod words;
