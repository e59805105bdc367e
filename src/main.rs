//! main: the binary; everything it does is in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    trailcheck::cli::main()
}
