//! The `commons` binary: everything is in the library, so that a user's own binary starts from the same place.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}
