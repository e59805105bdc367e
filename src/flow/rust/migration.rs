//! flow/rust/migration: what migrations written in Rust say of columns: which ones have a default in the database.
//!
//! SeaORM's `ColumnDef::new(Users::CreatedAt).default(…)` and `table_auto(Users::Table)`, and Loco's
//! `create_table(m, "users", …)`, which adds both times by itself.

use crate::facts::{Argument, Function, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Project, Symbol};

use super::sea_query::snake_case;

/// The columns that a helper for tables adds, each with the time as its default.
const TIMES: &[&str] = &["created_at", "updated_at"];

/// A column that has a default, and where that is said.
pub(in crate::flow) struct Filled {
    pub(in crate::flow) table: Name,
    pub(in crate::flow) column: Name,
    pub(in crate::flow) place: (FunctionId, StepId),
}

/// The columns that migrations of the program give defaults.
pub(in crate::flow) fn filled(project: &Project) -> Vec<Filled> {
    let mut found = Vec::new();
    for id in project.function_ids().into_iter().filter(|id| project.is_rust(id.file)) {
        let function = project.function(id);
        if &*function.name == "down" {
            continue;
        }
        for (step, kind) in (0..).zip(&function.steps) {
            let StepKind::Call { callee, arguments } = &kind.kind else { continue };
            let say =
                |table: Name, column: &str| Filled { table, column: Name::new(column), place: (id, step) };
            let name = match function.steps[*callee as usize].kind {
                StepKind::Name(name) | StepKind::Attribute { name, .. } => name,
                _ => continue,
            };
            match &*name {
                "create_table" | "create_join_table" if is_of_library(project, id, *callee) => {
                    if let Some(table) = arguments.get(1).and_then(|argument| text(function, argument)) {
                        found.extend(TIMES.iter().map(|column| say(table, column)));
                    }
                }
                "table_auto" | "table_auto_tz" => {
                    if let Some((table, _)) =
                        arguments.first().and_then(|first| identifier(function, first.value))
                    {
                        found.extend(TIMES.iter().map(|column| say(table, column)));
                    }
                }
                "default" | "default_expr" => {
                    if let Some((table, column)) = defined(function, *callee) {
                        found.push(say(table, &column));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether a function is Loco's, or comes from outside the program by a star.
fn is_of_library(project: &Project, id: FunctionId, callee: StepId) -> bool {
    let StepKind::Name(name) = project.function(id).steps[callee as usize].kind else { return false };
    match project.lookup(id, name) {
        Lookup::Global(Symbol::External(_)) => true,
        Lookup::Global(Symbol::Function(known)) => {
            let loco = project.crate_named("loco_rs");
            loco.is_some() && project.crate_root(known.file) == loco
        }
        _ => false,
    }
}

fn text(function: &Function, argument: &Argument) -> Option<Name> {
    match function.steps[argument.value as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// `Users::CreatedAt` as the names of a table and a column.
fn identifier(function: &Function, step: StepId) -> Option<(Name, Name)> {
    let StepKind::Attribute { of, name } = function.steps[step as usize].kind else { return None };
    let table = match function.steps[of as usize].kind {
        StepKind::Name(table) | StepKind::Attribute { name: table, .. } => table,
        _ => return None,
    };
    Some((Name::new(&snake_case(&table)), Name::new(&snake_case(&name))))
}

/// The column that a chain of calls defines, by what the first of them is handed.
fn defined(function: &Function, callee: StepId) -> Option<(Name, Name)> {
    let mut at = callee;
    loop {
        at = match &function.steps[at as usize].kind {
            StepKind::Attribute { of, .. } => *of,
            StepKind::Call { callee, arguments } => {
                if let Some(known) = arguments.first().and_then(|first| identifier(function, first.value)) {
                    return Some(known);
                }
                *callee
            }
            _ => return None,
        };
    }
}
