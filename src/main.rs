//! The `feedmill` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    feedmill::cli::main()
}
