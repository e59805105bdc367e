//! cli/history: scans are kept where a configuration asks for it, and shown with how they change.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::ScanArguments;
use super::run::{Run, here};
use super::{Failure, Outcome, print, say, today};
use crate::config::{Settings, absolute, relative};
use crate::day::Day;
use crate::digest;
use crate::escape;
use crate::finding::Scan;
use crate::history::{Counts, Entry, History, HistoryError, Kept, Key, Recorded, RunFacts};
use crate::metric::{self, Measured, Range};
use crate::report::Tally;
use crate::report::audit::{self, Earlier, EarlierFinding};
use crate::report::trend::{self, Grain, trends};
use crate::source::slashed;
use crate::vcs::Repository;
use crate::walk;

#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// The history; the one that the configuration of the current directory names, if not given
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Take the configuration from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Show a line for each week, Monday to Sunday, with its last scan
    #[arg(long)]
    weekly: bool,

    /// How many lines are shown of each scope
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,

    /// How the history is written to stdout
    #[arg(long, value_enum, default_value_t = HistoryFormat::Human)]
    format: HistoryFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HistoryFormat {
    /// A table
    Human,
    /// A table in Markdown
    Markdown,
    /// One JSON object, schema version 1
    Json,
    /// One line a figure, for a spreadsheet
    Csv,
}

impl From<HistoryError> for Failure {
    fn from(fault: HistoryError) -> Failure {
        let help = match &fault {
            HistoryError::Foreign(_) => "name another file in `[history]`",
            HistoryError::Newer(..) => "use that trailcheck, or name another file in `[history]`",
            HistoryError::Database(..) => "is the file, and the folder it lies in, writable?",
        };
        Failure::Other(fault.to_string(), Some(help.to_owned()))
    }
}

/// Shows the scans that are kept.
pub(super) fn history(arguments: HistoryArguments) -> Result<Outcome, Failure> {
    let file = match arguments.file {
        Some(file) => file,
        None => super::run::settings(arguments.config.as_deref())?.history.ok_or_else(|| {
            let help =
                "name one in `[history]`, such as `file = \"trailcheck-history.db\"`, or give `--file`";
            Failure::Other("the configuration names no history".to_owned(), Some(help.to_owned()))
        })?,
    };
    if !walk::is_file(&file) {
        let message = format!("there is no history `{}`", shown(&file)?);
        let help = "a `check` whose configuration names it makes it".to_owned();
        return Err(Failure::Other(message, Some(help)));
    }
    let entries = History::open(&file, &shown(&file)?)?.entries()?;
    let grain = if arguments.weekly { Grain::Week } else { Grain::Scan };
    let shown = trends(&entries, grain, arguments.last);
    print(&match arguments.format {
        HistoryFormat::Human => trend::human::render(&shown),
        HistoryFormat::Markdown => trend::markdown::render(&shown),
        HistoryFormat::Json => trend::json::render(&shown),
        HistoryFormat::Csv => trend::csv::render(&shown),
    })?;
    Ok(Outcome::Clean)
}

/// The figures of a scan, with the bounds that are in force.
pub(super) fn measured(run: &Run, scan: &Scan) -> Vec<Measured> {
    metric::measure(scan, &run.configuration.root().metrics)
}

/// Says on stderr which figures are out of range, and whether any is.
pub(super) fn tell_outside(measured: &[Measured]) -> bool {
    let outside: Vec<&Measured> = measured.iter().filter(|one| one.range() == Range::Outside).collect();
    for one in &outside {
        say(&escape::terminal(&format!("out of range: {}", trend::in_words(&Kept::from(*one)))));
    }
    !outside.is_empty()
}

/// Opens the history that the configuration names, if a scan of these paths is to be kept there. Whoever has to hear that
/// it cannot be used hears it before the scan.
pub(super) fn open(run: &Run, arguments: &ScanArguments) -> Result<Option<History>, Failure> {
    let file = run.configuration.root().history.as_deref();
    let is_kept = !arguments.wants_stdin() && !run.walked.sources.is_empty();
    let Some(file) = file.filter(|_| is_kept) else { return Ok(None) };
    walk::make_folder_of(file).map_err(|fault| {
        Failure::Other(format!("cannot make the folder of the history `{}`: {fault}", slashed(file)), None)
    })?;
    Ok(Some(History::open(file, &shown(file)?)?))
}

/// Keeps a scan.
pub(super) fn keep(
    history: &mut History,
    key: &Key,
    run: &Run,
    scan: &Scan,
    measured: &[Measured],
) -> Result<(), Failure> {
    let tally = Tally::of(scan);
    let counts = Counts {
        files: tally.scanned as u64,
        writes: tally.writes() as u64,
        stamped: tally.stamped as u64,
        errors: tally.errors as u64,
        reviews: tally.reviews as u64,
        suppressed: tally.suppressed as u64,
        baselined: tally.baselined as u64,
        gaps: tally.gaps as u64,
    };
    let facts = RunFacts {
        at: today::written(run.began),
        milliseconds: run.milliseconds().unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        outcome: audit::Run::of(scan, String::new(), String::new(), None).outcome().to_owned(),
    };
    let recorded = history.record(key, &facts, counts, measured, scan)?;
    if run.is_verbose {
        let how = match recorded {
            Recorded::Added => "kept",
            Recorded::Replaced => "kept in place of the same scan",
        };
        say(&escape::terminal(&format!("history: {how} in {}", history.shown())));
    }
    Ok(())
}

/// The scans of the same scope that are kept, as a report tells of them, and the findings of the last one; this scan made
/// before is none of them.
pub(super) fn earlier(history: &History, this: &Key) -> Result<(Vec<audit::Run>, Option<Earlier>), Failure> {
    let mut entries = history.entries()?;
    entries.retain(|entry| entry.key.scope == this.scope && entry.key != *this);
    let runs: Vec<audit::Run> = entries.iter().map(told).collect();
    let Some(last) = entries.last() else { return Ok((runs, None)) };
    let open = history.findings(last.id)?.into_iter().filter(|finding| finding.is_open);
    let findings = open.map(|finding| EarlierFinding {
        path: finding.path,
        line: finding.line,
        rule: finding.rule,
        message: finding.message,
        fingerprint: finding.fingerprint,
    });
    let earlier = Earlier { name: last.run.at.clone(), findings: findings.collect(), run: told(last) };
    Ok((runs, Some(earlier)))
}

fn told(entry: &Entry) -> audit::Run {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let counts = entry.counts;
    audit::Run {
        when: entry.run.at.clone(),
        what: entry.key.scope.clone(),
        milliseconds: Some(entry.run.milliseconds).filter(|&milliseconds| milliseconds > 0),
        errors: number(counts.errors),
        reviews: number(counts.reviews),
        coverage: counts.stamped.saturating_mul(1000).checked_div(counts.writes).map(number),
        gaps: Some(number(counts.gaps)),
    }
}

/// What a scan is known by.
pub(super) fn key(run: &Run, arguments: &ScanArguments, scan: &Scan) -> Result<Key, Failure> {
    let scope = scope(run.configuration.root(), arguments)?;
    Ok(Key::new(scope, revision(&arguments.folder()?, scan), Day::of_second(run.began)))
}

/// The revision of the code: the commit, and whether files have changed since; a digest of the files where nobody keeps
/// their revisions.
fn revision(folder: &Path, scan: &Scan) -> String {
    // Whatever git complains of is no reason to lose the scan.
    let head = Repository::around(folder).and_then(|repository| repository.head());
    match head {
        Ok(Some((commit, false))) => commit,
        Ok(Some((commit, true))) => format!("{commit} with changes"),
        Ok(None) | Err(_) => {
            let digest = digest::tree(scan, &scan.gaps);
            format!("files {}", digest.strip_prefix("sha256:").unwrap_or(&digest))
        }
    }
}

/// A path as one who stands in the current directory writes it.
fn shown(file: &Path) -> Result<String, Failure> {
    Ok(slashed(&relative(&here()?, file)))
}

/// What is scanned: the roots as seen from the folder of the configuration, and the rules where not all of them run.
fn scope(settings: &Settings, arguments: &ScanArguments) -> Result<String, Failure> {
    let here = here()?;
    let home = settings.file.as_deref().and_then(Path::parent).unwrap_or(&here);
    let root = |path: &PathBuf| match slashed(&relative(home, &absolute(&here, path))) {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    };
    let mut words: Vec<String> = arguments.paths.iter().map(root).collect();
    words.sort();
    words.dedup();
    for (name, rules) in [("select", &arguments.select), ("ignore", &arguments.ignore)] {
        if !rules.is_empty() {
            words.push(format!("{name}={}", rules.join(",")));
        }
    }
    Ok(words.join(" "))
}
