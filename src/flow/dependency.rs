//! flow/dependency: what a framework hands to a parameter that depends on a function.

use crate::facts::Param;
use crate::project::Symbol;

use super::read::depends_on;
use super::trace::Trace;
use super::value::{SessionKind, Value};

impl Trace<'_> {
    /// The kind of the session that a parameter is handed: what the function it depends on yields or returns.
    pub(super) fn kind_handed_to(&self, param: &Param) -> SessionKind {
        let Some(path) = param.default.as_ref().and_then(depends_on) else { return SessionKind::Unknown };
        let Some(Symbol::Function(owner)) = self.project.resolve_path(self.id.file, path) else {
            return SessionKind::Unknown;
        };
        let summary = self.knowledge.summaries.get(&owner);
        let known = summary.and_then(|known| known.yields.as_ref().or(known.returns.as_ref()));
        match known {
            Some(Value::Session(_, kind)) if *kind != SessionKind::Unknown => *kind,
            _ => self.kind_declared(owner),
        }
    }
}
