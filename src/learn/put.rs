//! learn/put: what the code puts into columns, by the name of the column.

use crate::facts::{ArgumentKind, Function, FunctionKind, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Project, Symbol, written_path};

use super::Ground;

/// A value that is put into a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) name: Name,
    pub(super) function: FunctionId,
    pub(super) value: StepId,
}

/// Methods that take columns as keywords.
const TAKES_COLUMNS: &[&str] = &[
    "values",
    "update",
    "create",
    "acreate",
    "aupdate",
    "get_or_create",
    "update_or_create",
    "filter_by",
    "set_",
];

/// Everything that service code puts into columns of some names.
pub(super) fn puts(ground: &Ground<'_>, is_wanted: impl Fn(&str) -> bool) -> Vec<Put> {
    let mut found = Vec::new();
    for id in ground.functions() {
        let function = ground.project.function(id);
        let mut put = |name: Name, value: StepId| {
            if is_wanted(name.trim_start_matches('_')) {
                found.push(Put { name, function: id, value });
            }
        };
        for step in &function.steps {
            match &step.kind {
                StepKind::Store { name, value, .. } => put(*name, *value),
                StepKind::StoreIndex { key, value, .. } => {
                    if let StepKind::Literal(Literal::Text(name)) = function.steps[*key as usize].kind {
                        put(name, *value);
                    }
                }
                StepKind::Dictionary(entries) => {
                    for (key, value) in entries {
                        if let Some(key) = key
                            && let StepKind::Literal(Literal::Text(name)) = function.steps[*key as usize].kind
                        {
                            put(name, *value);
                        }
                    }
                }
                StepKind::Call { callee, arguments }
                    if takes_columns(ground.project, id, function, *callee) =>
                {
                    for argument in arguments {
                        if let ArgumentKind::Keyword(name) = argument.kind {
                            put(name, argument.value);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether a call makes a row of its keywords, or changes one by them.
fn takes_columns(project: &Project, id: FunctionId, function: &Function, callee: StepId) -> bool {
    if function.kind == FunctionKind::ClassBody {
        return false;
    }
    if let StepKind::Attribute { name, .. } = function.steps[callee as usize].kind
        && TAKES_COLUMNS.contains(&&*name)
    {
        return true;
    }
    let symbol = written_path(function, callee).and_then(|path| project.symbol_in(id, path));
    matches!(symbol, Some(Symbol::Class(class)) if project.model(class).is_some())
}
