//! flow/due: which functions must be followed again, once others are known better than before.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::project::{ClassId, FunctionId, Project};

use super::Outcome;

/// Who depends on what, so that nobody has to be asked who does not.
pub(super) struct Due<'p> {
    project: &'p Project,
    /// By function: those that call it or hear of it, or did once.
    dependents: FxHashMap<FunctionId, Vec<FunctionId>>,
    /// By class: its methods and what is nested in them, which sees their `self`.
    inside: FxHashMap<ClassId, Vec<FunctionId>>,
}

impl<'p> Due<'p> {
    pub(super) fn of(project: &'p Project) -> Due<'p> {
        let mut inside: FxHashMap<ClassId, Vec<FunctionId>> = FxHashMap::default();
        for id in project.function_ids() {
            if let Some(class) = class_around(project, id) {
                inside.entry(class).or_default().push(id);
            }
        }
        Due { project, dependents: FxHashMap::default(), inside }
    }

    /// Takes note of what a function depends on now, and did not before.
    pub(super) fn note(&mut self, id: FunctionId, before: Option<&Outcome>, now: &Outcome) {
        let is_known = |other: &FunctionId| {
            before.is_some_and(|before| before.calls.contains(other) || before.hears.contains(other))
        };
        for other in now.calls.iter().chain(&now.hears).filter(|other| !is_known(other)) {
            self.dependents.entry(*other).or_default().push(id);
        }
    }

    /// Functions that must be followed again, in order: callers of what changed, and methods around an attribute that
    /// changed.
    pub(super) fn next(
        &self,
        outcomes: &FxHashMap<FunctionId, Outcome>,
        changed: &FxHashSet<FunctionId>,
        changed_classes: &FxHashSet<ClassId>,
    ) -> Vec<FunctionId> {
        let calls_changed = |id: &FunctionId| {
            let outcome = outcomes.get(id);
            outcome
                .is_some_and(|one| one.calls.iter().chain(&one.hears).any(|callee| changed.contains(callee)))
        };
        let callers = changed.iter().filter_map(|id| self.dependents.get(id)).flatten();
        let mut due: Vec<FunctionId> = callers.copied().filter(calls_changed).collect();
        for &class in changed_classes {
            let family = std::iter::once(&class).chain(self.project.heirs_of(class));
            due.extend(family.filter_map(|class| self.inside.get(class)).flatten());
        }
        due.sort_unstable();
        due.dedup();
        due
    }
}

/// The class whose `self` a function sees: a function nested in a method sees the method's.
fn class_around(project: &Project, id: FunctionId) -> Option<ClassId> {
    let mut at = Some(id);
    while let Some(here) = at {
        if let Some(class) = project.class_of(here) {
            return Some(class);
        }
        let parent = project.function(here).parent;
        at = parent.map(|index| FunctionId { file: here.file, index: index as u32 });
    }
    None
}
