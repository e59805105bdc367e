//! flow/wrapper: decorators that the project has written and that end the transaction of what they decorate.
//!
//! `@transactional` answers a function of its own, which calls the decorated one, commits what went well and rolls back
//! what did not. Whoever calls the decorated function calls that one.

use crate::facts::{Function, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FunctionId, Project, Symbol};

use super::state::State;
use super::trace::Trace;
use super::value::SessionKey;

impl Trace<'_> {
    /// What the decorators of a callee do once it has done its own part, or has raised.
    pub(super) fn wrapped(
        &mut self,
        state: &mut State,
        step: StepId,
        callee: FunctionId,
        session: SessionKey,
    ) {
        for wrapper in wrappers(self.project, callee) {
            self.outcome.calls.insert(wrapper);
            let Some(summary) = self.summary(wrapper) else { continue };
            if summary.throws_rolled_back {
                // An error of the callee comes out of the wrapper, and the session is whole again.
                self.may_fail.remove(&session);
                self.rolled_back.insert(session);
            }
            if summary.commits {
                self.used.any = true;
                self.used.writes = true;
                self.commit(state, session, step);
            }
        }
    }
}

/// The functions that decorators of the project put in the place of a function, the innermost first.
pub(super) fn wrappers(project: &Project, id: FunctionId) -> Vec<FunctionId> {
    let wrapper = |decorator: &Term| {
        let path = match decorator {
            Term::Path(path) => *path,
            Term::Call { callee, .. } => match &**callee {
                Term::Path(path) => *path,
                _ => return None,
            },
            _ => return None,
        };
        match project.resolve_path(id.file, path) {
            Some(Symbol::Function(decorator)) => wrapper_in(project, decorator),
            _ => None,
        }
    };
    project.function(id).decorators.iter().rev().filter_map(wrapper).collect()
}

/// The function inside a decorator, or inside the one that a decorator with arguments answers, which calls what that
/// was handed.
fn wrapper_in(project: &Project, decorator: FunctionId) -> Option<FunctionId> {
    let functions = &project.file(decorator.file).facts.functions;
    let at = decorator.index as usize;
    let is_inside = |parent: usize| parent == at || functions[parent].parent == Some(at);
    let wraps = |function: &Function| {
        function.parent.filter(|&parent| is_inside(parent)).is_some_and(|parent| {
            let decorated = functions[parent].params.first().map(|param| param.name);
            decorated.is_some_and(|name| calls(function, name))
        })
    };
    let index = functions.iter().position(wraps)?;
    Some(FunctionId { index: index as u32, ..decorator })
}

fn calls(function: &Function, name: Name) -> bool {
    function.steps.iter().any(|step| match step.kind {
        StepKind::Call { callee, .. } => {
            matches!(function.steps[callee as usize].kind, StepKind::Name(called) if called == name)
        }
        _ => false,
    })
}
