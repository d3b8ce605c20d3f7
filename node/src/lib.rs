//! The `commons` binary and library: configuration, command line, doors, and how they are wired to the services.

pub mod assembly;
pub mod cli;
mod damage;
pub mod dev;
pub mod door;
pub mod http;
mod joining;
mod kept;
mod open_files;
mod peers;
pub mod repair;
pub mod rpc;
pub mod start;
mod status;
mod twins;
mod words;
