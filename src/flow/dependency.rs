//! flow/dependency: the functions that a web framework calls for parameters, and what those are handed.

use crate::facts::{Param, Term};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Project, Symbol};

use super::trace::Trace;
use super::value::{SessionKind, Value};

/// How far dependencies of dependencies are followed.
pub(super) const DEEPEST: usize = 8;

impl Trace<'_> {
    /// The kind of the session that a parameter is handed: what the function it depends on yields or returns.
    pub(super) fn kind_handed_to(&self, param: &Param) -> SessionKind {
        let Some(owner) = dependency(self.project, self.id.file, param) else { return SessionKind::Unknown };
        let summary = self.summary(owner);
        let known = summary.and_then(|known| known.yields.as_ref().or(known.returns.as_ref()));
        match known {
            Some(Value::Session(_, kind)) if *kind != SessionKind::Unknown => *kind,
            _ => self.kind_declared(owner),
        }
    }
}

/// The function that a web framework calls for a parameter.
pub(super) fn dependency(project: &Project, file: FileId, param: &Param) -> Option<FunctionId> {
    let of_default = param.default.as_ref().and_then(depends_on).map(|path| (file, path));
    let declared = || declared_dependency(project, file, param.annotation.as_ref()?, 0);
    let (file, path) = of_default.or_else(declared)?;
    match project.resolve_path(file, path)? {
        Symbol::Function(function) => Some(function),
        _ => None,
    }
}

/// The dependency that an annotation names, be it under a name of its own: `CurrentUser = Annotated[…]`.
fn declared_dependency(project: &Project, file: FileId, term: &Term, depth: usize) -> Option<(FileId, Name)> {
    if let Some(path) = depends_on(term) {
        return Some((file, path));
    }
    let Term::Path(path) = term else { return None };
    let Some(Symbol::Variable(file, name)) = project.resolve_path(file, *path) else { return None };
    let value = project.value_of(file, name)?;
    if depth < DEEPEST { declared_dependency(project, file, value, depth + 1) } else { None }
}

/// What `Depends(f)` depends on, also inside `Annotated[…]`.
pub(super) fn depends_on(term: &Term) -> Option<Name> {
    match term {
        Term::Call { callee, arguments, .. } => match (&**callee, arguments.first()) {
            (Term::Path(path), Some(Term::Path(on)))
                if path.last() == "Depends" || path.last() == "Security" =>
            {
                Some(*on)
            }
            _ => None,
        },
        Term::Generic { arguments, .. } => arguments.iter().find_map(depends_on),
        _ => None,
    }
}
