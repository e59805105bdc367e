//! flow/rust/sea_query: statements that SeaQuery builds: `Query::update().table(Users::Table).value(Users::Name, …)`.
//!
//! A table and its columns are variants of an enumeration whose names are theirs in another case.

use crate::duty::Operation;
use crate::facts::StepId;
use crate::name::Name;
use crate::project::Symbol;

use super::super::cow::Shared;
use super::super::trace::Trace;
use super::super::value::{Form, Keys, ModelRef, Statement, Value};

impl Trace<'_> {
    /// `Query::insert()`, `Query::update()`, `Query::delete()`.
    pub(super) fn sea_query_function(&self, step: StepId, path: Name, values: &[Value]) -> Option<Value> {
        let (of, verb) = path.rsplit_once('.')?;
        let is_query = of == "Query" || of.ends_with(".Query");
        if !is_query || !values.is_empty() {
            return None;
        }
        let operation = match verb {
            "insert" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return None,
        };
        let statement =
            Statement { form: Form::Bare, ..Statement::begun(operation, ModelRef::Unknown, step) };
        Some(Value::Statement(Shared::new(statement)))
    }

    /// What a method of a statement that SeaQuery builds does; nothing where it is none of its methods.
    pub(super) fn sea_query_method(
        &mut self,
        step: StepId,
        mut statement: Statement,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match (method, values) {
            ("table" | "into_table" | "from_table", [table]) => {
                let name = self.identifier(table)?;
                let model = self.project.model_of_table(self.id.file, &name);
                statement.model = model.map_or(ModelRef::Unknown, ModelRef::Class);
            }
            ("value", [column, value]) => {
                let column = self.column(column)?;
                statement.keys.give(column, value);
            }
            ("values", [Value::Tuple(pairs)]) if statement.operation == Operation::Update => {
                for pair in pairs {
                    let Value::Tuple(pair) = pair else { return None };
                    if let [column, value] = &pair[..] {
                        statement.keys.give(self.column(column)?, value);
                    }
                }
            }
            ("columns", [Value::Tuple(columns)]) => {
                for column in columns {
                    statement.keys.sure.insert(self.column(column)?);
                }
            }
            ("on_conflict", [Value::Dictionary(keys)]) => {
                statement.on_conflict = Some(((**keys).clone(), step));
            }
            ("on_conflict", _) => statement.on_conflict = Some((Keys::open(), step)),
            // The text, and what is bound to it.
            ("build_sqlx" | "build" | "build_postgres" | "build_any_sqlx", _) => {
                return Some(Value::Tuple(vec![Value::Statement(Shared::new(statement)), Value::Plain]));
            }
            ("to_string", _) => return Some(Value::Statement(Shared::new(statement))),
            _ => {}
        }
        statement.begun = step;
        Some(Value::Statement(Shared::new(statement)))
    }

    fn column(&self, value: &Value) -> Option<Name> {
        self.identifier(value)
    }

    /// What an identifier is called in the database: a text, or the variant of an enumeration, where `Table` is the
    /// enumeration itself.
    fn identifier(&self, value: &Value) -> Option<Name> {
        match value {
            Value::Text(name) => Some(*name),
            Value::Attribute(of, variant) => match (&**of, &**variant) {
                (Value::Symbol(Symbol::Class(class)), "Table") => {
                    Some(self.project.class(*class).name.snake_case())
                }
                _ => Some(variant.snake_case()),
            },
            // `(Users::Table, Users::Name)`
            Value::Tuple(parts) => self.identifier(parts.last()?),
            _ => None,
        }
    }
}
