//! flow/observe/trail: changes that no audit event tells of, events apart from their change, and what their failure breaks.

use std::collections::BTreeMap;

use crate::config::AuditPolicy;
use crate::facts::{FunctionKind, HandlerId, RegionKind, StepId, StepKind, Term};
use crate::project::{ClassId, FunctionId, Symbol};
use crate::vocabulary::Observation;

use super::super::early::{Early, Handed};
use super::super::hearing::is_fed;
use super::super::outcome::End;
use super::super::trail::{Alteration, Bond, Emission, Failing, Login};
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
            let Some(outcome) = self.flow.outcomes.get(&id) else { continue };
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
            let Some(outcome) = self.flow.outcomes.get(&id) else { continue };
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

    /// Changes that reach the end of a view or service on a path without an audit event.
    fn untold(&self) -> Vec<Observation> {
        // By change: the functions that answer for it, and where each of them makes it.
        let mut answering: BTreeMap<Alteration, Vec<(FunctionId, StepId)>> = BTreeMap::new();
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(&id) else { continue };
            if !self.is_entry(id) || self.is_told_around(id) {
                continue;
            }
            for (alteration, &step) in &outcome.left {
                if self.asks_for_audit(alteration).is_some() {
                    answering.entry(*alteration).or_default().push((id, step));
                }
            }
        }
        let mut seen = Vec::new();
        for (alteration, places) in answering {
            let (function, step) = alteration.place;
            let callers = self.flow.callers.get(&function).map_or(0, |callers| {
                callers.iter().filter(|caller| !self.project.is_test(caller.file)).count()
            });
            // What passes a keeper by does so where it stands.
            if alteration.passes_by.is_some() {
                seen.push(self.untold_change(function, step, &alteration));
                continue;
            }
            // Where all of several callers would need the same line, it is missing in the callee, once.
            if callers > 1 && places.len() >= callers && places.iter().all(|(id, _)| *id != function) {
                seen.push(self.untold_change(function, step, &alteration));
                continue;
            }
            for (id, at) in places {
                seen.push(self.untold_change(id, at, &alteration));
            }
        }
        seen
    }

    fn untold_change(&self, id: FunctionId, step: StepId, alteration: &Alteration) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        seen.operation = Some(alteration.operation);
        self.name_entity(&mut seen, alteration.model);
        seen.show("writes", alteration.login.map_or(alteration.operation.verb(), Login::verb));
        if alteration.login.is_some() && alteration.model.is_none() {
            seen.show("entity", "User");
        }
        match alteration.passes_by {
            Some(whom) => {
                seen.say("passes-by", whom);
                let keeper = match whom {
                    "receiver" => "the receiver that writes its audit rows",
                    "override" => "the override that writes its audit rows",
                    _ => "the audit library that keeps its trail",
                };
                seen.show("keeper", keeper);
            }
            None => seen.say("untold", self.asks_for_audit(alteration).unwrap_or("told-elsewhere")),
        }
        if alteration.place.0 != id {
            let (other, place) = alteration.place;
            seen.related.push(("it is written here".into(), other.file.0 as usize, self.span(other, place)));
        }
        seen
    }

    /// Why changes of a model ask for an audit event, where they do.
    fn asks_for_audit(&self, alteration: &Alteration) -> Option<&'static str> {
        let audit = self.project.audit();
        let is_told = match (alteration.login, alteration.model) {
            // Django's own users are none of the project's models.
            (Some(_), None) => !audit.has_tracked() && self.flow.tells_of_logins,
            (_, Some(_)) if alteration.passes_by.is_some() => true,
            (_, Some(model)) if audit.has_tracked() => {
                return audit.is_tracked(model).then_some("tracked");
            }
            (Some(_), Some(_)) => self.flow.tells_of_logins,
            (None, Some(model)) => self.flow.told.contains(&model),
            (None, None) => false,
        };
        is_told.then_some("told-elsewhere")
    }

    /// Whether a decorator of the project tells of what the function does.
    fn is_told_around(&self, id: FunctionId) -> bool {
        !self.tellers_around(id).is_empty()
    }

    /// The functions that decorators of the project put around one and that emit audit events.
    fn tellers_around(&self, id: FunctionId) -> Vec<FunctionId> {
        let function = self.project.function(id);
        let decorators = function.decorators.iter().filter_map(|decorator| match decorator {
            Term::Path(path) => Some(*path),
            Term::Call { callee, .. } => match &**callee {
                Term::Path(path) => Some(*path),
                _ => None,
            },
            _ => None,
        });
        let emitting = decorators.filter_map(|path| match self.project.resolve_path(id.file, path) {
            Some(Symbol::Function(decorator)) => Some(self.emitting_within(decorator)),
            _ => None,
        });
        emitting.flatten().collect()
    }

    /// Those of a function and the ones that are made in it which emit audit events.
    fn emitting_within(&self, id: FunctionId) -> Vec<FunctionId> {
        let facts = &self.project.file(id.file).facts;
        let is_within = |index: &usize| {
            let mut around = std::iter::successors(Some(*index), |at| facts.functions[*at].parent);
            around.any(|at| at == id.index as usize)
        };
        let all = (0..facts.functions.len()).filter(is_within);
        let all = all.map(|index| FunctionId { file: id.file, index: index as u32 });
        let emits = |id: &FunctionId| {
            self.flow.outcomes.get(id).is_some_and(|outcome| outcome.summary.trail.emits.is_some())
        };
        all.filter(emits).collect()
    }

    /// Events that a decorator emits of what the function it is put around has changed, in no transaction with it.
    fn apart_around(&self) -> Vec<Observation> {
        let mut seen: BTreeMap<(FunctionId, StepId), Observation> = BTreeMap::new();
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(&id) else { continue };
            let change = outcome.left.iter().find(|(alteration, _)| {
                alteration.login.is_none() && self.asks_for_audit(alteration).is_some()
            });
            let Some((alteration, &at)) = change.filter(|_| self.flow.reach.loose.contains(&id)) else {
                continue;
            };
            for around in self.tellers_around(id) {
                for (&step, emission) in &self.flow.outcomes[&around].emissions {
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
        let is_apart = self.flow.reach.loose.contains(&id) && self.asks_for_audit(alteration).is_some();
        is_apart.then(|| self.apart_from(id, step, alteration.model, (id, at)))
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
        if let Some(emission) = self.flow.outcomes[&id].emissions.get(&step) {
            self.tell_where(&mut seen, id, emission);
        }
        seen
    }

    /// Whether nothing but tests calls a function, and somebody outside may.
    fn is_entry(&self, id: FunctionId) -> bool {
        let function = self.project.function(id);
        if matches!(function.kind, FunctionKind::Module | FunctionKind::ClassBody)
            || self.project.is_test(id.file)
        {
            return false;
        }
        let callers = self.flow.callers.get(&id);
        callers.is_none_or(|callers| callers.iter().all(|caller| self.project.is_test(caller.file)))
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
                    (None, Some(model)) if is_fed(self.project, id, model) => Bond::Loose,
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

    fn name_entity(&self, seen: &mut Observation, model: Option<ClassId>) {
        let name = model.map(|model| self.project.class(model).name.to_string());
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
        let report = self.flow.outcomes.get(&id).and_then(|outcome| outcome.handlers.get(&handler));
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
