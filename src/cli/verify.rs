//! cli/verify: the command that scans again and says whether a report still is true.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ScanArguments;
use super::baseline;
use super::report::seal;
use super::run::Run;
use super::terminal::ColorWish;
use super::{Failure, Outcome, print, say};
use crate::report::audit::{Seal, SealError};
use crate::scan::Leaves;
use crate::source::slashed;
use crate::walk;

const VERIFY_EXIT_CODES: &str = "\
Exit codes:
  0  everything still is what the report says
  1  something is not
  2  the file is no report that can be checked, or the scan could not be done";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXIT_CODES)]
pub(super) struct VerifyArguments {
    /// A Markdown or HTML report, made in the current directory
    pub(super) report: PathBuf,

    /// How many threads work; one for each processor if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
}

/// Checks a report.
pub(super) fn verify(arguments: &VerifyArguments) -> Result<Outcome, Failure> {
    let name = slashed(&arguments.report);
    let wrong = |reason: &str, help: Option<&str>| {
        Failure::Other(format!("cannot verify `{name}`: {reason}"), help.map(str::to_owned))
    };
    let text = walk::read_text(&arguments.report)
        .map_err(|fault| wrong(&fault.to_string(), None))?
        .ok_or_else(|| wrong("no such file", None))?;
    // Tools that carry reports about like to change line ends, which changes nothing that is said.
    let text = text.replace("\r\n", "\n");
    let said = Seal::read(&text).map_err(|fault| match fault {
        SealError::Absent => wrong(
            "it is no report that holds digests",
            Some("`trailcheck report` writes one; so do `check --format markdown` and `html`"),
        ),
        SealError::Broken(reason) => wrong(&format!("its digests cannot be read: {reason}"), None),
    })?;
    let scan = again(&said, arguments);
    let mut run = Run::prepare(&scan, None, Leaves::All)?.on_day(said.day.clone());
    if let Some(file) = &said.baseline {
        run.hold_against(baseline::read(Path::new(file))?, &scan.paths);
    }
    let found = run.scan();
    let now = seal(&run, &found, &scan, said.paths.clone());
    if said.trailcheck != now.trailcheck {
        say(&format!("made by trailcheck {}, checked by {}", said.trailcheck, now.trailcheck));
    }
    let text_now = Seal::text_now(&text).unwrap_or_default();
    let parts = [
        ("tree", said.tree == now.tree, "the scanned files are others"),
        ("configuration", said.configuration == now.configuration, "the settings in force are others"),
        ("rules", said.rules == now.rules, "the rules are others"),
        ("findings", said.findings == now.findings, "something else is found"),
        ("text", said.text == text_now, "somebody has edited the report"),
    ];
    let line = |(what, holds, otherwise): &(&str, bool, &str)| match holds {
        true => format!("{what:<14} as the report says\n"),
        false => format!("{what:<14} changed: {otherwise}\n"),
    };
    print(&parts.iter().map(line).collect::<String>())?;
    let holds = parts.iter().all(|(_, holds, _)| *holds);
    Ok(if holds { Outcome::Clean } else { Outcome::Findings })
}

/// What the command line was that made the report.
fn again(said: &Seal, arguments: &VerifyArguments) -> ScanArguments {
    ScanArguments {
        paths: said.paths.iter().map(PathBuf::from).collect(),
        select: said.select.clone(),
        ignore: said.ignore.clone(),
        config: said.config.as_ref().map(PathBuf::from),
        isolated: said.isolated,
        threads: arguments.threads,
        // Who doubts a report wants it found anew.
        no_cache: true,
        cache_dir: None,
        color: ColorWish::Auto,
        quiet: false,
        verbose: false,
    }
}
