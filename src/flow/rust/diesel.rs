//! flow/rust/diesel: Diesel: statements over tables, and structs whose fields are columns.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ByNew, Changes, ClassId, Mapping, Symbol};

use super::super::cow::Shared;
use super::super::outcome::Executed;
use super::super::state::State;
use super::super::trace::Trace;
use super::super::value::{Form, Keys, ModelRef, SessionKey, Statement, Value};

/// The columns of a table by the paths that lead to them.
const MODULES_OF_TABLE: &[&str] = &["columns", "dsl"];

impl Trace<'_> {
    /// `insert_into(table)`, `update(target)`, `delete(target)`.
    pub(super) fn diesel_function(&mut self, step: StepId, path: Name, values: &[Value]) -> Option<Value> {
        let operation = match path.last() {
            "insert_into" | "replace_into" | "insert_or_ignore_into" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            "sql_query" => return values.first().filter(|value| matches!(value, Value::Text(_))).cloned(),
            _ => return None,
        };
        let model = self.table_of(values.first()?);
        if model == ModelRef::Unknown && !path.starts_with("diesel") {
            return None;
        }
        let statement = Statement { form: Form::Bare, ..Statement::begun(operation, model, step) };
        Some(Value::Statement(Shared::new(statement)))
    }

    /// What a method of a table, of its columns or of a statement does.
    pub(super) fn diesel_method(
        &mut self,
        step: StepId,
        receiver: &Value,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match receiver {
            Value::Statement(statement) => {
                self.diesel_statement_method(step, (**statement).clone(), method, values)
            }
            Value::Attribute(of, column) if method == "eq" => {
                self.columns_of(of)?;
                let mut keys = Keys::default();
                keys.give(*column, values.first()?);
                Some(Value::Dictionary(Shared::new(keys)))
            }
            // Whatever is picked of a table is of the table.
            Value::Attribute(of, name) if &**name == "table" && self.columns_of(of).is_some() => {
                let rows = receiver.clone();
                Some(match method {
                    "insert_into" => return None,
                    "first" | "get_result" | "load" | "get_results" | "select" => Value::Unknown,
                    _ => rows,
                })
            }
            // `Token::belonging_to(user)` are rows of the table of `Token`.
            Value::Symbol(Symbol::Class(class)) if method == "belonging_to" => {
                self.project.table_of_struct(*class)?;
                Some(Value::Object(*class, SessionKey::Outer))
            }
            Value::Object(class, _) if picks(method) && self.project.table_of_struct(*class).is_some() => {
                Some(receiver.clone())
            }
            Value::Object(class, _) if method == "save_changes" => {
                let model = self.project.table_of_struct(*class)?;
                let keys = Some(self.carried_keys(*class)?);
                let executed =
                    Executed { operation: Operation::Update, model, removes: false, keys, form: Form::Bare };
                self.use_connection();
                self.tell_executed(step, executed);
                Some(Value::Unknown)
            }
            // `NewUser::builder().name(…).build()`: what has to be given is, or it does not compile.
            Value::Symbol(Symbol::Class(class)) if method == "builder" => {
                let mut keys = self.carried_keys(*class)?;
                keys.perhaps.clear();
                Some(Value::Dictionary(Shared::new(keys)))
            }
            // `NewUser::new(name)` of `derive_new`.
            Value::Symbol(Symbol::Class(class)) if method == "new" && self.project.derives(*class, "new") => {
                self.newly_derived(*class)
            }
            Value::Dictionary(keys) if !matches!(method, "insert_into" | "eq" | "get" | "keys" | "items") => {
                let mut keys = (**keys).clone();
                match (method.strip_prefix("maybe_"), values) {
                    (Some(column), [_]) => drop(keys.perhaps.insert(Name::new(column))),
                    (None, [value]) => keys.give(Name::new(method), value),
                    _ => {}
                }
                Some(Value::Dictionary(Shared::new(keys)))
            }
            // `query.insert_into(users::table).into_columns(…)`
            _ if method == "insert_into" && !matches!(receiver, Value::Object(..) | Value::Dictionary(_)) => {
                let model = self.table_of(values.first()?);
                let keys = Keys::open();
                let statement =
                    Statement { form: Form::Bare, keys, ..Statement::begun(Operation::Create, model, step) };
                Some(Value::Statement(Shared::new(statement)))
            }
            // `new_user.insert_into(users::table)`
            Value::Object(..) | Value::Dictionary(_) if method == "insert_into" => {
                let model = self.table_of(values.first()?);
                let keys = self.changes(receiver);
                let statement =
                    Statement { form: Form::Bare, keys, ..Statement::begun(Operation::Create, model, step) };
                Some(Value::Statement(Shared::new(statement)))
            }
            _ => None,
        }
    }

    fn diesel_statement_method(
        &mut self,
        step: StepId,
        mut statement: Statement,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match (method, values) {
            ("values", [value]) => statement.keys.extend(&self.changes(value)),
            ("set", [value]) => {
                let changes = self.changes(value);
                match &mut statement.on_conflict {
                    Some((keys, said)) => {
                        keys.is_open = false;
                        keys.extend(&changes);
                        *said = step;
                    }
                    None => statement.keys.extend(&changes),
                }
            }
            // Nothing is said yet of what the conflict branch sets.
            ("do_update", _) => statement.on_conflict = Some((Keys::open(), step)),
            (method, values) if statement.model == ModelRef::Unknown || is_of_sea_query(method) => {
                return self.sea_query_method(step, statement, method, values);
            }
            ("do_nothing", _) => statement.on_conflict = None,
            ("default_values", _) => {}
            ("into_columns", [columns]) => {
                let parts = match columns {
                    Value::Tuple(parts) => &parts[..],
                    one => std::slice::from_ref(one),
                };
                let named = parts.iter().filter_map(|part| match part {
                    Value::Attribute(_, name) => Some(*name),
                    _ => None,
                });
                statement.keys = Keys { sure: named.collect(), ..Keys::default() };
            }
            (
                "execute" | "get_result" | "get_results" | "load" | "first" | "load_stream" | "fetch"
                | "fetch_all" | "fetch_one" | "fetch_optional",
                [_],
            ) => {
                self.use_connection();
                self.execute(step, &statement, None);
                return Some(Value::Unknown);
            }
            _ => {}
        }
        statement.begun = step;
        Some(Value::Statement(Shared::new(statement)))
    }

    /// The columns that a value gives when it is inserted or set: `column.eq(…)`, a tuple of those, a struct, many.
    fn changes(&self, value: &Value) -> Keys {
        match value {
            Value::Dictionary(keys) => (**keys).clone(),
            Value::Tuple(parts) => {
                let mut keys = Keys::default();
                // Rows in a list are alike; parts of a tuple add up. Either way no column is forgotten.
                parts.iter().for_each(|part| keys.extend(&self.changes(part)));
                keys
            }
            Value::Many(inner) => self.changes(inner),
            Value::Object(class, _) => self.carried_keys(*class).unwrap_or_else(Keys::open),
            Value::OneOf(all) => {
                let all = all.iter().filter(|one| **one != Value::None).map(|one| self.changes(one));
                all.reduce(|a, b| a.either(&b)).unwrap_or_else(Keys::open)
            }
            _ => Keys::open(),
        }
    }

    /// The columns of a struct that somebody else has filled.
    fn carried_keys(&self, class: ClassId) -> Option<Keys> {
        let (changes, carried) = self.project.carried(class)?;
        let mut keys = Keys::default();
        for one in carried {
            // Absent is written as NULL, or nothing is written.
            match one.is_optional && changes != Changes::UpdatesAll {
                true => drop(keys.perhaps.insert(one.column)),
                false => drop(keys.sure.insert(one.column)),
            }
        }
        // What was read from the table goes back as it came.
        if self.project.derives(class, "Queryable") {
            let is_of_creation = |key: &&Name| {
                matches!(self.project.roles.of_field(key), Some(Duty::CreatedAt | Duty::CreatedBy))
            };
            keys.kept = keys.sure.iter().filter(is_of_creation).copied().collect();
        }
        Some(keys)
    }

    /// What the derived `new` of a struct of Diesel gives.
    fn newly_derived(&self, class: ClassId) -> Option<Value> {
        let (changes, carried) = self.project.carried(class)?;
        let mut keys = Keys::default();
        for one in carried {
            match one.by_new {
                ByNew::Default if one.is_optional && changes != Changes::UpdatesAll => {}
                ByNew::Default if one.is_optional => keys.give(one.column, &Value::None),
                _ => drop(keys.sure.insert(one.column)),
            }
        }
        Some(Value::Dictionary(Shared::new(keys)))
    }

    /// `changes.updated_at = Some(now)`: a struct of Diesel that was made before gives one more column.
    pub(in crate::flow) fn store_on_changes(
        &mut self,
        state: &mut State,
        of: StepId,
        column: Name,
        value: &Value,
    ) {
        if !matches!(self.value(of), Value::Dictionary(_) | Value::OneOf(_)) {
            return;
        }
        let with_it = |one: Value| match one {
            Value::Dictionary(mut keys) => {
                match value {
                    // What is absent is not written.
                    Value::None => keys.forget(column),
                    value => keys.give(column, value),
                }
                Value::Dictionary(keys)
            }
            other => other,
        };
        let changed = Value::one_of(self.value(of).clone().alternatives().into_iter().map(with_it));
        if let StepKind::Name(name) = self.function.steps[of as usize].kind
            && let Some(local) = state.locals.get_mut(name)
        {
            *local = changed.clone();
        }
        self.values[of as usize] = changed;
    }

    /// A struct of Diesel is made: the columns it gives.
    pub(in crate::flow) fn made_changes(&self, class: ClassId, arguments: &[Argument]) -> Option<Value> {
        let (changes, carried) = self.project.carried(class)?;
        let mut keys = Keys::default();
        for one in carried {
            let given = arguments.iter().find_map(|argument| match argument.kind {
                ArgumentKind::Keyword(name) if name == one.field => Some(self.value(argument.value)),
                _ => None,
            });
            match given {
                Some(Value::None) if changes != Changes::UpdatesAll => {}
                Some(value) => keys.give(one.column, value),
                // `..base` holds the rest.
                None => drop(keys.perhaps.insert(one.column)),
            }
        }
        Some(Value::Dictionary(Shared::new(keys)))
    }

    /// The table that a statement is about: the table itself, some of its rows, or a struct that belongs to it.
    fn table_of(&self, target: &Value) -> ModelRef {
        match target {
            Value::Object(class, _) => {
                self.project.table_of_struct(*class).map_or(ModelRef::Unknown, ModelRef::Class)
            }
            Value::Attribute(of, name) if &**name == "table" => {
                self.columns_of(of).map_or(ModelRef::Unknown, ModelRef::Class)
            }
            Value::Symbol(Symbol::Class(class)) if self.project.mapping(*class) == Some(Mapping::Diesel) => {
                ModelRef::Class(*class)
            }
            Value::OneOf(all) => all
                .iter()
                .map(|one| self.table_of(one))
                .find(|model| *model != ModelRef::Unknown)
                .unwrap_or(ModelRef::Unknown),
            _ => ModelRef::Unknown,
        }
    }

    /// The table whose columns are the attributes of a value.
    fn columns_of(&self, value: &Value) -> Option<ClassId> {
        match value {
            Value::Symbol(Symbol::Class(class)) if self.project.mapping(*class) == Some(Mapping::Diesel) => {
                Some(*class)
            }
            Value::Attribute(of, module) if MODULES_OF_TABLE.contains(&&**module) => self.columns_of(of),
            _ => None,
        }
    }
}

/// Whether a method is one of the statements that SeaQuery builds, and of no statement of Diesel's.
fn is_of_sea_query(method: &str) -> bool {
    matches!(method, "value" | "columns" | "build_sqlx" | "build" | "build_any_sqlx" | "to_string")
}

/// Whether a method picks some of the rows it is called on.
fn picks(method: &str) -> bool {
    matches!(method, "filter" | "find" | "limit" | "or_filter" | "order" | "for_update" | "nullable")
}
