//! flow/observe/shared: what was seen of mutable values that are made once for all.

use crate::project::FunctionId;
use crate::vocabulary::Observation;

use super::super::shared::{Shared, shared};
use super::Observer;

impl Observer<'_> {
    /// Lists and dictionaries that stay the same object for all that use them.
    pub(super) fn shared(&self, id: FunctionId) -> Vec<Observation> {
        shared(self.project, id).iter().map(|shared| self.kept(id, shared)).collect()
    }

    fn kept(&self, id: FunctionId, shared: &Shared) -> Observation {
        let mut seen = self.at(id, self.span(id, shared.step));
        seen.say("shared", shared.kept_by);
        seen.show("field", shared.name.as_str());
        let maker = shared.maker;
        seen.show("what", maker);
        let (kept_by, instead) = match shared.kept_by {
            "default" if shared.is_called => {
                ("row", format!("Hand over what makes a new one: `default={maker}`"))
            }
            "default" => ("object", format!("Hand over what makes a new one: `factory={maker}`")),
            "factory" => (
                "object it builds",
                format!("Declare `factory.LazyFunction({maker})`, which makes a new one each time"),
            ),
            _ => ("instance", format!("Make it in `__init__`: `self.{} = {maker}()`", shared.name)),
        };
        seen.show("kept-by", kept_by);
        seen.show("instead", instead);
        if let Some((other, step)) = shared.changed {
            seen.related.push(("changed here".into(), other.file.0 as usize, self.span(other, step)));
        }
        seen.remedies.extend(self.maker_itself(id, shared));
        seen
    }
}
