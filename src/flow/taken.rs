//! flow/taken: parameters that must be rows of one model, because the function itself puts them where no other row fits.

use crate::name::Name;
use crate::project::ClassId;

use super::row::Base;
use super::trace::Trace;
use super::value::Value;

impl Trace<'_> {
    /// A new row of Django's is given a value: in the place of a relation nothing fits but a row of its target.
    pub(super) fn take_for(&mut self, class: ClassId, name: Name, value: &Value) {
        if !self.telling || self.project.django(class).is_none() {
            return;
        }
        let relation = self.project.model(class).and_then(|model| model.relations.get(&name).copied());
        let Some(relation) = relation.filter(|relation| relation.is_many == Some(false)) else { return };
        let Some(number) = self.parameter_alone(value) else { return };
        let known = self.outcome.taken_for.entry((self.id, number)).or_insert(Some(relation.target));
        if *known != Some(relation.target) {
            *known = None;
        }
    }

    /// The parameter that a value is, as it came.
    fn parameter_alone(&self, value: &Value) -> Option<u32> {
        let mut found = None;
        for one in value.each() {
            let number = match one {
                Value::Param(number) => *number,
                Value::Row(key) => match self.rows[key.0 as usize].base {
                    Base::Param(number) => number,
                    _ => return None,
                },
                _ => return None,
            };
            if found.is_some_and(|known| known != number) {
                return None;
            }
            found = Some(number);
        }
        found
    }
}
