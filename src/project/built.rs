//! project/built: columns that functions make: `@declared_attr` methods, and helpers of the project that answer a column.

use crate::facts::{ArgumentKind, Function, Literal, StepId, StepKind};
use crate::name::Name;

use super::model::Column;
use super::{ClassId, FileId, FunctionId, Project, Symbol, written_path};

/// How many helpers one column is followed through.
const DEEPEST: usize = 4;

/// The column a `@declared_attr` method makes, by itself or by a helper of the class or of a module.
pub(super) fn by_method(project: &Project, model: ClassId, id: FunctionId) -> Option<Column> {
    let is_declared = project.function(id).decorators.iter().any(|decorator| {
        matches!(decorator, crate::facts::Term::Path(path) if path.split('.').any(|part| part == "declared_attr"))
    });
    if is_declared { made(project, model, id, 0) } else { None }
}

/// The column that a call of a function answers: `created_by = actor_column()`.
pub(super) fn by_call(project: &Project, model: ClassId, file: FileId, callee: Name) -> Option<Column> {
    match project.resolve_path(file, callee)? {
        Symbol::Function(function) => made(project, model, function, 0),
        _ => None,
    }
}

fn made(project: &Project, model: ClassId, id: FunctionId, depth: usize) -> Option<Column> {
    let function = project.function(id);
    let own = |step: &crate::facts::Step| match &step.kind {
        StepKind::Call { callee, arguments } if is_column(function, *callee) => {
            let given = |wanted: &[&str]| {
                arguments.iter().any(|argument| {
                    matches!(argument.kind, ArgumentKind::Keyword(name) if wanted.contains(&&*name))
                })
            };
            let named = arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain);
            Some(Column {
                default: given(&["default", "insert_default"]),
                server_default: given(&["server_default"]),
                on_update: given(&["onupdate"]),
                named: named.and_then(|argument| text(function, argument.value)),
                // What is called there is not looked into; a flush is not taken to expire the column.
                ..Column::default()
            })
        }
        _ => None,
    };
    if let Some(column) = function.steps.iter().find_map(own) {
        return Some(column);
    }
    if depth == DEEPEST {
        return None;
    }
    let returned = function.steps.iter().filter_map(|step| match step.kind {
        StepKind::Return(Some(value)) => Some(value),
        _ => None,
    });
    let helpers: Vec<FunctionId> =
        returned.filter_map(|value| helper(project, model, id.file, function, value)).collect();
    helpers.into_iter().find_map(|helper| made(project, model, helper, depth + 1))
}

/// The function that is called to make a value: a method of the class that the first parameter holds, or a function.
fn helper(
    project: &Project,
    model: ClassId,
    file: FileId,
    function: &Function,
    value: StepId,
) -> Option<FunctionId> {
    let StepKind::Call { callee, .. } = function.steps[value as usize].kind else { return None };
    if let StepKind::Attribute { of, name } = function.steps[callee as usize].kind
        && let StepKind::Name(receiver) = function.steps[of as usize].kind
        && function.params.first().is_some_and(|first| first.name == receiver)
    {
        return project.method(model, name);
    }
    match project.resolve_path(file, written_path(function, callee)?)? {
        Symbol::Function(function) => Some(function),
        _ => None,
    }
}

fn is_column(function: &Function, callee: StepId) -> bool {
    match function.steps[callee as usize].kind {
        StepKind::Name(name) | StepKind::Attribute { name, .. } => {
            matches!(&*name, "Column" | "mapped_column")
        }
        _ => false,
    }
}

fn text(function: &Function, step: StepId) -> Option<Name> {
    match function.steps[step as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}
