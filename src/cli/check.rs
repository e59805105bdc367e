//! cli/check: the command that checks code: scans, mends, writes reports, and says how it ended.

use std::env;
use std::path::PathBuf;

use super::arguments::{CheckArguments, FailOn, Format};
use super::baseline;
use super::changed;
use super::history;
use super::mend::{self, Purpose};
use super::report::{ReportFormat, draw, inputs};
use super::run::{self, Run, listed};
use super::terminal::{self, Stream};
use super::{Failure, Outcome, print, say};
use crate::escape;
use crate::finding::Scan;
use crate::report::audit::Audit;
use crate::report::human::Look;
use crate::report::{self, Extent, Tally};
use crate::scan::Leaves;
use crate::source::slashed;
use crate::walk;

/// Checks what the arguments name.
pub(super) fn check(arguments: CheckArguments) -> Result<Outcome, Failure> {
    if arguments.show_files {
        let paths = listed(&arguments.scan, arguments.stdin_filename.as_deref())?;
        print(&paths.iter().map(|path| path.clone() + "\n").collect::<String>())?;
        return Ok(if paths.is_empty() { Outcome::Nothing } else { Outcome::Clean });
    }
    if arguments.fix && arguments.scan.wants_stdin() {
        let help = "show what would change with `--diff`".to_owned();
        return Err(Failure::Other("`--fix` cannot write to stdin".to_owned(), Some(help)));
    }
    let mut run = Run::prepare(&arguments.scan, arguments.stdin_filename.as_deref(), leaves(&arguments))?;
    if let Some(file) = &arguments.baseline {
        run.hold_against(baseline::read(file)?, &arguments.scan.paths);
    }
    if let Some(revision) = &arguments.changed {
        run.leave_brought(changed::before(&run, &arguments.scan, revision)?);
    }
    // A scan of what the files would be is no scan of what they are, and what a change brought says nothing of the whole.
    let is_part = arguments.diff || arguments.fix_plan.is_some() || arguments.changed.is_some();
    let mut history = if is_part { None } else { history::open(&run, &arguments.scan)? };
    let scan = match arguments.mending() {
        None => {
            let scan = run.scan();
            write(&arguments, &run, &scan)?;
            scan
        }
        Some((purpose, most)) => {
            let mended = run.mend(most);
            if purpose == Purpose::Write {
                let scan = mend::write(&arguments, mended)?;
                write(&arguments, &run, &scan)?;
                scan
            } else {
                mend::show(&arguments, &mended, purpose)?;
                mended.before
            }
        }
    };
    let measured = if is_part { Vec::new() } else { history::measured(&run, &scan) };
    let is_outside = history::tell_outside(&measured);
    let outcome = match outcome(&arguments, &scan) {
        _ if is_outside && arguments.fail_on_metric => Outcome::Findings,
        outcome => outcome,
    };
    if let Some(history) = &mut history {
        let key = history::key(&run, &arguments.scan, &scan)?;
        history::keep(history, &key, &run, &scan, &measured)?;
    }
    run.tell_time(&scan);
    let shortfall = arguments.min_coverage.and_then(|least| least.shortfall(&scan));
    if outcome == Outcome::Nothing {
        return Ok(Outcome::Nothing);
    }
    shortfall.iter().for_each(|text| say(text));
    Ok(if shortfall.is_some() { Outcome::Findings } else { outcome })
}

/// Writes every report that was asked for, and on stderr what must be said whatever the format.
fn write(arguments: &CheckArguments, run: &Run, scan: &Scan) -> Result<(), Failure> {
    let extent = if arguments.scan.quiet { Extent::FindingsOnly } else { Extent::Full };
    let audit = |format| draw(&Audit::of(inputs(run, scan, &arguments.scan)), format);
    let render = |format, look: &Look, extent| match format {
        Format::Human => report::human::render(scan, look, extent),
        Format::Concise => report::concise::render(scan, extent),
        Format::Json => report::json::render(scan),
        Format::Jsonl => report::jsonl::render(scan),
        Format::Sarif => report::sarif::render(scan, &run.rulebook),
        Format::Github => report::github::render(scan),
        Format::Gitlab => report::gitlab::render(scan),
        Format::Junit => report::junit::render(scan),
        Format::Markdown => audit(ReportFormat::Markdown),
        Format::Html => audit(ReportFormat::Html),
    };
    for output in &arguments.output {
        let text = render(output.format, &terminal::look_in_file(), extent);
        run::write(&output.file, &text)?;
    }
    let mut text = render(arguments.format, &terminal::look(Stream::Stdout, arguments.scan.color), extent);
    if arguments.statistics {
        let statistics = report::statistics(scan);
        match arguments.format {
            Format::Human | Format::Concise => text.push_str(&statistics),
            _ => say(statistics.trim_end()),
        }
    }
    print(&text)?;
    if arguments.format == Format::Github {
        summarize(scan);
    }
    arguments.scan.tell_what_is_lacking(scan);
    Ok(())
}

/// Adds a summary to the page of the step, where GitHub says which file that is.
fn summarize(scan: &Scan) {
    let Some(file) = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else { return };
    let file = PathBuf::from(file);
    let room = report::step::MOST_BYTES.saturating_sub(walk::length(&file));
    // The findings are written already; a page that cannot be written is no reason to fail.
    if let Err(fault) = walk::append(&file, &report::step::render(scan, room)) {
        say(&escape::terminal(&format!("cannot write the step summary `{}`: {fault}", slashed(&file))));
    }
}

/// The texts that are wanted when the scan is done. What is mended, compared with another revision or told with the digest
/// of the whole tree needs all of them; most formats only say where something is.
fn leaves(arguments: &CheckArguments) -> Leaves {
    let formats =
        || [arguments.format].into_iter().chain(arguments.output.iter().map(|output| output.format));
    let is_report = formats().any(|format| matches!(format, Format::Markdown | Format::Html));
    if is_report || arguments.mending().is_some() || arguments.changed.is_some() {
        Leaves::All
    } else if formats().any(|format| format == Format::Human) {
        Leaves::Shown
    } else {
        Leaves::None
    }
}

/// Findings say more than gaps, and gaps more than that there was nothing.
fn outcome(arguments: &CheckArguments, scan: &Scan) -> Outcome {
    let tally = Tally::of(scan);
    let counted = match arguments.fail_on {
        FailOn::Error => tally.errors,
        FailOn::Review => tally.errors + tally.reviews,
        FailOn::Never => 0,
    };
    if counted > 0 {
        Outcome::Findings
    } else if arguments.strict && tally.gaps > 0 {
        Outcome::Gaps
    } else if tally.scanned == 0 {
        Outcome::Nothing
    } else {
        Outcome::Clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use crate::report::tests as example;
    use clap::Parser as _;

    fn outcome_of(options: &[&str], scan: &Scan) -> Outcome {
        let words = ["trailcheck", "check"].iter().chain(options);
        let Command::Check(arguments) = Arguments::parse_from(words).command else { panic!("it is a check") };
        outcome(&arguments, scan)
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let mut scan = example::scan();
        assert_eq!(outcome_of(&[], &scan), Outcome::Findings);
        assert_eq!(outcome_of(&["--fail-on", "never"], &scan), Outcome::Clean);
        assert_eq!(outcome_of(&["--fail-on", "never", "--strict"], &scan), Outcome::Gaps);
        assert_eq!(outcome_of(&["--strict"], &scan), Outcome::Findings);
        scan.files[0].findings.remove(0);
        assert_eq!(outcome_of(&[], &scan), Outcome::Clean, "a suppressed error is left");
        assert_eq!(outcome_of(&["--fail-on", "review"], &scan), Outcome::Findings);
        scan.files.clear();
        assert_eq!(outcome_of(&[], &scan), Outcome::Nothing);
        assert_eq!(outcome_of(&["--strict"], &scan), Outcome::Gaps);
    }
}
