//! flow/guard: what a branch tells of a row: a column that was looked at and holds something needs no value.

use crate::duty::Duty;
use crate::facts::{StepId, StepKind};
use crate::name::Name;

use super::row::{Base, Level};
use super::state::State;
use super::trace::Trace;

impl Trace<'_> {
    /// The value that is not there on this side of a branch, or is there and stands for nobody: an anonymous user.
    pub(super) fn absent(&self, subject: StepId, is_there: bool) -> Option<Name> {
        if let StepKind::Attribute { of, name } = self.function.steps[subject as usize].kind {
            let nobody = match &*name {
                "is_anonymous" => Some(is_there),
                "is_authenticated" => Some(!is_there),
                _ => None,
            };
            if let Some(nobody) = nobody {
                return self.path(of).filter(|_| nobody);
            }
        }
        self.path(subject).filter(|_| !is_there)
    }

    /// On this side of a branch a column holds a value: `if not row.created_by: row.created_by = actor`.
    pub(super) fn is_filled(&self, state: &mut State, subject: StepId) {
        let StepKind::Attribute { of, name } = self.function.steps[subject as usize].kind else { return };
        let Some(duty) = self.project.roles.of_field(&name) else { return };
        for key in self.value(of).rows() {
            // Of a row that was there before, an old stamp of an update says nothing of this one.
            let counts = match duty {
                Duty::CreatedAt | Duty::CreatedBy => true,
                _ => self.rows[key.0 as usize].base == Base::New,
            };
            if let (true, Some(row)) = (counts, state.rows.get_mut(&key)) {
                row.discharge(duty, Level::Set);
            }
        }
    }
}
