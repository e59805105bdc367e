//! flow/repeated: rows that a task makes once more when it runs once more.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use crate::duty::Operation;
use crate::facts::{ArgumentKind, Function, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Retries, Symbol, Task};

use super::Flow;
use super::verdict::Judgement;

/// A row that may be there twice.
#[derive(Clone, Debug)]
pub(super) struct Repeated {
    /// The function that makes it.
    pub function: FunctionId,
    /// Where.
    pub step: StepId,
    /// The model.
    pub model: ClassId,
    /// The task that leads there.
    pub task: FunctionId,
    /// The word for why the task runs more than once.
    pub because: &'static str,
    /// Whether the way there picks out what is left to do, and notes what was done.
    pub progress: Progress,
}

/// Whether the way to a row looks at what is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It changes rows that it picked out by what they have.
    Kept,
    /// Nothing says so.
    Unknown,
}

/// Methods that look whether a row is there.
const LOOKS: &[&str] = &[
    "exists",
    "aexists",
    "first",
    "afirst",
    "last",
    "get",
    "aget",
    "count",
    "acount",
    "in_bulk",
    "filter",
    "exclude",
    "values_list",
    "all",
    "delete",
    "adelete",
];

/// What makes a value that is another one each time.
const EVER_NEW: &[&str] = &["uuid", "random", "secrets", "token", "now(", "time("];

/// All rows that a second run of a task makes a second time.
pub(super) fn repeated(project: &Project, flow: &Flow, judgements: &[Judgement]) -> Vec<Repeated> {
    let repeating = |task: &Task| because(task).is_some();
    let tasks: Vec<FunctionId> =
        project.task_ids().into_iter().filter(|id| project.task(*id).is_some_and(repeating)).collect();
    if tasks.is_empty() {
        return Vec::new();
    }
    let ways = Ways::of(project, flow, tasks);
    let mut found: BTreeMap<(FunctionId, ClassId), Repeated> = BTreeMap::new();
    let creates = judgements.iter().filter(|judgement| judgement.operation == Operation::Create);
    for judgement in creates {
        let (id, step, model) = (judgement.function, judgement.step, judgement.model);
        let Some(way) = ways.to(id) else { continue };
        let Some(task) = way.last().copied() else { continue };
        let Some(because) = project.task(task).and_then(because) else { continue };
        if is_kept_single(project, id, step, model)
            || ignores_conflicts(project, judgement)
            || hangs_on_new(project, id, step)
            || way.iter().any(|&passed| looks_first(project, passed, model, (passed == id).then_some(step)))
        {
            continue;
        }
        let progress = match way.iter().any(|&passed| keeps_progress(project, passed)) {
            true => Progress::Kept,
            false => Progress::Unknown,
        };
        let repeated = Repeated { function: id, step, model, task, because, progress };
        found.entry((id, model)).or_insert(repeated);
    }
    found.into_values().collect()
}

/// Why one order may run a task more than once.
fn because(task: &Task) -> Option<&'static str> {
    if task.is_periodic {
        Some("periodic")
    } else if task.retries != Retries::Never {
        Some("retried")
    } else {
        task.acks_late.then_some("acknowledged-late")
    }
}

/// How tasks lead to functions.
struct Ways {
    /// By function: who calls it on the way, itself for a task.
    from: FxHashMap<FunctionId, FunctionId>,
}

impl Ways {
    fn of(project: &Project, flow: &Flow, tasks: Vec<FunctionId>) -> Ways {
        // What is scheduled comes first: it runs twice most often.
        let (periodic, others): (Vec<FunctionId>, Vec<FunctionId>) =
            tasks.into_iter().partition(|id| project.task(*id).is_some_and(|task| task.is_periodic));
        let mut from: FxHashMap<FunctionId, FunctionId> = FxHashMap::default();
        for tasks in [periodic, others] {
            let mut waiting: VecDeque<FunctionId> = VecDeque::new();
            for task in tasks {
                if from.insert(task, task).is_none() {
                    waiting.push_back(task);
                }
            }
            while let Some(id) = waiting.pop_front() {
                for next in super::worker::next(project, &flow.outcomes, id) {
                    // Another task that is called is a task of its own, but runs here all the same.
                    if let Entry::Vacant(place) = from.entry(next) {
                        place.insert(id);
                        waiting.push_back(next);
                    }
                }
            }
        }
        Ways { from }
    }

    /// The functions from one back to its task; the task is the last.
    fn to(&self, id: FunctionId) -> Option<Vec<FunctionId>> {
        let mut way = vec![id];
        let mut at = id;
        loop {
            let before = *self.from.get(&at)?;
            if before == at || way.len() > 64 {
                return Some(way);
            }
            way.push(before);
            at = before;
        }
    }
}

/// Whether the table refuses a second row, or the call looks for the first one; also where nobody can tell what the row
/// is made with.
fn is_kept_single(project: &Project, id: FunctionId, step: StepId, model: ClassId) -> bool {
    let function = project.function(id);
    let StepKind::Call { callee, arguments } = &function.steps[step as usize].kind else { return true };
    let method = match function.steps[*callee as usize].kind {
        StepKind::Attribute { name, .. } => Some(name),
        _ => None,
    };
    let upserts =
        |name: Name| name.contains("or_create") || matches!(&*name, "merge" | "upsert" | "update_or_insert");
    if method.is_some_and(upserts) {
        return true;
    }
    if arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords) {
        return true;
    }
    let given: Vec<(Name, StepId)> = arguments
        .iter()
        .filter_map(|argument| match argument.kind {
            ArgumentKind::Keyword(name) => Some((name, argument.value)),
            _ => None,
        })
        .collect();
    let is_given = |column: &Name| {
        given.iter().any(|(name, value)| {
            let is_column = name == column || name.strip_suffix("_id").is_some_and(|name| name == &**column);
            is_column && !is_ever_new(project, id, *value)
        })
    };
    // Nobody has the same key twice.
    if given.iter().any(|(name, value)| matches!(&**name, "pk" | "id") && !is_ever_new(project, id, *value)) {
        return true;
    }
    project.unique_sets(model).iter().any(|set| !set.is_empty() && set.iter().all(is_given))
}

/// Whether a value is another one each time it is made.
fn is_ever_new(project: &Project, id: FunctionId, step: StepId) -> bool {
    let function = project.function(id);
    let source = &project.file(id.file).source;
    let says = |step: StepId| {
        let text = source.slice(function.steps[step as usize].span);
        EVER_NEW.iter().any(|word| text.contains(word))
    };
    let bound = match function.steps[step as usize].kind {
        StepKind::Name(name) => function.bindings(name).next(),
        _ => None,
    };
    says(step) || bound.is_some_and(says)
}

/// Whether a batch leaves out what is there.
fn ignores_conflicts(project: &Project, judgement: &Judgement) -> bool {
    let Some((id, step)) = judgement.published else { return false };
    let function = project.function(id);
    let Some(StepKind::Call { arguments, .. }) = function.steps.get(step as usize).map(|step| &step.kind)
    else {
        return false;
    };
    arguments.iter().any(|argument| {
        matches!(argument.kind, ArgumentKind::Keyword(name) if matches!(&*name, "ignore_conflicts" | "update_conflicts"))
            && matches!(function.steps[argument.value as usize].kind, StepKind::Literal(Literal::Switch(true)))
    })
}

/// Whether a row hangs on another one that the function makes: that is the one which is there twice.
fn hangs_on_new(project: &Project, id: FunctionId, step: StepId) -> bool {
    let function = project.function(id);
    let StepKind::Call { arguments, .. } = &function.steps[step as usize].kind else { return false };
    let made = |name: Name| function.bindings(name).any(|value| makes_row(project, id, function, value));
    arguments.iter().any(|argument| match function.steps[argument.value as usize].kind {
        StepKind::Name(name) => matches!(argument.kind, ArgumentKind::Keyword(_)) && made(name),
        // `parent_id=parent.id`
        StepKind::Attribute { of, .. } => match function.steps[of as usize].kind {
            StepKind::Name(name) => made(name),
            _ => false,
        },
        _ => false,
    })
}

fn makes_row(project: &Project, id: FunctionId, function: &Function, step: StepId) -> bool {
    let StepKind::Call { callee, .. } = function.steps[step as usize].kind else { return false };
    match function.steps[callee as usize].kind {
        StepKind::Attribute { name, .. } if matches!(&*name, "create" | "acreate") => true,
        _ => {
            matches!(project.symbol_of(id, callee), Some(Symbol::Class(class)) if project.model(class).is_some())
        }
    }
}

/// Whether a function looks at rows of a model, before a step where one is given.
fn looks_first(project: &Project, id: FunctionId, model: ClassId, before: Option<StepId>) -> bool {
    let function = project.function(id);
    let until = before.map_or(function.steps.len(), |step| step as usize);
    (0..).zip(&function.steps[..until]).any(|(_, step)| match &step.kind {
        StepKind::Call { callee, arguments } => {
            let (of, name) = match function.steps[*callee as usize].kind {
                StepKind::Attribute { of, name } => (Some(of), name),
                StepKind::Name(name) => (None, name),
                _ => return false,
            };
            match (of, &*name) {
                (_, "exists" | "aexists") => true,
                // `select(Model)`, `session.query(Model)`, `session.get(Model, key)`
                (_, "select" | "query" | "get" | "delete")
                    if arguments.iter().any(|argument| is_of(project, id, argument.value, model)) =>
                {
                    true
                }
                (Some(of), name) => LOOKS.contains(&name) && is_of(project, id, of, model),
                _ => false,
            }
        }
        _ => false,
    })
}

/// Whether a chain of calls and attributes begins with a model.
fn is_of(project: &Project, id: FunctionId, step: StepId, model: ClassId) -> bool {
    let function = project.function(id);
    let mut at = step;
    for _ in 0..64 {
        if matches!(project.symbol_of(id, at), Some(Symbol::Class(class)) if class == model) {
            return true;
        }
        at = match function.steps[at as usize].kind {
            StepKind::Call { callee, .. } => callee,
            StepKind::Attribute { of, .. } | StepKind::Await(of) => of,
            _ => return false,
        };
    }
    false
}

/// Whether a function picks rows out by what they have, and changes what rows have.
fn keeps_progress(project: &Project, id: FunctionId) -> bool {
    let function = project.function(id);
    let picks = function.steps.iter().any(|step| match &step.kind {
        StepKind::Call { callee, arguments } => {
            let picks = matches!(function.steps[*callee as usize].kind, StepKind::Attribute { name, .. }
                if matches!(&*name, "filter" | "exclude" | "where" | "filter_by"));
            picks && !arguments.is_empty()
        }
        _ => false,
    });
    let notes = function.steps.iter().any(|step| match &step.kind {
        StepKind::Call { callee, .. } => {
            matches!(function.steps[*callee as usize].kind, StepKind::Attribute { name, .. }
                if matches!(&*name, "update" | "bulk_update" | "save" | "add"))
        }
        StepKind::Store { of, .. } => {
            matches!(function.steps[*of as usize].kind, StepKind::Name(name) if &*name != "self")
        }
        _ => false,
    });
    picks && notes
}
