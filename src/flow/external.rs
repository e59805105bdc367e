//! flow/external: calls of what lies outside the project: built-in functions, libraries, objects of unknown kinds.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId};
use crate::name::Name;
use crate::project::Symbol;

use super::clock;
use super::cow::Shared;
use super::keys::dumped;
use super::library::{self, Begins};
use super::row::{Change, Level, Touch};
use super::stamp::dump_of;
use super::state::{Deeds, State};
use super::trace::Trace;
use super::transaction::decides_on_rollback;
use super::translate::model_of;
use super::value::{Keys, ModelRef, RowKey, SessionKey, Statement, Value};

impl Trace<'_> {
    pub(super) fn external(
        &mut self,
        state: &mut State,
        step: StepId,
        path: Name,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        let error = values.iter().find_map(Value::caught);
        self.used.hidden |= values.iter().any(reaches_a_session);
        if let Some(table) = self.table_object(path, values) {
            return table;
        }
        if let Some(begins) = library::begins(path) {
            let model = values.first().map_or(ModelRef::Unknown, model_of);
            let operation = match begins {
                Begins::Query => {
                    return Value::Query(Some(model).filter(|model| *model != ModelRef::Unknown));
                }
                // A text clause is its text, where that is known.
                Begins::Text => {
                    let text = |one: Value| match one {
                        Value::Text(_) => one,
                        _ => Value::External(path),
                    };
                    return values.first().cloned().unwrap_or(Value::Unknown).map(text);
                }
                Begins::Insert => Operation::Create,
                Begins::Update => Operation::Update,
                Begins::Delete => Operation::Delete,
            };
            return Value::Statement(Shared::new(Statement::begun(operation, model, step)));
        }
        if let (true, Some(Value::Symbol(Symbol::Function(function)))) =
            (library::makes_manager(path), values.first())
        {
            return Value::Manager(*function);
        }
        if let Some(known) = self.shortcut(state, step, path, values) {
            return known;
        }
        if let Some(known) = self.admission(state, step, path) {
            return known;
        }
        if library::shows(&path) {
            self.deed(state, Deeds::PRINTED);
            return Value::None;
        }
        if library::reports(&path) {
            self.deed(state, Deeds::LOGGED);
            return Value::Plain;
        }
        if decides_on_rollback(path) {
            self.decide_on_rollback(state);
            return Value::None;
        }
        match &*path {
            "builtins.setattr" => {
                self.set_attribute(state, step, values);
                return Value::None;
            }
            "builtins.getattr" => {
                return match values {
                    [of, Value::Text(name), ..] => {
                        self.read(state, step, of, *name);
                        self.attribute(state, of.clone(), *name)
                    }
                    _ => Value::Unknown,
                };
            }
            "builtins.hasattr" => {
                if let [of, Value::Text(name)] = values {
                    self.read(state, step, of, *name);
                }
                return Value::Plain;
            }
            "builtins.super" => {
                return self.project.class_of(self.id).map_or(Value::Unknown, Value::Super);
            }
            "builtins.dict" => {
                return Value::Dictionary(Shared::new(self.gathered(arguments)));
            }
            "builtins.vars" if values.len() == 1 => {
                return self.attribute(state, values[0].clone(), Name::new("__dict__"));
            }
            "dataclasses.asdict" | "fastapi.encoders.jsonable_encoder" => match values.first() {
                Some(Value::Object(class, _)) => {
                    let keys = dumped(self.project, *class, &dump_of(self, arguments));
                    return Value::Dictionary(Shared::new(keys));
                }
                Some(dictionary @ Value::Dictionary(_)) => return dictionary.clone(),
                _ => {}
            },
            "builtins.list" | "builtins.tuple" | "builtins.set" | "builtins.sorted" | "builtins.reversed" => {
                return match values.first() {
                    Some(Value::Query(Some(model))) => {
                        Value::Many(Shared::new(Value::Row(self.loaded_row(state, step, *model))))
                    }
                    Some(Value::Rows(rows)) => {
                        let row = self.row_of(state, step, &rows.clone());
                        Value::Many(Shared::new(row))
                    }
                    Some(Value::Many(inner)) => Value::Many(inner.clone()),
                    Some(Value::Tuple(parts)) => Value::Tuple(parts.clone()),
                    None => Value::Tuple(Vec::new()),
                    _ => error.map_or(Value::Unknown, Value::Caught),
                };
            }
            "builtins.next" | "builtins.enumerate" | "builtins.zip" => {
                let first = values.first().cloned().unwrap_or(Value::Unknown);
                return match &*path {
                    "builtins.next" => first.element(),
                    "builtins.enumerate" => {
                        Value::Many(Shared::new(Value::Tuple(vec![Value::Plain, first.element()])))
                    }
                    _ => Value::Many(Shared::new(Value::Tuple(
                        values.iter().map(|value| value.clone().element()).collect(),
                    ))),
                };
            }
            "copy.copy" | "copy.deepcopy" => return values.first().cloned().unwrap_or(Value::Unknown),
            _ => {}
        }
        if let Some(handler) = error {
            return Value::Caught(handler);
        }
        if let Some(reading) = clock::reading(path, arguments, values) {
            return reading;
        }
        let class = arguments.iter().find_map(|argument| match (argument.kind, self.value(argument.value)) {
            (ArgumentKind::Keyword(name), Value::Symbol(Symbol::External(class))) if &*name == "class_" => {
                Some(*class)
            }
            _ => None,
        });
        match class.map_or_else(|| library::made_by(path), |class| library::made_of(path, class)) {
            Value::Session(_, kind) => Value::Session(SessionKey::Opened(step), kind),
            other => other,
        }
    }

    pub(super) fn set_attribute(&mut self, state: &mut State, step: StepId, values: &[Value]) {
        let [of, name, value] = values else { return };
        let name = match name {
            Value::Text(name) => {
                self.store(state, step, of.clone(), *name, value.clone());
                return;
            }
            other => other.clone(),
        };
        // Rows in a list are a collection: which one does not matter, this row stays as it was.
        if value.is_list() && !value.rows().is_empty() {
            return;
        }
        let keys = match &name {
            Value::KeyOf(keys) => (**keys).clone(),
            // One of several names, told one by one in a loop.
            other => {
                let names = other.each().iter().filter_map(|name| match name {
                    Value::Text(name) => Some(*name),
                    _ => None,
                });
                Keys { perhaps: names.collect(), ..Keys::default() }
            }
        };
        if keys.changes_nothing() {
            for key in of.rows() {
                if let Some(row) = state.rows.get_mut(&key) {
                    row.life.refresh();
                }
            }
            return;
        }
        let picks = self.picks_its_keys(step);
        if !picks {
            self.stamp_from(state, step, of, &keys);
        }
        for key in of.rows() {
            let Some(row) = state.rows.get_mut(&key) else { continue };
            row.change(Change::Changed, Touch { step, within: None });
            // Whatever was stored can be read again.
            row.life.refresh();
            for duty in Duty::ALL {
                let plays = |name: &Name| self.project.roles.of_field(name) == Some(duty);
                if !picks && (keys.sure.iter().any(plays) || keys.none_by_default.iter().any(plays)) {
                    row.discharge(duty, Level::Set);
                } else if keys.sure.iter().chain(&keys.perhaps).any(plays) {
                    row.discharge(duty, Level::Perhaps);
                }
            }
        }
    }

    /// `row.sqlmodel_update(data, update={…})`.
    fn take_over(&mut self, state: &mut State, step: StepId, key: RowKey, arguments: &[Argument]) {
        let mut keys = Keys::default();
        for argument in arguments {
            keys.extend(&self.keys_of(&self.value(argument.value).clone()));
        }
        self.stamp_from(state, step, &Value::Row(key), &keys);
        let Some(row) = state.rows.get_mut(&key) else { return };
        row.change(Change::Changed, Touch { step, within: None });
        for duty in Duty::ALL {
            let plays = |name: &Name| self.project.roles.of_field(name) == Some(duty);
            if keys.sure.iter().any(plays) {
                row.discharge(duty, Level::Set);
            } else if keys.is_open || keys.perhaps.iter().any(plays) {
                row.discharge(duty, Level::Perhaps);
            }
        }
    }

    /// Whether a method that is not known may run SQL.
    fn may_run_sql(&self, receiver: &Value, method: &str, values: &[Value]) -> bool {
        match receiver {
            // What these do is known, and told where it is done.
            Value::Session(..) | Value::SessionMaker(_) | Value::Query(_) | Value::Rows(_) => false,
            Value::Logger | Value::Statement(_) => false,
            _ if library::handles_data(method) => false,
            Value::Dictionary(_) | Value::KeyOf(_) | Value::Plain | Value::Text(_) => false,
            Value::Row(_) if self.project.roles.of_setter(method).is_some() => false,
            Value::Row(_) => true,
            // `data.get("key")` asks a dictionary, whatever else is not known of it.
            _ if method == "get" && matches!(values.first(), Some(Value::Text(_))) => false,
            receiver => reaches_a_session(receiver) || values.iter().any(reaches_a_session),
        }
    }

    pub(super) fn library_method(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Value,
        method: Name,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        let error = values.iter().find_map(Value::caught);
        self.used.hidden |= self.may_run_sql(&receiver, &method, values);
        if let Some(statement) = self.table_method(step, &receiver, &method) {
            return statement;
        }
        match receiver {
            Value::Savepoint => {
                // `nested = session.begin_nested()` and `nested.rollback()`: the transaction around it lives on.
                if &*method == "rollback" {
                    state.failures.clear();
                    state.erring.clear();
                }
                Value::None
            }
            Value::Connection => self.connection_method(step, &method, values),
            // `text(…).bindparams(…)` is the text still.
            Value::Text(_) if matches!(&*method, "bindparams" | "columns" | "execution_options") => receiver,
            Value::Session(session, kind) => self.session_method(state, step, session, kind, &method, values),
            Value::Query(model) => self.query_method(state, step, model, &method, values),
            Value::Rows(rows) => self.rows_method(state, step, &rows, &method, arguments, values),
            Value::Super(_) => self.super_method(state, step, &method, arguments, values),
            Value::Statement(statement) => {
                self.statement_method(step, statement.into_inner(), &method, arguments, values)
            }
            Value::Logger => {
                if library::logs(&method) {
                    self.deed(state, Deeds::LOGGED);
                    return Value::None;
                }
                Value::Logger
            }
            Value::Clock(clock) => clock::method(clock, &method, arguments, values),
            Value::SessionMaker(kind) => match &*method {
                "begin" => {
                    self.fresh_session(state, step);
                    Value::Transaction(SessionKey::Opened(step), kind)
                }
                _ => Value::Unknown,
            },
            Value::External(path) | Value::Symbol(Symbol::External(path)) => {
                if let Some(handler) = error {
                    self.deed(state, Deeds::RECORDED);
                    return Value::Caught(handler);
                }
                library::made_by(path.join(&method))
            }
            // A method a mapped or pydantic class inherits from outside the project: it stamps nothing.
            Value::Symbol(Symbol::Class(class)) => match &*method {
                "model_validate" | "from_orm" | "parse_obj" | "construct" | "model_construct"
                    if self.project.model(class).is_none() =>
                {
                    self.read_into(state, step, class, values);
                    Value::Object(class, SessionKey::Outer)
                }
                _ => error.map_or(Value::Unknown, Value::Caught),
            },
            Value::Object(class, _) => match &*method {
                "model_dump" | "dict" => {
                    let keys = dumped(self.project, class, &dump_of(self, arguments));
                    Value::Dictionary(Shared::new(keys))
                }
                "model_dump_json" | "json" => Value::Plain,
                _ => {
                    if let Some(known) = self.view_method(state, step, class, &method) {
                        return known;
                    }
                    self.save_form(step, class, &method);
                    if error.is_some() {
                        self.deed(state, Deeds::RECORDED);
                    }
                    error.map_or(Value::Unknown, Value::Caught)
                }
            },
            Value::Form(class, key) => self.form_method(state, step, (class, key), &method, arguments),
            Value::Row(key) => {
                if let Some(known) = self.row_method(state, step, key, &method, arguments) {
                    return known;
                }
                // A row of an unknown model: what its setter is called is all there is to go by.
                if let Some(duty) = self.project.roles.of_setter(&method)
                    && let Some(row) = state.rows.get_mut(&key)
                {
                    if duty == Duty::DeletedBy {
                        row.change(Change::Deleted, Touch { step, within: None });
                    }
                    row.marks.give(duty);
                    row.discharge(duty, Level::Set);
                }
                if matches!(&*method, "model_dump" | "dict") {
                    let ModelRef::Class(class) = self.rows[key.0 as usize].model else {
                        return Value::Dictionary(Shared::new(Keys::open()));
                    };
                    // What a row holds is no news from a client.
                    let keys = dumped(self.project, class, &dump_of(self, arguments));
                    return Value::Dictionary(Shared::new(keys.thinned().unsent()));
                }
                if &*method == "sqlmodel_update" {
                    self.take_over(state, step, key, arguments);
                }
                Value::Unknown
            }
            Value::Dictionary(keys) => match &*method {
                "items" => {
                    let held = keys.held().unwrap_or(Value::Unknown);
                    let pair = Value::Tuple(vec![Value::KeyOf(Shared::new(keys.unheld())), held]);
                    Value::Many(Shared::new(pair))
                }
                "keys" => Value::Many(Shared::new(Value::KeyOf(Shared::new(keys.unheld())))),
                "copy" => Value::Dictionary(keys),
                "get" => keys.held().map_or(Value::Unknown, |held| held.join(Value::None)),
                "values" => keys.held().map_or(Value::Unknown, |held| Value::Many(Shared::new(held))),
                _ => Value::Unknown,
            },
            Value::KeyOf(_) => Value::Unknown,
            Value::Many(_) if matches!(&*method, "append" | "add" | "extend" | "insert") => {
                // A row put into a relationship of another row is saved with that one.
                for key in values.iter().flat_map(Value::rows) {
                    if let Some(row) = state.rows.get_mut(&key) {
                        row.add();
                    }
                }
                Value::None
            }
            // Whatever query is handed in stays a query of the same rows.
            Value::Param(number) if library::narrows(&method) => Value::Param(number),
            Value::Param(_) | Value::Unknown | Value::Attribute(..) => {
                if let ("get", [Value::Text(name), ..]) = (&*method, values) {
                    self.read_dictionary(state, step, &receiver, *name);
                }
                if matches!(&*method, "model_dump" | "dict") {
                    return Value::Dictionary(Shared::new(Keys::open()));
                }
                if error.is_some() || matches!(&*method, "append" | "add") {
                    self.deed(state, Deeds::RECORDED);
                }
                if matches!(&receiver, Value::Attribute(of, _) if matches!(**of, Value::Row(_)))
                    && matches!(&*method, "append" | "add" | "extend")
                {
                    // A row put into a relationship of another row is saved with that one.
                    for key in values.iter().flat_map(Value::rows) {
                        if let Some(row) = state.rows.get_mut(&key) {
                            row.add();
                        }
                    }
                }
                if !is_harmless(&method) && !matches!(receiver, Value::Param(_)) {
                    for key in values.iter().flat_map(Value::rows) {
                        if let Some(row) = state.rows.get_mut(&key) {
                            for duty in Duty::ALL {
                                row.discharge(duty, Level::Perhaps);
                            }
                        }
                    }
                }
                error.map_or(Value::Unknown, Value::Caught)
            }
            _ => error.map_or(Value::Unknown, Value::Caught),
        }
    }
}

/// Whether code that is handed a value may run SQL through it: it is a session, holds one, or nobody knows.
fn reaches_a_session(value: &Value) -> bool {
    match value {
        Value::Unknown
        | Value::Symbol(Symbol::Variable(..) | Symbol::Function(_))
        | Value::Method(..)
        | Value::Object(..)
        | Value::Form(..)
        | Value::Param(_)
        | Value::Super(_)
        | Value::Session(..)
        | Value::SessionMaker(_)
        | Value::Transaction(..)
        | Value::Savepoint
        | Value::Manager(_)
        | Value::Query(_) => true,
        Value::Attribute(inner, _) | Value::Many(inner) => reaches_a_session(inner),
        Value::Tuple(all) | Value::OneOf(all) => all.iter().any(reaches_a_session),
        _ => false,
    }
}

/// Methods and functions so common that a row handed to them is surely not stamped.
pub(super) fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "append"
            | "add"
            | "extend"
            | "insert"
            | "format"
            | "get"
            | "join"
            | "index"
            | "remove"
            | "update"
            | "pop"
            | "setdefault"
            | "model_validate"
            | "from_orm"
            | "validate"
            | "serialize"
            | "to_dict"
            | "to_response"
            | "refresh"
            | "send"
            | "publish"
            | "dump"
            | "encode"
            | "render"
            | "TemplateResponse"
    )
}
