//! flow/verdict: every write of the program with the standing of each duty, said once and where it belongs.
//!
//! A function judges the rows it made or loaded itself. A row that was handed in, or is returned with its write still
//! open, is for the callers: the one that does not discharge a duty is where it is missing. When all of several
//! callers would need the same line, it is missing in the callee, once.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::duty::{Duty, Operation, Standing};
use crate::facts::StepId;
use crate::project::{ClassId, FunctionId, Mapping, Project};

use super::coverage::{Way, drift, fills_itself, is_covered, is_kept};
use super::lean;
use super::listener::Flush;
use super::outcome::{Executed, RowReport};
use super::row::{Base, Change, Level, Paths, Touch};
use super::value::ModelRef;
use super::{Flow, Outcome};

/// One write with the standing of its duties.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The function it is said of.
    pub function: FunctionId,
    /// Where: the constructor, the first change, the delete.
    pub step: StepId,
    /// What it does.
    pub operation: Operation,
    /// The model.
    pub model: ClassId,
    /// Whether rows are removed for good.
    pub removes: bool,
    /// The duties it owes.
    pub duties: Vec<(Duty, Standing)>,
    /// Where the row becomes visible.
    pub published: Option<(FunctionId, StepId)>,
    /// Where a callee makes the change that this function answers for.
    pub within: Option<(FunctionId, StepId)>,
    /// Which kind of thing was looked at.
    pub subject: Subject,
    /// By duty: where the path that lacks it changes the row, in the same function.
    pub places: [Option<StepId>; 6],
    /// By duty: where some paths discharge it.
    pub elsewhere: [Option<(FunctionId, StepId)>; 6],
    /// By duty: where a migration makes the column without the default that the model declares.
    pub drifts: [Option<(FunctionId, StepId)>; 6],
    /// The function that answers for the duties, and where it got the row from a callee.
    pub answers: (FunctionId, StepId),
}

/// Which kind of thing a judgement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A row object.
    Row,
    /// A statement.
    Statement,
}

/// All writes, in the order of files and places.
pub(super) fn judgements(project: &Project, flow: &Flow) -> Vec<Judgement> {
    let functions = project.function_ids();
    let of_function = |&id: &FunctionId| {
        let mut all: Vec<Judgement> = Vec::new();
        let Some(outcome) = flow.outcomes.get(id) else { return all };
        for (key, report) in &outcome.rows {
            let way = if outcome.unheard.contains(key) { Way::Unheard } else { Way::Flush };
            let discharged = |duty| outcome.discharged.get(&(*key, duty)).map(|&step| (id, step));
            let elsewhere = Duty::ALL.map(discharged);
            let judged = of_row(project, flow, id, report, way).into_iter();
            all.extend(judged.map(|judgement| Judgement { elsewhere, ..judgement }));
        }
        for (&step, executed) in &outcome.executed {
            let kept = |executed: &&Executed| {
                executed.removes && is_kept(project, flow, executed.model, executed.form)
            };
            let executed = executed.iter().filter(|executed| !kept(executed));
            all.extend(executed.map(|executed| of_statement(project, flow, id, step, executed)));
        }
        all
    };
    let all = functions.par_iter().flat_map_iter(of_function).collect();
    let mut all = said_in_callee(project, flow, all);
    all.sort_by_key(|j| (j.function, j.step, j.operation, j.model, j.subject));
    let mut all = merged(flow, all);
    let place = |j: &Judgement| (j.function, j.step, j.operation, j.model);
    let known: FxHashSet<_> = all.iter().map(place).collect();
    for id in functions {
        let Some(outcome) = flow.outcomes.get(id) else { continue };
        let left_out = lean::judged(project, flow, id, outcome).into_iter();
        all.extend(left_out.filter(|judgement| !known.contains(&place(judgement))));
    }
    all.sort_by_key(|j| (j.function, j.step, j.operation, j.model, j.subject));
    all
}

fn of_row(project: &Project, flow: &Flow, id: FunctionId, report: &RowReport, way: Way) -> Vec<Judgement> {
    let ModelRef::Class(model) = report.info.model else { return Vec::new() };
    if project.model(model).is_none() {
        return Vec::new();
    }
    let is_saved_by_call = matches!(project.mapping(model), Some(Mapping::Django | Mapping::SeaOrm));
    let has_callers = flow.callers.get(&id).is_some_and(|callers| !callers.is_empty());
    let is_method_of_row = report.info.base == Base::Param(0)
        && project
            .class_of(id)
            .is_some_and(|class| project.hierarchy(class).classes().any(|c| c == model) || class == model);
    // Whether a form makes its row or changes it, only who makes the form knows.
    let is_of_form = matches!(report.info.base, Base::Param(_))
        && project.class_of(id).is_some_and(|class| project.model_form(class).is_some());
    let answers = |at: usize| {
        let is_left_to_callers =
            is_of_form || is_method_of_row && (!is_saved_by_call || is_hook(&project.function(id).name));
        if has_callers || is_left_to_callers {
            report.judged[at]
        } else {
            report.judged[at].union(report.deferred[at])
        }
    };
    let mut found = Vec::new();
    let is_new = report.info.base == Base::New;
    let operations: &[Operation] =
        if is_new { &[Operation::Create] } else { &[Operation::Update, Operation::Delete] };
    for &operation in operations {
        let of_operation = |paths: Paths| {
            paths.filter(|e| match operation {
                Operation::Create => e.is_added,
                Operation::Update => e.change == Change::Changed,
                Operation::Delete => e.change == Change::Deleted,
            })
        };
        if Duty::ALL.iter().all(|duty| of_operation(answers(duty.index())).is_empty()) {
            continue;
        }
        let on = if is_new { Flush::Insert } else { Flush::Update };
        let duties = owed(project, model, operation)
            .into_iter()
            .map(|duty| {
                if fills_itself(project, flow, model, duty, (on, &report.stored)) {
                    return (duty, Standing::Set);
                }
                let covered = || is_covered(project, flow, model, duty, (way, on), &report.stored);
                (duty, standing(of_operation(answers(duty.index())), covered))
            })
            .collect();
        // Where the path that lacks a duty changes the row, if that is another place than the first change.
        let lacking = |duty: Duty| match report.touches[duty.index()].first() {
            Some(Touch { step, within: None }) if !is_new => Some(*step),
            _ => None,
        };
        let places = Duty::ALL.map(lacking);
        let first = report.first;
        let is_handed_back = report.info.base == Base::Loaded && report.info.origin.0 != id;
        let (function, step, within) = match (is_new, first) {
            // The constructor is the place of a create, whoever adds the row.
            (true, _) => (report.info.origin.0, report.info.origin.1, None),
            // A row that a callee loaded, changed and returned: the change is the place.
            (false, Some(Touch { within: Some((callee, step)), step: at }))
                if is_handed_back && at == report.info.at =>
            {
                (callee, step, None)
            }
            (false, Some(Touch { step, within })) => (id, step, within),
            (false, None) => continue,
        };
        let places = if function == id && within.is_none() { places } else { [None; 6] };
        let published = report.published.map(|step| (id, step));
        found.push(Judgement {
            function,
            step,
            operation,
            model,
            removes: false,
            duties,
            published,
            within,
            subject: Subject::Row,
            places,
            elsewhere: [None; 6],
            drifts: drifts(project, flow, model, on),
            answers: (id, first.map_or(report.info.at, |touch| touch.step)),
        });
    }
    found
}

/// Whether Django calls a method of a row whenever it saves or deletes one: whoever asks for that answers for it.
fn is_hook(name: &str) -> bool {
    matches!(
        name,
        "before_save"
            | "after_save"
            | "before_delete"
            | "save"
            | "asave"
            | "delete"
            | "adelete"
            | "clean"
            | "full_clean"
            | "save_base"
            | "__init__"
    )
}

fn of_statement(
    project: &Project,
    flow: &Flow,
    id: FunctionId,
    step: StepId,
    executed: &Executed,
) -> Judgement {
    let plays = |duty: Duty| move |name: &crate::name::Name| project.roles.of_field(name) == Some(duty);
    let keys = executed.keys.clone().unwrap_or_default();
    let marks_deletion = executed.operation == Operation::Update
        && (keys.sure.iter().any(plays(Duty::DeletedAt)) || keys.sure.iter().any(plays(Duty::DeletedBy)));
    let operation = if marks_deletion { Operation::Delete } else { executed.operation };
    let on = if executed.operation == Operation::Create { Flush::Insert } else { Flush::Update };
    let way = Way::Statement(executed.form);
    let mut duties = Vec::new();
    if !executed.removes {
        for duty in owed(project, executed.model, operation) {
            // A column that the sender may leave `None` is given in any case; that it may be NULL is another fault.
            let level = if keys.sure.iter().chain(&keys.none_by_default).any(plays(duty)) {
                Level::Set
            } else if keys.is_open || keys.perhaps.iter().any(plays(duty)) {
                Level::Perhaps
            } else {
                Level::Unset
            };
            let is_declared = project.mapping(executed.model).is_some_and(Mapping::is_declared_by_schema);
            let level = match level {
                Level::Unset | Level::Perhaps
                    if is_declared && fills_itself(project, flow, executed.model, duty, (on, &keys.sure)) =>
                {
                    Level::Set
                }
                level => level,
            };
            let paths = Paths::start().map(|e| super::row::Element { level, ..e });
            let covered = || is_covered(project, flow, executed.model, duty, (way, on), &keys.sure);
            duties.push((duty, standing(paths, covered)));
        }
    }
    Judgement {
        function: id,
        step,
        operation,
        model: executed.model,
        removes: executed.removes,
        duties,
        published: None,
        within: None,
        subject: Subject::Statement,
        places: [None; 6],
        elsewhere: [None; 6],
        drifts: drifts(project, flow, executed.model, on),
        answers: (id, step),
    }
}

/// The duties a write of a model owes.
fn owed(project: &Project, model: ClassId, operation: Operation) -> Vec<Duty> {
    let candidates: &[Duty] = match operation {
        Operation::Create => &[Duty::CreatedAt, Duty::UpdatedAt, Duty::CreatedBy],
        Operation::Update => &[Duty::UpdatedAt, Duty::UpdatedBy],
        Operation::Delete => &[Duty::DeletedAt, Duty::DeletedBy],
    };
    let mut found: Vec<Duty> = candidates.iter().copied().filter(|duty| project.owes(model, *duty)).collect();
    if operation == Operation::Delete {
        // A flag alone is a plain update for whatever the model keeps no record of.
        if !project.owes(model, Duty::DeletedAt) && project.owes(model, Duty::UpdatedAt) {
            found.push(Duty::UpdatedAt);
        }
        if !project.owes(model, Duty::DeletedBy) && project.owes(model, Duty::UpdatedBy) {
            found.push(Duty::UpdatedBy);
        }
    }
    found
}

fn standing(paths: Paths, is_covered: impl Fn() -> bool) -> Standing {
    let lowest = paths.elements().map(|e| e.level).min();
    match lowest {
        None | Some(Level::Excused | Level::Misplaced | Level::Set) => Standing::Set,
        // Whether code sets it or not, there is a value.
        Some(Level::Perhaps | Level::Unset) if is_covered() => Standing::Covered,
        Some(Level::Perhaps) => Standing::Unknown,
        Some(Level::Unset) => Standing::Missing,
    }
}

/// Where migrations leave out defaults that an insert would need.
fn drifts(project: &Project, flow: &Flow, model: ClassId, on: Flush) -> [Option<(FunctionId, StepId)>; 6] {
    match on {
        Flush::Insert => Duty::ALL.map(|duty| drift(project, flow, model, duty)),
        Flush::Update => [None; 6],
    }
}

/// Where all callers leave the same duty of the same callee's change, it is missing in the callee.
fn said_in_callee(project: &Project, flow: &Flow, all: Vec<Judgement>) -> Vec<Judgement> {
    let mut by_change: BTreeMap<(FunctionId, StepId), Vec<usize>> = BTreeMap::new();
    for (index, judgement) in all.iter().enumerate() {
        if let Some(within) = judgement.within {
            by_change.entry(within).or_default().push(index);
        }
    }
    let mut all: Vec<Option<Judgement>> = all.into_iter().map(Some).collect();
    let mut moved = Vec::new();
    for ((function, step), indices) in by_change {
        // What tests hand over is often made up, and says nothing of the others.
        let counts = |caller: &&FunctionId| !project.is_test(caller.file);
        let callers = flow.callers.get(&function).map_or(0, |all| all.iter().filter(counts).count());
        let of_callers: Vec<&Judgement> = indices.iter().filter_map(|&index| all[index].as_ref()).collect();
        let functions: std::collections::BTreeSet<FunctionId> =
            of_callers.iter().map(|j| j.function).collect();
        // One caller alone decides for itself, unless the change is visible before it could do anything about it.
        let is_alone = functions.len() < 2 && !publishes(flow, function, step);
        if is_alone || functions.len() < callers {
            if functions.len() > 1 {
                moved.extend(said_of_times((function, step), &indices, &mut all));
            }
            continue;
        }
        let lacks = |judgement: &Judgement| {
            let lacking: Vec<Duty> = judgement
                .duties
                .iter()
                .filter(|(_, standing)| *standing != Standing::Set)
                .map(|(duty, _)| *duty)
                .collect();
            lacking
        };
        let first = lacks(of_callers[0]);
        // Whoever may hand the actor over and does not is where it is missing.
        if first.iter().any(|duty| duty.is_actor()) && takes_actor(flow, function) {
            continue;
        }
        if first.is_empty() || of_callers.iter().any(|judgement| lacks(judgement) != first) {
            moved.extend(said_of_times((function, step), &indices, &mut all));
            continue;
        }
        let mut one = of_callers[0].clone();
        one.function = function;
        one.step = step;
        one.within = None;
        one.places = [None; 6];
        one.published = None;
        moved.push(one);
        for index in indices {
            all[index] = None;
        }
    }
    all.into_iter().flatten().chain(moved).collect()
}

/// Where all who answer for a change leave out the same time, the line that sets it belongs beside the change. Who acts
/// each of them knows for itself.
fn said_of_times(
    (function, step): (FunctionId, StepId),
    indices: &[usize],
    all: &mut [Option<Judgement>],
) -> Option<Judgement> {
    let mut one = all[indices[0]].clone()?;
    let of_callers: Vec<&Judgement> = indices.iter().filter_map(|&index| all[index].as_ref()).collect();
    if of_callers.iter().any(|judgement| judgement.operation != one.operation) {
        return None;
    }
    let lacks = |judgement: &&Judgement, duty: Duty| {
        judgement.duties.iter().any(|(other, standing)| *other == duty && *standing != Standing::Set)
    };
    one.duties.retain(|(duty, _)| !duty.is_actor() && of_callers.iter().all(|caller| lacks(caller, *duty)));
    let said: Vec<Duty> = one.duties.iter().map(|(duty, _)| *duty).collect();
    if said.is_empty() {
        return None;
    }
    for &index in indices {
        if let Some(caller) = &mut all[index] {
            caller.duties.retain(|(duty, _)| !said.contains(duty));
        }
    }
    Some(Judgement { function, step, within: None, places: [None; 6], published: None, ..one })
}

/// Whether callers may hand a function the actor.
fn takes_actor(flow: &Flow, function: FunctionId) -> bool {
    flow.outcomes.get(function).is_some_and(|outcome| outcome.summary.takes_actor)
}

/// Whether a function makes its own change of a row it was handed visible.
fn publishes(flow: &Flow, function: FunctionId, step: StepId) -> bool {
    let is_here = |report: &&RowReport| {
        matches!(report.info.base, Base::Param(_)) && report.first.is_some_and(|touch| touch.step == step)
    };
    let reports = flow.outcomes.get(function).map(|outcome| outcome.rows.values());
    reports.is_some_and(|mut reports| reports.any(|report| is_here(&report) && report.published.is_some()))
}

/// Judgements of the same write, seen from several callers or rows, as one: the worst standing counts. But where some
/// callers discharge a duty, it is missing in those that do not.
fn merged(flow: &Flow, all: Vec<Judgement>) -> Vec<Judgement> {
    let place = |j: &Judgement| (j.function, j.step, j.operation, j.model, j.removes);
    let mut found: Vec<Judgement> = Vec::new();
    for group in all.chunk_by(|a, b| place(a) == place(b)) {
        let mut one = group[0].clone();
        one.published = group.iter().find_map(|judgement| judgement.published);
        let mut elsewhere: BTreeMap<(FunctionId, StepId), Judgement> = BTreeMap::new();
        for (duty, standing) in &mut one.duties {
            let of =
                |judgement: &Judgement| judgement.duties.iter().find(|(other, _)| other == duty).copied();
            let standings = || group.iter().filter_map(of);
            let worst = standings().map(|(_, standing)| standing).max().unwrap_or(*standing);
            let is_set_by_some = standings().any(|(_, standing)| standing == Standing::Set)
                || duty.is_actor() && takes_actor(flow, one.function);
            let lacking = |j: &&Judgement| of(j).is_some_and(|(_, s)| s == Standing::Missing);
            let by_callers = group.iter().filter(lacking).all(|j| j.answers.0 != j.function);
            if worst == Standing::Missing && is_set_by_some && by_callers {
                *standing = Standing::Set;
                for judgement in group.iter().filter(lacking) {
                    let (function, step) = judgement.answers;
                    let within = Some((judgement.function, judgement.step));
                    let there = elsewhere.entry(judgement.answers).or_insert_with(|| Judgement {
                        function,
                        step,
                        within,
                        places: [None; 6],
                        duties: Vec::new(),
                        ..judgement.clone()
                    });
                    there.duties.push((*duty, Standing::Missing));
                }
            } else {
                *standing = worst;
            }
        }
        found.push(one);
        found.extend(elsewhere.into_values());
    }
    found.sort_by_key(|j| (j.function, j.step, j.operation, j.model, j.subject));
    found
}

/// Whether a function's own outcome knows a session.
pub(super) fn sees_session(outcome: &Outcome) -> bool {
    outcome.sees_session
}
