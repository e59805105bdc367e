//! flow/observe/untold: changes that no audit event tells of, and whether the program shows that one should.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Operation;
use crate::facts::{FunctionKind, StepId, Term};
use crate::project::{ClassId, FunctionId, Symbol};
use crate::vocabulary::Observation;

use super::super::trail::{Alteration, Login};
use super::Observer;

/// In how many functions audit events must tell of the changes of a model before that is a practice: one alone may
/// have its own reason.
const FEWEST_TOLD: usize = 2;

/// Of how many functions that change a model one must tell of it: where fewer do, audit rows are the exception, and
/// who leaves them out breaks no habit.
const ONE_TELLS_OF: usize = 3;

/// How the changes of a model are told of in the program, where it has the habit.
struct Practice {
    /// The functions in which audit events tell of them, in order, and where.
    told: Vec<(FunctionId, StepId)>,
    /// Which kinds of changes they tell of.
    operations: BTreeSet<Operation>,
}

/// How the changes of a model are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// Functions in which an audit event tells of them by name.
    pub told: usize,
    /// Functions that leave one untold.
    pub silent: usize,
}

impl Telling {
    /// Whether so many tell of them that who does not breaks a habit.
    pub fn is_habit(&self) -> bool {
        self.told >= FEWEST_TOLD && self.told * ONE_TELLS_OF >= self.told + self.silent
    }
}

/// The changes of one model that a function leaves untold, each where it makes it.
type Left = BTreeMap<(FunctionId, ClassId), Vec<(StepId, Alteration)>>;

impl Observer<'_> {
    /// Changes that reach the end of a view or service on a path without an audit event.
    pub(super) fn untold(&self) -> Vec<Observation> {
        let answering = self.answering();
        let mut seen = Vec::new();
        let mut left = Left::default();
        for (alteration, places) in answering {
            if let Some(login) = alteration.login {
                seen.extend(
                    places.iter().filter_map(|&(id, at)| self.untold_login(id, at, &alteration, login)),
                );
                continue;
            }
            let Some(model) = alteration.model else { continue };
            // What passes a keeper by does so where it stands.
            if let Some(whom) = alteration.passes_by {
                seen.push(self.passed_by(&alteration, whom));
                continue;
            }
            for (id, at) in self.lacking(&alteration, places) {
                left.entry((id, model)).or_default().push((at, alteration));
            }
        }
        let has_tracked = self.project.audit().has_tracked();
        let practices = if has_tracked { BTreeMap::new() } else { self.practices(&left) };
        for ((id, model), mut changes) in left {
            let practice = practices.get(&model);
            if has_tracked {
                changes.retain(|_| self.project.audit().is_tracked(model));
            } else {
                let is_habit = |operation| practice.is_some_and(|p| p.operations.contains(&operation));
                changes.retain(|(_, alteration)| self.serves(id) && is_habit(alteration.operation));
            }
            seen.extend(self.untold_changes(id, changes, practice));
        }
        seen
    }

    /// In how many functions that serve somebody the changes of each model are told of, and in how many they are not.
    pub(super) fn telling(&self) -> BTreeMap<ClassId, Telling> {
        let mut silent: BTreeMap<ClassId, BTreeSet<FunctionId>> = BTreeMap::new();
        for (alteration, places) in self.answering() {
            let Some(model) = alteration.model.filter(|_| alteration.login.is_none()) else { continue };
            let lacking = self.lacking(&alteration, places).into_iter().map(|(id, _)| id);
            silent.entry(model).or_default().extend(lacking.filter(|id| self.serves(*id)));
        }
        let mut found: BTreeMap<ClassId, Telling> = BTreeMap::new();
        for (model, telling) in &self.flow.told {
            let told: BTreeSet<FunctionId> =
                telling.keys().map(|(id, _)| *id).filter(|id| self.serves(*id)).collect();
            found.entry(*model).or_default().told = told.len();
        }
        for (model, functions) in silent {
            found.entry(model).or_default().silent = functions.len();
        }
        found
    }

    /// By change: the functions that answer for it, and where each of them makes it.
    fn answering(&self) -> BTreeMap<Alteration, Vec<(FunctionId, StepId)>> {
        let mut answering: BTreeMap<Alteration, Vec<(FunctionId, StepId)>> = BTreeMap::new();
        for id in self.project.function_ids() {
            let Some(outcome) = self.flow.outcomes.get(id) else { continue };
            if !self.is_entry(id) || self.is_told_around(id) {
                continue;
            }
            for (alteration, &step) in &outcome.left {
                answering.entry(*alteration).or_default().push((id, step));
            }
        }
        answering
    }

    /// Where the line is missing that would tell of a change: where all of several callers would need the same, it is
    /// missing in the callee, once.
    fn lacking(
        &self,
        alteration: &Alteration,
        places: Vec<(FunctionId, StepId)>,
    ) -> Vec<(FunctionId, StepId)> {
        let (function, step) = alteration.place;
        let callers =
            self.flow.callers.get(&function).map_or(0, |callers| {
                callers.iter().filter(|caller| !self.project.is_test(caller.file)).count()
            });
        if callers > 1 && places.len() >= callers && places.iter().all(|(id, _)| *id != function) {
            return vec![(function, step)];
        }
        places
    }

    /// The changes of one model that a function leaves untold: one line mends them all, and one finding says so.
    fn untold_changes(
        &self,
        id: FunctionId,
        mut changes: Vec<(StepId, Alteration)>,
        practice: Option<&Practice>,
    ) -> Option<Observation> {
        changes.sort_by_key(|(at, alteration)| (*at, alteration.place));
        let &(first, alteration) = changes.first()?;
        let mut seen = self.at(id, self.span(id, first));
        seen.operation = Some(alteration.operation);
        self.name_entity(&mut seen, alteration.model);
        let operations: BTreeSet<Operation> = changes.iter().map(|(_, change)| change.operation).collect();
        let verbs: Vec<&str> = operations.iter().map(|operation| operation.verb()).collect();
        seen.show("writes", verbs.join(" and "));
        seen.say("untold", if practice.is_some() { "told-elsewhere" } else { "tracked" });
        seen.show("practice", practice.map_or(String::new(), |practice| self.practice_clause(practice)));
        for (at, change) in &changes {
            if change.place.0 != id {
                self.relate_write(&mut seen, change);
            } else if *at != first {
                seen.related.push(("and here".into(), id.file.0 as usize, self.span(id, *at)));
            }
        }
        if let Some(&(other, step)) = practice.and_then(|practice| practice.told.first()) {
            seen.related.push((
                "such a change is told of here".into(),
                other.file.0 as usize,
                self.span(other, step),
            ));
        }
        Some(seen)
    }

    /// A login that nobody is told of. Of whose users is not asked where some event of the program tells of one.
    fn untold_login(
        &self,
        id: FunctionId,
        step: StepId,
        alteration: &Alteration,
        login: Login,
    ) -> Option<Observation> {
        let audit = self.project.audit();
        let word = match alteration.model {
            Some(model) if audit.is_tracked(model) => "tracked",
            _ if !audit.has_tracked() && self.flow.tells_of_logins && self.serves(id) => "told-elsewhere",
            _ => return None,
        };
        let mut seen = self.at(id, self.span(id, step));
        seen.operation = Some(alteration.operation);
        self.name_entity(&mut seen, alteration.model);
        if alteration.model.is_none() {
            seen.show("entity", "User");
        }
        seen.show("writes", login.verb());
        seen.say("untold", word);
        seen.show("practice", if word == "tracked" { "" } else { "; other logins are told of" });
        if alteration.place.0 != id {
            self.relate_write(&mut seen, alteration);
        }
        Some(seen)
    }

    /// A write that passes by whoever keeps the trail of its model.
    fn passed_by(&self, alteration: &Alteration, whom: &'static str) -> Observation {
        let (id, step) = alteration.place;
        let mut seen = self.at(id, self.span(id, step));
        seen.operation = Some(alteration.operation);
        self.name_entity(&mut seen, alteration.model);
        seen.show("writes", alteration.operation.verb());
        seen.say("passes-by", whom);
        let keeper = match whom {
            "receiver" => "the receiver that writes its audit rows",
            "override" => "the override that writes its audit rows",
            _ => "the audit library that keeps its trail",
        };
        seen.show("keeper", keeper);
        seen
    }

    fn relate_write(&self, seen: &mut Observation, alteration: &Alteration) {
        let (other, place) = alteration.place;
        let related = ("it is written here".into(), other.file.0 as usize, self.span(other, place));
        if !seen.related.contains(&related) {
            seen.related.push(related);
        }
    }

    /// The models whose changes audit events tell of in enough of the places that change them.
    fn practices(&self, left: &Left) -> BTreeMap<ClassId, Practice> {
        let mut silent: BTreeMap<ClassId, usize> = BTreeMap::new();
        for (id, model) in left.keys() {
            if self.serves(*id) {
                *silent.entry(*model).or_default() += 1;
            }
        }
        let mut found = BTreeMap::new();
        for (&model, telling) in &self.flow.told {
            let telling = || telling.iter().filter(|((id, _), _)| self.serves(*id));
            let mut told: Vec<(FunctionId, StepId)> = telling().map(|((id, _), step)| (*id, *step)).collect();
            told.dedup_by_key(|(id, _)| *id);
            let silent = silent.get(&model).copied().unwrap_or_default();
            if (Telling { told: told.len(), silent }).is_habit() {
                let operations = telling().map(|((_, operation), _)| *operation).collect();
                found.insert(model, Practice { told, operations });
            }
        }
        found
    }

    /// How a practice shows, so that a reader can judge it.
    fn practice_clause(&self, practice: &Practice) -> String {
        let Some(&(first, step)) = practice.told.first() else { return String::new() };
        let rows = match self.row_of_event(first, step) {
            Some(model) => format!("`{}` rows tell", self.project.entity_name(model)),
            None => "audit events tell".to_owned(),
        };
        let name = self.project.function(first).name;
        match practice.told.len() - 1 {
            0 => format!("; {rows} of such changes in `{name}`"),
            1 => format!("; {rows} of such changes in `{name}` and another function"),
            others => format!("; {rows} of such changes in `{name}` and {others} other functions"),
        }
    }

    /// Of which model the row is that an audit event writes.
    fn row_of_event(&self, id: FunctionId, step: StepId) -> Option<ClassId> {
        let within = self.flow.outcomes.get(id)?.emissions.get(&step)?.within;
        let (writer, at) = within.unwrap_or((id, step));
        self.flow.outcomes.get(writer)?.audit_rows.get(&at).copied()
    }

    /// Whether a function serves somebody: neither a test does nor what an operator starts by hand.
    fn serves(&self, id: FunctionId) -> bool {
        !self.project.is_test(id.file) && !self.project.is_command(id.file)
    }

    /// Whether a decorator of the project tells of what the function does.
    fn is_told_around(&self, id: FunctionId) -> bool {
        !self.tellers_around(id).is_empty()
    }

    /// The functions that decorators of the project put around one and that emit audit events.
    pub(super) fn tellers_around(&self, id: FunctionId) -> Vec<FunctionId> {
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
            self.flow.outcomes.get(*id).is_some_and(|outcome| outcome.summary.trail.emits.is_some())
        };
        all.filter(emits).collect()
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
}
