//! flow/reach: in whose transactions functions may run, told from the calls that lead to them.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::FunctionKind;
use crate::project::{ByFunction, Certainty, FunctionId, Project};

use super::outcome::Outcome;
use super::rust::transaction::is_handed_connection;

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
    outcomes: &ByFunction<Box<Outcome>>,
    callers: &FxHashMap<FunctionId, BTreeSet<FunctionId>>,
) -> Reach {
    let mut found = Reach::default();
    let is_entry = |id: &FunctionId| {
        callers.get(id).is_none_or(|callers| callers.iter().all(|caller| project.is_test(caller.file)))
    };
    let (mut loose, mut bound) = (Vec::new(), Vec::new());
    for id in project.function_ids().into_iter().filter(|id| !project.is_test(id.file)).filter(is_entry) {
        match is_wrapped(project, id) {
            Certainty::Yes => {
                found.bound.insert(id, id);
                bound.push(id);
            }
            Certainty::No if is_handed_connection(project, id) => {}
            Certainty::No => {
                found.loose.insert(id);
                loose.push(id);
            }
            // Nothing is said where it could not be told.
            Certainty::Unknown => {}
        }
    }
    while let Some(id) = loose.pop() {
        let Some(outcome) = outcomes.get(id) else { continue };
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
        let Some(outcome) = outcomes.get(id) else { continue };
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
fn is_wrapped(project: &Project, id: FunctionId) -> Certainty {
    if project.is_decorated_atomic(id) {
        return Certainty::Yes;
    }
    if project.is_rust(id.file) {
        return Certainty::No;
    }
    // What Django or a library calls for a request runs in the request's transaction.
    let function = project.function(id);
    let is_of_request = project.task(id).is_none()
        && function.kind == FunctionKind::Function
        && !project.module_name(id.file).contains("management.commands");
    match project.has_own_transaction(id) {
        Certainty::No if is_of_request && !project.is_routed(id) => project.wraps_requests(id.file),
        certainty => certainty,
    }
}
