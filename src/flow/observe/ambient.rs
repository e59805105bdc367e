//! flow/observe/ambient: what was seen of who acts in code that a worker runs.

use crate::vocabulary::Observation;

use super::super::ambient::{Ambient, ambient};
use super::Observer;

impl Observer<'_> {
    /// Reads of who acts where nobody has said it.
    pub(super) fn ambients(&self) -> Vec<Observation> {
        ambient(self.project, self.flow).iter().map(|one| self.ambient(one)).collect()
    }

    fn ambient(&self, ambient: &Ambient) -> Observation {
        let mut seen = self.at(ambient.function, self.span(ambient.function, ambient.step));
        let task = self.project.function(ambient.task);
        seen.say("actor-from", "surroundings");
        seen.show("name", ambient.name.as_str());
        seen.show("task", task.name.as_str());
        if ambient.task != ambient.function {
            seen.related.push(("this task leads here".into(), ambient.task.file.0 as usize, task.name_span));
        }
        seen
    }
}
