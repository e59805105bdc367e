//! cli: arguments, colours, progress and the exit code; the only room that prints.

mod arguments;
mod baseline;
mod cache;
mod changed;
mod check;
mod history;
mod init;
mod inventory;
mod mend;
mod progress;
mod report;
mod rules;
mod run;
mod suppressions;
mod terminal;
mod today;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic::{self, UnwindSafe};
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use terminal::Stream;

use crate::config::ConfigError;
use crate::config::UnknownRule;
use crate::escape;
use crate::walk::RootError;

/// Runs the program with the arguments of its process.
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(|fault| {
        say(&format!("internal error: {fault}"));
        say(
            "This is a fault of trailcheck, not of your code. Please report it with the command that showed it.",
        );
    }));
    ExitCode::from(guarded(|| run(std::env::args_os())) as u8)
}

/// How a run ended; the numbers are the exit codes, the same for every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing to complain of.
    Clean = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// The run could not be done.
    Failed = 2,
    /// There was nothing to scan.
    Nothing = 3,
    /// With `--strict`: something could not be understood.
    Gaps = 4,
}

/// Why a run could not be done.
#[derive(Debug)]
enum Failure {
    /// The user's configuration is wrong.
    Config(Box<ConfigError>),
    /// Anything else that is the user's to mend: what is wrong, and what would be right.
    Other(String, Option<String>),
}

impl From<Box<ConfigError>> for Failure {
    fn from(fault: Box<ConfigError>) -> Failure {
        Failure::Config(fault)
    }
}

impl From<RootError> for Failure {
    fn from(fault: RootError) -> Failure {
        Failure::Other(fault.to_string(), None)
    }
}

impl From<UnknownRule> for Failure {
    fn from(fault: UnknownRule) -> Failure {
        Failure::Other(fault.message(), Some(fault.help()))
    }
}

/// A panic is our fault, and must neither look like a finding nor like a clean run.
fn guarded(run: impl FnOnce() -> Outcome + UnwindSafe) -> Outcome {
    panic::catch_unwind(run).unwrap_or(Outcome::Failed)
}

fn run(arguments: impl Iterator<Item = OsString>) -> Outcome {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(answer) => {
            // Help and version come this way, too. Nobody is left to tell when the pipe is closed.
            let _ = answer.print();
            return if answer.use_stderr() { Outcome::Failed } else { Outcome::Clean };
        }
    };
    let (done, wish) = match arguments.command {
        Command::Check(arguments) => {
            let wish = arguments.scan.color;
            (check::check(*arguments), wish)
        }
        Command::Baseline(arguments) => {
            let wish = arguments.color();
            (baseline::baseline(arguments), wish)
        }
        Command::History(arguments) => (history::history(arguments), terminal::ColorWish::Auto),
        Command::Inventory(arguments) => {
            let wish = arguments.scan.color;
            (inventory::inventory(&arguments), wish)
        }
        Command::Suppressions(arguments) => {
            let wish = arguments.scan.color;
            (suppressions::suppressions(&arguments), wish)
        }
        Command::Init(arguments) => {
            let wish = arguments.scan.color;
            (init::init(&arguments), wish)
        }
        Command::Report(arguments) => {
            let wish = arguments.scan.color;
            (report::report(*arguments), wish)
        }
        Command::Verify(arguments) => (verify::verify(&arguments), terminal::ColorWish::Auto),
        Command::Clean(arguments) => (cache::clean(&arguments), terminal::ColorWish::Auto),
        Command::Rules => (rules::list(), terminal::ColorWish::Auto),
        Command::Explain(arguments) => (rules::explain(&arguments.id), terminal::ColorWish::Auto),
    };
    done.unwrap_or_else(|failure| {
        tell(&failure, wish);
        Outcome::Failed
    })
}

fn tell(failure: &Failure, wish: terminal::ColorWish) {
    match failure {
        Failure::Config(fault) => {
            let look = terminal::look(Stream::Stderr, wish);
            say(&format!("error: the configuration is wrong\n{}", look.draw(fault.as_ref()).trim_end()));
        }
        Failure::Other(message, help) => {
            say(&format!("error: {}", escape::terminal(message)));
            if let Some(help) = help {
                say(&format!("  help: {}", escape::terminal(help)));
            }
        }
    }
}

/// Writes a line on stderr.
fn say(line: &str) {
    // When stderr is gone there is nowhere left to say so.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a text on stdout. A reader that has seen enough and closed the pipe is no fault.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(fault) if fault.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("cannot write to stdout: {fault}"), None))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failed_run() {
        assert_eq!(guarded(|| panic!("on purpose")), Outcome::Failed);
    }

    #[test]
    fn bad_usage_is_a_failed_run_and_help_is_not() {
        let run = |words: &[&str]| super::run(words.iter().map(OsString::from));
        assert_eq!(run(&["trailcheck", "check", "--no-such-option"]), Outcome::Failed);
        assert_eq!(run(&["trailcheck", "--version"]), Outcome::Clean);
        assert_eq!(run(&["trailcheck"]), Outcome::Failed);
    }
}
