//! flow/ending: how transactions end: flushed, committed, rolled back, closed, and what that does to the rows at hand.

use crate::facts::StepId;

use super::cow::Shared;
use super::life::Reload;
use super::row::{Base, RowState};
use super::state::State;
use super::trace::Trace;
use super::value::{ModelRef, RowKey, SessionKey, Value, texts};

impl Trace<'_> {
    /// Flushes a session: its open changes become visible.
    pub(super) fn flush(&mut self, state: &mut State, session: SessionKey, step: StepId) {
        state.change_rows(|row| row.published.is_none(), |row| row.published = Some(step));
        self.flush_lives(state, session, step);
    }

    /// Commits: every open write is over.
    pub(super) fn commit(&mut self, state: &mut State, session: SessionKey, step: StepId) {
        self.has_committed = true;
        self.outcome.summary.may_commit |= session == SessionKey::Outer;
        self.tell_nulls(state);
        self.commit_trail(state);
        for (key, row) in &mut state.rows {
            row.published.get_or_insert(step);
            row.seal(self.rows[key.0 as usize].base == Base::New);
        }
        state.defining.remove(&session);
        state.committed = true;
        self.flush_lives(state, session, step);
        let reload = self.reload(step);
        let expires = self.knowledge.expires_on_commit == Some(true);
        for (_, row) in held(&self.rows, state, session) {
            row.life.persist();
            if expires {
                row.life.expire(reload, step);
            }
        }
        state.idle.insert(session);
    }

    /// Rolls a session back.
    pub(super) fn roll_back(&mut self, state: &mut State, session: SessionKey, step: StepId) {
        self.forget(state, session);
        let reload = self.reload(step);
        // Without a transaction there is nothing to roll back, and nothing expires.
        if state.idle.insert(session) {
            for (_, row) in held(&self.rows, state, session) {
                row.life.expire(reload, step);
            }
        }
    }

    /// Closes a session: what was open is rolled back, and the rows are on their own.
    pub(super) fn close(&mut self, state: &mut State, session: SessionKey) {
        self.forget(state, session);
        self.detach(state, session);
    }

    /// Rows are loaded again: all of them, or only what the names say, with the rows behind these.
    pub(super) fn refresh(&mut self, state: &mut State, rows: &Value, names: Option<&Value>) {
        let only = match names {
            Some(Value::Tuple(names)) => texts(names),
            _ => None,
        };
        for key in rows.rows() {
            let behind: Vec<RowKey> =
                only.iter().flatten().filter_map(|name| self.known_relative(key, *name)).collect();
            if let Some(row) = state.rows.get_mut(&key) {
                match &only {
                    Some(names) => names.iter().for_each(|name| row.life.refresh_one(*name)),
                    None => row.life.refresh(),
                }
            }
            for key in behind {
                if let Some(row) = state.rows.get_mut(&key) {
                    row.life.refresh();
                }
            }
        }
    }

    /// The rows of a session are on their own.
    pub(super) fn detach(&mut self, state: &mut State, session: SessionKey) {
        for (_, row) in held(&self.rows, state, session) {
            row.life.detach();
        }
    }

    /// What was open in a session is taken back.
    fn forget(&mut self, state: &mut State, session: SessionKey) {
        state.failures.retain(|failure| failure.session != session);
        state.erring.remove(&session);
        state.defining.remove(&session);
        if session == SessionKey::Outer {
            state.rolled_back = true;
            self.outcome.summary.may_roll_back = true;
        }
        state.change_rows(RowState::is_open, RowState::roll_back);
        state.untold.roll_back();
    }

    fn flush_lives(&self, state: &mut State, session: SessionKey, step: StepId) {
        for (key, row) in held(&self.rows, state, session) {
            let model = match self.rows[key.0 as usize].model {
                ModelRef::Class(class) => self.project.model(class),
                _ => None,
            };
            row.life.flush(model, step);
        }
    }

    /// How the code around a step would load an expired row again.
    pub(super) fn reload(&self, step: StepId) -> Reload {
        // Only a coroutine that waits for the step has a session that loads nothing by itself.
        if self.function.is_async && self.ground.is_awaited(step) { Reload::Awaited } else { Reload::Silent }
    }
}

/// The rows that a session holds.
fn held<'s>(
    rows: &'s [super::row::RowInfo],
    state: &'s mut State,
    session: SessionKey,
) -> impl Iterator<Item = (RowKey, &'s mut Shared<RowState>)> {
    let is_held = move |key: &RowKey| rows[key.0 as usize].session == Some(session);
    state.rows.iter_mut().filter(move |(key, _)| is_held(key)).map(|(key, row)| (*key, row))
}
