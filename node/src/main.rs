//! The `commons` binary: everything is in the library, so that a user's own binary starts from the same place.

use std::process::ExitCode;

/// A command's bytes are allocated by a door's thread and freed by the applier's: measured in `benchmarks/README.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    node::cli::main()
}
