//! flow/django: what Django does with a row: it is built, saved in whole or in part, deleted.
//!
//! Without a unit of work a row becomes visible when it is saved, and what is changed and never saved is written
//! nowhere. So the paths of a row of Django's are those that led to its last save.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Signal};

use super::row::{Base, Level, Touch};
use super::state::State;
use super::trace::Trace;
use super::trail::Altered;
use super::value::{ModelRef, RowKey, Value};

/// By which of Django's ways something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// `row.save()`.
    Save,
    /// `objects.create(…)` and the creating branch of `get_or_create` and `update_or_create`.
    Create,
    /// The updating branch of `update_or_create`.
    Upsert,
    /// `bulk_create(…)`, with the conflict branch as an update.
    BulkCreate,
    /// `bulk_update(…)`.
    BulkUpdate,
    /// `query.update(…)`.
    QueryUpdate,
    /// `row.delete()`.
    Delete,
    /// `query.delete()`.
    QueryDelete,
}

/// One write by one of Django's ways, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The model.
    pub model: ClassId,
    /// What it does; `None` where the row may be new or not.
    pub operation: Option<Operation>,
    /// By which way.
    pub api: Api,
    /// The columns it changes, as far as that is known.
    pub fields: Option<BTreeSet<Name>>,
}

/// The columns a save is told to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// All.
    All,
    /// These.
    Names(BTreeSet<Name>),
    /// Some, but which could not be told.
    Unknown,
}

impl Trace<'_> {
    /// The Django model of a row.
    pub(super) fn django_model(&self, key: RowKey) -> Option<ClassId> {
        match self.rows[key.0 as usize].model {
            ModelRef::Class(class) if self.project.django(class).is_some() => Some(class),
            _ => None,
        }
    }

    /// The model of a row that is handed to a function, where it is one model's and Django's.
    pub(super) fn django_row_handed(&self, value: &Value) -> Option<ClassId> {
        let mut found = None;
        for one in value.each() {
            match one {
                Value::Row(key) => {
                    let model = self.django_model(*key)?;
                    if found.is_some_and(|known| known != model) {
                        return None;
                    }
                    found = Some(model);
                }
                Value::None | Value::Param(_) => {}
                _ => return None,
            }
        }
        found
    }

    /// A call of an override of a method that Django knows: `save()` does what the override does and then saves.
    pub(super) fn call_override(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: &Value,
        method: FunctionId,
        arguments: &[Argument],
    ) -> Option<Value> {
        let Value::Row(key) = receiver else { return None };
        self.is_django_row(*key).then_some(())?;
        if !matches!(&*self.project.function(method).name, "save" | "asave") {
            return None;
        }
        let listed = self.listed(arguments);
        self.save_by(state, step, *key, listed, Api::Save, Some((method, arguments)));
        Some(Value::None)
    }

    /// Whether a row is Django's: its model is, or the class in whose methods it is `self`.
    pub(super) fn is_django_row(&self, key: RowKey) -> bool {
        match self.rows[key.0 as usize].model {
            ModelRef::Class(class) => self.project.is_django_part(class),
            _ => false,
        }
    }

    /// A method that Django gives every row.
    pub(super) fn row_method(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        method: &str,
        arguments: &[Argument],
    ) -> Option<Value> {
        if !self.is_django_row(key) && self.rows[key.0 as usize].model != ModelRef::Unknown {
            return None;
        }
        match method {
            "save" | "asave" | "save_base" => {
                let listed = self.listed(arguments);
                self.save_by(state, step, key, listed, Api::Save, None);
                Some(Value::None)
            }
            "delete" | "adelete" if self.django_model(key).is_some() => {
                self.use_connection();
                if let Some(model) = self.django_model(key) {
                    self.tell_written(step, model, Operation::Delete, Api::Delete, None);
                }
                // An override that ends in the method it overrides has decided so.
                let is_own = matches!(&*self.function.name, "delete" | "adelete" | "hard_delete")
                    && self.rows[key.0 as usize].base == Base::Param(0);
                if !is_own {
                    self.remove_row(state, step, key);
                }
                Some(Value::Plain)
            }
            "refresh_from_db" | "arefresh_from_db" => {
                if let Some(row) = state.rows.get_mut(&key) {
                    row.roll_back();
                }
                Some(Value::None)
            }
            _ => None,
        }
    }

    /// The constructor's keywords are given to a row.
    pub(super) fn fill(&mut self, state: &mut State, step: StepId, key: RowKey, arguments: &[Argument]) {
        let class = match self.rows[key.0 as usize].model {
            ModelRef::Class(class) => Some(class),
            _ => None,
        };
        for argument in arguments {
            let value = self.value(argument.value).clone();
            match argument.kind {
                ArgumentKind::Keyword(name) => {
                    if let Some(class) = class {
                        self.tell_clock(argument.value, class, name, &value, "keyword");
                        self.initialize(state, step, key, class, name, &value);
                    }
                    self.initial_stamp(key, name, argument.value);
                }
                ArgumentKind::SpreadKeywords => {
                    let keys = self.keys_of(&value);
                    self.initialize_from(state, key, &keys);
                }
                ArgumentKind::Plain | ArgumentKind::Spread => {}
            }
        }
    }

    /// A row is saved through whatever override its model has.
    pub(super) fn save_row(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        listed: Listed,
        api: Api,
    ) {
        let model = self.django_model(key);
        let own = model.and_then(|model| self.project.django_override(model, "save"));
        self.save_by(state, step, key, listed, api, own.map(|own| (own, &[][..])));
    }

    fn save_by(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        listed: Listed,
        api: Api,
        through: Option<(FunctionId, &[Argument])>,
    ) {
        let before = state.rows.get(&key).cloned();
        if let Some(row) = state.rows.get_mut(&key) {
            row.done = Default::default();
        }
        if let Some((method, arguments)) = through {
            // What an override passes on is hardly ever a switch of the one above.
            let is_said = |argument: &&Argument| {
                !matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::SpreadKeywords)
            };
            let said: Vec<Argument> = arguments.iter().filter(is_said).copied().collect();
            self.apply(state, step, Some(Value::Row(key)), method, &said);
            self.never_returns = false;
            if let Some(before) = &before {
                self.keep_resets(state, step, key, before);
            }
        }
        self.receive(state, step, key);
        if let Some(before) = &before {
            self.tell_partial(step, key, before, &listed, api);
        }
        let (Some(row), Some(before)) = (state.rows.get_mut(&key), before) else { return };
        let written = row.done;
        let was_silent = written.iter().all(|paths| paths.is_empty());
        row.done = before.done;
        let written = if was_silent { row.open } else { written };
        self.write(state, step, key, written, &listed, api);
    }

    /// A `save()` that empties a stamp does harm where the code has stamped the row before, and nowhere else.
    fn keep_resets(&mut self, state: &mut State, step: StepId, key: RowKey, before: &super::row::RowState) {
        let project = self.project;
        // What one `save()` hands on to the next, whoever asks for the first has stamped or not.
        let is_own = self.rows[key.0 as usize].base == Base::Param(0);
        if is_own && matches!(&*self.function.name, "save" | "asave") {
            return;
        }
        let Some(row) = state.rows.get_mut(&key) else { return };
        row.marks.nulls.retain(|name, since| {
            let is_assigned = |duty: Duty| {
                !before.is_kept(duty) && before.open[duty.index()].elements().any(|e| e.level == Level::Set)
            };
            *since != step || project.roles.of_field(name).is_some_and(is_assigned)
        });
        if self.telling && row.marks.nulls.values().any(|since| *since == step) {
            self.outcome.resets.insert(step);
        }
    }

    /// A row is written without a `save()`.
    pub(super) fn write_row(&mut self, state: &mut State, step: StepId, key: RowKey, api: Api) {
        let Some(row) = state.rows.get(&key) else { return };
        let open = row.open;
        self.write(state, step, key, open, &Listed::All, api);
    }

    fn write(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        mut written: [super::row::Paths; 6],
        listed: &Listed,
        api: Api,
    ) {
        if self.is_django_row(key) {
            self.use_connection();
        } else {
            self.used.hidden = true;
        }
        let model = self.django_model(key);
        if let (Some(model), Listed::Names(names)) = (model, listed) {
            for duty in Duty::ALL {
                written[duty.index()] =
                    self.as_listed(model, duty, names, written[duty.index()], state.rows[&key].is_kept(duty));
            }
        }
        let base = self.rows[key.0 as usize].base;
        let Some(row) = state.rows.get_mut(&key) else { return };
        row.save(written, step);
        self.save_cleaned(step, key);
        self.note_row_altered(step, key, api);
        if let Some(model) = model {
            let operation = match base {
                Base::New => Some(Operation::Create),
                Base::Loaded => Some(Operation::Update),
                Base::Param(_) => None,
            };
            let fields = match listed {
                Listed::Names(names) => Some(names.clone()),
                _ => Some(state.rows[&key].stored.clone()),
            };
            self.tell_row_written(step, Written { model, operation, api, fields });
        }
    }

    /// The paths of a duty whose column is not among those that are written.
    fn as_listed(
        &self,
        model: ClassId,
        duty: Duty,
        names: &BTreeSet<Name>,
        paths: super::row::Paths,
        is_kept: bool,
    ) -> super::row::Paths {
        let Some(known) = self.project.model(model) else { return paths };
        let fields = known.fields_of(self.project, duty);
        if fields.is_empty() || fields.iter().any(|field| lists(names, *field)) || is_kept {
            return paths;
        }
        let fills_itself = fields.iter().any(|field| known.columns[field].on_update);
        paths.map(|element| {
            // What was assigned is dropped, and what fills itself does not: a fault of its own.
            let is_dropped = element.level == Level::Set || fills_itself;
            super::row::Element {
                level: if is_dropped { Level::Misplaced } else { element.level },
                ..element
            }
        })
    }

    /// Receivers of `pre_save` stamp the row they are handed.
    fn receive(&mut self, state: &mut State, step: StepId, key: RowKey) {
        let Some(model) = self.django_model(key) else { return };
        let project = self.project;
        let functions: Vec<FunctionId> =
            project.receivers_of(model, Signal::PreSave).map(|receiver| receiver.function).collect();
        for function in functions {
            self.outcome.calls.insert(function);
            let params = &project.function(function).params;
            let Some(number) = params.iter().position(|param| &*param.name == "instance") else { continue };
            let Some(summary) = self.summary(function) else { continue };
            let Some(effect) = summary.param(number as u32) else { continue };
            let base = self.rows[key.0 as usize].base;
            if let Some(row) = state.rows.get_mut(&key) {
                let touch = Touch { step, within: effect.touch };
                row.undergo((&effect.open, &Default::default()), base, touch);
            }
        }
    }

    /// A branch asks whether a row is new: what only the other side owes is not owed.
    pub(super) fn assume_age(&self, state: &mut State, subject: StepId, is_there: bool) {
        let kind = |step: StepId| &self.function.steps[step as usize].kind;
        let StepKind::Attribute { of, name } = *kind(subject) else { return };
        let (row, is_new) = match (&*name, kind(of)) {
            ("adding", StepKind::Attribute { of, name }) if &**name == "_state" => (*of, is_there),
            ("pk" | "id", _) => (of, !is_there),
            _ => return,
        };
        let not_owed: &[Duty] = match is_new {
            true => &[Duty::UpdatedBy],
            false => &[Duty::CreatedAt, Duty::CreatedBy],
        };
        for key in self.value(row).rows() {
            let is_handed = matches!(self.rows[key.0 as usize].base, Base::Param(_));
            if let (true, Some(row)) = (is_handed && self.is_django_row(key), state.rows.get_mut(&key)) {
                not_owed.iter().for_each(|duty| row.discharge(*duty, Level::Excused));
            }
        }
    }

    /// A branch of a `save()` asks whether only some fields are saved. Where it is so, the row is there, and what that save
    /// leaves out is told where it is asked for.
    pub(super) fn assume_part(&self, state: &mut State, subject: StepId, is_there: bool) {
        let is_list = matches!(self.function.steps[subject as usize].kind, StepKind::Name(name)
            if &*name == "update_fields");
        if !is_there || !is_list || !matches!(&*self.function.name, "save" | "asave") {
            return;
        }
        let handed = self.rows.iter().zip(0..).filter(|(info, _)| info.base == Base::Param(0));
        let keys: Vec<RowKey> = handed.map(|(_, key)| RowKey(key)).collect();
        for key in keys.into_iter().filter(|key| self.is_django_row(*key)) {
            if let Some(row) = state.rows.get_mut(&key) {
                Duty::ALL.into_iter().for_each(|duty| row.discharge(duty, Level::Excused));
            }
        }
    }

    /// What `update_fields=` says.
    pub(super) fn listed(&self, arguments: &[Argument]) -> Listed {
        let passes_on = arguments
            .iter()
            .any(|argument| matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::SpreadKeywords));
        match self.argument(arguments, "update_fields") {
            Some(value) => self.names_in(&value),
            None if passes_on => Listed::Unknown,
            None => Listed::All,
        }
    }

    /// The names in a list of columns; of several lists, those that all have.
    pub(super) fn names_in(&self, value: &Value) -> Listed {
        match value {
            Value::None => Listed::All,
            Value::Text(name) => Listed::Names(BTreeSet::from([*name])),
            Value::Tuple(parts) => {
                let mut names = BTreeSet::new();
                for part in parts {
                    match (part, self.names_in(part)) {
                        (Value::Text(name), _) => drop(names.insert(*name)),
                        // `[*names, "more"]`
                        (Value::Tuple(_), Listed::Names(inner)) => names.extend(inner),
                        _ => return Listed::Unknown,
                    }
                }
                Listed::Names(names)
            }
            Value::OneOf(all) => {
                let mut names: Option<BTreeSet<Name>> = None;
                for one in all {
                    let found = match self.names_in(one) {
                        // The whole row on another path.
                        Listed::All => continue,
                        Listed::Names(found) => found,
                        Listed::Unknown => return Listed::Unknown,
                    };
                    names = Some(
                        names.map_or(found.clone(), |known| known.intersection(&found).copied().collect()),
                    );
                }
                names.map_or(Listed::Unknown, Listed::Names)
            }
            _ => Listed::Unknown,
        }
    }

    pub(super) fn tell_written(
        &mut self,
        step: StepId,
        model: ClassId,
        operation: Operation,
        api: Api,
        fields: Option<BTreeSet<Name>>,
    ) {
        self.note_altered(Altered { step, model: Some(model), row: None, operation, api: Some(api) });
        self.tell_row_written(step, Written { model, operation: Some(operation), api, fields });
    }

    fn tell_row_written(&mut self, step: StepId, written: Written) {
        if !self.telling {
            return;
        }
        let all = self.outcome.written.entry(step).or_default();
        let same = |known: &&mut Written| {
            (known.model, known.operation, known.api) == (written.model, written.operation, written.api)
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                known.fields = match (known.fields.take(), written.fields) {
                    (Some(a), Some(b)) => Some(a.union(&b).copied().collect()),
                    _ => None,
                }
            }
            None => all.push(written),
        }
    }

    /// A row of Django's was changed in a column.
    pub(super) fn note_store(&self, state: &mut State, key: RowKey, name: Name) {
        if let Some(row) = state.rows.get_mut(&key) {
            row.stored.insert(name);
        }
    }
}

/// Whether a list of columns has a field, by its own name or by the name of its key.
pub(super) fn lists(names: &BTreeSet<Name>, field: Name) -> bool {
    names.contains(&field) || names.contains(&Name::new(&format!("{field}_id")))
}
