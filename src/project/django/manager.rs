//! project/django/manager: the managers of a model, and the classes that their methods stand in.

use crate::facts::{Field, StepKind, Term};
use crate::name::Name;

use super::super::{ClassId, FileId, FunctionId, Project, Symbol};
use super::known;

/// A manager of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manager {
    /// The classes of the project whose methods it has, in the order they are looked up: managers, then query sets.
    pub classes: Vec<ClassId>,
}

/// The manager that an assignment in the body of a model makes.
pub(super) fn of_field(project: &Project, owner: ClassId, field: &Field) -> Option<Manager> {
    let Some(Term::Call { callee, .. }) = &field.value else { return None };
    let classes = of_callee(project, owner.file, callee)?;
    Some(Manager { classes })
}

/// The classes behind `CaseManager()`, `models.Manager()`, `Manager.from_queryset(CaseQuerySet)()` and
/// `CaseQuerySet.as_manager()`.
fn of_callee(project: &Project, file: FileId, callee: &Term) -> Option<Vec<ClassId>> {
    match callee {
        Term::Path(path) => {
            if let Some(queries) = path.strip_suffix(".as_manager") {
                return match project.resolve_path(file, Name::new(queries))? {
                    Symbol::Class(class) => Some(vec![class]),
                    _ => Some(Vec::new()),
                };
            }
            match project.resolve_path(file, *path)? {
                Symbol::Class(class) if project.is_django_manager(class) => {
                    Some(with_queries(project, class))
                }
                Symbol::External(path) if known::is_manager(&path) => Some(Vec::new()),
                // `CaseManager = models.Manager.from_queryset(CaseQuerySet)`
                Symbol::Variable(file, name) => match project.value_of(file, name)? {
                    made @ Term::Call { .. } => from_queries(project, file, made),
                    _ => None,
                },
                _ => None,
            }
        }
        made @ Term::Call { .. } => from_queries(project, file, made),
        _ => None,
    }
}

/// The classes behind `Manager.from_queryset(CaseQuerySet)`.
fn from_queries(project: &Project, file: FileId, made: &Term) -> Option<Vec<ClassId>> {
    let Term::Call { callee, arguments, .. } = made else { return None };
    let Term::Path(path) = &**callee else { return None };
    let manager = path.strip_suffix(".from_queryset")?;
    let class = |path: Name| match project.resolve_path(file, path) {
        Some(Symbol::Class(class)) => Some(class),
        _ => None,
    };
    let mut found: Vec<ClassId> = class(Name::new(manager)).into_iter().collect();
    if let Some(Term::Path(queries)) = arguments.first() {
        found.extend(class(*queries));
    }
    Some(found)
}

/// A manager class, and the query set classes that it makes or is made from.
fn with_queries(project: &Project, manager: ClassId) -> Vec<ClassId> {
    let mut found = vec![manager];
    for class in project.hierarchy(manager).classes() {
        for base in &project.class(class).bases {
            found.extend(from_queries(project, class.file, base).unwrap_or_default());
        }
    }
    if let Some(method) = project.method(manager, Name::new("get_queryset")) {
        found.extend(made_in(project, method));
    }
    let mut seen = Vec::new();
    found.retain(|class| {
        let is_new = !seen.contains(class);
        seen.push(*class);
        is_new
    });
    found
}

/// The query set classes that a function constructs.
fn made_in(project: &Project, id: FunctionId) -> Vec<ClassId> {
    let function = project.function(id);
    let made = |step: &crate::facts::Step| {
        let StepKind::Call { callee, .. } = step.kind else { return None };
        let StepKind::Name(name) = function.steps[callee as usize].kind else { return None };
        match project.resolve_path(id.file, name) {
            Some(Symbol::Class(class)) if project.is_django_manager(class) => Some(class),
            _ => None,
        }
    };
    function.steps.iter().filter_map(made).collect()
}
