//! scan: the way of the data, from the files of a run to everything found in them.
//!
//! `lower → project → flow → check`, each a call of the room of that name, for each program by itself; nothing is decided
//! here.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::baseline::{Baseline, Entry};
use crate::cache::Cache;
use crate::check::{self, Accepted, Inputs};
use crate::config::{self, Configuration, Selection, Settings};
use crate::facts::FileFacts;
use crate::finding::{FileReport, Gap, ProgramScan, Safety, Scan, Since};
use crate::fix::{self, Mended, Texts};
use crate::flow::{self, Flow, Naming};
use crate::learn::{self, Learned};
use crate::lower::lower;
use crate::program::{self, Program};
use crate::project::{FileId, Project, Roles};
use crate::rulebook::Rulebook;
use crate::since::Before;
use crate::source::Source;
use crate::walk::{self, Beside, Changed, Walked, by_parts};

use kept::{Kept, Known};
use policy::Settled;
use read::lowered;

mod kept;
mod lane;
mod part;
mod policy;
mod read;

/// What a scan needs.
pub struct Request<'a> {
    /// The files, read.
    pub walked: Walked,
    /// The settings.
    pub configuration: &'a Configuration,
    /// The rules.
    pub rulebook: &'a Rulebook,
    /// Which rules the user asked for.
    pub selection: Selection,
    /// The day suppressions are held against, as `YYYY-MM-DD`.
    pub today: String,
    /// The findings that are accepted for now.
    pub accepted: Option<Acceptance<'a>>,
    /// What was found before a change, where only what it has brought is wanted.
    pub before: Option<&'a Before>,
    /// Where what was found is kept, if anywhere.
    pub cache: Option<&'a Cache>,
    /// Which texts are left when all is done.
    pub leaves: Leaves,
    /// Who is told how far the scan is.
    pub progress: &'a dyn Progress,
}

impl<'a> Request<'a> {
    /// A scan by all rules that is held against nothing, keeps nothing, and tells nobody how far it is.
    pub fn new(
        walked: Walked,
        configuration: &'a Configuration,
        rulebook: &'a Rulebook,
        today: &str,
    ) -> Request<'a> {
        Request {
            walked,
            configuration,
            rulebook,
            selection: Selection::default(),
            today: today.to_owned(),
            accepted: None,
            before: None,
            cache: None,
            leaves: Leaves::All,
            progress: &Quiet,
        }
    }
}

/// Which texts a scan leaves to whoever shows what it found. Where something is can be said without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Those of all files.
    All,
    /// Those of the files whose code is shown with findings.
    Shown,
    /// None.
    None,
}

/// A baseline in the hands of a scan.
#[derive(Clone, Copy)]
pub struct Acceptance<'a> {
    /// The baseline.
    pub baseline: &'a Baseline,
    /// Whether the scan sees all that was seen when it was made, so that what is not found is not there.
    pub sees_all: bool,
}

/// Somebody who is told how far a scan is.
pub trait Progress: Sync {
    /// So many files are going to be read.
    fn files(&self, total: usize);
    /// One more file was read.
    fn file_done(&self);
    /// This step of a program begins, and the one before it is over. Where there are several threads, another program may
    /// be at another step.
    fn begins(&self, _: Step) {}
}

/// The steps of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Texts become facts.
    Lower,
    /// Facts become one program.
    Project,
    /// Functions are followed over all their paths.
    Follow,
    /// What functions do is observed.
    Observe,
    /// Observations become findings.
    Check,
    /// Writes, the tests that reach them, and fixes are put beside the findings.
    Complete,
    /// What was found in all programs becomes one.
    Join,
}

/// Nobody.
pub struct Quiet;

impl Progress for Quiet {
    fn files(&self, _: usize) {}
    fn file_done(&self) {}
}

/// Scans the files of a run. Where their texts were let go, they are read again as far as they are needed. If a file has
/// changed meanwhile, what was found until then may be of no tree there ever was: it is dropped, and all files are read
/// once more and held until the end.
pub fn scan(request: Request<'_>) -> Scan {
    request.progress.files(request.walked.sources.len());
    let request = if request.leaves == Leaves::All { held(request) } else { request };
    match found(&request) {
        Ok(scan) => scan,
        Err(Changed) => found(&held(request)).expect(HELD),
    }
}

fn found(request: &Request<'_>) -> Result<Scan, Changed> {
    let kept = Kept::of(request);
    let programs = kept.programs()?;
    let known = |program: &Program| {
        let sources = program.of(&request.walked.sources);
        Ok((kept.known(&sources)?, sources))
    };
    let known: Vec<_> = programs.par_iter().map(known).collect::<Result<_, Changed>>()?;
    let scanned = |(known, sources): (Known, Vec<Arc<Source>>)| {
        kept.part(known, &sources, |whole| {
            let facts = lowered(request, &whole);
            part::scan(request, whole, facts)
        })
    };
    let weight =
        |(known, sources): &(Known, Vec<Arc<Source>>)| if known.is_new() { sources.len() } else { 0 };
    let parts = lane::at_both_ends(known, weight, scanned).into_iter().collect::<Result<_, Changed>>()?;
    kept.bound();
    Ok(joined(request, &programs, parts))
}

/// The same request with all texts at hand.
fn held(request: Request<'_>) -> Request<'_> {
    Request { walked: walk::anew(&request.walked), ..request }
}

const HELD: &str = "internal error: texts that are at hand do not change";

/// Scans files whose facts are at hand, those of each file in the order of the files.
pub fn scan_facts(request: Request<'_>, mut facts: Vec<FileFacts>) -> Scan {
    let programs = programs(&request);
    let scanned = |program: &Program| {
        let facts = program.files.iter().map(|&file| std::mem::take(&mut facts[file])).collect();
        part::scan(&request, program.of(&request.walked.sources), facts)
    };
    let parts = programs.iter().map(scanned).collect();
    joined(&request, &programs, parts)
}

/// Scans the files of a run and mends what fixes of at most the given daring can mend. Nothing is written.
pub fn mend(request: Request<'_>, most: Safety) -> Mended {
    let request = held(request);
    let read = &request.walked.sources;
    request.progress.files(read.len());
    let kept = Kept::of(&request);
    let programs = kept.programs().expect(HELD);
    let facts: Vec<OnceCell<Vec<FileFacts>>> = vec![OnceCell::new(); programs.len()];
    // A program whose texts are those of the round before is not scanned again.
    let mut last: Vec<Option<(Texts, ProgramScan)>> = vec![None; programs.len()];
    let mut rescan = |texts: &Texts| {
        let mut walked = request.walked.clone();
        for source in &mut walked.sources {
            if let Some(new) = texts.get(&source.path) {
                *source = Arc::clone(new);
            }
        }
        let request =
            Request { walked, selection: request.selection.clone(), today: request.today.clone(), ..request };
        let mut parts = Vec::new();
        for ((program, facts), last) in programs.iter().zip(&facts).zip(&mut last) {
            let sources = program.of(&request.walked.sources);
            let own: Texts = sources
                .iter()
                .filter(|source| texts.contains_key(&source.path))
                .map(|source| (source.path.clone(), Arc::clone(source)))
                .collect();
            let part = match last.take() {
                Some((texts, part)) if is_same(&texts, &own) => part,
                _ if own.is_empty() => {
                    let facts = || facts.get_or_init(|| lowered(&request, &sources)).clone();
                    let known = kept.known(&sources).expect(HELD);
                    kept.part(known, &sources, |whole| part::scan(&request, whole, facts())).expect(HELD)
                }
                // What the files would be is scanned for the proof, and kept for nobody.
                _ => {
                    let mut facts = facts.get_or_init(|| lowered(&request, &program.of(read))).clone();
                    for (source, facts) in sources.iter().zip(&mut facts) {
                        if own.contains_key(&source.path) {
                            *facts = lower(source);
                        }
                    }
                    part::scan(&request, sources, facts)
                }
            };
            *last = Some((own, part.clone()));
            parts.push(part);
        }
        joined(&request, &programs, parts)
    };
    let first = rescan(&Texts::new());
    kept.bound();
    fix::mend(first, most, &mut rescan)
}

fn is_same(one: &Texts, other: &Texts) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((path, text), (its_path, its_text))| path == its_path && Arc::ptr_eq(text, its_text))
}

/// The programs among the files of a run.
fn programs(request: &Request<'_>) -> Vec<Program> {
    program::programs(&request.walked.sources, &request.walked.homes)
}

/// What was found in all programs, in the order of the files of the run, and held against what is accepted and what was
/// there before.
fn joined(request: &Request<'_>, programs: &[Program], parts: Vec<ProgramScan>) -> Scan {
    request.progress.begins(Step::Join);
    let sources = &request.walked.sources;
    let mut scan = Scan { gaps: request.walked.gaps.clone(), ..Scan::default() };
    scan.programs = programs.iter().map(|program| program.files.len()).collect();
    let mut notes = Vec::new();
    let mut files: Vec<(usize, FileReport)> = Vec::with_capacity(sources.len());
    for (program, part) in programs.iter().zip(parts) {
        files.extend(program.files.iter().copied().zip(part.files));
        scan.aside += part.aside;
        scan.suppressions.extend(part.suppressions);
        scan.gaps.extend(part.gaps);
        notes.extend(part.notes);
    }
    if !files.is_sorted_by_key(|&(number, _)| number) {
        files.sort_by_key(|&(number, _)| number);
    }
    scan.files = files.into_iter().map(|(_, report)| report).collect();
    if programs.len() > 1 && !scan.suppressions.is_empty() {
        let paths: FxHashSet<&str> = scan.suppressions.iter().map(|record| record.path.as_str()).collect();
        let numbered = sources.iter().map(|source| source.display_path()).zip(0..);
        let numbers: FxHashMap<String, usize> =
            numbered.filter(|(path, _)| paths.contains(path.as_str())).collect();
        scan.suppressions.sort_by_key(|record| numbers.get(&record.path).copied());
    }
    if let Some(accepted) = request.accepted {
        hold(&mut scan, request, accepted);
    }
    scan.gaps.extend(notes);
    scan.gaps.sort();
    scan.gaps.dedup();
    scan.since = request.before.map(|before| Since {
        revision: before.revision.clone(),
        left_out: before.leave_brought(&mut scan.files),
    });
    scan
}

/// Holds a scan against a baseline, whose file takes its place among the files: it is not scanned, but findings may be
/// about it.
fn hold(scan: &mut Scan, request: &Request<'_>, accepted: Acceptance<'_>) {
    let Request { configuration, rulebook, selection, today, .. } = request;
    let source = &accepted.baseline.source;
    let ground = &accepted.baseline.ground;
    let unclear: BTreeSet<PathBuf> =
        scan.gaps.iter().map(|gap| config::absolute(&ground.here, Path::new(&gap.path))).collect();
    let sources = std::slice::from_ref(source);
    let policy = Settled { sources, configuration, selection };
    let in_sight = |entry: &Entry| policy.sees(entry, accepted, rulebook, &unclear);
    let mut findings: Vec<_> = scan.files.iter_mut().map(|file| std::mem::take(&mut file.findings)).collect();
    let (held, of_baseline) = check::hold(
        &mut findings,
        Accepted { baseline: accepted.baseline, is_in_sight: &in_sight },
        Inputs {
            sources,
            observations: &[],
            remarks: &[],
            rulebook,
            policy: &policy,
            today,
            enclosing: None,
        },
    );
    for (file, findings) in scan.files.iter_mut().zip(findings) {
        file.findings = findings;
    }
    scan.baseline = Some(held);
    let at = scan.files.partition_point(|other| by_parts(&other.source.path, &source.path).is_lt());
    let (writes, guards, changes) = (Vec::new(), Vec::new(), Vec::new());
    let report = FileReport { source: Arc::clone(source), writes, guards, findings: of_baseline, changes };
    scan.files.insert(at, report);
}

/// Learns the convention of the files of a run, whatever the settings say of it, and tells of gaps.
pub fn learn(request: Request<'_>) -> (Learned, Vec<Gap>) {
    let request = held(request);
    request.progress.files(request.walked.sources.len());
    let facts = lowered(&request, &request.walked.sources);
    let Request { walked, configuration, .. } = request;
    let Walked { sources, mut gaps, beside, .. } = walked;
    let lowered: Vec<(Arc<Source>, FileFacts)> = sources.iter().cloned().zip(facts).collect();
    note_gaps(&lowered, &mut gaps);
    let settings = Settings::default();
    let serves = |file: FileId| {
        let path = &sources[file.0 as usize].path;
        configuration.for_path(path).is_service_code(path)
    };
    let (mut fields, mut setters) = (settings.fields.clone(), settings.setters.clone());
    let roles = Roles {
        fields: fields.clone(),
        setters: setters.clone(),
        common: settings.fields.clone(),
        ..Roles::default()
    };
    let project = Project::new(lowered, roles).beside(beside.iter().flat_map(Beside::paths));
    let words = learn::words(&project, &fields, &setters, &serves);
    words.over(&mut fields, &mut setters);
    let project = project
        .playing(fields, setters)
        .audited(&settings.trail, settings.audit)
        .kept_by(&settings.trail.libraries);
    let naming = naming(&settings);
    let flow = flow::follow(&project);
    note_unsettled(&project, &flow, &mut gaps);
    let (_, judgements) = flow::observe(&project, &flow, &naming, &|_| false);
    let telling = flow::telling(&project, &flow, &naming);
    gaps.sort();
    gaps.dedup();
    (learn::learned(words, &project, &flow, (&judgements, &telling), &serves), gaps)
}

/// What messages call things, by the settings.
fn naming(settings: &Settings) -> Naming {
    Naming {
        clock: settings.clock.clone(),
        is_clock_chosen: settings.is_clock_chosen,
        context: settings.context_class.clone(),
        renamed: settings.all_renamed(),
        append_only: settings.append_only.clone(),
    }
}

/// What could not be understood while the files were lowered.
fn note_gaps(lowered: &[(Arc<Source>, FileFacts)], gaps: &mut Vec<Gap>) {
    for (source, facts) in lowered {
        gaps.extend(facts.gaps.iter().map(|gap| Gap {
            path: source.display_path(),
            line: Some(source.line(gap.span.start)),
            reason: gap.reason.clone(),
        }));
    }
}

/// Functions that could not be followed to the end.
fn note_unsettled(project: &Project, flow: &Flow, gaps: &mut Vec<Gap>) {
    for id in &flow.unsettled {
        let source = &project.file(id.file).source;
        let function = project.function(*id);
        let reason = format!("what `{}` does was still changing when the analysis ended", function.qualname);
        let line = Some(source.line(function.name_span.start));
        gaps.push(Gap { path: source.display_path(), line, reason });
    }
}
