//! flow/listener: mapper listeners that stamp rows: which duties they fill for which models on which kind of flush.
//!
//! `@event.listens_for(Mixin, "before_insert", propagate=True)` runs for every mapped class that derives from the
//! mixin, and only for rows that the unit of work flushes: statements pass it by.

use crate::duty::Duty;
use crate::facts::{StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Project, Symbol};

use super::row::{Base, Level};
use super::summary::{Knowledge, Summary};

/// The flush a listener runs before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// Of a new row.
    Insert,
    /// Of a changed row.
    Update,
}

/// A listener that stamps rows.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    /// The class it listens on.
    pub(super) target: ClassId,
    /// Whether it runs for classes that derive from it, too.
    pub(super) propagates: bool,
    /// Before which flush.
    pub(super) flush: Flush,
    /// The duties it may fill.
    pub(super) duties: Vec<Duty>,
}

impl Listener {
    /// Whether it runs for rows of a model.
    pub(super) fn hears(&self, project: &Project, model: ClassId) -> bool {
        self.target == model
            || self.propagates && project.hierarchy(model).classes().any(|class| class == self.target)
    }
}

/// One function that is called when something happens to what is listened on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registration {
    /// The function that is called.
    pub(super) callback: FunctionId,
    /// What it listens on, as the registering file writes it.
    target: (FileId, Name),
    /// What happens.
    pub(super) event: Name,
    propagates: bool,
}

/// Every listener of the program that stamps something.
pub(super) fn listeners(project: &Project, knowledge: &Knowledge) -> Vec<Listener> {
    let registered = registrations(project);
    registered.into_iter().filter_map(|one| listener(project, knowledge, one)).collect()
}

/// Every registration of the program, by decorator or by call.
pub(super) fn registrations(project: &Project) -> Vec<Registration> {
    let mut found = Vec::new();
    for id in project.function_ids() {
        for decorator in &project.function(id).decorators {
            if let Term::Call { callee, arguments, keywords } = decorator
                && matches!(&**callee, Term::Path(path) if path.last() == "listens_for")
                && let [Term::Path(target), Term::Text(event), ..] = arguments.as_slice()
            {
                let is_on = |(name, on): &(Name, Term)| &**name == "propagate" && *on == Term::Switch(true);
                let (target, propagates) = ((id.file, *target), keywords.iter().any(is_on));
                found.push(Registration { callback: id, target, event: *event, propagates });
            }
        }
        found.extend(registered_by_call(project, id));
    }
    found
}

/// `event.listen(Mixin, "before_insert", function, propagate=True)`.
fn registered_by_call(project: &Project, id: FunctionId) -> Vec<Registration> {
    let function = project.function(id);
    let path = |step| super::actor::path(function, step);
    let mut found = Vec::new();
    for step in &function.steps {
        let StepKind::Call { callee, arguments } = &step.kind else { continue };
        if path(*callee).is_none_or(|path| path.as_str() != "event.listen") {
            continue;
        }
        let [target, event, callback, rest @ ..] = arguments.as_slice() else { continue };
        let StepKind::Literal(crate::facts::Literal::Text(event)) = function.steps[event.value as usize].kind
        else {
            continue;
        };
        let (Some(target), Some(callback)) = (path(target.value), path(callback.value)) else { continue };
        if let Some(Symbol::Function(callback)) = project.resolve_path(id.file, callback) {
            let (target, propagates) = ((id.file, target), !rest.is_empty());
            found.push(Registration { callback, target, event, propagates });
        }
    }
    found
}

fn listener(project: &Project, knowledge: &Knowledge, registered: Registration) -> Option<Listener> {
    let flush = match &*registered.event {
        "before_insert" => Flush::Insert,
        "before_update" => Flush::Update,
        _ => return None,
    };
    let (file, target) = registered.target;
    let Some(Symbol::Class(target)) = project.resolve_path(file, target) else { return None };
    let duties = stamped(knowledge.summaries.get(&registered.callback)?);
    let propagates = registered.propagates;
    (!duties.is_empty()).then_some(Listener { target, propagates, flush, duties })
}

/// The duties a listener may fill on the row it is handed as its third argument.
fn stamped(summary: &Summary) -> Vec<Duty> {
    let of_row = summary.rows.values().filter(|effect| effect.info.base == Base::Param(2));
    let effects: Vec<_> = of_row.collect();
    let fills = |duty: &Duty| {
        let at = duty.index();
        effects.iter().any(|effect| effect.open[at].elements().any(|e| e.level == Level::Set))
    };
    Duty::ALL.into_iter().filter(fills).collect()
}
