//! main: the binary; everything it does is in `cli`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// A scan makes and drops very many small things, from every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    trailcheck::cli::main()
}
