//! flow/nothing/producer: what answers `None` where there are no rows: aggregates.

use crate::facts::{Argument, ArgumentKind, Function, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Project, Symbol};

/// How many steps of a statement are looked through.
const LONGEST_CHAIN: usize = 64;

/// Methods that run an aggregate.
pub(super) fn may_answer_none(method: &str) -> bool {
    matches!(method, "aggregate" | "aaggregate" | "scalar" | "scalar_one" | "scalar_one_or_none")
}

/// The names under which `aggregate(…)` answers what is `None` without rows.
pub(super) fn aggregates(project: &Project, id: FunctionId, arguments: &[Argument]) -> Vec<Name> {
    let function = project.function(id);
    let named = |argument: &Argument| {
        if !is_empty_without_rows(project, id, argument.value, 0) {
            return None;
        }
        match argument.kind {
            ArgumentKind::Keyword(name) => Some(name),
            _ => default_name(project, id, function, argument.value),
        }
    };
    arguments.iter().filter_map(named).collect()
}

/// `Sum("cost")` is answered as `cost__sum`.
fn default_name(project: &Project, id: FunctionId, function: &Function, step: StepId) -> Option<Name> {
    let StepKind::Call { callee, ref arguments } = function.steps[step as usize].kind else { return None };
    let Some(Symbol::External(path)) = project.symbol_of(id, callee) else { return None };
    let field = match function.steps[arguments.first()?.value as usize].kind {
        StepKind::Literal(crate::facts::Literal::Text(field)) => field,
        _ => return None,
    };
    Some(Name::new(&format!("{field}__{}", path.last().to_lowercase())))
}

/// Whether an expression of Django's is null where there are no rows.
fn is_empty_without_rows(project: &Project, id: FunctionId, step: StepId, depth: usize) -> bool {
    let function = project.function(id);
    match &function.steps[step as usize].kind {
        StepKind::Call { callee, arguments } => {
            let has_default = arguments
                .iter()
                .any(|argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "default"));
            matches!(project.symbol_of(id, *callee), Some(Symbol::External(path))
                if !has_default
                    && path.starts_with("django.db.models.")
                    && matches!(path.last(), "Sum" | "Avg" | "Min" | "Max" | "StdDev" | "Variance"))
        }
        StepKind::Compute(parts) if depth < 8 => {
            parts.iter().any(|part| is_empty_without_rows(project, id, *part, depth + 1))
        }
        _ => false,
    }
}

/// Whether `….scalar()` answers an aggregate of SQLAlchemy's over all rows of a statement.
pub(super) fn is_scalar_aggregate(project: &Project, id: FunctionId, call: StepId) -> bool {
    let function = project.function(id);
    let mut waiting = vec![call];
    let mut selects = false;
    let mut turns = 0;
    while let Some(step) = waiting.pop() {
        turns += 1;
        if turns > LONGEST_CHAIN {
            return false;
        }
        match &function.steps[step as usize].kind {
            StepKind::Call { callee, arguments } => {
                if let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind {
                    if matches!(&*name, "group_by" | "scalars") {
                        return false;
                    }
                    if is_selecting(project, id, *callee, &name) {
                        match first_is_aggregate(project, id, arguments) {
                            true => selects = true,
                            false => return false,
                        }
                        continue;
                    }
                    waiting.push(of);
                } else if is_selecting(project, id, *callee, "") {
                    match first_is_aggregate(project, id, arguments) {
                        true => selects = true,
                        false => return false,
                    }
                    continue;
                }
                // `db.scalar(statement)` and `db.execute(statement)`; the conditions of a `where` say nothing.
                let takes_statement = matches!(function.steps[*callee as usize].kind, StepKind::Attribute { name, .. }
                    if matches!(&*name, "scalar" | "execute" | "exec"));
                if takes_statement {
                    waiting.extend(arguments.first().map(|argument| argument.value));
                }
            }
            StepKind::Await(of) => waiting.push(*of),
            StepKind::Name(name) => waiting.extend(function.bound_once(*name)),
            _ => {}
        }
    }
    selects
}

/// Whether a callee begins a statement: `select(…)`, `session.query(…)`.
fn is_selecting(project: &Project, id: FunctionId, callee: StepId, method: &str) -> bool {
    method == "query"
        || matches!(project.symbol_of(id, callee), Some(Symbol::External(path))
            if path.starts_with("sqlalchemy") && path.last() == "select" || path.starts_with("sqlmodel") && path.last() == "select")
}

fn first_is_aggregate(project: &Project, id: FunctionId, arguments: &[Argument]) -> bool {
    let function = project.function(id);
    let [argument] = arguments else { return false };
    let StepKind::Call { callee, .. } = function.steps[argument.value as usize].kind else { return false };
    matches!(project.symbol_of(id, callee), Some(Symbol::External(path))
        if path.starts_with("sqlalchemy") && path.contains(".func.") && matches!(path.last(), "sum" | "avg" | "min" | "max"))
}
