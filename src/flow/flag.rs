//! flow/flag: columns that say whether a row still counts, and stores after which it does not any more.

use crate::duty::Duty;
use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::ClassId;

use super::trace::Trace;
use super::value::Value;

/// Flags of rows that are gone.
const GONE: &[&str] = &["is_deleted", "deleted", "is_removed"];

/// Flags of rows that are in use.
const IN_USE: &[&str] = &["active", "is_active", "enabled", "is_enabled", "status"];

/// How the stamps of a model begin that speak of rows put out of use.
const OUT_OF_USE: &[&str] = &["deactivat", "inactivat", "disabl"];

impl Trace<'_> {
    /// Whether storing a value in a column of a row says that the row is gone: deleted, or put out of use where the stamps
    /// of its model speak of that. A flag that is turned around says it every other time.
    pub(super) fn says_gone(&self, step: StepId, class: Option<ClassId>, name: Name, value: &Value) -> bool {
        let owes =
            |class| self.project.owes(class, Duty::DeletedAt) || self.project.owes(class, Duty::DeletedBy);
        if !class.is_none_or(owes) {
            return false;
        }
        if GONE.contains(&&*name) {
            return !matches!(value, Value::Switch(false) | Value::None);
        }
        IN_USE.contains(&&*name)
            && (*value == Value::Switch(false) || self.is_turned_around(step))
            && class.is_some_and(|class| self.stamps_end_of_use(class))
    }

    /// Whether what is stored at a step is the contrary of something.
    fn is_turned_around(&self, step: StepId) -> bool {
        let steps = &self.function.steps;
        matches!(steps[step as usize].kind, StepKind::Store { value, .. }
            if matches!(steps[value as usize].kind, StepKind::Not(_)))
    }

    /// Whether the stamps of deletion of a model are stamps of being put out of use.
    fn stamps_end_of_use(&self, class: ClassId) -> bool {
        let Some(model) = self.project.model(class) else { return false };
        let is_stamp = |name: &Name| {
            let plays = self.project.roles.of_field(name);
            matches!(plays, Some(Duty::DeletedAt | Duty::DeletedBy))
                && OUT_OF_USE.iter().any(|stem| name.trim_start_matches('_').starts_with(stem))
        };
        model.columns.keys().any(is_stamp)
    }
}
