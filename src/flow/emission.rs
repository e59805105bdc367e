//! flow/emission: audit events and the changes of state they tell of, on the way over the paths of a function.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Operation;
use crate::facts::{HandlerId, Next, RegionId, RegionKind, StepId, StepKind};
use crate::project::{ClassId, FunctionId, Mapping};

use super::cow::Shared;
use super::django::Api;
use super::hearing::Heard;
use super::library;
use super::row::Base;
use super::state::State;
use super::summary::Summary;
use super::trace::Trace;
use super::trail::{Alteration, Altered, Bond, Bonds, Emission, Failing, Untold};
use super::transaction::Within;
use super::value::{ModelRef, RowKey, Value};

impl Trace<'_> {
    /// A write of rows is done: it changes the state, or emits an audit event.
    fn alter(&mut self, state: &mut State, altered: Altered) {
        let Altered { step, model, row, operation, api } = altered;
        if let Some(model) = model.filter(|model| self.project.is_audit_model(*model)) {
            if operation != Operation::Delete {
                self.outcome.audit_rows.insert(step, model);
                self.emit(state, step, None, CanFail::Yes);
            }
            return;
        }
        let (mut bonds, mut passes_by) = (Bonds::one(Bond::Within), None);
        if let Some(api) = api {
            bonds = Bonds::one(self.bond());
            match model.map_or(Heard::ByNobody, |model| self.heard(model, operation, api)) {
                Heard::ByNobody => {}
                // It is told already; an event of this function's own may still come in another transaction.
                Heard::ByKeeper => {
                    self.outcome.told.extend(model.map(|model| ((model, operation), step)));
                    bonds = bonds.heard();
                }
                Heard::PassedBy(whom) => passes_by = Some(whom),
            }
        }
        let handed = row.and_then(|key| match self.rows[key.0 as usize].base {
            Base::Param(number) => Some(number),
            _ => None,
        });
        let place = (self.id, step);
        let alteration = Alteration { place, model, handed, operation, login: None, passes_by };
        if self.telling && state.untold.emitted {
            // The event stands before the change that it tells of.
            let events: Vec<StepId> = self.outcome.emissions.keys().copied().collect();
            for event in events {
                self.tell_named(event, &BTreeSet::from([alteration]));
            }
        }
        state.untold.add(alteration, step, bonds);
    }

    /// An audit event tells of changes, as far as it names their models.
    fn tell_named(&mut self, event: StepId, changes: &BTreeSet<Alteration>) {
        let told = self.told_at(event, changes);
        self.outcome.told.extend(told.into_iter().map(|change| (change, event)));
    }

    /// A write is done, by a statement or by Django.
    pub(super) fn note_altered(&mut self, altered: Altered) {
        if self.project.keeps_trail() {
            self.altered.push(altered);
        }
    }

    /// A row of Django's is written.
    pub(super) fn note_row_altered(&mut self, step: StepId, key: RowKey, api: Api) {
        let info = self.rows[key.0 as usize];
        let model = match info.model {
            ModelRef::Class(class) if self.project.model(class).is_some() => Some(class),
            ModelRef::Unknown if matches!(info.base, Base::Param(_)) => None,
            // A part of models saves itself: of which model it is the caller knows. An override of `save()` is part of
            // the save that its caller is known to make.
            ModelRef::Class(_)
                if info.base == Base::Param(0)
                    && self.is_django_row(key)
                    && !matches!(&*self.function.name, "save" | "asave") =>
            {
                None
            }
            _ => return,
        };
        let operation = if info.base == Base::New { Operation::Create } else { Operation::Update };
        self.note_altered(Altered { step, model, row: Some(key), operation, api: Some(api) });
    }

    /// What was said to have been written by the step at hand.
    pub(super) fn follow_trail(&mut self, state: &mut State) {
        for altered in std::mem::take(&mut self.altered) {
            self.alter(state, altered);
        }
    }

    /// An audit event is emitted: it tells of everything that was changed before.
    pub(super) fn emit(
        &mut self,
        state: &mut State,
        step: StepId,
        within: Option<(FunctionId, StepId)>,
        can_fail: CanFail,
    ) {
        let mut told = std::mem::take(&mut state.untold);
        told.changes.extend(self.untold_rows(state));
        state.change_rows(|row| row.is_untold, |row| row.is_untold = false);
        state.untold.emitted = true;
        // What is told where something has failed is told of the failure.
        let in_handler = self.enclosing(self.region).any(|(_, kind)| matches!(kind, RegionKind::Handler(_)));
        let is_loose = self.bond() == Bond::Loose && !in_handler;
        state.untold.before = (is_loose && told.changes.is_empty() && !told.emitted).then_some(step);
        let landing = self.failing(&told, can_fail);
        let summary = &mut self.outcome.summary.trail;
        let place = within.unwrap_or((self.id, step));
        summary.emits = Some(summary.emits.map_or(place, |known| known.min(place)));
        summary.may_fail |= can_fail != CanFail::No && landing == Failing::Escapes;
        summary.tells_own |= !told.changes.is_empty() || can_fail == CanFail::WithItsChange;
        if !self.telling {
            return;
        }
        let (logins, changes): (BTreeSet<Alteration>, BTreeSet<Alteration>) =
            told.changes.keys().copied().partition(|alteration| alteration.login.is_some());
        // What is told right behind a login and behind nothing else is the login.
        self.outcome.tells_of_logins |= !logins.is_empty() && changes.is_empty();
        self.tell_named(step, &changes);
        let apart = told.changes.iter().filter_map(|(alteration, (at, bonds))| {
            // A login is part of no transaction. Where its keeper tells of a change, an event may be about something else,
            // unless it is handed such a row.
            let bonds = match alteration.login {
                Some(_) => Bonds::default(),
                None if self.is_about(step, alteration.model) => bonds.all(),
                None => bonds.unheard(),
            };
            let bond = [Bond::Committed, Bond::Loose].into_iter().find(|bond| bonds.has(*bond))?;
            Some((*alteration, *at, bond))
        });
        // Where nobody says what the audit rows are, one that names something else tells of something else.
        let audit = self.project.audit();
        let is_guessed = !audit.is_named && !audit.names_emitters();
        let named = self.told_at(step, &told.changes.keys().copied().collect());
        let apart = apart.filter(|(change, _, _)| {
            !is_guessed || named.iter().any(|(model, _)| change.model == Some(*model))
        });
        let apart = if in_handler { None } else { apart.max_by_key(|(_, at, bond)| (*bond, *at)) };
        let failing = (can_fail != CanFail::No).then_some(landing);
        let heard = self.written_before();
        self.outcome.emissions.insert(step, Emission { within, heard, apart, failing, is_loose });
    }

    /// Whether a call is handed a row of a model.
    fn is_about(&self, step: StepId, model: Option<ClassId>) -> bool {
        let StepKind::Call { arguments, .. } = &self.function.steps[step as usize].kind else { return false };
        let rows = arguments.iter().flat_map(|argument| self.value(argument.value).rows());
        let mut models = rows.map(|key| self.rows[key.0 as usize].model);
        model.is_some_and(|model| models.any(|of| of == ModelRef::Class(model)))
    }

    /// The rows that were changed and are not committed yet, as changes of state.
    fn untold_rows(&self, state: &State) -> Vec<(Alteration, (StepId, Bonds))> {
        let of_row = |(&key, row): (&RowKey, &super::row::RowState)| {
            if !row.is_untold {
                return None;
            }
            let info = self.rows[key.0 as usize];
            let ModelRef::Class(model) = info.model else { return None };
            // Django writes a row when it is saved, and that is told where it happens.
            let is_kept = self.project.model(model).is_some()
                && !matches!(self.project.mapping(model), Some(Mapping::Django | Mapping::SeaOrm))
                && !self.project.is_audit_model(model);
            let is_there = info.base != Base::New || row.is_added();
            if !is_kept || !is_there {
                return None;
            }
            let (operation, place, step) = match (info.base, row.first) {
                (Base::New, _) => (Operation::Create, info.origin, info.at),
                (_, Some(touch)) => {
                    (Operation::Update, touch.within.unwrap_or((self.id, touch.step)), touch.step)
                }
                (_, None) => (Operation::Update, info.origin, info.at),
            };
            let alteration = Alteration {
                place,
                model: Some(model),
                handed: None,
                operation,
                login: None,
                passes_by: None,
            };
            Some((alteration, (step, Bonds::one(Bond::Within))))
        };
        state.rows.iter().filter_map(|(key, row)| of_row((key, row))).collect()
    }

    /// A commit: what was changed stays.
    pub(super) fn commit_trail(&mut self, state: &mut State) {
        let rows = self.untold_rows(state);
        state.change_rows(|row| row.is_untold, |row| row.is_untold = false);
        for (alteration, (step, bonds)) in rows {
            state.untold.add(alteration, step, bonds);
        }
        state.untold.rebind(|_| Bond::Committed);
    }

    /// What a callee changes and tells happens here.
    pub(super) fn trail_of_callee(
        &mut self,
        state: &mut State,
        step: StepId,
        callee: FunctionId,
        summary: &Summary,
        binding: &[Value],
    ) {
        if !self.project.keeps_trail() {
            return;
        }
        let trail = &summary.trail;
        let is_emitter = self.project.is_emitter(callee);
        if trail.emits.is_some() || is_emitter {
            let can_fail = match (trail.may_fail || trail.emits.is_none(), trail.tells_own) {
                (false, _) => CanFail::No,
                (true, true) => CanFail::WithItsChange,
                (true, false) => CanFail::Yes,
            };
            self.emit(state, step, trail.emits, can_fail);
        }
        // A function that is known for its audit events answers for its own writes.
        if is_emitter {
            return;
        }
        let here = self.bond();
        for (known, bonds) in &trail.left {
            let bonds = bonds.map(|bond| if bond == Bond::Loose { here } else { bond });
            let alteration = self.as_called(*known, binding);
            let is_audit_row = alteration.model.is_some_and(|model| self.project.is_audit_model(model));
            // Who keeps a trail of a row is known only where its model is.
            let is_heard = alteration.handed != known.handed
                && alteration.model.is_some_and(|model| {
                    self.heard(model, alteration.operation, Api::Save) == Heard::ByKeeper
                });
            if is_audit_row || is_heard {
                continue;
            }
            state.untold.add(alteration, step, bonds);
        }
    }

    /// A change that a callee makes, as the caller that hands it the row knows it.
    fn as_called(&self, alteration: Alteration, binding: &[Value]) -> Alteration {
        let Some(number) = alteration.handed.filter(|_| alteration.model.is_none()) else {
            return Alteration { handed: None, ..alteration };
        };
        let rows = binding.get(number as usize).map(Value::rows).unwrap_or_default();
        let infos = || rows.iter().map(|key| self.rows[key.0 as usize]);
        let model = infos().find_map(|info| match info.model {
            ModelRef::Class(class) if self.project.model(class).is_some() => Some(class),
            _ => None,
        });
        let handed = infos().find_map(|info| match info.base {
            Base::Param(number) => Some(number),
            _ => None,
        });
        Alteration { model, handed, ..alteration }
    }

    /// Rows are handed to a session: audit rows are events.
    pub(super) fn add_audit_rows(&mut self, state: &mut State, step: StepId, values: &[Value]) {
        let audit_model = |key: RowKey| match self.rows[key.0 as usize].model {
            ModelRef::Class(model) => Some(model).filter(|model| self.project.is_audit_model(*model)),
            _ => None,
        };
        if let Some(model) = values.iter().flat_map(Value::rows).find_map(audit_model) {
            self.outcome.audit_rows.insert(step, model);
            self.emit(state, step, None, CanFail::Yes);
        }
    }

    /// The next turn of a loop makes or loads another row where this one was: what was changed stays changed.
    pub(super) fn leave_behind(&mut self, state: &mut State, key: RowKey) {
        let Some(row) = state.rows.get_mut(&key) else { return };
        if !std::mem::take(&mut row.is_untold) {
            return;
        }
        let mut row = row.clone();
        row.is_untold = true;
        let alone = State::of(Shared::new(BTreeMap::from([(key, row)])));
        for (alteration, (step, bonds)) in self.untold_rows(&alone) {
            state.untold.add(alteration, step, bonds);
        }
    }

    /// In whose transaction a function is called.
    pub(super) fn tell_bond(&mut self, callee: FunctionId) {
        if self.telling {
            let calls = match self.bond() {
                Bond::Within => &mut self.outcome.calls_bound,
                _ => &mut self.outcome.calls_loose,
            };
            calls.insert(callee);
        }
    }

    /// Something that is not known is called: it may tell of what was changed, if its name says so.
    pub(super) fn trail_of_unknown(&mut self, state: &mut State, callee: StepId) {
        if !self.project.keeps_trail() {
            return;
        }
        let name = match self.function.steps[callee as usize].kind {
            StepKind::Attribute { name, .. } | StepKind::Name(name) => name,
            _ => return,
        };
        let path = self.path(callee).unwrap_or(name);
        if library::names_audit(&path) || self.project.is_external_emitter(&path) {
            state.untold.forget();
            state.change_rows(|row| row.is_untold, |row| row.is_untold = false);
            state.untold.emitted = true;
            state.untold.before = None;
        }
    }

    /// Whose transaction a write at the step at hand is part of, where it needs none of its own.
    pub(super) fn bond(&self) -> Bond {
        if self.is_rust() {
            return self.bond_of_connection();
        }
        if self.within(self.region) == Within::Caller { Bond::Loose } else { Bond::Within }
    }

    /// A path returns.
    pub(super) fn leave_trail(&mut self, state: &State, escaping: &BTreeSet<RowKey>) {
        let untold = &state.untold;
        let mut left: Vec<_> =
            untold.changes.iter().map(|(a, (at, bonds))| (*a, *at, *bonds, true)).collect();
        if !untold.emitted {
            for (&key, row) in state.rows.iter().filter(|(_, row)| row.is_untold) {
                let one = Shared::new(BTreeMap::from([(key, row.clone())]));
                let alone = State::of(one);
                // What callers see on the row itself they need not be told.
                let is_param = matches!(self.rows[key.0 as usize].base, Base::Param(_));
                let is_told = !is_param && !escaping.contains(&key);
                let found = self.untold_rows(&alone);
                left.extend(found.into_iter().map(|(a, (at, bonds))| (a, at, bonds, is_told)));
            }
        }
        for (alteration, at, bonds, is_told) in left {
            // What an event told of before is no news to a caller.
            let mut bonds = bonds.untold();
            if bonds.is_empty() {
                if let Some((event, change)) = untold.foretold.get(&alteration) {
                    self.outcome.foretold.entry(*event).or_insert((alteration, *change));
                }
                continue;
            }
            if self.ground.is_atomic {
                bonds = bonds.map(|bond| if bond == Bond::Within { Bond::Loose } else { bond });
            }
            if is_told {
                self.outcome.summary.trail.leave(alteration, bonds);
            }
            let known = self.outcome.left.entry(alteration).or_insert(at);
            *known = (*known).min(at);
        }
    }

    /// What becomes of an exception that the step at hand raises, after changes.
    fn failing(&self, told: &Untold, can_fail: CanFail) -> Failing {
        for (id, kind) in self.enclosing(self.region) {
            let RegionKind::Try { first, end } = kind else { continue };
            let Some(handler) = (first..end).find(|&handler| self.ground.takes_all(handler)) else {
                continue;
            };
            if self.always_raises_again(handler) {
                continue;
            }
            let lies_here = |step: StepId| self.lies_in(step, id);
            let is_alone = can_fail != CanFail::WithItsChange
                && !told.changes.values().any(|(step, _)| lies_here(*step));
            return if is_alone { Failing::CaughtAlone(handler) } else { Failing::Caught(handler) };
        }
        Failing::Escapes
    }

    /// Whether a step lies in a region.
    fn lies_in(&self, step: StepId, region: RegionId) -> bool {
        let block = self.function.blocks.iter().find(|block| (block.start..block.end).contains(&step));
        block.is_some_and(|block| self.enclosing(block.region).any(|(id, _)| id == region))
    }

    /// Whether every way out of a handler is an exception.
    fn always_raises_again(&self, handler: HandlerId) -> bool {
        let in_handler = |region: Option<RegionId>| {
            self.enclosing(region).any(|(_, kind)| kind == RegionKind::Handler(handler))
        };
        let mut raises = false;
        for block in self.function.blocks.iter().filter(|block| in_handler(block.region)) {
            let goes_out = |next: &u32| !in_handler(self.function.blocks[*next as usize].region);
            let leaves = match &block.next {
                Next::Goto(next) => goes_out(next),
                Next::Branch { yes, no, .. } => goes_out(yes) || goes_out(no),
                Next::Any(all) => all.iter().any(goes_out),
                Next::Leave => true,
                Next::Throw => {
                    raises = true;
                    false
                }
                Next::Resume { .. } => false,
            };
            if leaves {
                return false;
            }
        }
        raises
    }
}

/// Whether something goes wrong when an audit event cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CanFail {
    /// An exception leaves the place.
    Yes,
    /// An exception leaves the callee that makes the change as well.
    WithItsChange,
    /// Whoever emits it catches that.
    No,
}
