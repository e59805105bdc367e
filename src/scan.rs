//! scan: the way of the data, from the files of a run to everything found in them.
//!
//! `lower → project → flow → check`, each a call of the room of that name; nothing is decided here.

mod kept;
mod read;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline::{Baseline, Entry};
use crate::cache::Cache;
use crate::check::{self, Accepted, Checked, Covered, Inputs, Policy};
use crate::config::{self, Asked, Configuration, Selection, Settings};
use crate::facts::{FileFacts, FunctionKind};
use crate::finding::{FileReport, Gap, Guard, Safety, Scan, Severity, Since, Write};
use crate::fix::{self, Limits, Mended, Texts};
use crate::flow::{self, Flow, Judgement, Naming};
use crate::learn::{self, Learned};
use crate::lower::lower;
use crate::project::{FileId, FunctionId, Project, Roles};
use crate::rule::{Rule, Scope};
use crate::rulebook::Rulebook;
use crate::since::Before;
use crate::source::{Source, Span};
use crate::tested::{self, Tests};
use crate::walk::Walked;

use kept::Slot;
use read::lowered;

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
    /// Who is told how far the scan is.
    pub progress: &'a dyn Progress,
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
}

/// Nobody.
pub struct Quiet;

impl Progress for Quiet {
    fn files(&self, _: usize) {}
    fn file_done(&self) {}
}

/// Scans the files of a run.
pub fn scan(request: Request<'_>) -> Scan {
    let slot = Slot::of(&request);
    let scan = slot.found().unwrap_or_else(|| {
        let scan = whole(&request, lowered(&request));
        slot.keep(&scan);
        scan
    });
    brought(scan, request.before)
}

/// Scans the files of a run and mends what fixes of at most the given daring can mend. Nothing is written.
pub fn mend(request: Request<'_>, most: Safety) -> Mended {
    let slot = Slot::of(&request);
    let facts: OnceCell<Vec<FileFacts>> = OnceCell::new();
    let read = || facts.get_or_init(|| lowered(&request));
    let first = slot.found().unwrap_or_else(|| {
        let scan = whole(&request, read().clone());
        slot.keep(&scan);
        scan
    });
    // What the files would be is scanned for the proof and for nobody else.
    let mut rescan = |texts: &Texts| {
        let mut walked = request.walked.clone();
        let mut facts = read().clone();
        for (source, facts) in walked.sources.iter_mut().zip(&mut facts) {
            if let Some(new) = texts.get(&source.path) {
                *source = Arc::clone(new);
                *facts = lower(new);
            }
        }
        let (selection, today) = (request.selection.clone(), request.today.clone());
        scan_facts(Request { walked, selection, today, ..request }, facts)
    };
    fix::mend(brought(first, request.before), most, &mut rescan)
}

/// Scans files whose facts are at hand, those of each file in the order of the files.
pub fn scan_facts(request: Request<'_>, facts: Vec<FileFacts>) -> Scan {
    brought(whole(&request, facts), request.before)
}

/// Leaves out what was there before a change, where only what it has brought is wanted.
fn brought(mut scan: Scan, before: Option<&Before>) -> Scan {
    scan.since = before.map(|before| Since {
        revision: before.revision.clone(),
        left_out: before.leave_brought(&mut scan.files),
    });
    scan
}

/// All that is found in the files, whatever was there before.
fn whole(request: &Request<'_>, facts: Vec<FileFacts>) -> Scan {
    let &Request { ref walked, configuration, rulebook, ref selection, ref today, accepted, .. } = request;
    let Walked { sources, gaps, beside, .. } = walked;
    let (sources, mut gaps) = (sources.clone(), gaps.clone());
    let lowered: Vec<(Arc<Source>, FileFacts)> = sources.iter().cloned().zip(facts).collect();
    note_gaps(&lowered, &mut gaps);
    let settings = configuration.root();
    let roles = Roles {
        fields: settings.fields.clone(),
        setters: settings.setters.clone(),
        common: Settings::default().fields,
        ..Roles::default()
    };
    let naming = naming(settings);
    let project = Project::new(lowered, roles)
        .beside(beside)
        .audited(&settings.trail, settings.audit)
        .kept_by(&settings.trail.libraries);
    let flow = flow::follow(&project);
    note_unsettled(&project, &flow, &mut gaps);
    let (observations, judgements) = flow::observe(&project, &flow, &naming);
    let remarks: Vec<_> = project.files.iter().map(|file| file.facts.remarks.clone()).collect();
    // The file of the baseline is not scanned, but findings may be about it.
    let mut sources = sources;
    sources.extend(accepted.map(|accepted| Arc::clone(&accepted.baseline.source)));
    let policy = Settled { sources: &sources, configuration, selection };
    let unclear: BTreeSet<PathBuf> = accepted
        .iter()
        .flat_map(|accepted| {
            let ground = &accepted.baseline.ground;
            gaps.iter().map(|gap| config::absolute(&ground.here, Path::new(&gap.path)))
        })
        .collect();
    let in_sight =
        |entry: &Entry| accepted.is_some_and(|accepted| policy.sees(entry, accepted, rulebook, &unclear));
    let enclosing = |file: usize, span: Span| enclosing(&project, file, span);
    let Checked { findings, suppressions, held, notes } = check::check(Inputs {
        sources: &sources,
        observations: &observations,
        remarks: &remarks,
        rulebook,
        policy: &policy,
        today,
        enclosing: Some(&enclosing),
        accepted: accepted.map(|accepted| Accepted {
            baseline: accepted.baseline,
            file: sources.len() - 1,
            is_in_sight: &in_sight,
        }),
    });
    gaps.extend(notes);
    gaps.sort();
    gaps.dedup();
    let is_test = |file: FileId| {
        let path = &project.file(file).source.path;
        configuration.for_path(path).is_test_code(path)
    };
    let tests = tested::tests(&project, &flow, &is_test);
    let mut writes = writes(&project, &judgements, tests.as_ref());
    let mut guards = guards(&project, &writes, tests.as_ref());
    let mut aside = 0;
    let mut files: Vec<FileReport> = sources
        .into_iter()
        .zip(findings)
        .enumerate()
        .map(|(index, (source, findings))| {
            let mut writes = writes.remove(&index).unwrap_or_default();
            if !configuration.for_path(&source.path).is_service_code(&source.path) {
                aside += writes.len();
                writes.clear();
            }
            let guards = guards.remove(&index).unwrap_or_default();
            FileReport { source, writes, guards, findings, changes: Vec::new() }
        })
        .collect();
    let paths: Vec<PathBuf> = files.iter().map(|file| file.source.path.clone()).collect();
    let is_protected = |file: usize| configuration.for_path(&paths[file]).is_protected(&paths[file]);
    let is_own = |package: &str| project.has_package(package);
    fix::propose(&mut files, &Limits { is_protected: &is_protected, is_own: &is_own });
    if held.is_some()
        && let Some(file) = files.pop()
    {
        let parts = |file: &FileReport| {
            file.source.path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>()
        };
        let at = files.partition_point(|other| parts(other) < parts(&file));
        files.insert(at, file);
    }
    Scan { files, aside, gaps, suppressions, baseline: held, since: None }
}

/// Learns the convention of the files of a run, whatever the settings say of it, and tells of gaps.
pub fn learn(request: Request<'_>) -> (Learned, Vec<Gap>) {
    let facts = lowered(&request);
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
    let project = Project::new(lowered, roles).beside(&beside);
    let words = learn::words(&project, &fields, &setters, &serves);
    words.over(&mut fields, &mut setters);
    let project = project
        .playing(fields, setters)
        .audited(&settings.trail, settings.audit)
        .kept_by(&settings.trail.libraries);
    let naming = naming(&settings);
    let flow = flow::follow(&project);
    note_unsettled(&project, &flow, &mut gaps);
    let (_, judgements) = flow::observe(&project, &flow, &naming);
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

/// The settings of a run, as checking asks for them.
struct Settled<'a> {
    sources: &'a [Arc<Source>],
    configuration: &'a Configuration,
    selection: &'a Selection,
}

impl Settled<'_> {
    fn path(&self, file: usize) -> &Path {
        &self.sources[file].path
    }

    fn severity_at(&self, path: &Path, rule: &Rule) -> Option<Severity> {
        let scope = match rule.scope {
            Scope::Everywhere => config::Scope::Everywhere,
            Scope::Service => config::Scope::Service,
        };
        let asked = Asked { id: &rule.id, pack: &rule.pack, severity: rule.severity, scope };
        self.configuration.for_path(path).severity(asked, self.selection, path)
    }

    /// Whether this scan would have found what an entry of the baseline accepts. Not where it sees less of the program
    /// than there was, where the file was left out or not understood, and where the rule did not run. A rule that is
    /// not there any more will never find it again.
    fn sees(
        &self,
        entry: &Entry,
        accepted: Acceptance<'_>,
        rulebook: &Rulebook,
        unclear: &BTreeSet<PathBuf>,
    ) -> bool {
        let path = accepted.baseline.ground.found(&entry.path);
        let runs = rulebook.get(&entry.rule).is_none_or(|rule| self.severity_at(&path, rule).is_some());
        accepted.sees_all && runs && !unclear.contains(&path) && !self.configuration.leaves_out(&path)
    }
}

impl Policy for Settled<'_> {
    fn severity(&self, file: usize, rule: &Rule) -> Option<Severity> {
        self.severity_at(self.path(file), rule)
    }

    fn covered(&self, file: usize) -> Covered {
        match self.configuration.for_path(self.path(file)).covered_by_default {
            config::Covered::Review => Covered::Review,
            config::Covered::Error => Covered::Error,
            config::Covered::Allow => Covered::Allow,
        }
    }

    fn is_protected(&self, file: usize) -> bool {
        self.configuration.for_path(self.path(file)).is_protected(self.path(file))
    }
}

/// The qualified name of the innermost function around a place.
fn enclosing(project: &Project, file: usize, span: Span) -> String {
    let functions = &project.files[file].facts.functions;
    let around = functions.iter().filter(|f| f.kind != FunctionKind::Lambda && f.span.contains(span));
    let innermost = around.min_by_key(|function| function.span.end - function.span.start);
    innermost.map_or_else(|| "<module>".to_owned(), |function| function.qualname.clone())
}

/// The writes of each file, in position order.
fn writes(project: &Project, judgements: &[Judgement], tests: Option<&Tests>) -> BTreeMap<usize, Vec<Write>> {
    let mut found: BTreeMap<usize, Vec<Write>> = BTreeMap::new();
    for judgement in judgements {
        let FunctionId { file: FileId(file), .. } = judgement.function;
        let function = project.function(judgement.function);
        let span = function.steps.get(judgement.step as usize).map_or(function.name_span, |step| step.span);
        found.entry(file as usize).or_default().push(Write {
            operation: judgement.operation,
            entity: project.entity_name(judgement.model).to_string(),
            declared_in: project.file(judgement.model.file).source.display_path(),
            table: project
                .model(judgement.model)
                .and_then(|model| model.table)
                .map(|table| table.to_string()),
            language: project.file(judgement.function.file).source.language,
            function: function.qualname.clone(),
            span,
            duties: judgement.duties.clone(),
            tested: tests.map(|tests| tests.reach(judgement.function)),
        });
    }
    for writes in found.values_mut() {
        writes.sort_by_key(|write| (write.span, write.operation));
    }
    found
}

/// The handlers around the writes of each file, in position order.
fn guards(
    project: &Project,
    writes: &BTreeMap<usize, Vec<Write>>,
    tests: Option<&Tests>,
) -> BTreeMap<usize, Vec<Guard>> {
    let of_file = |(&index, writes): (&usize, &Vec<Write>)| {
        let file = FileId(index as u32);
        let functions = project.file(file).facts.functions.iter().zip(0..);
        let mut found: Vec<Guard> = functions
            .flat_map(|(function, number)| {
                let is_around = |body: Span| {
                    // Writes are in position order, so the first one behind the start of the body tells.
                    let first = writes.partition_point(|write| write.span.start < body.start);
                    writes.get(first).is_some_and(|write| body.contains(write.span))
                };
                let tested = tests.map(|tests| tests.failing(FunctionId { file, index: number }));
                let around = function.handlers.iter().filter(move |handler| is_around(handler.body_span));
                around.map(move |handler| Guard {
                    function: function.qualname.clone(),
                    span: handler.span,
                    head: handler.head,
                    tested,
                })
            })
            .collect();
        found.sort_by_key(|guard| guard.span);
        (index, found)
    };
    writes.iter().map(of_file).collect()
}
