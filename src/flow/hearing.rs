//! flow/hearing: who hears of a write besides the code that makes it: receivers, overrides of `save()`, audit libraries.

use rustc_hash::FxHashSet;

use crate::duty::Operation;
use crate::facts::{Function, Literal, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Signal};

use super::django::Api;
use super::trace::Trace;

/// Attributes of a row that every row has.
const OWN: &[&str] = &["_state", "_meta", "pk", "id", "objects", "__class__", "__dict__"];

/// How a write stands to those who keep the trail of its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nobody keeps one.
    ByNobody,
    /// They hear of it, and emit an audit event.
    ByKeeper,
    /// They would, but this kind of write passes them by.
    PassedBy(&'static str),
}

impl Trace<'_> {
    /// Who hears of a write of rows of a model.
    pub(super) fn heard(&mut self, model: ClassId, operation: Operation, api: Api) -> Heard {
        let is_bulk = is_bulk(api);
        let mut passes_by = None;
        for library in self.project.libraries_of(model) {
            let misses = method(api).is_some_and(|method| library.misses.iter().any(|known| known == method));
            if !misses {
                return Heard::ByKeeper;
            }
            passes_by = Some("library");
        }
        let signals: &[Signal] = match operation {
            Operation::Delete => &[Signal::PreDelete, Signal::PostDelete],
            _ => &[Signal::PreSave, Signal::PostSave],
        };
        let project = self.project;
        for signal in signals {
            for receiver in project.receivers_of(model, *signal) {
                let emits = |summary: &super::summary::Summary| summary.trail.emits.is_some();
                if !self.summary(receiver.function).is_some_and(emits) {
                    continue;
                }
                // Deleting a whole query set sends the signals of every row.
                if is_bulk && operation != Operation::Delete {
                    if guards(project, receiver.function, model).is_empty() {
                        passes_by = Some("receiver");
                    }
                } else if self.feeds(receiver.function, model) {
                    return Heard::ByKeeper;
                }
            }
        }
        if is_bulk {
            let name = if operation == Operation::Delete { "delete" } else { "save" };
            if let Some(own) = project.method(model, Name::new(name))
                && self.summary(own).is_some_and(|summary| summary.trail.emits.is_some())
            {
                passes_by = Some("override");
            }
        }
        passes_by.map_or(Heard::ByNobody, Heard::PassedBy)
    }

    /// Whether this function gives the row what a receiver waits for.
    fn feeds(&self, receiver: FunctionId, model: ClassId) -> bool {
        let guards = guards(self.project, receiver, model);
        guards.is_empty() || guards.iter().any(|guard| stores(self.function, *guard))
    }

    /// The model whose rows were written right before this function is called, where a signal calls it for that.
    pub(super) fn written_before(&self) -> Option<ClassId> {
        let of = self.project.signals_of(self.id).find(|receiver| receiver.signal == Signal::PostSave)?;
        match &of.senders {
            crate::project::Senders::These(models) => models.first().copied(),
            _ => None,
        }
    }
}

/// Attributes of the instance that are none of its model's, and that a receiver reads: what it hears goes on only where
/// somebody has set them.
pub(super) fn guards(project: &Project, receiver: FunctionId, model: ClassId) -> FxHashSet<Name> {
    let function = project.function(receiver);
    let is_instance = |step: u32| matches!(function.steps[step as usize].kind, StepKind::Name(name) if &*name == "instance");
    let mut found = FxHashSet::default();
    for step in &function.steps {
        match &step.kind {
            StepKind::Attribute { of, name } if is_instance(*of) => drop(found.insert(*name)),
            StepKind::Call { callee, arguments } => {
                let asks = matches!(function.steps[*callee as usize].kind, StepKind::Name(name)
                    if matches!(&*name, "getattr" | "hasattr"));
                if let (true, [of, name, ..]) = (asks, &**arguments)
                    && is_instance(of.value)
                    && let StepKind::Literal(Literal::Text(name)) = function.steps[name.value as usize].kind
                {
                    found.insert(name);
                }
            }
            _ => {}
        }
    }
    let known = project.model(model);
    found.retain(|name| {
        let is_of_model = known.is_none_or(|model| model.defines(*name))
            || project.method(model, *name).is_some()
            || OWN.contains(&name.as_str());
        // A key is an attribute of its own.
        let is_key =
            name.strip_suffix("_id").is_some_and(|bare| known.is_some_and(|m| m.defines(Name::new(bare))));
        let is_display = name.starts_with("get_") && name.ends_with("_display");
        !is_of_model && !is_key && !is_display && name.starts_with('_')
    });
    // What other receivers of the model set is always there.
    let before: Vec<FunctionId> =
        project.receivers_of(model, Signal::PreSave).map(|receiver| receiver.function).collect();
    found.retain(|name| !before.iter().any(|other| stores(project.function(*other), *name)));
    found
}

/// Whether anything in the program sets one of the attributes that a receiver waits for.
pub(super) fn is_fed(
    project: &Project,
    receiver: FunctionId,
    model: ClassId,
    stored: impl Fn(Name) -> bool,
) -> bool {
    let guards = guards(project, receiver, model);
    guards.is_empty() || guards.into_iter().any(stored)
}

fn stores(function: &Function, wanted: Name) -> bool {
    function.steps.iter().any(|step| matches!(step.kind, StepKind::Store { name, .. } if name == wanted))
}

fn is_bulk(api: Api) -> bool {
    matches!(api, Api::BulkCreate | Api::BulkUpdate | Api::QueryUpdate | Api::QueryDelete)
}

/// The method of a query set that writes in a way.
fn method(api: Api) -> Option<&'static str> {
    match api {
        Api::BulkCreate => Some("bulk_create"),
        Api::BulkUpdate => Some("bulk_update"),
        Api::QueryUpdate => Some("update"),
        Api::QueryDelete => Some("delete"),
        _ => None,
    }
}
