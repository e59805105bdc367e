//! flow/observe/trail: audit events apart from the change they tell of, what their failure breaks, and tasks that start early.

use std::collections::BTreeMap;

use crate::config::AuditPolicy;
use crate::facts::{HandlerId, RegionKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId};
use crate::vocabulary::Observation;

use super::super::early::{Early, Handed};
use super::super::hearing::is_fed;
use super::super::outcome::End;
use super::super::trail::{Alteration, Bond, Emission, Failing};
use super::Observer;

impl Observer<'_> {
    /// Everything there is to say of the audit trail.
    pub(super) fn trail(&self) -> Vec<Observation> {
        if !self.project.keeps_trail() {
            return Vec::new();
        }
        let mut seen = self.untold();
        seen.extend(self.apart_around());
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(id) else { continue };
            for (&step, emission) in &outcome.emissions {
                seen.extend(self.apart(id, step, emission));
                seen.extend(self.failing(id, step, emission));
            }
            for (&step, (alteration, at)) in &outcome.foretold {
                seen.extend(self.apart_before(id, step, alteration, *at));
            }
        }
        seen
    }

    /// Tasks that may start before what they need is committed.
    pub(super) fn early(&self) -> Vec<Observation> {
        let mut seen = Vec::new();
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(id) else { continue };
            for (&step, early) in &outcome.early {
                if early.bond == Bond::Within || self.flow.reach.bound.contains_key(&id) {
                    seen.push(self.early_task(id, step, early));
                }
            }
        }
        seen
    }

    fn early_task(&self, id: FunctionId, step: StepId, early: &Early) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        seen.show("task", self.project.function(early.task).name.as_str());
        seen.remedies.extend(self.on_commit(id, step));
        match early.handed {
            Handed::Event => seen.say("early", "audit-event"),
            Handed::Row(model, at) | Handed::Part(model, at) => {
                let is_row = matches!(early.handed, Handed::Row(..));
                seen.say("early", if is_row { "row" } else { "part-of-row" });
                self.name_entity(&mut seen, model);
                seen.related.push(("the row is written here".into(), id.file.0 as usize, self.span(id, at)));
            }
        }
        let around = self.flow.reach.bound.get(&id).filter(|_| early.bond != Bond::Within);
        if let Some(&around) = around.filter(|around| **around != id) {
            let span = self.project.function(around).name_span;
            seen.related.push((
                "a transaction is open around the call here".into(),
                around.file.0 as usize,
                span,
            ));
        }
        seen
    }

    /// Events that a decorator emits of what the function it is put around has changed, in no transaction with it.
    fn apart_around(&self) -> Vec<Observation> {
        let mut seen: BTreeMap<(FunctionId, StepId), Observation> = BTreeMap::new();
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(id) else { continue };
            let change = outcome.left.iter().find(|(alteration, _)| self.is_to_be_told(alteration));
            let Some((alteration, &at)) = change.filter(|_| self.flow.reach.loose.contains(&id)) else {
                continue;
            };
            for around in self.tellers_around(id) {
                for (&step, emission) in &self.flow.outcomes[around].emissions {
                    if emission.is_loose && self.flow.reach.loose.contains(&around) {
                        seen.entry((around, step)).or_insert_with(|| {
                            let change = (id, at);
                            self.apart_from(around, step, alteration.model, change)
                        });
                    }
                }
            }
        }
        seen.into_values().collect()
    }

    /// An event before the change it tells of, in no transaction with it.
    fn apart_before(
        &self,
        id: FunctionId,
        step: StepId,
        alteration: &Alteration,
        at: StepId,
    ) -> Option<Observation> {
        let is_apart = self.flow.reach.loose.contains(&id) && self.is_to_be_told(alteration);
        is_apart.then(|| self.apart_from(id, step, alteration.model, (id, at)))
    }

    /// Whether changes of a model are told of: the settings track it, or audit events name it.
    fn is_to_be_told(&self, alteration: &Alteration) -> bool {
        let audit = self.project.audit();
        alteration.login.is_none()
            && alteration.model.is_some_and(|model| match audit.has_tracked() {
                true => audit.is_tracked(model),
                false => self.flow.told.contains_key(&model),
            })
    }

    fn apart_from(
        &self,
        id: FunctionId,
        step: StepId,
        model: Option<ClassId>,
        (changing, at): (FunctionId, StepId),
    ) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        self.name_entity(&mut seen, model);
        seen.say("audit-event", "apart");
        let span = self.span(changing, at);
        seen.related.push(("the change is made here".into(), changing.file.0 as usize, span));
        if let Some(emission) = self.flow.outcomes[id].emissions.get(&step) {
            self.tell_where(&mut seen, id, emission);
        }
        seen
    }

    /// Whether anything in the program stores an attribute of a name.
    fn is_stored(&self, name: Name) -> bool {
        let all = self.stored.get_or_init(|| {
            let ids = self.project.function_ids();
            let steps = ids.iter().flat_map(|&id| &self.project.function(id).steps);
            let stores = steps.filter_map(|step| match step.kind {
                StepKind::Store { name, .. } => Some(name),
                _ => None,
            });
            stores.collect()
        });
        all.contains(&name)
    }

    /// An audit event that is not part of the transaction of the change it tells of.
    fn apart(&self, id: FunctionId, step: StepId, emission: &Emission) -> Option<Observation> {
        let (alteration, at, bond) = emission.apart?;
        if bond == Bond::Loose && !self.flow.reach.loose.contains(&id) {
            return None;
        }
        Some(self.apart_from(id, step, alteration.model, (id, at)))
    }

    /// An audit event whose failure does what the policy forbids.
    fn failing(&self, id: FunctionId, step: StepId, emission: &Emission) -> Option<Observation> {
        let failing = emission.failing?;
        let what = match self.project.audit().policy {
            AuditPolicy::BestEffort => {
                let bond = match (emission.apart, emission.heard) {
                    (Some((_, _, bond)), _) => bond,
                    // The row that a receiver hears of is written already, and by whom it waits to be told, too.
                    (None, Some(model)) if is_fed(self.project, id, model, |name| self.is_stored(name)) => {
                        Bond::Loose
                    }
                    _ => return None,
                };
                if bond == Bond::Loose && !self.flow.reach.loose.contains(&id) {
                    return None;
                }
                match failing {
                    Failing::Escapes => "escapes",
                    Failing::Caught(handler) if self.answers_failure(id, handler) => "answered",
                    Failing::Caught(_) => "reported",
                    Failing::CaughtAlone(_) => return None,
                }
            }
            AuditPolicy::Mandatory => match failing {
                Failing::CaughtAlone(handler) if self.goes_on(id, handler) => "swallowed",
                _ => return None,
            },
        };
        if self.flow.worker.reached.contains_key(&id) {
            return None;
        }
        let mut seen = self.at(id, self.span(id, step));
        seen.say("audit-failure", what);
        let happens = match what {
            "escapes" => "leaves it, though the change is kept",
            "answered" => "makes it answer with a failure, though the change is kept",
            "reported" => "is reported as a failure of the change, which is kept",
            _ => "is swallowed, and the change is kept without it",
        };
        seen.show("failing", happens);
        if let Some((alteration, at, _)) = emission.apart {
            self.name_entity(&mut seen, alteration.model);
            seen.related.push(("the change is made here".into(), id.file.0 as usize, self.span(id, at)));
        }
        self.tell_where(&mut seen, id, emission);
        Some(seen)
    }

    pub(super) fn name_entity(&self, seen: &mut Observation, model: Option<ClassId>) {
        let name = model.map(|model| self.project.entity_name(model).to_string());
        seen.show("entity", name.clone().unwrap_or_else(|| "row".into()));
        seen.entity = name;
    }

    fn tell_where(&self, seen: &mut Observation, id: FunctionId, emission: &Emission) {
        let audit = self.project.audit();
        seen.say("audit-model", if audit.is_named || audit.names_emitters() { "named" } else { "guessed" });
        if let Some((other, place)) = emission.within
            && other != id
        {
            let span = self.span(other, place);
            seen.related.push(("the audit row is written here".into(), other.file.0 as usize, span));
        }
    }

    /// Whether some path goes on behind a handler, or answers as if nothing had happened.
    fn goes_on(&self, id: FunctionId, handler: HandlerId) -> bool {
        let report = self.flow.outcomes.get(id).and_then(|outcome| outcome.handlers.get(&handler));
        report.is_some_and(|report| report.ends.contains(&End::Falls))
    }

    /// Whether a handler answers with a status that says something failed.
    fn answers_failure(&self, id: FunctionId, handler: HandlerId) -> bool {
        let function = self.project.function(id);
        let in_handler = |mut region: Option<u32>| {
            while let Some(at) = region {
                let here = &function.regions[at as usize];
                if here.kind == RegionKind::Handler(handler) {
                    return true;
                }
                region = here.parent;
            }
            false
        };
        let says_status = |step: StepId| match &function.steps[step as usize].kind {
            StepKind::Call { arguments, .. } => arguments.iter().any(|argument| {
                matches!(argument.kind, crate::facts::ArgumentKind::Keyword(name)
                    if matches!(&*name, "status" | "status_code"))
            }),
            _ => false,
        };
        function.blocks.iter().filter(|block| in_handler(block.region)).any(|block| {
            (block.start..block.end).any(|step| match function.steps[step as usize].kind {
                StepKind::Return(Some(value)) => says_status(value),
                _ => false,
            })
        })
    }
}
