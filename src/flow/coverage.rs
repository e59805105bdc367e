//! flow/coverage: what fills a column that the code leaves out, on the way the write takes.
//!
//! | what fills it | a flush inserts | a statement inserts | text inserts | a flush updates | a statement updates | conflict branch, text updates |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `default=` | yes | yes | no | | | |
//! | a dataclass's `default_factory=` | yes | no | no | | | |
//! | `server_default=` that the table has | yes | yes | yes | | | |
//! | `onupdate=` | no | no | no | yes | yes | no |
//! | mapper and `before_flush` listeners | yes | no | no | yes | no | no |
//! | `do_orm_execute` hooks | no | of a session | no | no | of a session | no |
//! | triggers | yes | yes | yes | yes | yes | yes |
//! | `auto_now` | yes | `bulk_create` | no | `save()` | no | where it is listed |
//! | `auto_now_add` | yes | `bulk_create` | no | | | |

use std::collections::BTreeSet;

use crate::duty::Duty;
use crate::facts::StepId;
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Mapping, Project};

use super::Flow;
use super::listener::{Flush, Listener};
use super::value::Form;

/// The way a write takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The unit of work flushes a row.
    Flush,
    /// `bulk_save_objects` writes a row, and tells no listener.
    Unheard,
    /// A statement.
    Statement(Form),
}

/// Whether something fills a column of the role on this way of writing, which gives some columns values. A server
/// default counts only where the migrations show that the table has it.
pub(super) fn is_covered(
    project: &Project,
    flow: &Flow,
    class: ClassId,
    duty: Duty,
    (way, on): (Way, Flush),
    written: &BTreeSet<Name>,
) -> bool {
    is_heard(project, flow, class, duty, (way, on))
        || is_filled(project, flow, class, duty, (way, on))
        || is_triggered(project, flow, class, duty, (on, written))
}

/// Whether a field of the role stamps itself: there is nothing that code should do. Whichever way Django makes a row, by
/// a save or in bulk, it fills in what `default=` gives, as it does for `auto_now_add`.
///
/// What the database fills of a table that its schema alone declares is filled as declared, too.
pub(super) fn fills_itself(
    project: &Project,
    flow: &Flow,
    class: ClassId,
    duty: Duty,
    (on, written): (Flush, &BTreeSet<Name>),
) -> bool {
    if project.mapping(class).is_some_and(Mapping::is_declared_by_schema) {
        let way = Way::Statement(Form::Bare);
        return is_filled(project, flow, class, duty, (way, on))
            || is_triggered(project, flow, class, duty, (on, written));
    }
    let (Some(model), Some(django)) = (project.model(class), project.django(class)) else { return false };
    let stamps = |name: &crate::name::Name| match django.fields.get(name) {
        Some(field) => {
            field.auto_now || (field.auto_now_add || field.default && duty.is_time()) && on == Flush::Insert
        }
        // A base from outside declares it.
        None => model.columns.get(name).is_some_and(|column| column.on_update),
    };
    model.fields_of(project, duty).iter().any(stamps)
}

/// Where a migration makes a column of the role without the server default that the model declares.
pub(super) fn drift(
    project: &Project,
    flow: &Flow,
    class: ClassId,
    duty: Duty,
) -> Option<(FunctionId, StepId)> {
    let model = project.model(class)?;
    let table = model.table?;
    model.fields_of(project, duty).into_iter().find_map(|name| {
        let known = flow.migrated.column(table, model.column_name(name))?;
        (model.columns[&name].server_default && !known.has_default).then_some(known.place)
    })
}

/// Whether a flush listener turns the removal of rows into a soft delete.
pub(super) fn is_kept(project: &Project, flow: &Flow, class: ClassId, form: Form) -> bool {
    form == Form::Flush && flow.hooks.iter().any(|hook| hook.keeps_deleted(project, class))
}

fn is_heard(project: &Project, flow: &Flow, class: ClassId, duty: Duty, (way, on): (Way, Flush)) -> bool {
    match way {
        Way::Flush => {
            let hears = |listener: &Listener| {
                listener.flush == on && listener.duties.contains(&duty) && listener.hears(project, class)
            };
            flow.listeners.iter().any(hears)
                || flow.hooks.iter().any(|hook| hook.stamps_row(project, class, duty, on))
        }
        Way::Statement(Form::Session) => {
            flow.hooks.iter().any(|hook| hook.stamps_statement(project, class, duty, on))
        }
        Way::Unheard | Way::Statement(_) => false,
    }
}

fn is_filled(project: &Project, flow: &Flow, class: ClassId, duty: Duty, (way, on): (Way, Flush)) -> bool {
    let Some(model) = project.model(class) else { return false };
    let is_built = !matches!(way, Way::Statement(Form::Bare));
    model.fields_of(project, duty).into_iter().any(|name| {
        let column = model.columns[&name];
        let in_table = || {
            let known = model.table.and_then(|table| flow.migrated.column(table, model.column_name(name)));
            known.is_some_and(|known| known.has_default)
        };
        match on {
            Flush::Update => is_built && column.on_update,
            Flush::Insert => match way {
                // A flush names every column of a new row, unless the model says that the table fills it.
                Way::Flush => column.default || column.factory || column.server_default && in_table(),
                Way::Unheard => column.default || column.factory || in_table(),
                Way::Statement(_) => is_built && column.default || in_table(),
            },
        }
    })
}

fn is_triggered(
    project: &Project,
    flow: &Flow,
    class: ClassId,
    duty: Duty,
    (on, written): (Flush, &BTreeSet<Name>),
) -> bool {
    let Some(model) = project.model(class) else { return false };
    let Some(table) = model.table else { return false };
    model.fields_of(project, duty).into_iter().any(|name| {
        let column = model.column_name(name);
        flow.triggers.iter().any(|trigger| trigger.fills(table, column, on, written))
    })
}
