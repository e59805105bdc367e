//! flow/listener: mapper listeners that stamp rows: which duties they fill for which models on which kind of flush.
//!
//! `@event.listens_for(Mixin, "before_insert", propagate=True)` runs for every mapped class that derives from the
//! mixin, and only for rows that the unit of work flushes: statements pass it by. So does what a class method of the
//! mixin registers on its `cls` when classes are mapped: `__declare_last__` runs for each of them.

use crate::duty::Duty;
use crate::facts::{Function, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Project, Symbol};

use super::object::decorated;
use super::row::{Base, Level};
use super::summary::Knowledge;

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
    /// What it listens on.
    target: Target,
    /// What happens.
    pub(super) event: Name,
    propagates: bool,
}

/// What is listened on.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// What a file writes down under this path.
    Written(FileId, Name),
    /// A class and every class that derives from it.
    Derived(ClassId),
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
                let around =
                    project.function(id).parent.map(|index| FunctionId { index: index as u32, ..id });
                let derived = around.and_then(|around| own_class(project, around, *target));
                let target = derived.map_or(Target::Written(id.file, *target), Target::Derived);
                let propagates = keywords.iter().any(is_on);
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
        if super::actor::last_part(function, *callee) != Some("listen")
            || !path(*callee).is_some_and(|path| listens(project, id.file, path))
        {
            continue;
        }
        let [target, event, callback, rest @ ..] = &**arguments else { continue };
        let StepKind::Literal(crate::facts::Literal::Text(event)) = function.steps[event.value as usize].kind
        else {
            continue;
        };
        let (Some(target), Some(callback)) = (path(target.value), path(callback.value)) else { continue };
        let derived = own_class(project, id, target);
        let target = derived.map_or(Target::Written(id.file, target), Target::Derived);
        if let Some(callback) = callback_of(project, id, callback) {
            found.push(Registration { callback, target, event, propagates: !rest.is_empty() });
        }
    }
    found
}

/// Whether a path names `event.listen` of SQLAlchemy, however it is imported.
fn listens(project: &Project, file: FileId, path: Name) -> bool {
    let is_external = |path: Name| path.as_str() == "sqlalchemy.event.listen";
    path.as_str() == "event.listen"
        || path.last() == "listen"
            && matches!(project.resolve_path(file, path), Some(Symbol::External(path)) if is_external(path))
}

/// The class that `cls` stands for in a class method that runs for every class which derives from it.
fn own_class(project: &Project, id: FunctionId, path: Name) -> Option<ClassId> {
    let function = project.function(id);
    let runs_for_each =
        matches!(&*function.name, "__declare_first__" | "__declare_last__" | "__init_subclass__");
    let is_own = function.params.first().is_some_and(|param| param.name == path);
    project.class_of(id).filter(|_| runs_for_each && is_own)
}

/// The function that is called: one of the module, of the class whose method registers it, or one inside that method.
fn callback_of(project: &Project, id: FunctionId, path: Name) -> Option<FunctionId> {
    let method = path.split_once('.').filter(|(_, name)| !name.contains('.')).and_then(|(class, name)| {
        let class = own_class(project, id, Name::new(class))?;
        project.method(class, Name::new(name))
    });
    let inner = || {
        let functions = &project.file(id.file).facts.functions;
        let is_inner =
            |function: &&Function| function.parent == Some(id.index as usize) && function.name == path;
        let index = functions.iter().position(|function| is_inner(&function))?;
        Some(FunctionId { index: index as u32, ..id })
    };
    method.or_else(inner).or_else(|| match project.resolve_path(id.file, path) {
        Some(Symbol::Function(callback)) => Some(callback),
        _ => None,
    })
}

fn listener(project: &Project, knowledge: &Knowledge, registered: Registration) -> Option<Listener> {
    let flush = match &*registered.event {
        "before_insert" => Flush::Insert,
        "before_update" => Flush::Update,
        _ => return None,
    };
    let (target, propagates) = match registered.target {
        Target::Derived(class) => (class, true),
        Target::Written(file, target) => match project.resolve_path(file, target) {
            Some(Symbol::Class(class)) => (class, registered.propagates),
            _ => return None,
        },
    };
    let duties = stamped(project, registered.callback, knowledge);
    (!duties.is_empty()).then_some(Listener { target, propagates, flush, duties })
}

/// The duties a listener may fill on the row it is handed as its third argument.
fn stamped(project: &Project, callback: FunctionId, knowledge: &Knowledge) -> Vec<Duty> {
    let Some(summary) = knowledge.summaries.get(callback) else { return Vec::new() };
    let function = project.function(callback);
    // A bound method has its own object or class in front.
    let is_bound = function.class.is_some() && !decorated(&function.decorators, "staticmethod");
    let row = Base::Param(if is_bound { 3 } else { 2 });
    let effects: Vec<_> = summary.rows.values().filter(|effect| effect.info.base == row).collect();
    let fills = |duty: &Duty| {
        let at = duty.index();
        effects.iter().any(|effect| effect.open[at].elements().any(|e| e.level == Level::Set))
    };
    Duty::ALL.into_iter().filter(fills).collect()
}
