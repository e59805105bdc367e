//! flow/nothing: values that may be `None` and are compared for order all the same.
//!
//! Only what has a producer is followed: an aggregate over rows that may not be there, a function that answers `None`
//! on some path, alone, in a tuple, a dictionary or a field of an object. A test on the way guards the value, whatever
//! it looks like. This is a small analysis of its own: it looks at the few functions that compare or answer such
//! values, and at their callers.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Comparison, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Project};

use super::Flow;

mod fact;
mod producer;
mod walk;

/// How often callers are looked at again.
const MOST_ROUNDS: usize = 5;

/// A comparison that may meet `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unguarded {
    /// What may be `None`, as it is written.
    pub value: StepId,
    /// Where `None` comes from.
    pub origin: Origin,
    /// Where it is compared, when a callee does.
    pub within: Option<(FunctionId, StepId)>,
}

/// Where a `None` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The function.
    pub function: FunctionId,
    /// The step in it.
    pub step: StepId,
    /// Whether it was answered by a function or a database; a `None` that the code at hand writes itself is looked
    /// after there.
    pub is_produced: bool,
    /// Whether something beside it says that it is `None`: `(None, 0)`.
    pub is_told: bool,
}

impl Origin {
    /// Of two, the one that nothing beside it tells of.
    fn or(self, other: Origin) -> Origin {
        if self.is_told && !other.is_told { other } else { self }
    }
}

/// What may be `None` of a value: itself, or what is in it, by `.field`, `[key]`, `[index]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shape {
    whole: Option<Origin>,
    inner: BTreeMap<Name, Origin>,
}

impl Shape {
    fn of(whole: Option<Origin>) -> Shape {
        Shape { whole, inner: BTreeMap::new() }
    }

    fn join(&mut self, other: Shape) {
        self.whole = match (self.whole, other.whole) {
            (Some(one), Some(other)) => Some(one.or(other)),
            (one, other) => one.or(other),
        };
        for (key, origin) in other.inner {
            self.inner.entry(key).and_modify(|known| *known = known.or(origin)).or_insert(origin);
        }
    }

    /// What a caller gets of it.
    fn produced(&self) -> Shape {
        let answered = |origin: Origin| Origin { is_produced: true, ..origin };
        Shape {
            whole: self.whole.map(answered),
            inner: self.inner.iter().map(|(key, origin)| (*key, answered(*origin))).collect(),
        }
    }
}

/// What callers need to know of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    /// What may be `None` of what it answers.
    returns: Shape,
    /// What it compares of its parameters as they come: by parameter and path behind it.
    compares: BTreeMap<(usize, Name), (FunctionId, StepId)>,
    /// What it compares itself.
    found: BTreeMap<StepId, Unguarded>,
}

/// All comparisons that may meet `None`, by the function they stand in.
pub(super) fn unguarded(project: &Project, flow: &Flow) -> Vec<(FunctionId, StepId, Unguarded)> {
    let mut known: FxHashMap<FunctionId, Look> = FxHashMap::default();
    let mut due: Vec<FunctionId> =
        project.function_ids().into_iter().filter(|&id| is_concerned(project, id)).collect();
    for _ in 0..MOST_ROUNDS {
        if due.is_empty() {
            break;
        }
        let news: Vec<(FunctionId, Look)> =
            due.par_iter().map(|&id| (id, walk::look(project, flow, &known, id))).collect();
        let mut again: FxHashSet<FunctionId> = FxHashSet::default();
        for (id, look) in news {
            let before = known.get(&id);
            let tells_more = match before {
                Some(before) => before.returns != look.returns || before.compares != look.compares,
                None => look.returns != Shape::default() || !look.compares.is_empty(),
            };
            if tells_more {
                again.extend(flow.callers.get(&id).into_iter().flatten());
            }
            known.insert(id, look);
        }
        due = again.into_iter().collect();
        due.sort();
    }
    let mut found: Vec<(FunctionId, StepId, Unguarded)> = known
        .into_iter()
        .flat_map(|(id, look)| look.found.into_iter().map(move |(step, unguarded)| (id, step, unguarded)))
        .collect();
    found.sort_by_key(|(id, step, _)| (*id, *step));
    found
}

/// Whether a function compares for order, or may answer `None` beside other things.
fn is_concerned(project: &Project, id: FunctionId) -> bool {
    let function = project.function(id);
    let mut answers = false;
    let mut has_none = false;
    for step in &function.steps {
        match step.kind {
            StepKind::Compare { comparison: Comparison::Order, .. } => return true,
            StepKind::Return(Some(_)) => answers = true,
            StepKind::Literal(Literal::None) => has_none = true,
            StepKind::Call { callee, .. } => {
                has_none |= matches!(function.steps[callee as usize].kind, StepKind::Attribute { name, .. }
                    if producer::may_answer_none(&name));
            }
            _ => {}
        }
    }
    answers && has_none
}
