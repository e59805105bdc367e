//! flow/session: what sessions, queries and statements do, and the blocks that own them.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind};

use super::cow::Shared;
use super::execute::defines;
use super::library::{self, Answers};
use super::outcome::Executed;
use super::row::Level;
use super::state::State;
use super::trace::Trace;
use super::trail::Altered;
use super::transaction::Within;
use super::translate::model_of;
use super::value::{Form, Keys, ModelRef, RowKey, SessionKey, SessionKind, Statement, Value};

impl Trace<'_> {
    pub(super) fn session_method(
        &mut self,
        state: &mut State,
        step: StepId,
        session: SessionKey,
        kind: SessionKind,
        method: &str,
        values: &[Value],
    ) -> Value {
        self.outcome.sees_session = true;
        let first = values.first().cloned().unwrap_or(Value::Unknown);
        if self.is_unawaited(step, kind, method) && !library::rolls_back(method) {
            // What never runs does nothing. A rollback counts as done all the same: what is wrong with it is said at
            // the call, and not once more at the handler.
            self.used.writes = true;
            self.used.any = true;
            return Value::Unknown;
        }
        match method {
            "add" | "add_all" | "merge" | "bulk_save_objects" => {
                self.used.writes = true;
                for key in values.iter().flat_map(Value::rows) {
                    if method == "bulk_save_objects" {
                        self.outcome.unheard.insert(key);
                    }
                    if let Some(row) = state.rows.get_mut(&key) {
                        row.add();
                        self.rows[key.0 as usize].session.get_or_insert(session);
                    }
                }
                self.cascade(state);
                self.add_audit_rows(state, step, values);
                if method == "add" || method == "add_all" {
                    return Value::None;
                }
                self.use_session(state, session);
                first
            }
            "delete" => {
                self.used.writes = true;
                self.use_session(state, session);
                for key in first.rows() {
                    self.remove_row(state, step, key);
                }
                Value::None
            }
            "flush" => {
                self.used.writes = true;
                self.use_session(state, session);
                self.flush(state, session, step);
                Value::None
            }
            "commit" => {
                self.used.writes = !self.only_defines(state, session);
                self.use_session(state, session);
                self.commit(state, session, step);
                Value::None
            }
            "rollback" => {
                self.roll_back(state, session, step);
                Value::None
            }
            "close" | "aclose" | "reset" | "invalidate" => {
                self.close(state, session);
                Value::None
            }
            "begin" => Value::Transaction(session, kind),
            "begin_nested" => {
                self.used.hidden = true;
                Value::Savepoint
            }
            "get" | "get_one" => {
                let model = model_of(&first);
                if model == ModelRef::Unknown {
                    return Value::Unknown;
                }
                self.use_session(state, session);
                Value::Row(self.loaded_row(state, step, model))
            }
            "query" => Value::Query(match model_of(&first) {
                ModelRef::Unknown => None,
                model => Some(model),
            }),
            "execute" | "scalars" | "exec" | "stream" | "stream_scalars" | "scalar" => {
                let before = state.defining.get(&session).copied();
                self.use_session(state, session);
                if defines(&first) {
                    state.defining.insert(session, before.unwrap_or(true));
                }
                let mut queried = None;
                let mut handed = None;
                for one in first.alternatives() {
                    match one {
                        Value::Statement(statement) => self.execute(step, &statement, values.get(1)),
                        Value::Text(text) => self.execute_text(step, &text),
                        Value::Query(Some(model)) => queried = Some(model),
                        Value::Param(number) => handed = Some(number),
                        _ => {}
                    }
                }
                if let Some(number) = handed {
                    self.outcome.summary.executes.insert(number);
                }
                match queried {
                    // The result of running whatever was handed in is of the same rows.
                    None if handed.is_some() && method != "scalar" => {
                        handed.map_or(Value::Unknown, Value::Param)
                    }
                    Some(model) if method == "scalar" => Value::Row(self.loaded_row(state, step, model)),
                    None if method == "scalar" => Value::Plain,
                    Some(model) => {
                        self.load_again(state, model);
                        Value::Query(Some(model))
                    }
                    None => Value::Query(None),
                }
            }
            "connection" => Value::Connection,
            "refresh" => {
                self.use_session(state, session);
                self.refresh(state, &first, values.get(1));
                Value::Unknown
            }
            "run_sync" | "expire" | "expire_all" => {
                self.use_session(state, session);
                Value::Unknown
            }
            "bulk_insert_mappings" | "bulk_update_mappings" => {
                self.use_session(state, session);
                self.bulk_mappings(step, method, values);
                Value::None
            }
            // Flask-SQLAlchemy: the session hangs on the extension object of the same name.
            method => {
                self.used.hidden |= !library::stays_in_memory(method);
                Value::Unknown
            }
        }
    }

    pub(super) fn remove_row(&mut self, state: &mut State, step: StepId, key: RowKey) {
        if let Some(row) = state.rows.get_mut(&key) {
            // A row that is removed owes nothing else.
            row.roll_back();
            for duty in Duty::ALL {
                row.discharge(duty, Level::Set);
            }
        }
        if let ModelRef::Class(model) = self.rows[key.0 as usize].model
            && self.project.model(model).is_some()
        {
            self.tell_executed(
                step,
                Executed {
                    operation: Operation::Delete,
                    model,
                    removes: true,
                    keys: None,
                    form: Form::Flush,
                },
            );
            self.remove_along(step, model);
        }
    }

    pub(super) fn query_method(
        &mut self,
        state: &mut State,
        step: StepId,
        model: Option<ModelRef>,
        method: &str,
        values: &[Value],
    ) -> Value {
        self.used.hidden = true;
        match (library::answers(method), model) {
            (Answers::Same, model) => Value::Query(model),
            (Answers::Plain, _) => Value::Plain,
            (Answers::Writes, Some(model)) => {
                self.used.writes = true;
                self.use_session(state, SessionKey::Outer);
                let mut statement = Statement::begun(Operation::Update, model, step);
                if method == "delete" {
                    statement.operation = Operation::Delete;
                } else if let Some(value) = values.first() {
                    statement.keys = self.keys_of(value);
                }
                self.execute(step, &statement, None);
                Value::Plain
            }
            (Answers::One, Some(model)) => Value::Row(self.loaded_row(state, step, model)),
            (Answers::Many, Some(model)) => {
                Value::Many(Shared::new(Value::Row(self.loaded_row(state, step, model))))
            }
            (_, None) => Value::Unknown,
        }
    }

    pub(super) fn statement_method(
        &mut self,
        step: StepId,
        mut statement: Statement,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        match method {
            "values" | "ordered_values" => {
                for (argument, value) in arguments.iter().zip(values) {
                    match argument.kind {
                        ArgumentKind::Keyword(name) => {
                            if let ModelRef::Class(class) = statement.model {
                                self.tell_clock(argument.value, class, name, value, "keyword");
                            }
                            statement.keys.give(name, value);
                        }
                        _ => {
                            let value = match value {
                                Value::Many(inner) => (**inner).clone(),
                                Value::Tuple(_) => value.clone().element(),
                                other => other.clone(),
                            };
                            let keys = self.keys_of(&value);
                            statement.keys.extend(&keys);
                        }
                    }
                }
            }
            "on_conflict_do_update" | "on_duplicate_key_update" => {
                let mut keys = Keys::default();
                for (argument, value) in arguments.iter().zip(values) {
                    match argument.kind {
                        ArgumentKind::Keyword(name) if &*name == "set_" => keys.extend(&self.keys_of(value)),
                        ArgumentKind::Keyword(name) if method == "on_duplicate_key_update" => {
                            keys.give(name, value);
                        }
                        _ => {}
                    }
                }
                statement.on_conflict = Some((keys, step));
            }
            "from_select" => self.selected_columns(&mut statement, arguments, values),
            "on_conflict_do_nothing" => statement.on_conflict = None,
            _ => {}
        }
        // The whole chain so far is the statement.
        statement.begun = step;
        Value::Statement(Shared::new(statement))
    }

    pub(super) fn execute(&mut self, step: StepId, statement: &Statement, rows: Option<&Value>) {
        self.used.writes = true;
        let ModelRef::Class(model) = statement.model else { return };
        if self.project.model(model).is_none() {
            return;
        }
        let mut keys = statement.keys.clone();
        if let Some(rows) = rows {
            let row = match rows {
                Value::Many(_) | Value::Tuple(_) => rows.clone().element(),
                other => other.clone(),
            };
            keys.extend(&self.keys_of(&row));
        }
        let removes = statement.operation == Operation::Delete;
        let keys = (!removes).then_some(keys);
        let operation = statement.operation;
        self.tell_executed(
            self.place(step, statement.begun),
            Executed { operation, model, removes, keys, form: statement.form },
        );
        if let Some((keys, said)) = &statement.on_conflict {
            let keys = Some(keys.clone());
            let operation = Operation::Update;
            self.tell_executed(
                self.place(step, *said),
                Executed { operation, model, removes: false, keys, form: Form::Bare },
            );
        }
    }

    /// Where a statement is: at the call that runs it when it is written there, else where it was built.
    pub(super) fn place(&self, run: StepId, built: StepId) -> StepId {
        let span = |step: StepId| self.function.steps[step as usize].span;
        if span(run).contains(span(built)) { run } else { built }
    }

    pub(super) fn tell_executed(&mut self, step: StepId, executed: Executed) {
        if self.project.django(executed.model).is_none() {
            let (model, operation) = (Some(executed.model), executed.operation);
            self.note_altered(Altered { step, model, row: None, operation, api: None });
        }
        if !self.telling {
            return;
        }
        let all = self.outcome.executed.entry(step).or_default();
        if !all.contains(&executed) {
            all.push(executed);
        }
    }

    /// A `with` begins.
    pub(super) fn enter(&mut self, state: &mut State, step: StepId, context: Value) -> Value {
        let opens = matches!(context, Value::Session(..) | Value::Transaction(..));
        self.used.hidden |= !opens;
        if let Value::Transaction(session, _) = context {
            // A session that failed before cannot begin.
            self.fail_again(state, session);
            state.failures.retain(|failure| failure.session != session);
        }
        match context {
            Value::Session(_, kind) => {
                // `with maker() as session` and `with existing_session` both close it in the end.
                Value::Session(SessionKey::Opened(step), kind)
            }
            Value::Transaction(session, kind) => Value::Session(session, kind),
            Value::Savepoint => Value::Savepoint,
            Value::Manager(function) => {
                self.outcome.calls.insert(function);
                let Some(summary) = self.summary(function) else { return Value::Unknown };
                match summary.yields.clone() {
                    Some(Value::Session(_, kind)) => Value::Session(SessionKey::Opened(step), kind),
                    Some(value) if value.rows().is_empty() => self.handed_out(step, value),
                    _ => Value::Unknown,
                }
            }
            Value::OneOf(all) => {
                let values: Vec<Value> = all.into_iter().map(|one| self.enter(state, step, one)).collect();
                Value::one_of(values)
            }
            other => self.enter_object(state, step, &other).unwrap_or(other),
        }
    }

    /// A session that a handler left in the failed state cannot do what comes now.
    pub(super) fn fail_again(&mut self, state: &State, session: SessionKey) {
        if self.telling {
            let hit = state.failures.iter().filter(|failure| failure.session == session);
            self.outcome.used_after.extend(hit.map(|failure| (failure.function, failure.handler)));
        }
    }

    /// A `with` ends.
    pub(super) fn exit(&mut self, state: &mut State, enter: StepId, raising: bool) {
        let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return };
        let session = match self.value(enter) {
            Value::Session(session, _) | Value::Object(_, session @ SessionKey::Opened(_)) => Some(*session),
            _ => None,
        };
        for context in self.value(context).clone().alternatives() {
            if self.opens_block(&context) {
                self.leave_block(state, enter, raising);
            }
            self.leave_manager(state, enter, &context, session, raising);
            let commits = match context {
                Value::Transaction(..) => true,
                Value::Manager(function) => self.summary(function).is_some_and(|summary| summary.commits),
                // The savepoint is rolled back, the transaction around it lives on.
                Value::Savepoint if raising => {
                    state.erring.clear();
                    false
                }
                _ => false,
            };
            if commits && !raising {
                let lost = state.failures.iter().filter(|failure| Some(failure.session) == session);
                let lost: Vec<_> = lost.map(|failure| (failure.function, failure.handler)).collect();
                if self.telling {
                    self.outcome.owner_commits.extend(&lost);
                    if matches!(context, Value::Transaction(..)) {
                        self.outcome.lost_blocks.extend(&lost);
                    }
                }
                self.used.any = true;
                self.commit(state, session.unwrap_or(SessionKey::Outer), enter);
            }
            if let Value::Transaction(session, _) = context {
                // The block commits or rolls back; either way the session is whole again.
                state.failures.retain(|failure| failure.session != session);
                state.erring.remove(&session);
            }
        }
        // A transaction block closes the session only where it has made that itself.
        let closes = match self.value(context) {
            Value::Transaction(session, _) => *session == SessionKey::Opened(context),
            _ => true,
        };
        if let Some(session @ SessionKey::Opened(_)) = session
            && closes
        {
            state.failures.retain(|failure| failure.session != session);
            state.erring.remove(&session);
            self.detach(state, session);
        }
    }

    /// The function yields a value.
    pub(super) fn yields(&mut self, state: &mut State, value: Value) {
        self.used.hidden = true;
        // Whoever gets the value may commit in between: what it is handed is out of this function's hands.
        for key in value.rows() {
            if let Some(row) = state.rows.get_mut(&key) {
                for duty in Duty::ALL {
                    row.discharge(duty, Level::Perhaps);
                }
            }
        }
        state.committed = false;
        self.outcome.summary.yields_in_block |= matches!(self.within(self.region), Within::Block(_));
        let yields = self.outcome.summary.yields.take();
        self.outcome.summary.yields = Some(match yields {
            Some(known) => known.join(value),
            None => value,
        });
    }
}
