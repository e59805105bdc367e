//! flow/observe/saved: what was seen of Django rows that are saved in part.

use crate::facts::StepId;
use crate::project::FunctionId;
use crate::vocabulary::Observation;

use super::super::partial::Partial;
use super::Observer;

impl Observer<'_> {
    /// Saves that leave out what was stamped.
    pub(super) fn saves(&self, id: FunctionId) -> Vec<Observation> {
        let all = self.flow.outcomes[id].partial.iter();
        all.flat_map(|(&step, partial)| partial.iter().map(move |one| self.save(id, step, one))).collect()
    }

    fn save(&self, id: FunctionId, step: StepId, partial: &Partial) -> Observation {
        let project = self.project;
        let mut seen = self.at(id, self.span(id, step));
        let entity = project.entity_name(partial.model);
        seen.operation = Some(crate::duty::Operation::Update);
        seen.entity = Some(entity.to_string());
        seen.say("save", partial.how);
        for (why, name) in &partial.dropped {
            seen.say("drops", why);
            if let Some(duty) = project.roles.of_field(name) {
                seen.say("duty", duty.word());
            }
        }
        seen.switch("row-fresh", partial.is_fresh);
        seen.show("entity", entity.as_str());
        seen.show("row", self.row_text(id, step));
        let dropped: Vec<String> = partial.dropped.iter().map(|(_, name)| format!("`{name}`")).collect();
        seen.show("dropped", dropped.join(" and "));
        let partly = match partial.how {
            "deferred" => "because it was loaded in part",
            "upsert" => "by `update_or_create()`",
            _ => "by `update_fields`",
        };
        seen.show("partly", partly);
        seen.remedies.extend(self.listed_too(id, step, partial));
        seen
    }
}
