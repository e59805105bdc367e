//! flow/read: reads of columns: of rows that may have expired, of rows that a caller hands over, and who loads them.

use crate::facts::{Param, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project};

use super::dependency::{DEEPEST, dependency};
use super::life::{Life, Loss, Reading};
use super::outcome::ExpiredRead;
use super::row::Base;
use super::state::State;
use super::summary::Summary;
use super::trace::Trace;
use super::value::{ModelRef, RowKey, SessionKey, Value};

/// The attribute under which Python keeps what an object has loaded.
pub(super) const DICTIONARY: &str = "__dict__";

impl Trace<'_> {
    /// An attribute of a value is read.
    pub(super) fn read(&mut self, state: &mut State, step: StepId, of: &Value, name: Name) {
        for key in direct_rows(of) {
            self.read_column(state, step, key, (name, Reading::Attribute), None);
        }
    }

    /// A column is read from a row's own dictionary.
    pub(super) fn read_dictionary(
        &mut self,
        state: &mut State,
        step: StepId,
        dictionary: &Value,
        name: Name,
    ) {
        if let Value::Attribute(row, attribute) = dictionary
            && &**attribute == DICTIONARY
        {
            for key in direct_rows(row) {
                self.read_column(state, step, key, (name, Reading::Dictionary), None);
            }
        }
    }

    /// Whether a step takes something out of a row's own dictionary.
    pub(super) fn is_dictionary_of_row(&self, step: StepId) -> bool {
        let StepKind::Index { of, .. } = self.function.steps[step as usize].kind else { return false };
        matches!(self.value(of), Value::Attribute(row, name)
            if &**name == DICTIONARY && !direct_rows(row).is_empty())
    }

    /// A callee reads columns of the rows it is handed.
    pub(super) fn read_by_callee(
        &mut self,
        state: &mut State,
        step: StepId,
        summary: &Summary,
        binding: &[Value],
    ) {
        for (&(number, name, reading), &place) in &summary.reads {
            for key in binding.get(number as usize).map(direct_rows).unwrap_or_default() {
                self.read_column(state, step, key, (name, reading), Some(place));
            }
        }
    }

    /// An object is made from all columns of the rows that it has fields for.
    pub(super) fn read_into(&mut self, state: &mut State, step: StepId, class: ClassId, values: &[Value]) {
        let project = self.project;
        let lines = project.hierarchy(class).classes();
        let fields = lines.flat_map(|class| project.class(class).fields.iter());
        let names: Vec<Name> =
            fields.filter(|field| field.annotation.is_some()).map(|field| field.name).collect();
        for key in values.iter().flat_map(direct_rows) {
            for &name in &names {
                self.read_column(state, step, key, (name, Reading::Attribute), None);
            }
        }
    }

    fn is_column(&self, key: RowKey, name: Name) -> bool {
        match self.rows[key.0 as usize].model {
            ModelRef::Class(class) => {
                self.project.model(class).is_some_and(|model| model.columns.contains_key(&name))
            }
            _ => false,
        }
    }

    fn read_column(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        (name, reading): (Name, Reading),
        within: Option<(FunctionId, StepId)>,
    ) {
        if !self.is_column(key, name) {
            return;
        }
        let info = self.rows[key.0 as usize];
        let Some(row) = state.rows.get_mut(&key) else { return };
        if let Base::Param(number) = info.base
            && row.life.is_handed()
        {
            let place = within.unwrap_or((self.id, step));
            let known = self.outcome.summary.reads.entry((number, name, reading)).or_insert(place);
            *known = place.min(*known);
        }
        let Some(loss) = row.life.read(name, reading) else { return };
        if self.telling
            && let ModelRef::Class(model) = info.model
        {
            let is_certain = match info.base {
                Base::Param(number) => self.is_injected(number),
                Base::New | Base::Loaded => true,
            };
            let since = row.life.since();
            let read = ExpiredRead { model, name, loss, since, within, is_certain };
            self.outcome.expired.entry(step).or_insert(read);
        }
        if loss == Loss::Raises {
            row.life.survive(name);
        }
    }

    /// Rows of a model are loaded: those at hand may be among them, with all their columns.
    pub(super) fn load_again(&mut self, state: &mut State, model: ModelRef) {
        if model != ModelRef::Unknown {
            self.outcome.summary.loads.insert(model);
        }
        let ModelRef::Class(class) = model else { return };
        for (key, row) in &mut state.rows {
            if let ModelRef::Class(other) = self.rows[key.0 as usize].model
                && are_kin(self.project, class, other)
            {
                row.life.refresh();
            }
        }
    }

    /// The session that holds a row parameter, and in what state the row comes.
    pub(super) fn handed_over(&self, number: u32) -> (Option<SessionKey>, Life) {
        let injected = self.function.params.get(number as usize).and_then(|param| self.dependency(param));
        match injected {
            Some(provider) if self.shares_session(number, provider) => {
                (Some(SessionKey::Outer), Life::loaded())
            }
            Some(_) => (None, Life::loaded()),
            None => (Some(SessionKey::Outer), Life::handed()),
        }
    }

    fn is_injected(&self, number: u32) -> bool {
        self.function.params.get(number as usize).is_some_and(|param| self.dependency(param).is_some())
    }

    fn dependency(&self, param: &Param) -> Option<FunctionId> {
        dependency(self.project, self.id.file, param)
    }

    /// Whether what provides a parameter works on a session that another parameter brings along, too: within one
    /// request a dependency is called once.
    fn shares_session(&self, number: u32, provider: FunctionId) -> bool {
        let mut of_provider = Vec::new();
        self.sessions_behind(provider, &mut of_provider, 0);
        let others = self.function.params.iter().enumerate().filter(|(index, _)| *index != number as usize);
        let mut here = Vec::new();
        for provider in others.filter_map(|(_, param)| self.dependency(param)) {
            self.sessions_behind(provider, &mut here, 0);
        }
        of_provider.iter().any(|session| here.contains(session))
    }

    /// The dependencies behind a dependency that provide sessions, itself included.
    fn sessions_behind(&self, provider: FunctionId, found: &mut Vec<FunctionId>, depth: usize) {
        let provides = |value: &Option<Value>| matches!(value, Some(Value::Session(..)));
        if self.summary(provider).is_some_and(|known| provides(&known.yields) || provides(&known.returns)) {
            found.push(provider);
        }
        if depth < DEEPEST {
            for param in &self.project.function(provider).params {
                if let Some(next) = dependency(self.project, provider.file, param) {
                    self.sessions_behind(next, found, depth + 1);
                }
            }
        }
    }
}

/// The rows a value is, without those in lists.
fn direct_rows(value: &Value) -> Vec<RowKey> {
    match value {
        Value::Row(key) => vec![*key],
        Value::OneOf(all) => all.iter().flat_map(direct_rows).collect(),
        _ => Vec::new(),
    }
}

/// Whether a row of one class may be a row of the other.
fn are_kin(project: &Project, one: ClassId, other: ClassId) -> bool {
    one == other
        || project.hierarchy(one).classes().any(|class| class == other)
        || project.hierarchy(other).classes().any(|class| class == one)
}
