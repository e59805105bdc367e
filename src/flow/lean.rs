//! flow/lean: actors that a function leaves to its callers: parameters that are `None` unless somebody hands them over.
//!
//! `def store(db, data, created_by=None)` writes a row, and who creates it the caller says. The function itself is right;
//! a call that leaves the actor out is where it is missing. Which calls those are is told by following the function once
//! more with `None` in the place of the actor: what is lacking then, and was not before, leans on the parameter.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation, Standing};
use crate::facts::{Argument, ArgumentKind, Function, StepId};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project};

use super::actor;
use super::coverage::{Way, is_covered};
use super::listener::Flush;
use super::outcome::{Outcome, RowReport};
use super::row::{Base, Change, Level, Touch};
use super::summary::Summary;
use super::trace::Trace;
use super::value::{ModelRef, Value};
use super::verdict::{Judgement, Subject};
use super::{Flow, variant};

/// How many writes that lean on one parameter are told apart.
const MOST: usize = 12;

/// A write that has its actor from a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lean {
    /// Where the row is made or changed.
    pub place: (FunctionId, StepId),
    /// What the write does.
    pub operation: Operation,
    /// To which model.
    pub model: ClassId,
    /// Who is missing when nobody is handed over.
    pub duty: Duty,
}

/// The parameters that are `None` unless they are given, and that an actor is made from.
pub(super) fn optional_actors(function: &Function, actors: &BTreeSet<Name>) -> Vec<u32> {
    let is_one = |param: &crate::facts::Param| {
        param.default == Some(crate::facts::Term::None)
            && actors.contains(&param.name)
            && !variant::is_bound(function, param.name)
    };
    let numbered = (0..).zip(&function.params);
    numbered.filter(|(_, param)| is_one(param)).map(|(number, _)| number).collect()
}

/// What leans on a parameter, by what a function does and what it does without.
pub(super) fn leans(id: FunctionId, whole: &Outcome, without: &Outcome) -> BTreeSet<Lean> {
    let mut found = BTreeSet::new();
    for report in without.rows.values() {
        let ModelRef::Class(model) = report.info.model else { continue };
        let same = |other: &&RowReport| {
            (other.info.base, other.info.model, other.info.at)
                == (report.info.base, report.info.model, report.info.at)
        };
        let (Some(before), false) = (whole.rows.values().find(same), is_handed_in(report)) else { continue };
        for duty in Duty::ALL.into_iter().filter(|duty| duty.is_actor()) {
            let Some(operation) = operation(report.info.base, duty) else { continue };
            if !lacks(report, operation, duty) || lacks(before, operation, duty) {
                continue;
            }
            let place = match (operation, report.first) {
                (Operation::Create, _) => report.info.origin,
                (_, Some(Touch { step, within })) => within.unwrap_or((id, step)),
                (_, None) => continue,
            };
            found.insert(Lean { place, operation, model, duty });
        }
    }
    for (step, leans) in &without.left_out {
        let known = whole.left_out.get(step);
        found.extend(leans.iter().filter(|lean| known.is_none_or(|known| !known.contains(lean))));
    }
    while found.len() > MOST {
        found.pop_last();
    }
    found
}

fn is_handed_in(report: &RowReport) -> bool {
    matches!(report.info.base, Base::Param(_))
}

fn operation(base: Base, duty: Duty) -> Option<Operation> {
    match (base, duty) {
        (Base::New, Duty::CreatedBy) => Some(Operation::Create),
        (Base::Loaded, Duty::UpdatedBy) => Some(Operation::Update),
        (Base::Loaded, Duty::DeletedBy) => Some(Operation::Delete),
        _ => None,
    }
}

fn lacks(report: &RowReport, operation: Operation, duty: Duty) -> bool {
    report.judged[duty.index()].elements().any(|e| {
        let is_written = match operation {
            Operation::Create => e.is_added,
            Operation::Update => e.change == Change::Changed,
            Operation::Delete => e.change == Change::Deleted,
        };
        is_written && e.level < Level::Excused
    })
}

impl Trace<'_> {
    /// A callee is called without an actor that it leans on; or an actor is handed on to it.
    pub(super) fn lean_on(
        &mut self,
        step: StepId,
        callee: FunctionId,
        summary: &Summary,
        (arguments, binding): (&[Argument], &[Value]),
    ) {
        let function = self.project.function(callee);
        let shift = usize::from(function.class.is_some());
        let is_none = |number: &u32| binding.get(*number as usize) == Some(&Value::None);
        for (numbers, leans) in &summary.leans {
            if numbers.iter().all(is_none) && self.telling {
                self.outcome.left_out.entry(step).or_default().extend(leans);
            }
            let is_one = |(at, argument): &(usize, &Argument)| match argument.kind {
                ArgumentKind::Keyword(name) => {
                    numbers.iter().any(|number| function.params[*number as usize].name == name)
                }
                ArgumentKind::Plain => numbers.contains(&((at + shift) as u32)),
                _ => false,
            };
            let given = arguments.iter().enumerate().filter(is_one);
            let seeds = given.map(|(_, argument)| argument.value).collect();
            self.actors.extend(actor::made_from(self.function, seeds));
        }
    }
}

/// The writes of a function's callees that lack an actor because this function hands none over.
pub(super) fn judged(project: &Project, flow: &Flow, id: FunctionId, outcome: &Outcome) -> Vec<Judgement> {
    let mut found = Vec::new();
    for (&step, leans) in &outcome.left_out {
        for lean in leans.iter().filter(|lean| project.owes(lean.model, lean.duty)) {
            let on = if lean.operation == Operation::Create { Flush::Insert } else { Flush::Update };
            let standing =
                match is_covered(project, flow, lean.model, lean.duty, (Way::Flush, on), &BTreeSet::new()) {
                    true => Standing::Covered,
                    false => Standing::Missing,
                };
            found.push(Judgement {
                function: id,
                step,
                operation: lean.operation,
                model: lean.model,
                removes: false,
                duties: vec![(lean.duty, standing)],
                published: None,
                within: Some(lean.place),
                subject: Subject::Row,
                places: [None; 6],
                elsewhere: [None; 6],
                drifts: [None; 6],
                answers: (id, step),
            });
        }
    }
    found
}
