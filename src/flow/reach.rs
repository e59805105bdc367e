//! flow/reach: in whose transactions functions may run, told from the calls that lead to them.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::FunctionKind;
use crate::project::{Certainty, FileId, FunctionId, Project};

use super::outcome::Outcome;

/// Which functions may run without a transaction that a caller has opened, and which with one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// Some way to them opens none.
    pub loose: FxHashSet<FunctionId>,
    /// Some way to them opens one; with the call around which it does.
    pub bound: FxHashMap<FunctionId, FunctionId>,
}

/// Follows all calls from the functions that nothing calls.
pub(super) fn reach(
    project: &Project,
    outcomes: &FxHashMap<FunctionId, Outcome>,
    callers: &FxHashMap<FunctionId, BTreeSet<FunctionId>>,
) -> Reach {
    let mut found = Reach::default();
    let is_entry = |id: &FunctionId| {
        callers.get(id).is_none_or(|callers| callers.iter().all(|caller| is_test(project, caller.file)))
    };
    let (mut loose, mut bound) = (Vec::new(), Vec::new());
    for id in project.function_ids().into_iter().filter(|id| !is_test(project, id.file)).filter(is_entry) {
        if is_wrapped(project, id) {
            found.bound.insert(id, id);
            bound.push(id);
        } else {
            found.loose.insert(id);
            loose.push(id);
        }
    }
    while let Some(id) = loose.pop() {
        let Some(outcome) = outcomes.get(&id) else { continue };
        for &callee in &outcome.calls_loose {
            if found.loose.insert(callee) {
                loose.push(callee);
            }
        }
        for &callee in &outcome.calls_bound {
            if found.bound.insert(callee, id).is_none() {
                bound.push(callee);
            }
        }
    }
    while let Some(id) = bound.pop() {
        let Some(outcome) = outcomes.get(&id) else { continue };
        for &callee in outcome.calls_loose.iter().chain(&outcome.calls_bound) {
            if !found.bound.contains_key(&callee) {
                let around = found.bound[&id];
                found.bound.insert(callee, around);
                bound.push(callee);
            }
        }
    }
    found
}

/// Whether a function that nothing of the project calls runs in a transaction that is opened for it.
fn is_wrapped(project: &Project, id: FunctionId) -> bool {
    if project.is_decorated_atomic(id) || project.has_own_transaction(id) != Certainty::No {
        return true;
    }
    // What Django or a library calls for a request runs in the request's transaction.
    let function = project.function(id);
    let is_of_request = project.task(id).is_none()
        && function.kind == FunctionKind::Function
        && !project.module_name(id.file).contains("management.commands");
    is_of_request && !project.is_routed(id) && project.wraps_requests(id.file) == Certainty::Yes
}

/// Whether a file holds tests: they call what nothing else calls that way.
pub(super) fn is_test(project: &Project, file: FileId) -> bool {
    project.module_name(file).split('.').any(|part| {
        matches!(part, "test" | "tests" | "conftest") || part.starts_with("test_") || part.ends_with("_test")
    })
}
