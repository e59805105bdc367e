//! flow/rust/sea_orm: SeaORM: a row is written by a call on itself, which asks `before_save`, or by a statement of its
//! entity, which asks nobody.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Mapping, Symbol};

use super::super::cow::Shared;
use super::super::django::Api;
use super::super::outcome::Executed;
use super::super::row::{Base, Change, Element, Level, Paths, Touch};
use super::super::stamp::{Onto, Stamp, Stored};
use super::super::state::State;
use super::super::trace::Trace;
use super::super::value::{Form, Keys, ModelRef, RowKey, Statement, Value};

impl Trace<'_> {
    /// What a method of an entity, of its rows, queries or statements does.
    pub(super) fn sea_orm_method(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: &Value,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match receiver {
            Value::OneOf(all)
                if all.iter().any(|one| matches!(one, Value::Row(key) if self.entity_of(*key).is_some())) =>
            {
                let results: Vec<Value> = all
                    .iter()
                    .filter_map(|one| self.sea_orm_method(state, step, one, method, values))
                    .collect();
                Some(Value::one_of(results))
            }
            Value::Symbol(Symbol::Class(class)) if self.project.mapping(*class) == Some(Mapping::SeaOrm) => {
                self.entity_method(state, step, self.project.completed(*class), method, values)
            }
            Value::Row(key) if self.entity_of(*key).is_some() || self.is_any_active_model(*key) => {
                self.active_model_method(state, step, *key, method, values)
            }
            Value::Query(Some(ModelRef::Class(class)))
                if self.project.mapping(*class) == Some(Mapping::SeaOrm) =>
            {
                Some(self.select_method(state, step, *class, method, values))
            }
            // `find_also_related(…)` finds two rows at once.
            Value::Tuple(parts)
                if !parts.is_empty() && parts.iter().all(|part| matches!(part, Value::Query(Some(_)))) =>
            {
                let mut found = Vec::new();
                for (nth, part) in (0..).zip(parts) {
                    found.push(match (part, method) {
                        (Value::Query(Some(model)), "one" | "all") => {
                            Value::Row(self.loaded_part(state, step, nth, *model))
                        }
                        (part, _) => part.clone(),
                    });
                }
                let found = Value::Tuple(found);
                Some(if method == "all" { Value::Many(Shared::new(found)) } else { found })
            }
            Value::Object(class, _) if matches!(method, "into_active_model" | "into") => {
                self.row_of_struct(state, step, *class)
            }
            Value::Statement(statement) => {
                let ModelRef::Class(class) = statement.model else { return None };
                if self.project.mapping(class) != Some(Mapping::SeaOrm) {
                    return None;
                }
                Some(self.entity_statement_method(state, step, (**statement).clone(), class, method, values))
            }
            // `row.column.set_if_not_equals(value)`
            Value::Attribute(of, column) if matches!(method, "set_if_not_equals" | "set") => {
                let (Value::Row(_), [value]) = (&**of, values) else { return None };
                self.store(state, step, (**of).clone(), *column, value.clone());
                Some(Value::None)
            }
            // `OnConflict::column(…).update_columns([…])`
            Value::Dictionary(keys) => on_conflict(keys, method, values),
            Value::External(path) if path.contains("OnConflict") => {
                on_conflict(&Keys::default(), method, values)
            }
            Value::Symbol(Symbol::External(path)) if path.last() == "OnConflict" => {
                Some(Value::External(path.join(method)))
            }
            _ => None,
        }
    }

    /// A branch asks whether a column of a row was given a value: where it was, nothing is left to do for it.
    pub(in crate::flow) fn assume_given(&self, state: &mut State, subject: StepId, holds: bool) {
        let kind = |step: StepId| &self.function.steps[step as usize].kind;
        let StepKind::Call { callee, .. } = *kind(subject) else { return };
        let StepKind::Attribute { of: column, name: method } = *kind(callee) else { return };
        let is_given = match &*method {
            "is_set" => holds,
            "is_not_set" | "is_unchanged" => !holds,
            _ => return,
        };
        let StepKind::Attribute { of: row, name } = *kind(column) else { return };
        let Some(duty) = self.project.roles.of_field(&name).filter(|_| is_given) else { return };
        for key in self.value(row).rows() {
            if let Some(row) = state.rows.get_mut(&key) {
                row.discharge(duty, Level::Set);
            }
        }
    }

    fn entity_method(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        let model = ModelRef::Class(class);
        let begun = |operation| Statement { form: Form::Bare, ..Statement::begun(operation, model, step) };
        let statement = match method {
            "find" | "find_by_id" | "find_related" | "find_linked" | "find_with_linked" => {
                return Some(Value::Query(Some(model)));
            }
            "from" => return self.converted_row(state, step, class, values),
            // `ActiveModelBehavior::new` stands behind the default, where the program has written one.
            "default" => {
                let new = self.project.methods_named(class, Name::new("new"));
                let is_plain = |id: &FunctionId| self.project.function(*id).params.is_empty();
                let new = new.into_iter().find(is_plain).filter(|new| *new != self.id)?;
                return Some(self.apply(state, step, None, new, &[]));
            }
            // What a text holds is known when it is read.
            "from_json" => {
                let key = self.make(state, step, model, 0);
                if let Some(row) = state.rows.get_mut(&key) {
                    Duty::ALL.into_iter().for_each(|duty| row.discharge(duty, Level::Perhaps));
                }
                return Some(Value::Row(key));
            }
            "insert" | "insert_many" => Statement { rows: rows_of(values), ..begun(Operation::Create) },
            "update" => Statement { rows: rows_of(values), ..begun(Operation::Update) },
            "update_many" => begun(Operation::Update),
            "delete" | "delete_many" | "delete_by_id" => begun(Operation::Delete),
            _ => return None,
        };
        if !statement.rows.is_empty() && statement.operation == Operation::Create && method == "insert_many" {
            self.tell_mixed_rows(state, class, &statement.rows);
        }
        Some(Value::Statement(Shared::new(statement)))
    }

    /// `ActiveModel::from(value)`: a row stays the row, anything else becomes one.
    fn converted_row(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        values: &[Value],
    ) -> Option<Value> {
        let [value] = values else { return None };
        if !value.rows().is_empty() {
            return Some(value.clone());
        }
        // Nothing but a row that was loaded can become one by itself.
        Some(Value::Row(self.loaded_row(state, step, ModelRef::Class(class))))
    }

    /// A struct of some columns becomes a row that is given them: what it leaves out is left out.
    fn row_of_struct(&mut self, state: &mut State, step: StepId, class: ClassId) -> Option<Value> {
        let (model, fields) = self.project.partial_row(class)?;
        Some(self.row_of_some(state, step, model, fields.into_iter().map(|field| (field, Value::Plain))))
    }

    /// A struct of some columns is made: it is the row it will become. `None` leaves its column out.
    pub(in crate::flow) fn made_partial_row(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        arguments: &[Argument],
    ) -> Option<Value> {
        let (model, _) = self.project.partial_row(class)?;
        let given: Vec<(Name, Value)> = arguments
            .iter()
            .filter_map(|argument| match argument.kind {
                ArgumentKind::Keyword(field) => Some((field, self.value(argument.value).clone())),
                _ => None,
            })
            .filter(|(_, value)| *value != Value::None)
            .collect();
        Some(self.row_of_some(state, step, model, given.into_iter()))
    }

    /// A new row that is given some columns.
    fn row_of_some(
        &mut self,
        state: &mut State,
        step: StepId,
        model: ClassId,
        given: impl Iterator<Item = (Name, Value)>,
    ) -> Value {
        let key = self.make(state, step, ModelRef::Class(model), 0);
        for (field, value) in given {
            self.initialize(state, step, key, model, field, &value);
        }
        Value::Row(key)
    }

    /// `Type::from(value)`: a row stays the row; of several conversions the one runs whose parameter is of the value's type.
    pub(in crate::flow) fn conversion(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: &Value,
        method: FunctionId,
        arguments: &[Argument],
    ) -> Option<Value> {
        let (true, Value::Symbol(Symbol::Class(class))) = (self.is_rust(), receiver) else { return None };
        if &*self.project.function(method).name != "from" || self.project.mapping(*class).is_none() {
            return None;
        }
        let [argument] = arguments else { return None };
        let value = self.value(argument.value).clone();
        if !value.rows().is_empty() {
            return Some(value);
        }
        let all = self.project.methods_named(self.project.completed(*class), Name::new("from"));
        let fitting = all.into_iter().find(|id| self.takes(*id, &value)).unwrap_or(method);
        Some(self.apply(state, step, None, fitting, arguments))
    }

    /// Whether the first parameter of a function is declared to be what a value is.
    fn takes(&self, id: FunctionId, value: &Value) -> bool {
        let Value::Object(class, _) = value else { return false };
        let Some(Term::Path(path)) =
            self.project.function(id).params.first().and_then(|p| p.annotation.as_ref())
        else {
            return false;
        };
        self.project.resolve_path(id.file, *path) == Some(Symbol::Class(*class))
    }

    /// A new row has what the row has that stands behind it.
    pub(in crate::flow) fn take_defaults(&mut self, state: &mut State, key: RowKey, value: &Value) {
        for behind in value.rows() {
            let has: Vec<Duty> = match state.rows.get(&behind) {
                Some(row) => Duty::ALL.into_iter().filter(|duty| row.has(*duty)).collect(),
                None => continue,
            };
            let class = self.entity_of(key);
            if let Some(row) = state.rows.get_mut(&key) {
                has.iter().for_each(|duty| row.discharge(*duty, Level::Set));
            }
            let fields = class.and_then(|class| self.project.model(class)).map(|model| {
                has.iter().flat_map(|duty| model.fields_of(self.project, *duty)).collect::<Vec<Name>>()
            });
            for field in fields.unwrap_or_default() {
                if let Some(row) = state.rows.get_mut(&key) {
                    row.stored.insert(field);
                }
            }
        }
    }

    fn select_method(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        method: &str,
        values: &[Value],
    ) -> Value {
        let model = ModelRef::Class(class);
        match method {
            "one" | "stream" => {
                self.used.any = true;
                Value::Row(self.loaded_row(state, step, model))
            }
            "all" => {
                self.used.any = true;
                Value::Many(Shared::new(Value::Row(self.loaded_row(state, step, model))))
            }
            "count" | "paginate" | "exists" => Value::Plain,
            "into_model" | "into_tuple" | "into_json" | "into_partial_model" => Value::Query(None),
            "find_also_related" | "find_with_related" | "find_both_related" | "select_also" => {
                let other = match values.first() {
                    Some(Value::Symbol(Symbol::Class(other))) => {
                        Value::Query(Some(ModelRef::Class(self.project.completed(*other))))
                    }
                    _ => return Value::Query(None),
                };
                Value::Tuple(vec![Value::Query(Some(model)), other])
            }
            _ => Value::Query(Some(model)),
        }
    }

    fn active_model_method(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match (method, values) {
            ("insert", [_]) if self.rows[key.0 as usize].base == Base::Loaded => {
                self.insert_copy(step, key)?;
                Some(Value::Unknown)
            }
            ("insert" | "save" | "update" | "update_without_returning", [_]) => {
                if method.starts_with("update") {
                    self.is_update_of(state, key);
                }
                self.save_entity(state, step, key, method);
                Some(Value::Row(key))
            }
            ("delete", [_]) => {
                self.use_connection();
                self.remove_row(state, step, key);
                Some(Value::Plain)
            }
            ("set" | "set_if_not_equals", [Value::Attribute(_, column), value]) => {
                self.store(state, step, Value::Row(key), *column, value.clone());
                Some(Value::None)
            }
            // Which column it is only a run tells.
            ("set", [_, _]) => {
                state.rows.get_mut(&key)?.change(Change::Changed, Touch { step, within: None });
                Some(Value::None)
            }
            ("into" | "clone" | "try_into" | "into_active_model", []) => Some(Value::Row(key)),
            ("set_from_json", _) => {
                let row = state.rows.get_mut(&key)?;
                row.change(Change::Changed, Touch { step, within: None });
                Duty::ALL.into_iter().for_each(|duty| row.discharge(duty, Level::Perhaps));
                Some(Value::None)
            }
            ("find_related", [Value::Symbol(Symbol::Class(other))]) => {
                Some(Value::Query(Some(ModelRef::Class(self.project.completed(*other)))))
            }
            _ => None,
        }
    }

    /// A row that was loaded is inserted: another row comes to be, with what this one holds.
    fn insert_copy(&mut self, step: StepId, key: RowKey) -> Option<()> {
        let model = self.entity_of(key)?;
        let sure = self.project.class(model).fields.iter().map(|field| field.name).collect();
        let keys = Some(Keys { sure, ..Keys::default() });
        self.use_connection();
        let operation = Operation::Create;
        self.tell_executed(step, Executed { operation, model, removes: false, keys, form: Form::Bare });
        Some(())
    }

    /// What a method is called on where a row was either loaded or made: what was loaded is updated and what was made is
    /// inserted, as a flag that was set beside it will say.
    pub(in crate::flow) fn rows_meant(&self, callees: Vec<Value>) -> Vec<Value> {
        let base = |callee: &Value| match callee {
            Value::Attribute(of, method) => match (&**of, &**method) {
                (Value::Row(key), "insert") => Some((self.rows[key.0 as usize].base, Base::New)),
                (Value::Row(key), "update") => Some((self.rows[key.0 as usize].base, Base::Loaded)),
                _ => None,
            },
            _ => None,
        };
        let is_meant = |callee: &Value| base(callee).is_none_or(|(base, wanted)| base == wanted);
        let is_known = |callee: &Value| base(callee).is_some_and(|(base, wanted)| base == wanted);
        if !callees.iter().any(is_known) {
            return callees;
        }
        callees.into_iter().filter(is_meant).collect()
    }

    /// Whether a row is a parameter that may be the active model of any entity: which one it is, callers know.
    pub(in crate::flow) fn is_any_active_model(&self, key: RowKey) -> bool {
        let info = self.rows[key.0 as usize];
        let Base::Param(number) = info.base else { return false };
        let param = self.function.params.get(number as usize);
        info.model == ModelRef::Unknown
            && param.is_some_and(|param| is_active_model(param.annotation.as_ref()))
    }

    /// A callee that knows rows by their trait alone has written a row: `before_save` has heard of that as well.
    pub(in crate::flow) fn saved_by_trait(&mut self, state: &mut State, step: StepId, key: RowKey) {
        if self.entity_of(key).is_some() {
            self.save_entity(state, step, key, "save");
        }
    }

    /// A row that was made by a literal is updated: it names a row that is there, and what it holds are the changes.
    fn is_update_of(&mut self, state: &mut State, key: RowKey) {
        let info = &mut self.rows[key.0 as usize];
        let Some(row) = state.rows.get_mut(&key) else { return };
        if info.base != Base::New || row.is_saved {
            return;
        }
        info.base = Base::Loaded;
        let at = info.at;
        row.change(Change::Changed, Touch { step: at, within: None });
        let made: Vec<Duty> =
            [Duty::CreatedAt, Duty::CreatedBy].into_iter().filter(|duty| row.has(*duty)).collect();
        let Some(model) = self.entity_of(key).and_then(|class| self.project.model(class)) else { return };
        for field in made.into_iter().filter_map(|duty| model.fields_of(self.project, duty).first().copied())
        {
            let stored = |stamp| Stamp { by: "keyword", stored: Stored::Other, onto: Onto::Loaded, ..stamp };
            self.tell_stamp(at, key, field, stored);
        }
    }

    /// A row is written by a call on itself: `before_save` hears of it first.
    fn save_entity(&mut self, state: &mut State, step: StepId, key: RowKey, method: &str) {
        let before = state.rows.get(&key).cloned();
        if let Some(row) = state.rows.get_mut(&key) {
            row.done = Default::default();
        }
        let class = self.entity_of(key);
        let hook = class.and_then(|class| self.project.method(class, Name::new("before_save")));
        if let Some(hook) = hook
            && hook != self.id
        {
            let inserts = match (method, self.rows[key.0 as usize].base) {
                ("insert", _) => Value::Switch(true),
                ("save", Base::New) => Value::Switch(true),
                ("save", Base::Param(_)) => Value::Unknown,
                _ => Value::Switch(false),
            };
            let params = self.project.function(hook).params.len();
            let mut binding = vec![Value::Unknown; params];
            if let Some(own) = binding.first_mut() {
                *own = Value::Row(key);
            }
            if let Some(last) = binding.last_mut().filter(|_| params > 2) {
                *last = inserts;
            }
            self.apply_bound(state, step, hook, &[], binding);
            self.never_returns = false;
        }
        let (Some(row), Some(before)) = (state.rows.get_mut(&key), before) else { return };
        row.done = before.done;
        let written = row.open;
        self.write_entity(state, step, key, written);
    }

    fn write_entity(&mut self, state: &mut State, step: StepId, key: RowKey, written: [Paths; 6]) {
        self.use_connection();
        let Some(row) = state.rows.get_mut(&key) else { return };
        row.save(written, step);
        self.note_row_altered(step, key, Api::Save);
    }

    fn entity_statement_method(
        &mut self,
        state: &mut State,
        step: StepId,
        mut statement: Statement,
        class: ClassId,
        method: &str,
        values: &[Value],
    ) -> Value {
        match (method, values) {
            (
                "exec"
                | "exec_with_returning"
                | "exec_with_returning_keys"
                | "exec_without_returning"
                | "exec_with_returning_many"
                | "try_insert",
                _,
            ) => {
                let rows = statement.rows.clone();
                self.run_entity_statement(state, step, &statement, class);
                return match rows.first() {
                    Some(key) if rows.len() == 1 => Value::Row(*key),
                    _ => Value::Plain,
                };
            }
            ("col_expr", [Value::Attribute(_, column), value]) => statement.keys.give(*column, value),
            ("set", [value]) => {
                for key in value.rows() {
                    statement.keys.extend(&self.columns_given(state, key));
                }
            }
            ("on_conflict", [Value::Dictionary(keys)]) => {
                statement.on_conflict = Some(((**keys).clone(), step));
                self.tell_bypass(state, step, &statement, class);
            }
            ("on_conflict", _) => statement.on_conflict = Some((Keys::open(), step)),
            ("on_conflict_do_nothing" | "on_empty_do_nothing" | "do_nothing", _) => {
                statement.on_conflict = None
            }
            _ => {}
        }
        statement.begun = step;
        Value::Statement(Shared::new(statement))
    }

    /// The columns that a row was given on every path so far, as far as duties ask for them.
    fn columns_given(&self, state: &State, key: RowKey) -> Keys {
        let mut keys = Keys::default();
        let (Some(row), ModelRef::Class(class)) = (state.rows.get(&key), self.rows[key.0 as usize].model)
        else {
            return Keys::open();
        };
        let Some(model) = self.project.model(class) else { return Keys::open() };
        keys.perhaps.extend(row.stored.iter().copied());
        for duty in Duty::ALL {
            for field in model.fields_of(self.project, duty) {
                keys.perhaps.remove(&field);
                let lowest = row.open[duty.index()].elements().map(|e| e.level).min();
                match lowest {
                    Some(Level::Set) => drop(keys.sure.insert(field)),
                    Some(Level::Perhaps) => drop(keys.perhaps.insert(field)),
                    _ => {}
                }
            }
        }
        keys
    }

    /// The conflict branch writes a column from a row that this function was handed, and which on any other way
    /// `before_save` would have stamped: here nobody has.
    fn tell_bypass(&mut self, state: &State, step: StepId, statement: &Statement, class: ClassId) {
        let Some((keys, _)) = &statement.on_conflict else { return };
        // Where this function changes the row, the row itself tells.
        let is_handed = |key: &RowKey| {
            let is_param = matches!(self.rows[key.0 as usize].base, Base::Param(_));
            is_param && state.rows.get(key).is_some_and(|row| row.first.is_none())
        };
        if !statement.rows.iter().any(is_handed) {
            return;
        }
        let keys = self.written_on_conflict(state, statement, keys);
        let executed = Executed {
            operation: Operation::Update,
            model: class,
            removes: false,
            keys: Some(keys),
            form: Form::Bare,
        };
        self.tell_executed(step, executed);
    }

    /// The columns of the conflict branch that hold something new: a time that the row had before is no new one.
    fn written_on_conflict(&self, state: &State, statement: &Statement, keys: &Keys) -> Keys {
        let mut keys = keys.clone();
        let stale = |name: &Name| {
            let duty = self.project.roles.of_field(name)?;
            let level = |key: &RowKey| {
                let paths = state.rows.get(key)?.open[duty.index()];
                paths.elements().map(|e| e.level).min()
            };
            statement.rows.iter().filter_map(level).min().filter(|level| *level == Level::Unset)
        };
        let gone: Vec<Name> = keys.sure.iter().filter(|name| stale(name).is_some()).copied().collect();
        gone.into_iter().for_each(|name| keys.forget(name));
        keys
    }

    fn run_entity_statement(
        &mut self,
        state: &mut State,
        step: StepId,
        statement: &Statement,
        class: ClassId,
    ) {
        self.use_connection();
        let listed = statement.on_conflict.as_ref().map(|(keys, _)| keys);
        for &key in &statement.rows {
            let Some(row) = state.rows.get(&key) else { continue };
            let base = self.rows[key.0 as usize].base;
            let mut written = row.open;
            if statement.operation == Operation::Update {
                self.is_update_of(state, key);
                written = state.rows[&key].open;
            }
            if let (Some(keys), true) = (listed, base != Base::New)
                && !keys.is_open
            {
                for duty in Duty::ALL {
                    written[duty.index()] =
                        self.as_conflicting(class, duty, &keys.sure, written[duty.index()]);
                }
            }
            self.write_entity(state, step, key, written);
        }
        let is_of_rows = !statement.rows.is_empty();
        let removes = statement.operation == Operation::Delete;
        if !is_of_rows {
            let keys = match (removes, statement.operation) {
                (true, _) => None,
                // Which row is inserted is not known.
                (_, Operation::Create) => Some(Keys { is_open: true, ..statement.keys.clone() }),
                _ => Some(statement.keys.clone()),
            };
            let executed =
                Executed { operation: statement.operation, model: class, removes, keys, form: Form::Bare };
            let place = self.place(step, statement.begun);
            self.tell_executed(place, executed);
        }
        if let Some((keys, said)) = &statement.on_conflict
            // Of a row that was there the row itself tells, where it was changed.
            && statement.rows.iter().all(|key| self.rows[key.0 as usize].base == Base::New)
        {
            let keys = Some(self.written_on_conflict(state, statement, keys));
            let executed = Executed {
                operation: Operation::Update,
                model: class,
                removes: false,
                keys,
                form: Form::Bare,
            };
            let place = self.place(step, *said);
            self.tell_executed(place, executed);
        }
    }

    /// The paths of a duty whose column the conflict branch does not write.
    fn as_conflicting(&self, class: ClassId, duty: Duty, listed: &BTreeSet<Name>, paths: Paths) -> Paths {
        let Some(model) = self.project.model(class) else { return paths };
        let fields = model.fields_of(self.project, duty);
        if fields.is_empty() || fields.iter().any(|field| listed.contains(field)) {
            return paths;
        }
        paths.map(|element| Element { level: Level::Unset, ..element })
    }

    /// Of rows that are inserted together, some give a column and others do not: those are given NULL, and no default.
    fn tell_mixed_rows(&mut self, state: &mut State, class: ClassId, rows: &[RowKey]) {
        let Some(model) = self.project.model(class) else { return };
        for duty in Duty::ALL {
            if model.fields_of(self.project, duty).is_empty() {
                continue;
            }
            let gives = |key: &RowKey| state.rows.get(key).is_some_and(|row| row.has(duty));
            if rows.iter().any(gives) && !rows.iter().all(gives) {
                for key in rows.iter().filter(|key| !gives(key)).copied().collect::<Vec<_>>() {
                    self.outcome.unheard.insert(key);
                }
            }
        }
    }
}

fn rows_of(values: &[Value]) -> Vec<RowKey> {
    let mut rows: Vec<RowKey> = values.first().map(Value::rows).unwrap_or_default();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The conflict branch of an upsert with what a method adds to it.
pub(super) fn on_conflict_of(value: &Value, method: &str, values: &[Value]) -> Option<Value> {
    match value {
        Value::Dictionary(keys) => on_conflict(keys, method, values),
        _ => on_conflict(&Keys::default(), method, values),
    }
}

/// What a method adds to the conflict branch of an upsert.
fn on_conflict(keys: &Keys, method: &str, values: &[Value]) -> Option<Value> {
    let mut keys = keys.clone();
    let columns = |value: &Value| -> Vec<Name> {
        let parts: &[Value] = match value {
            Value::Tuple(parts) => parts,
            one => std::slice::from_ref(one),
        };
        parts
            .iter()
            .filter_map(|part| match part {
                Value::Attribute(_, name) => Some(*name),
                _ => None,
            })
            .collect()
    };
    match (method, values) {
        ("update_columns" | "update_column", [named]) => keys.sure.extend(columns(named)),
        ("value" | "values", [Value::Attribute(_, name), value]) => keys.give(*name, value),
        ("to_owned" | "clone" | "action_where" | "target_and_where" | "do_nothing_on", _) => {}
        ("do_nothing", _) => return Some(Value::Unknown),
        _ => return None,
    }
    Some(Value::Dictionary(Shared::new(keys)))
}

/// Whether a type is any active model: a trait says no more.
pub(in crate::flow) fn is_active_model(annotation: Option<&Term>) -> bool {
    let path = match annotation {
        Some(Term::Path(path)) => path,
        Some(Term::Generic { base, .. }) => match &**base {
            Term::Path(path) => path,
            _ => return false,
        },
        _ => return false,
    };
    matches!(path.last(), "ActiveModelTrait" | "ActiveModelBehavior")
}
