//! The router over a real node of one: threads, log on a memory disk, memory engine, ractor.

mod batching;
mod failing;
mod kinds;
mod outcome;
mod rig;
