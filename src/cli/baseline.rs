//! cli/baseline: the baseline made, shortened and held against a scan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::arguments::ScanArguments;
use super::run::{self, Run, here};
use super::terminal::ColorWish;
use super::{Failure, Outcome, print, say};
use crate::baseline::{self, Baseline, Entry, Ground};
use crate::config::{absolute, relative};
use crate::escape;
use crate::finding::{Finding, Scan};
use crate::report::{self, Tally, count};
use crate::scan::Leaves;
use crate::source::{Language, Source, slashed};
use crate::walk;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  update: there are findings that the baseline does not accept
  2  the run could not be done
  3  there was nothing to scan";

#[derive(Debug, Args)]
pub(super) struct BaselineArguments {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Accept everything that is found now
    Create(Box<ForcibleArguments>),
    /// Drop what is mended, and say what is new: the baseline only becomes shorter
    Update(Box<ForcibleArguments>),
    /// Drop entries that match nothing, and do no more
    Prune(Box<FileArguments>),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
struct ForcibleArguments {
    /// create: write over a baseline that is there; update: accept what is new
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    file: FileArguments,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
struct FileArguments {
    /// The baseline; trailcheck-baseline.json beside the configuration or in the current directory, if not given
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    #[command(flatten)]
    scan: ScanArguments,
}

impl BaselineArguments {
    /// When colours are wanted.
    pub(super) fn color(&self) -> ColorWish {
        match &self.command {
            BaselineCommand::Create(arguments) | BaselineCommand::Update(arguments) => {
                arguments.file.scan.color
            }
            BaselineCommand::Prune(arguments) => arguments.scan.color,
        }
    }
}

/// Does what the arguments say.
pub(super) fn baseline(arguments: BaselineArguments) -> Result<Outcome, Failure> {
    match arguments.command {
        BaselineCommand::Create(arguments) => {
            create(&arguments.file, if arguments.force { Force::Given } else { Force::None })
        }
        BaselineCommand::Update(arguments) => {
            shorten(&arguments.file, if arguments.force { New::Accepted } else { New::Refused })
        }
        BaselineCommand::Prune(arguments) => shorten(&arguments, New::PassedOver),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Force {
    None,
    Given,
}

/// What becomes of findings that the baseline does not accept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum New {
    PassedOver,
    Refused,
    Accepted,
}

/// Reads a baseline.
///
/// # Errors
/// When it is not there, cannot be read or is none.
pub(super) fn read(file: &Path) -> Result<Baseline, Failure> {
    let shown = slashed(file);
    let text = walk::read_text(file)
        .map_err(|fault| Failure::Other(format!("cannot read the baseline `{shown}`: {fault}"), None))?;
    let Some(text) = text else {
        let help = "`trailcheck baseline create` makes one".to_owned();
        return Err(Failure::Other(format!("there is no baseline `{shown}`"), Some(help)));
    };
    let ground = ground(file)?;
    let path = relative(&ground.here, &absolute(&ground.here, file));
    let source = Arc::new(Source::of_text(path, Language::Json, text));
    baseline::read(source, ground).map_err(|fault| {
        let message = format!("the baseline cannot be used: {shown}:{}: {}", fault.line, fault.reason);
        Failure::Other(message, Some(fault.help))
    })
}

fn create(arguments: &FileArguments, force: Force) -> Result<Outcome, Failure> {
    let run = prepare(arguments)?;
    let file = file(arguments, &run)?;
    let is_there = walk::read_text(&file).is_ok_and(|text| text.is_some());
    if is_there && force == Force::None {
        let help = "`trailcheck baseline update` drops what is mended; `--force` accepts everything anew";
        let message = format!("there is a baseline already: `{}`", slashed(&file));
        return Err(Failure::Other(message, Some(help.to_owned())));
    }
    let scan = run.scan();
    if told_that_nothing_is_there(arguments, &scan) {
        return Ok(Outcome::Nothing);
    }
    let ground = ground(&file)?;
    let entries = baseline::entries(open(&scan), &ground);
    let roots = baseline::joined(arguments.scan.paths.iter().map(|path| ground.said(path)));
    write(&file, &roots, &entries)?;
    let tally = Tally::of(&scan);
    tell(
        arguments,
        &format!(
            "{}: accepts {} and {}",
            slashed(&file),
            count(tally.errors, "error"),
            count(tally.reviews, "review")
        ),
    )?;
    Ok(Outcome::Clean)
}

fn shorten(arguments: &FileArguments, new: New) -> Result<Outcome, Failure> {
    let mut run = prepare(arguments)?;
    let file = file(arguments, &run)?;
    let old = read(&file)?;
    run.hold_against(old.clone(), &arguments.scan.paths);
    let scan = run.scan();
    if told_that_nothing_is_there(arguments, &scan) {
        return Ok(Outcome::Nothing);
    }
    let ground = &old.ground;
    let is_own = |finding: &&Finding| finding.place.source.path != old.source.path;
    let accepted: Vec<&Finding> = all(&scan).filter(|finding| finding.baselined).collect();
    let fresh: Vec<&Finding> = open(&scan).filter(is_own).collect();
    let mut entries = baseline::entries(accepted.iter().copied(), ground);
    // What this scan could not have found is neither there nor gone.
    let unseen = scan.baseline.iter().flat_map(|held| &held.unseen);
    entries.extend(unseen.map(|&(at, count)| Entry { count, ..old.entries[at].clone() }));
    let mut roots = old.roots.clone();
    if new == New::Accepted {
        entries.extend(baseline::entries(fresh.iter().copied(), ground));
        roots = baseline::joined(
            roots.into_iter().chain(arguments.scan.paths.iter().map(|path| ground.said(path))),
        );
    }
    let entries = baseline::merged(entries);
    let total: usize = entries.iter().map(|entry| entry.count as usize).sum();
    let added = if new == New::Accepted { fresh.len() } else { 0 };
    let dropped = (old.count() + added).saturating_sub(total);
    write(&file, &roots, &entries)?;
    let mut text = format!("{}: dropped {}", slashed(&file), count(dropped, "finding"));
    if new == New::Accepted {
        text.push_str(&format!(", added {added}"));
    }
    tell(arguments, &format!("{text}, accepts {total}"))?;
    if new != New::Refused || fresh.is_empty() {
        return Ok(Outcome::Clean);
    }
    let lines: String = fresh.iter().map(|finding| report::concise::line(finding)).collect();
    print(&lines)?;
    say(&format!(
        "not accepted: {}; mend them, or accept them with `--force`",
        count(fresh.len(), "new finding")
    ));
    Ok(Outcome::Findings)
}

fn prepare(arguments: &FileArguments) -> Result<Run, Failure> {
    if arguments.scan.wants_stdin() {
        return Err(Failure::Other("a baseline is made of files, not of stdin".to_owned(), None));
    }
    Run::prepare(&arguments.scan, None, Leaves::None)
}

/// The file that is named, or the one of the usual name where the configuration lies.
fn file(arguments: &FileArguments, run: &Run) -> Result<PathBuf, Failure> {
    if let Some(file) = &arguments.baseline {
        return Ok(file.clone());
    }
    let here = here()?;
    let configuration = run.configuration.root().file.as_deref();
    let folder = configuration.and_then(Path::parent).unwrap_or(&here);
    Ok(relative(&here, &folder.join(baseline::FILE)))
}

fn ground(file: &Path) -> Result<Ground, Failure> {
    let here = here()?;
    let folder = absolute(&here, file).parent().map_or_else(|| here.clone(), Path::to_owned);
    Ok(Ground { here, folder })
}

fn write(file: &Path, roots: &[String], entries: &[Entry]) -> Result<(), Failure> {
    run::write(file, &baseline::render(roots, entries))
}

/// Says what could not be understood, and whether there was nothing to scan.
fn told_that_nothing_is_there(arguments: &FileArguments, scan: &Scan) -> bool {
    arguments.scan.tell_what_is_lacking(scan);
    Tally::of(scan).scanned == 0
}

fn tell(arguments: &FileArguments, text: &str) -> Result<(), Failure> {
    if arguments.scan.quiet { Ok(()) } else { print(&format!("{}\n", escape::terminal(text))) }
}

fn all(scan: &Scan) -> impl Iterator<Item = &Finding> {
    scan.files.iter().flat_map(|file| &file.findings)
}

fn open(scan: &Scan) -> impl Iterator<Item = &Finding> {
    all(scan).filter(|finding| finding.is_open())
}
