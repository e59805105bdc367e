//! flow/worker: the code that runs in a worker: every task, and all that its calls lead to.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::facts::StepKind;
use crate::project::{ByFunction, FunctionId, Project};

use super::outcome::Outcome;

/// Which functions run in a worker.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    /// By function: the first task that leads to it.
    pub reached: FxHashMap<FunctionId, FunctionId>,
    /// By function: the first task that leads to it and that one order may run more than once.
    pub repeated: FxHashMap<FunctionId, FunctionId>,
}

/// Follows the calls of all tasks.
pub(super) fn worker(project: &Project, outcomes: &ByFunction<Box<Outcome>>) -> Worker {
    let all = project.task_ids();
    let may_repeat = |id: &&FunctionId| project.task(**id).is_some_and(|task| task.may_repeat());
    let repeated: Vec<FunctionId> = all.iter().filter(may_repeat).copied().collect();
    Worker { reached: from(project, outcomes, &all), repeated: from(project, outcomes, &repeated) }
}

/// What some functions lead to by their calls, each with the first of them that does.
pub(super) fn from(
    project: &Project,
    outcomes: &ByFunction<Box<Outcome>>,
    tasks: &[FunctionId],
) -> FxHashMap<FunctionId, FunctionId> {
    let mut found: FxHashMap<FunctionId, FunctionId> = tasks.iter().map(|&task| (task, task)).collect();
    let mut waiting: VecDeque<FunctionId> = tasks.iter().copied().collect();
    while let Some(id) = waiting.pop_front() {
        let task = found[&id];
        for next in next(project, outcomes, id) {
            if let Entry::Vacant(place) = found.entry(next) {
                place.insert(task);
                waiting.push_back(next);
            }
        }
    }
    found
}

/// What a function leads to: what it calls, and what it makes.
pub(super) fn next(
    project: &Project,
    outcomes: &ByFunction<Box<Outcome>>,
    id: FunctionId,
) -> Vec<FunctionId> {
    let called = outcomes.get(id).into_iter().flat_map(|outcome| outcome.calls.iter().copied());
    // A function that is made in another one is made to be run, by whomever it is handed to.
    let made = project.function(id).steps.iter().filter_map(|step| match step.kind {
        StepKind::Function(index) => Some(FunctionId { file: id.file, index: index as u32 }),
        _ => None,
    });
    called.chain(made).collect()
}
