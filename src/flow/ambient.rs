//! flow/ambient: who acts, taken from what lies about: context variables, thread locals, libraries that keep a request's user.
//!
//! In a worker nobody has put anything there: the value is the default, or what the task before has left. So a read is
//! told where a task leads to it and that task sets nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Function, Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Project, Symbol};

use super::Flow;

/// Something that holds who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Holder {
    /// A variable of a module.
    Variable(FileId, Name),
    /// A library of its own, by the first part of its path.
    Library(Name),
}

/// A read of who acts in code that a worker runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ambient {
    /// The function.
    pub function: FunctionId,
    /// The read, or the call of what reads and answers it.
    pub step: StepId,
    /// The task that leads there.
    pub task: FunctionId,
    /// What is read.
    pub name: Name,
}

/// Functions of libraries that answer the user of the request at hand.
const GETTERS: &[(&str, &str)] = &[
    ("crum", "get_current_user"),
    ("django_currentuser", "get_current_user"),
    ("django_currentuser", "get_current_authenticated_user"),
    ("threadlocals", "get_current_user"),
    ("django_middleware_global_request", "get_request"),
    ("ftn_audit", "get_current_audit_context"),
    ("ftn_audit", "get_current_audit_request"),
];

/// Functions of the same libraries that say who acts.
const SETTERS: &[(&str, &str)] = &[
    ("crum", "impersonate"),
    ("crum", "set_current_user"),
    ("django_currentuser", "_set_current_user"),
    ("ftn_audit", "set_current_audit_context"),
    ("ftn_audit", "set_current_audit_request"),
];

/// Parts of names that speak of who acts.
const ACTORS: &[&str] =
    &["user", "actor", "principal", "author", "operator", "editor", "username", "email", "audit"];

/// How often what answers a read is looked for again.
const MOST_ROUNDS: usize = 4;

/// All reads of who acts in code that a worker runs, where the task that leads there does not say it.
pub(super) fn ambient(project: &Project, flow: &Flow) -> Vec<Ambient> {
    if flow.worker.reached.is_empty() {
        return Vec::new();
    }
    let holders = Holders::of(project);
    let mut reads: BTreeMap<FunctionId, Vec<(StepId, Holder)>> = BTreeMap::new();
    let mut sets: FxHashMap<Holder, FxHashSet<FunctionId>> = FxHashMap::default();
    for id in project.function_ids() {
        let function = project.function(id);
        for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
            match holders.met(project, id, kind) {
                Some((holder, Use::Read)) if is_of_actor(function, step, holder) => {
                    reads.entry(id).or_default().push((step, holder));
                }
                Some((holder, Use::Set)) => {
                    sets.entry(holder).or_default().insert(id);
                }
                _ => {}
            }
        }
    }
    if reads.is_empty() {
        return Vec::new();
    }
    let getters = through_getters(project, flow, &mut reads);
    let mut by_holder: BTreeMap<Holder, BTreeMap<FunctionId, Vec<StepId>>> = BTreeMap::new();
    for (id, all) in &reads {
        for (step, holder) in all.iter().filter(|_| !getters.contains(id)) {
            by_holder.entry(*holder).or_default().entry(*id).or_default().push(*step);
        }
    }
    let mut found = Vec::new();
    for (holder, places) in by_holder {
        let empty = FxHashSet::default();
        let setters = sets.get(&holder).unwrap_or(&empty);
        if setters.iter().any(|&id| runs_before_tasks(project, id)) {
            continue;
        }
        let reached = without(project, flow, setters);
        for (id, steps) in places {
            let Some(&task) = reached.get(&id) else { continue };
            // One read stands for all of a function.
            if let Some(&step) = steps.first() {
                let name = match holder {
                    Holder::Variable(_, name) | Holder::Library(name) => name,
                };
                found.push(Ambient { function: id, step, task, name });
            }
        }
    }
    found.sort_by_key(|one| (one.function, one.step));
    found.dedup_by_key(|one| (one.function, one.step));
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Set,
}

/// The variables that hold something of the request at hand.
struct Holders {
    context: FxHashSet<(FileId, Name)>,
    local: FxHashSet<(FileId, Name)>,
}

impl Holders {
    fn of(project: &Project) -> Holders {
        let mut found = Holders { context: FxHashSet::default(), local: FxHashSet::default() };
        for file in project.file_ids() {
            for field in &project.file(file).facts.declared {
                let Some(Term::Call { callee, .. }) = &field.value else { continue };
                let path = match &**callee {
                    Term::Path(path) => *path,
                    Term::Generic { base, .. } => match &**base {
                        Term::Path(path) => *path,
                        _ => continue,
                    },
                    _ => continue,
                };
                let Some(Symbol::External(path)) = project.resolve_path(file, path) else { continue };
                match &*path {
                    "contextvars.ContextVar" => found.context.insert((file, field.name)),
                    "threading.local" | "asgiref.local.Local" | "werkzeug.local.Local" => {
                        found.local.insert((file, field.name))
                    }
                    _ => false,
                };
            }
        }
        found
    }

    /// What a step does with something that holds who acts.
    fn met(&self, project: &Project, id: FunctionId, kind: &StepKind) -> Option<(Holder, Use)> {
        let function = project.function(id);
        let variable = |step: StepId, among: &FxHashSet<(FileId, Name)>| match project.symbol_of(id, step) {
            Some(Symbol::Variable(file, name)) if among.contains(&(file, name)) => {
                Some(Holder::Variable(file, name))
            }
            _ => None,
        };
        match kind {
            StepKind::Call { callee, arguments } => {
                if let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind
                    && matches!(&*name, "get" | "set")
                    && let Some(holder) = variable(of, &self.context)
                {
                    return Some((holder, if &*name == "get" { Use::Read } else { Use::Set }));
                }
                // `getattr(local, "user", None)`
                if let StepKind::Name(name) = function.steps[*callee as usize].kind
                    && let Some(first) = arguments.first()
                    && let Some(holder) = variable(first.value, &self.local)
                {
                    return match &*name {
                        "getattr" => Some((holder, Use::Read)),
                        "setattr" => Some((holder, Use::Set)),
                        _ => None,
                    };
                }
                let Some(Symbol::External(path)) = project.symbol_of(id, *callee) else { return None };
                let root = path.split('.').next()?;
                let is_among = |all: &[(&str, &str)]| all.contains(&(root, path.last()));
                let holder = Holder::Library(Name::new(root));
                match (is_among(GETTERS), is_among(SETTERS)) {
                    (true, _) => Some((holder, Use::Read)),
                    (_, true) => Some((holder, Use::Set)),
                    _ => None,
                }
            }
            StepKind::Attribute { of, .. } => Some((variable(*of, &self.local)?, Use::Read)),
            StepKind::Store { of, .. } => Some((variable(*of, &self.local)?, Use::Set)),
            _ => None,
        }
    }
}

/// Whether what is read says who acts: by the name of the variable, of the attribute, or of what it is bound to.
fn is_of_actor(function: &Function, step: StepId, holder: Holder) -> bool {
    let Holder::Variable(_, name) = holder else { return true };
    let read = match &function.steps[step as usize].kind {
        StepKind::Attribute { name, .. } => Some(*name),
        StepKind::Call { arguments, .. } => {
            arguments.get(1).and_then(|argument| match function.steps[argument.value as usize].kind {
                StepKind::Literal(Literal::Text(text)) => Some(text),
                _ => None,
            })
        }
        _ => None,
    };
    let mut used = function.steps.iter().filter_map(|other| match other.kind {
        StepKind::Bind { name, value, .. } | StepKind::Store { name, value, .. } if value == step => {
            Some(name)
        }
        StepKind::Attribute { of, name } if of == step => Some(name),
        _ => None,
    });
    speaks_of_actor(&name)
        || read.is_some_and(|read| speaks_of_actor(&read))
        || used.any(|name| speaks_of_actor(&name))
}

fn speaks_of_actor(name: &str) -> bool {
    name.to_lowercase().split(['_', '.']).any(|part| ACTORS.contains(&part))
}

/// Functions that do nothing but answer such a read: what calls them reads. Answers those functions.
fn through_getters(
    project: &Project,
    flow: &Flow,
    reads: &mut BTreeMap<FunctionId, Vec<(StepId, Holder)>>,
) -> BTreeSet<FunctionId> {
    let mut getters: BTreeMap<FunctionId, Holder> = BTreeMap::new();
    for _ in 0..MOST_ROUNDS {
        let mut news: Vec<(FunctionId, Holder)> = Vec::new();
        for (id, all) in reads.iter().filter(|(id, _)| !getters.contains_key(id)) {
            let answered = all.iter().find(|(step, _)| is_answered(project.function(*id), *step));
            news.extend(answered.map(|(_, holder)| (*id, *holder)));
        }
        if news.is_empty() {
            break;
        }
        for (getter, holder) in news {
            getters.insert(getter, holder);
            for &caller in flow.callers.get(&getter).into_iter().flatten() {
                let Some(outcome) = flow.outcomes.get(caller) else { continue };
                for (step, _) in outcome.called.iter().filter(|(_, callee)| *callee == getter) {
                    let known = reads.entry(caller).or_default();
                    if !known.contains(&(*step, holder)) {
                        known.push((*step, holder));
                    }
                }
            }
        }
    }
    getters.into_keys().collect()
}

/// Whether a function returns what a step reads, as it is or by an attribute.
fn is_answered(function: &Function, step: StepId) -> bool {
    let holds = |value: StepId| {
        let mut at = value;
        for _ in 0..16 {
            if at == step {
                return true;
            }
            at = match &function.steps[at as usize].kind {
                StepKind::Attribute { of, .. } | StepKind::Await(of) => *of,
                StepKind::Either(all) => match all.first() {
                    Some(first) => *first,
                    None => return false,
                },
                StepKind::Name(name) => match function.bindings(*name).next() {
                    Some(value) => value,
                    None => return false,
                },
                _ => return false,
            };
        }
        false
    };
    function.steps.iter().any(|one| matches!(one.kind, StepKind::Return(Some(value)) if holds(value)))
}

/// Whether a function is called before every task: `@task_prerun.connect`.
fn runs_before_tasks(project: &Project, id: FunctionId) -> bool {
    project.function(id).decorators.iter().any(|decorator| {
        let path = match decorator {
            Term::Path(path) => *path,
            Term::Call { callee, .. } => match **callee {
                Term::Path(path) => path,
                _ => return false,
            },
            _ => return false,
        };
        path.split('.').any(|part| part == "task_prerun")
    })
}

/// What tasks lead to, by the first task; tasks that lead to one of these functions are left out: they say who acts.
fn without(
    project: &Project,
    flow: &Flow,
    setters: &FxHashSet<FunctionId>,
) -> FxHashMap<FunctionId, FunctionId> {
    // Whatever leads to a setter, backwards along the calls.
    let mut sets: FxHashSet<FunctionId> = setters.iter().copied().collect();
    let mut waiting: VecDeque<FunctionId> = setters.iter().copied().collect();
    while let Some(id) = waiting.pop_front() {
        for &caller in flow.callers.get(&id).into_iter().flatten() {
            if sets.insert(caller) {
                waiting.push_back(caller);
            }
        }
    }
    let tasks: Vec<FunctionId> = project.task_ids().into_iter().filter(|id| !sets.contains(id)).collect();
    super::worker::from(project, &flow.outcomes, &tasks)
}
