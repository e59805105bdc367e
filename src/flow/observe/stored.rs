//! flow/observe/stored: what was seen of stores to audit columns.

use std::collections::BTreeMap;

use crate::facts::StepId;
use crate::name::Name;
use crate::project::FunctionId;
use crate::vocabulary::Observation;

use super::super::stamp::{self, Stamp};
use super::Observer;

impl Observer<'_> {
    /// Stores to audit columns. Of the columns that say the same, an e-mail and a name, the first stands for all.
    pub(super) fn stamps(&self, id: FunctionId) -> Vec<Observation> {
        let (function, outcome) = (self.project.function(id), &self.flow.outcomes[id]);
        let mut all: Vec<(StepId, Stamp)> =
            outcome.stamps.iter().map(|(&(step, _), stamp)| (step, stamp.clone())).collect();
        for (&step, executed) in &outcome.executed {
            let stamps = executed.iter().flat_map(|one| stamp::of_statement(self.project, function, one));
            all.extend(stamps.map(|stamp| (step, stamp)));
        }
        // Whom such a `save()` asks who acts answers in a request; in a worker nobody does.
        let is_asked = !self.flow.worker.reached.contains_key(&id);
        let is_reset = |step: &StepId, stamp: &Stamp| {
            stamp.stored == stamp::Stored::None && outcome.resets.contains(step)
        };
        all.retain(|(step, stamp)| !(is_asked && is_reset(step, stamp)));
        let mut first: BTreeMap<_, Name> = BTreeMap::new();
        all.retain(|(step, stamp)| {
            let place = stamp.row.is_none().then_some(*step);
            let told = (stamp.row, place, stamp.duty, stamp.stored, stamp.operation);
            *first.entry(told).or_insert(stamp.field) == stamp.field
        });
        all.iter().map(|(step, stamp)| self.stamp(id, *step, stamp)).collect()
    }

    fn stamp(&self, id: FunctionId, step: StepId, stamp: &Stamp) -> Observation {
        let project = self.project;
        let mut seen = self.at(id, self.span(id, step));
        seen.operation = Some(stamp.operation);
        seen.entity = Some(project.entity_name(stamp.model).to_string());
        seen.say("store", "stamp");
        seen.say("write", stamp.operation.word());
        seen.say("duty", stamp.duty.word());
        seen.say("by", stamp.by);
        seen.say("stored", stamp.stored.word());
        seen.say("onto", stamp.onto.word());
        seen.switch("fills-empty", stamp.fills_empty);
        // A literal names every column it gives, in Rust; there is nothing to go past.
        let has_setter = project.setter(stamp.model, stamp.duty).is_some() && !project.is_rust(id.file);
        seen.switch("model-has-setter", has_setter);
        let own = project.class_of(id);
        let is_within = own.is_some_and(|own| project.hierarchy(stamp.model).classes().any(|c| c == own));
        seen.switch("within-model", is_within);
        seen.show("entity", project.entity_name(stamp.model).as_str());
        seen.show("field", stamp.field.as_str());
        seen.show("setter", self.setter(stamp.model, stamp.duty));
        let of_row = stamp.row.and_then(|row| self.flow.outcomes[id].rows.get(&row));
        let named_at = match (stamp.by, of_row) {
            ("keyword", Some(report)) => report.info.at,
            _ => step,
        };
        seen.show("row", self.row_text(id, named_at));
        if stamp.by == "attribute" {
            seen.remedies.extend(self.setter_for(id, step, stamp));
        }
        if let Some((other, step)) = stamp.within {
            seen.related.push(("stored here".into(), other.file.0 as usize, self.span(other, step)));
        }
        seen
    }
}
