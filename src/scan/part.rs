//! scan/part: the way of the data through one program, from its facts to everything found in its files.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::policy::Settled;
use super::{Request, Step, naming, note_gaps, note_unsettled};
use crate::check::{self, Checked, Inputs, Interest};
use crate::config::Settings;
use crate::facts::{FileFacts, FunctionKind};
use crate::finding::{FileReport, Guard, ProgramScan, Write};
use crate::fix::{self, Limits};
use crate::flow::{self, Judgement};
use crate::project::{FileId, FunctionId, Project, Roles};
use crate::source::{Source, Span};
use crate::tested::{self, Tests};
use crate::walk::{Beside, beside};

/// Scans the files of one program whose facts are at hand, those of each file in the order of the files.
pub(super) fn scan(request: &Request<'_>, sources: Vec<Arc<Source>>, facts: Vec<FileFacts>) -> ProgramScan {
    let Request { configuration, rulebook, selection, today, progress, .. } = request;
    progress.begins(Step::Project);
    let lowered: Vec<(Arc<Source>, FileFacts)> = sources.iter().cloned().zip(facts).collect();
    let mut gaps = Vec::new();
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
        .beside(beside(&request.walked.beside, &sources).flat_map(Beside::paths))
        .audited(&settings.trail, settings.audit)
        .kept_by(&settings.trail.libraries);
    progress.begins(Step::Follow);
    let flow = flow::follow(&project);
    note_unsettled(&project, &flow, &mut gaps);
    progress.begins(Step::Observe);
    let interest = Interest::of(rulebook);
    let (observations, judgements) = flow::observe(&project, &flow, &naming, &|seen| interest.covers(seen));
    progress.begins(Step::Check);
    let remarks: Vec<_> = project.files.iter().map(|file| file.facts.remarks.clone()).collect();
    let enclosing = |file: usize, span: Span| enclosing(&project, file, span);
    let Checked { findings, suppressions, notes } = check::check(Inputs {
        sources: &sources,
        observations: &observations,
        remarks: &remarks,
        rulebook,
        policy: &Settled { sources: &sources, configuration, selection },
        today,
        enclosing: Some(&enclosing),
    });
    progress.begins(Step::Complete);
    let is_test = |file: FileId| {
        let path = &project.file(file).source.path;
        configuration.for_path(path).is_test_code(path)
    };
    let tests = tested::tests(&project, &flow, &is_test);
    let mut writes = writes(&project, &judgements, tests.as_ref());
    let mut guards = guards(&project, &writes, tests.as_ref());
    let mut aside = 0;
    let mut files: Vec<FileReport> = sources
        .iter()
        .cloned()
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
    let is_protected = |file: usize| {
        let path = &sources[file].path;
        configuration.for_path(path).is_protected(path)
    };
    let is_own = |package: &str| project.has_package(package);
    fix::propose(&mut files, &Limits { is_protected: &is_protected, is_own: &is_own });
    ProgramScan { files, aside, gaps, notes, suppressions }
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
