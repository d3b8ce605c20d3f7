//! The router over a real node of one: threads, log on a memory disk, memory engine, ractor.

mod batching;
mod cluster;
mod failing;
mod forwarding;
mod gathering;
mod kinds;
mod minority;
mod outcome;
mod rig;
