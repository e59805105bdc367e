//! flow/rust/sqlx: SQL as text: sqlx's queries, and the ways other libraries take a text.

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::Symbol;

use super::super::sql;
use super::super::state::State;
use super::super::trace::Trace;
use super::super::value::Value;

impl Trace<'_> {
    /// A query is its text.
    pub(super) fn sqlx_function(&mut self, path: Name, values: &[Value]) -> Option<Value> {
        let is_query = |value: &&Value| matches!(value, Value::Text(_) | Value::Statement(_));
        let text = || values.iter().find(is_query).cloned();
        match path.last() {
            "query"
            | "query_as"
            | "query_scalar"
            | "query_unchecked"
            | "query_as_unchecked"
            | "query_scalar_unchecked"
            | "query_with"
            | "query_as_with"
            | "raw_sql"
                if !path.starts_with("diesel") =>
            {
                text()
            }
            "query_file"
            | "query_file_as"
            | "query_file_scalar"
            | "query_file_unchecked"
            | "query_file_as_unchecked" => {
                let Some(Value::Text(file)) = values.iter().find(|value| matches!(value, Value::Text(_)))
                else {
                    return None;
                };
                self.project.text_of_sql(self.id.file, file).map(Value::Text)
            }
            "include_str" => {
                let Some(Value::Text(file)) = values.first() else { return None };
                self.project.text_beside(self.id.file, file).map(Value::Text)
            }
            // `QueryBuilder::new("…")`
            "new" | "with_arguments"
                if path.ends_with("QueryBuilder.new") || path.ends_with("QueryBuilder.with_arguments") =>
            {
                text()
            }
            "from_string" | "from_sql_and_values"
                if path.ends_with(&*Name::new("Statement").join(path.last())) =>
            {
                text()
            }
            _ => None,
        }
    }

    /// A text is run, goes on, or is handed to something that runs it.
    pub(super) fn sqlx_method(
        &mut self,
        step: StepId,
        receiver: &Value,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match (receiver, method) {
            (
                Value::Text(text),
                "execute" | "execute_many" | "fetch" | "fetch_all" | "fetch_many" | "fetch_one"
                | "fetch_optional" | "get_result" | "get_results" | "load",
            ) => {
                self.use_text(step, text);
                Some(Value::Unknown)
            }
            // What is bound to it, and how its rows are read, leaves a query what it is; so does whatever wraps it.
            (Value::Text(_) | Value::Statement(_), "bind" | "map" | "try_map" | "persistent") => {
                Some(receiver.clone())
            }
            (Value::Text(_), _) if values.is_empty() => Some(receiver.clone()),
            (Value::Text(text), _) if sql::seems_to_write(text) => Some(receiver.clone()),
            (
                Value::Param(_) | Value::External(_) | Value::Unknown | Value::Attribute(..),
                "execute" | "execute_unprepared" | "execute_raw" | "query_one" | "query_all"
                | "batch_execute",
            ) => {
                let Some(Value::Text(text)) = values.first() else { return None };
                self.use_text(step, text);
                Some(Value::Unknown)
            }
            (Value::Symbol(Symbol::External(path)), _) => self.sqlx_function(path.join(method), values),
            _ => None,
        }
    }

    /// The variable whose text a chain of calls has made longer, where the chain's value is that text.
    pub(in crate::flow) fn grown(&self, state: &State, chain: StepId) -> Option<Name> {
        let Value::Text(text) = self.value(chain) else { return None };
        let mut at = chain;
        loop {
            at = match self.function.steps[at as usize].kind {
                StepKind::Call { callee, .. } => callee,
                StepKind::Attribute { of, .. } => of,
                StepKind::Name(name) => {
                    return (state.locals.get(name) == Some(&Value::Text(*text))).then_some(name);
                }
                _ => return None,
            };
        }
    }

    fn use_text(&mut self, step: StepId, text: &str) {
        self.used.any = true;
        self.fails_itself = true;
        self.execute_text(step, text);
        if self.used.writes {
            self.use_connection();
        }
    }

    /// What a method adds to the text of a query that is being built; nothing where the value is no such text.
    pub(in crate::flow) fn longer_text(&self, text: Name, method: &str, values: &[Value]) -> Option<Value> {
        let added = match (method, values) {
            ("push", [Value::Text(more)]) => more.as_str(),
            ("push_bind" | "push", [_]) => " ? ",
            ("push_values", [_, ..]) => " VALUES (?) ",
            ("push_tuples", [_, ..]) => " (?) ",
            _ => return None,
        };
        Some(Value::Text(Name::new(&format!("{text} {added}"))))
    }
}
