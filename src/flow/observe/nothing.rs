//! flow/observe/nothing: what was seen of values that may be `None` and are compared for order.

use crate::facts::StepId;
use crate::project::FunctionId;
use crate::vocabulary::Observation;

use super::super::nothing::{Unguarded, unguarded};
use super::Observer;

impl Observer<'_> {
    /// Comparisons that may meet `None`.
    pub(super) fn comparisons(&self) -> Vec<Observation> {
        let all = unguarded(self.project, self.flow);
        all.iter().map(|(id, step, unguarded)| self.comparison(*id, *step, unguarded)).collect()
    }

    fn comparison(&self, id: FunctionId, step: StepId, unguarded: &Unguarded) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        let text = self.source_text(id, unguarded.value).split_whitespace().collect::<Vec<_>>().join(" ");
        seen.show("name", if text.len() > 60 { "the value".to_owned() } else { text });
        let origin = unguarded.origin;
        let place = self.span(origin.function, origin.step);
        seen.related.push(("`None` comes from here".into(), origin.function.file.0 as usize, place));
        match unguarded.within {
            Some((other, at)) => {
                seen.say("compares-none", "in-callee");
                seen.show("compared", format!("compared in `{}`", self.project.function(other).name));
                seen.related.push((
                    "it is compared here".into(),
                    other.file.0 as usize,
                    self.span(other, at),
                ));
            }
            None => {
                seen.say("compares-none", "here");
                seen.show("compared", "compared");
            }
        }
        seen
    }
}
