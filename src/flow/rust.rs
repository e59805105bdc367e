//! flow/rust: what libraries of Rust mean: which of their functions and methods make, change and write rows.
//!
//! Nothing here is a unit of work: a call writes, at once. What wraps a value on its way into a column (`Set(…)`) is the
//! value; what says that a column stays as it is (`NotSet`, `Unchanged(…)`) gives it none.

use crate::facts::{Argument, HandlerId, StepId, StepKind};
use crate::name::Name;
use crate::project::{Mapping, Symbol};

use super::cow::Shared;
use super::library;
use super::state::{Deeds, State};
use super::trace::Trace;
use super::value::{ModelRef, RowKey, Value};

mod diesel;
pub(super) mod migration;
pub(super) mod sea_orm;
mod sea_query;
mod sqlx;
pub(super) mod transaction;

use sea_orm::on_conflict_of;

/// What a library of Rust says to a value that leaves its column alone.
const LEFT_ALONE: &str = "NotSet";

impl Trace<'_> {
    /// Whether the function is written in Rust.
    pub(super) fn is_rust(&self) -> bool {
        self.project.is_rust(self.id.file)
    }

    /// Whether rows of a model are written by calls on themselves, so that what is changed and never written is no
    /// write.
    pub(super) fn is_saved_by_call(&self, key: RowKey) -> bool {
        self.is_django_row(key) || self.entity_of(key).is_some() || self.is_any_active_model(key)
    }

    /// Whether a value that a column is given leaves the column as it is.
    pub(super) fn leaves_alone(&self, value: &Value) -> bool {
        matches!(value, Value::External(path) | Value::Symbol(Symbol::External(path)) if path.last() == LEFT_ALONE)
            && self.is_rust()
    }

    /// The step whose value `Set(…)` wraps; any other step is itself.
    pub(super) fn unwrapped(&self, step: StepId) -> StepId {
        if let StepKind::Call { callee, arguments } = &self.function.steps[step as usize].kind
            && let [only] = &arguments[..]
            && self.is_rust()
            && let StepKind::Name(name) | StepKind::Attribute { name, .. } =
                self.function.steps[*callee as usize].kind
            && matches!(&*name, "Set" | "set")
        {
            return only.value;
        }
        step
    }

    /// A function from outside the program is called.
    pub(super) fn rust_function(
        &mut self,
        state: &mut State,
        step: StepId,
        path: Name,
        values: &[Value],
    ) -> Value {
        let error = values.iter().find_map(Value::caught);
        if is_log(path) {
            self.deed(state, Deeds::LOGGED);
            return Value::None;
        }
        if path.last() == "print" {
            self.deed(state, Deeds::PRINTED);
            return Value::None;
        }
        if let Some(known) = self.diesel_function(step, path, values) {
            return known;
        }
        if let Some(known) = self.sea_query_function(step, path, values) {
            return known;
        }
        if let Some(known) = self.sqlx_function(path, values) {
            return known;
        }
        match (path.last(), values) {
            ("Set" | "set", [value]) => return value.clone(),
            ("value", [value]) if path.ends_with("Expr.value") => return value.clone(),
            // What changes the type alone, called by its path.
            ("into_active_model" | "into" | "from" | "clone" | "to_owned" | "try_into_model", [value]) => {
                return value.clone();
            }
            ("Unchanged", [_]) => return Value::External(Name::new(LEFT_ALONE)),
            _ => {}
        }
        self.answer_of_stranger(state, values, error).unwrap_or(Value::External(path))
    }

    /// A method that no code of the program defines.
    pub(super) fn rust_method(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Value,
        method: Name,
        values: &[Value],
    ) -> Value {
        if let Some(known) = self.transaction_method(state, &receiver, &method, values) {
            return known;
        }
        if let Some(known) = self.sea_orm_method(state, step, &receiver, &method, values) {
            return known;
        }
        if let Some(known) = self.diesel_method(step, &receiver, &method, values) {
            return known;
        }
        if let Some(known) = self.sqlx_method(step, &receiver, &method, values) {
            return known;
        }
        let error = values.iter().find_map(Value::caught).or(receiver.caught());
        match (&receiver, &*method) {
            // Changing the type changes nothing that is known of the value.
            (_, "into" | "try_into" | "as_str" | "to_string" | "deref" | "into_active_model") => {
                return receiver;
            }
            (Value::Logger, method) if library::logs(method) => {
                self.deed(state, Deeds::LOGGED);
                return Value::None;
            }
            // `report.failed.push(error)`
            (_, "push" | "push_back" | "extend" | "insert") if error.is_some() => {
                self.deed(state, Deeds::RECORDED);
                return Value::None;
            }
            (Value::Tuple(_) | Value::Many(_), "push" | "extend" | "insert") => return Value::None,
            (
                Value::Tuple(_) | Value::Many(_),
                "first" | "last" | "next" | "get" | "get_mut" | "pop" | "find" | "remove" | "swap_remove"
                | "first_mut" | "last_mut" | "pop_front" | "pop_back" | "entry",
            ) => {
                // What a map holds is behind its key.
                return match receiver.element() {
                    Value::Tuple(pair) if pair.len() == 2 => Value::Tuple(pair).part(Some(1)),
                    element => element,
                };
            }
            (Value::Many(_), "values" | "values_mut" | "into_values" | "drain") => {
                return match receiver.element() {
                    Value::Tuple(pair) if pair.len() == 2 => {
                        Value::Many(Shared::new(Value::Tuple(pair).part(Some(1))))
                    }
                    element => Value::Many(Shared::new(element)),
                };
            }
            _ => {}
        }
        self.answer_of_stranger(state, values, error).unwrap_or(Value::Unknown)
    }

    /// What a method changes about the variable it is called on; nothing where it is none that does.
    pub(super) fn rust_mutation(
        &mut self,
        state: &mut State,
        name: Name,
        method: &str,
        arguments: &[Argument],
    ) -> Option<Value> {
        let values: Vec<Value> =
            arguments.iter().map(|argument| self.value(argument.value).clone()).collect();
        let before = state.locals.get(name)?.clone();
        let (after, answer) = match (&before, method, &values[..]) {
            (Value::Text(text), method, values) => {
                let longer = self.longer_text(*text, method, values)?;
                (longer.clone(), longer)
            }
            // `conflict.update_column(…);`
            (Value::Dictionary(_) | Value::External(_), method, values)
                if is_of_conflict(&before, method) =>
            {
                let keys = on_conflict_of(&before, method, values)?;
                (keys.clone(), keys)
            }
            // An `Option` takes another value.
            (
                Value::None | Value::Row(_) | Value::OneOf(_),
                "replace" | "insert" | "get_or_insert",
                [value],
            ) if !value.rows().is_empty() => (value.clone(), before.clone()),
            (held, "push" | "push_back" | "push_front" | "extend" | "append" | "insert", [.., value])
                if is_collection(held) =>
            {
                self.deed(state, Deeds::RECORDED);
                let added = if matches!(method, "extend" | "append") {
                    value.clone().element()
                } else {
                    value.clone()
                };
                let old = before.clone().element();
                let element = if old == Value::Unknown { added } else { old.join(added) };
                (Value::Many(Shared::new(element)), Value::None)
            }
            _ => return None,
        };
        state.locals.insert(name, after);
        Some(answer)
    }

    /// Code that is not known gets values; where an error is among them, what it answers tells of that.
    fn answer_of_stranger(
        &mut self,
        state: &mut State,
        values: &[Value],
        error: Option<HandlerId>,
    ) -> Option<Value> {
        self.hand_to_stranger(state, values);
        let handler = error?;
        self.deed(state, Deeds::RECORDED);
        Some(Value::Caught(handler))
    }

    /// Code that is not known gets values: it may stamp the rows among them, and may do anything with a connection.
    fn hand_to_stranger(&mut self, state: &mut State, values: &[Value]) {
        self.used.hidden |= values.iter().any(|value| transaction::connection(value).is_some());
        for key in values.iter().flat_map(Value::rows) {
            if let Some(row) = state.rows.get_mut(&key) {
                for duty in crate::duty::Duty::ALL {
                    row.discharge(duty, super::row::Level::Perhaps);
                }
            }
        }
    }

    /// The model of a row that SeaORM maps.
    pub(super) fn entity_of(&self, key: RowKey) -> Option<crate::project::ClassId> {
        match self.rows[key.0 as usize].model {
            ModelRef::Class(class) if self.project.mapping(class) == Some(Mapping::SeaOrm) => Some(class),
            _ => None,
        }
    }
}

/// Whether a macro of this path keeps a record.
fn is_log(path: Name) -> bool {
    let first = path.split('.').next().unwrap_or(&path);
    let is_level = library::logs(path.last()) || matches!(path.last(), "event" | "trace");
    is_level && matches!(first, "tracing" | "log" | "slog" | "tracing_log" | "defmt")
}

/// Whether a value is a list, a set or a map, be it empty still.
fn is_collection(value: &Value) -> bool {
    match value {
        Value::Tuple(_) | Value::Many(_) => true,
        Value::External(path) => {
            matches!(path.last(), "new" | "with_capacity" | "default")
                && COLLECTIONS.iter().any(|name| path.contains(name))
        }
        _ => false,
    }
}

/// Collections of the standard library and of those that take its place.
const COLLECTIONS: &[&str] = &["Vec", "Map", "Set"];

fn is_of_conflict(value: &Value, method: &str) -> bool {
    let builds = matches!(value, Value::Dictionary(_))
        || matches!(value, Value::External(path) if path.contains("OnConflict"));
    builds && matches!(method, "update_columns" | "update_column" | "value" | "values")
}
