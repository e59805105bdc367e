//! cli/report: the command that writes the audit report, and what every audit report is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::ScanArguments;
use super::baseline;
use super::history;
use super::run::{self, Run};
use super::{Failure, Outcome, print, say};
use crate::config::{Covered, absolute};
use crate::coverage::{self, Coverage};
use crate::digest;
use crate::escape;
use crate::finding::{FileReport, Scan};
use crate::owners::{self, Owners};
use crate::report;
use crate::report::audit::{self, Audit, Earlier, Inputs, Ownership, Seal};
use crate::scan::Leaves;
use crate::source::slashed;
use crate::vcs::Repository;
use crate::walk;

const REPORT_EXIT_CODES: &str = "\
Exit codes:
  0  the report was written, whatever it says
  2  it could not be made
  3  there was nothing to scan";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(super) struct ReportArguments {
    /// How the report is drawn
    #[arg(long, value_enum, default_value_t = ReportFormat::Markdown)]
    pub(super) format: ReportFormat,

    /// Write it to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// What the tests have executed: the JSON of coverage.py, or lcov
    #[arg(long, value_name = "FILE")]
    pub(super) coverage: Option<PathBuf>,

    /// What says whose a finding is
    #[arg(long, value_name = "BY", value_enum, default_value_t = OwnersBy::Codeowners)]
    pub(super) owners: OwnersBy,

    /// Accept the findings of this baseline; the report marks them
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,

    /// An earlier JSON report to compare with; given several times, the oldest first, the last one is compared with
    #[arg(long, value_name = "REPORT")]
    pub(super) since: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) scan: ScanArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// Markdown, in the standard's format for each file
    Markdown,
    /// One HTML file that needs nothing else
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OwnersBy {
    /// The CODEOWNERS file of the repository
    Codeowners,
    /// Whoever wrote the line last, by `git blame`, which takes a while
    Blame,
}

/// Makes the report.
pub(super) fn report(arguments: ReportArguments) -> Result<Outcome, Failure> {
    if arguments.scan.wants_stdin() {
        let help = "give the folders or files to report on".to_owned();
        return Err(Failure::Other("`report` reads nothing from stdin".to_owned(), Some(help)));
    }
    // What was handed in is read first: nobody should wait for a scan to hear that a name is mistyped.
    let coverage = arguments.coverage.as_deref().map(|file| read(file, coverage::read)).transpose()?;
    let earlier = |file: &PathBuf| read(file, |text| Earlier::read(&slashed(file), text));
    let earlier = arguments.since.iter().map(earlier).collect::<Result<Vec<_>, _>>()?;
    let mut run = Run::prepare(&arguments.scan, None, Leaves::All)?;
    if let Some(file) = &arguments.baseline {
        run.hold_against(baseline::read(file)?, &arguments.scan.paths);
    }
    let mut history = history::open(&run, &arguments.scan)?;
    let scan = run.scan();
    let ownership = match (arguments.owners, code_owners(&arguments.scan)?) {
        (OwnersBy::Blame, _) => {
            let authors = authors(&scan, &arguments.scan)?;
            let of = move |file: &FileReport, line| {
                let known = authors.get(&file.source.path).and_then(|lines| lines.get(&line));
                known.cloned().into_iter().collect()
            };
            Ownership::Known { by: "git blame".to_owned(), of: Box::new(of) }
        }
        (OwnersBy::Codeowners, Some((by, owners))) => {
            let of = move |file: &FileReport, _| owners.of(&file.source.path);
            Ownership::Known { by, of: Box::new(of) }
        }
        (OwnersBy::Codeowners, None) => {
            Ownership::Unknown(format!("No CODEOWNERS file was found ({}).", owners::PLACES.join(", ")))
        }
    };
    let mut inputs = inputs(&run, &scan, &arguments.scan);
    inputs.coverage = coverage.as_ref().zip(arguments.coverage.as_deref()).map(named);
    inputs.owners = ownership;
    let key = history.as_ref().map(|_| history::key(&run, &arguments.scan, &scan)).transpose()?;
    let (kept, last) = match (&history, &key) {
        (Some(history), Some(key)) => history::earlier(history, key)?,
        _ => (Vec::new(), None),
    };
    let measured = inputs.figures.clone();
    inputs.runs = kept;
    inputs.runs.extend(earlier.iter().map(|earlier| earlier.run.clone()));
    inputs.runs.push(audit::Run::of(&scan, run.today.clone(), inputs.roots.join(" "), run.milliseconds()));
    inputs.earlier = earlier.into_iter().next_back().or(last);
    let text = draw(&Audit::of(inputs), arguments.format);
    match &arguments.output {
        None => print(&text)?,
        Some(file) => run::write(file, &text)?,
    }
    arguments.scan.tell_what_is_lacking(&scan);
    let outcome = if report::Tally::of(&scan).scanned == 0 { Outcome::Nothing } else { Outcome::Clean };
    history::tell_outside(&measured);
    if let (Some(history), Some(key)) = (&mut history, &key) {
        history::keep(history, key, &run, &scan, &measured)?;
    }
    run.tell_time(&scan);
    Ok(outcome)
}

/// What a report is computed from when nobody hands in more than the scan.
pub(super) fn inputs<'a>(run: &'a Run, scan: &'a Scan, arguments: &ScanArguments) -> Inputs<'a> {
    let roots: Vec<String> = arguments.paths.iter().map(|path| slashed(path)).collect();
    Inputs {
        scan,
        rulebook: &run.rulebook,
        is_on: Box::new(|rule| run.is_on(rule)),
        urgency: Box::new(|path| run.configuration.for_path(path).urgency(path)),
        defaults_count: Box::new(|path| {
            run.configuration.for_path(path).covered_by_default == Covered::Allow
        }),
        is_service: Box::new(|path| run.configuration.for_path(path).is_service_code(path)),
        // What came from stdin cannot be scanned again, and what a change has brought is not all there is.
        seal: (!arguments.wants_stdin() && scan.since.is_none())
            .then(|| seal(run, scan, arguments, roots.clone())),
        roots,
        settings: run.configuration.said().into_keys().collect(),
        left_out: run.walked.left_out,
        coverage: None,
        owners: Ownership::NotAsked,
        figures: history::measured(run, scan),
        earlier: None,
        runs: Vec::new(),
    }
}

/// Draws a report.
pub(super) fn draw(audit: &Audit<'_>, format: ReportFormat) -> String {
    match format {
        ReportFormat::Markdown => report::markdown::render(audit),
        ReportFormat::Html => report::html::render(audit),
    }
}

/// What makes the report of a scan one that can be checked.
pub(super) fn seal(run: &Run, scan: &Scan, arguments: &ScanArguments, paths: Vec<String>) -> Seal {
    let said = run.configuration.said();
    Seal {
        trailcheck: env!("CARGO_PKG_VERSION").to_owned(),
        day: run.today.clone(),
        paths,
        config: arguments.config.as_deref().map(slashed),
        isolated: arguments.isolated,
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
        baseline: scan.baseline.as_ref().map(|held| held.path.clone()),
        tree: digest::tree(scan, &run.walked.gaps),
        configuration: digest::configuration(scan, &said, &arguments.select, &arguments.ignore),
        rules: digest::rules(&run.rulebook),
        findings: digest::findings(scan),
        text: String::new(),
    }
}

/// Reads a file that the user has named.
fn read<T>(file: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Failure> {
    let text = walk::read_text(file)
        .map_err(|fault| fault.to_string())
        .and_then(|text| text.ok_or_else(|| "no such file".to_owned()))
        .and_then(|text| parse(&text));
    text.map_err(|fault| Failure::Other(format!("cannot use `{}`: {fault}", slashed(file)), None))
}

fn named<'a>((coverage, file): (&'a Coverage, &Path)) -> (&'a Coverage, String) {
    (coverage, slashed(file))
}

/// The CODEOWNERS file that speaks of the first root, and its name.
fn code_owners(arguments: &ScanArguments) -> Result<Option<(String, Owners)>, Failure> {
    let here = super::run::here()?;
    let root = arguments.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let found = walk::find_upwards(&here, root, &owners::PLACES)
        .map_err(|fault| Failure::Other(format!("cannot read CODEOWNERS: {fault}"), None))?;
    let Some(found) = found else { return Ok(None) };
    let (owners, faults) = Owners::read(&here, &found.folder, &found.text);
    for (line, reason) in faults {
        say(&escape::terminal(&format!("{}:{line}: left out: {reason}", found.name)));
    }
    Ok(Some((found.name, owners)))
}

/// Who wrote the lines of the open findings last, by file and line.
fn authors(
    scan: &Scan,
    arguments: &ScanArguments,
) -> Result<BTreeMap<PathBuf, BTreeMap<u32, String>>, Failure> {
    let here = super::run::here()?;
    let repository = Repository::around(&arguments.folder()?).map_err(|fault| {
        let help = "leave out `--owners blame`, or run it where the code is cloned".to_owned();
        Failure::Other(fault.message, Some(help))
    })?;
    let mut authors = BTreeMap::new();
    for file in &scan.files {
        let open = file.findings.iter().filter(|finding| finding.is_open());
        let lines: BTreeSet<u32> = open.map(|one| file.source.line(one.place.span.start)).collect();
        if !lines.is_empty() {
            let path = &file.source.path;
            authors.insert(path.clone(), repository.authors(&absolute(&here, path), &lines)?);
        }
    }
    Ok(authors)
}
