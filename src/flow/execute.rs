//! flow/execute: writes that go round the unit of work: SQL text, tables, connections, bulk methods.

use crate::duty::Operation;
use crate::facts::{Argument, ArgumentKind, StepId, Term};
use crate::name::Name;
use crate::project::{ClassId, FileId, Symbol};

use super::cow::Shared;
use super::library::{self, Begins};
use super::outcome::Executed;
use super::sql;
use super::state::State;
use super::trace::Trace;
use super::translate::model_of;
use super::value::{Form, Keys, ModelRef, SessionKey, Statement, Value};

impl Trace<'_> {
    /// SQL text is run: it writes what it says, and only the database adds to that.
    pub(super) fn execute_text(&mut self, step: StepId, text: &str) {
        if !sql::seems_to_write(text) {
            return;
        }
        self.used.writes = true;
        if !self.telling {
            return;
        }
        for written in sql::written(text).unwrap_or_default() {
            let Some(model) = self.project.model_of_table(self.id.file, &written.table) else { continue };
            let removes = written.operation == Operation::Delete;
            let keys = (!removes).then(|| self.attributes(model, &written.keys));
            let operation = written.operation;
            self.tell_executed(step, Executed { operation, model, removes, keys, form: Form::Bare });
            if let Some(keys) = written.on_conflict {
                let (operation, keys) = (Operation::Update, Some(self.attributes(model, &keys)));
                self.tell_executed(
                    step,
                    Executed { operation, model, removes: false, keys, form: Form::Bare },
                );
            }
        }
    }

    /// Whether all that a session has done in this transaction is to define tables and kin: then a commit writes no row.
    pub(super) fn only_defines(&self, state: &State, session: SessionKey) -> bool {
        state.defining.get(&session) == Some(&true)
            && state.rows.values().all(|row| row.first.is_none() && !row.is_added())
    }

    /// Columns of a table as the attributes of the model.
    fn attributes(&self, model: ClassId, columns: &Keys) -> Keys {
        let Some(model) = self.project.model(model) else { return columns.clone() };
        let attribute = |column: &Name| {
            // Databases do not tell `State` from `state`.
            let same = |name: &&Name| name.eq_ignore_ascii_case(column);
            let known = model.attribute_of(*column);
            model.columns.keys().find(same).copied().unwrap_or(known)
        };
        columns.renamed(attribute)
    }

    /// A method of a connection.
    pub(super) fn connection_method(&mut self, step: StepId, method: &str, values: &[Value]) -> Value {
        match method {
            "execute" | "exec_driver_sql" | "scalar" | "scalars" | "stream" | "stream_scalars" => {
                self.used.any = true;
                match values.first() {
                    Some(Value::Statement(statement)) => {
                        let mut statement = (**statement).clone();
                        if statement.form == Form::Session {
                            statement.form = Form::Core;
                        }
                        self.execute(step, &statement, values.get(1));
                    }
                    Some(Value::Text(text)) => self.execute_text(step, text),
                    _ => {}
                }
                Value::Query(None)
            }
            "execution_options" => Value::Connection,
            _ => Value::Unknown,
        }
    }

    /// `bulk_insert_mappings(M, rows)` and `bulk_update_mappings(M, rows)`.
    pub(super) fn bulk_mappings(&mut self, step: StepId, method: &str, values: &[Value]) {
        let operation = if method == "bulk_insert_mappings" { Operation::Create } else { Operation::Update };
        let model = values.first().map_or(ModelRef::Unknown, model_of);
        let statement = Statement { form: Form::Core, ..Statement::begun(operation, model, step) };
        self.execute(step, &statement, values.get(1).or(Some(&Value::Unknown)));
    }

    /// `M.__table__.insert()` and kin.
    pub(super) fn table_method(&self, step: StepId, receiver: &Value, method: &str) -> Option<Value> {
        if !matches!(receiver, Value::Attribute(_, name) if &**name == "__table__") {
            return None;
        }
        let operation = match method {
            "insert" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return None,
        };
        Some(Value::Statement(Shared::new(Statement::begun(operation, model_of(receiver), step))))
    }

    /// `insert(M).from_select(columns, query)`.
    pub(super) fn selected_columns(
        &self,
        statement: &mut Statement,
        arguments: &[Argument],
        values: &[Value],
    ) {
        for (argument, value) in arguments.iter().zip(values) {
            match (argument.kind, value) {
                (ArgumentKind::Keyword(name), Value::Switch(false)) if &*name == "include_defaults" => {
                    statement.form = Form::Bare;
                }
                (ArgumentKind::Keyword(name), names) if &*name == "names" => self.named(statement, names),
                _ => {}
            }
        }
        if let (Some(Argument { kind: ArgumentKind::Plain, .. }), Some(names)) =
            (arguments.first(), values.first())
        {
            self.named(statement, names);
        }
    }

    /// Columns in a list: strings, or attributes of the model.
    fn named(&self, statement: &mut Statement, names: &Value) {
        let Value::Tuple(all) = names else {
            statement.keys.is_open = true;
            return;
        };
        for name in all {
            match name {
                Value::Text(name) | Value::Attribute(_, name) => drop(statement.keys.sure.insert(*name)),
                _ => statement.keys.is_open = true,
            }
        }
    }

    /// `Table("orders", …)`, where a model is mapped to that table.
    pub(super) fn table_object(&self, path: Name, values: &[Value]) -> Option<Value> {
        let Some(Value::Text(table)) = values.first() else { return None };
        if !library::makes_table(path) {
            return None;
        }
        let model = self.project.model_of_table(self.id.file, table)?;
        Some(Value::Attribute(Shared::new(Value::Symbol(Symbol::Class(model))), Name::new("__table__")))
    }

    /// The SQL text or table that a call of something external makes at the top level of a module or class.
    pub(super) fn declared_sql(
        &self,
        file: FileId,
        path: Name,
        arguments: &[Term],
        depth: usize,
    ) -> Option<Value> {
        if path.last() == "include_str" && self.project.is_rust(file) {
            let Value::Text(beside) = self.declared_value(file, arguments.first()?, depth + 1) else {
                return None;
            };
            return self.project.text_beside(file, &beside).map(Value::Text);
        }
        let is_text = library::begins(path) == Some(Begins::Text);
        if !is_text && !library::makes_table(path) {
            return None;
        }
        let text = self.declared_value(file, arguments.first()?, depth + 1);
        match text {
            Value::Text(_) if is_text => Some(text),
            text => self.table_object(path, &[text]),
        }
    }
}

/// Whether a value is a text that defines tables, triggers and kin, whichever of its values it is.
pub(super) fn defines(value: &Value) -> bool {
    value.each().iter().all(|one| matches!(one, Value::Text(text) if sql::defines(text)))
}
