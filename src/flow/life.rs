//! flow/life: whether the values of a row that code holds can still be read: fresh, expired, detached.
//!
//! A rollback, and a commit of a session that was not told otherwise, expires every row that was there before the
//! transaction began. The next read loads the row again, which async code cannot do in the middle of an expression,
//! and which nothing can do once the session is closed. An UPDATE expires single columns: those the database computes.
//! What is not certain is not expired here: a read is only told of where a path surely led to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::StepId;
use crate::name::Name;
use crate::project::Model;

/// How code would load an expired row again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reload {
    /// By itself, in the middle of an expression: synchronous code.
    Silent,
    /// Not without an `await`: asynchronous code.
    Awaited,
}

/// The states a row may be in, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct States(u8);

impl States {
    /// As the caller handed it over.
    const HANDED: States = States(1);
    /// Loaded, or made here.
    const FRESH: States = States(2);
    /// Expired; only an `await` loads it again.
    const EXPIRED: States = States(4);
    /// Expired; the next read loads it again.
    const LAZY: States = States(8);
    /// Expired, and its session is closed.
    const DETACHED: States = States(16);

    fn has(self, other: States) -> bool {
        self.0 & other.0 != 0
    }

    fn and(self, other: States) -> States {
        States(self.0 | other.0)
    }

    fn without(self, other: States) -> States {
        States(self.0 & !other.0)
    }
}

/// What can be read of a row on the paths so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    states: States,
    /// Columns that a flush has expired alone.
    columns: BTreeSet<Name>,
    /// Columns that got a value since the last flush, and whether an SQL expression is among the values.
    assigned: BTreeMap<Name, bool>,
    /// Columns that got a value after the row expired: these can be read.
    kept: BTreeSet<Name>,
    /// Whether something was changed since the last flush.
    is_changed: bool,
    /// Whether every path made it in this transaction: a rollback leaves such a row alone.
    is_new: bool,
    /// Whether no path has flushed it yet.
    is_pending: bool,
    /// The step that expired it, the first where there are several.
    since: Option<StepId>,
}

/// How a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// As an attribute.
    Attribute,
    /// From the row's `__dict__`, which holds what is loaded.
    Dictionary,
}

/// What a read of an expired value comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The read raises.
    Raises,
    /// The read answers as if there was no value.
    Lost,
}

impl Reading {
    fn loss(self) -> Loss {
        match self {
            Reading::Attribute => Loss::Raises,
            Reading::Dictionary => Loss::Lost,
        }
    }
}

impl Life {
    /// A row that was just loaded.
    pub(super) fn loaded() -> Life {
        Life { states: States::FRESH, ..Life::default() }
    }

    /// A row that was just made.
    pub(super) fn made() -> Life {
        Life { states: States::FRESH, is_new: true, is_pending: true, ..Life::default() }
    }

    /// A row that the caller hands over.
    pub(super) fn handed() -> Life {
        Life { states: States::HANDED, ..Life::default() }
    }

    /// Whether it is as the caller handed it over, on some path.
    pub(super) fn is_handed(&self) -> bool {
        self.states.has(States::HANDED)
    }

    /// Whether anything has happened to it that a caller should know.
    pub(super) fn is_touched(&self) -> bool {
        *self != Life::handed()
    }

    fn is_expired(&self) -> bool {
        self.states.has(States::EXPIRED.and(States::LAZY).and(States::DETACHED))
    }

    /// The step that expired it.
    pub(super) fn since(&self) -> Option<StepId> {
        self.since
    }

    /// The state after either of two paths.
    pub(super) fn join(&mut self, other: &Life) {
        self.states = self.states.and(other.states);
        self.columns.extend(&other.columns);
        for (name, is_sql) in &other.assigned {
            *self.assigned.entry(*name).or_default() |= is_sql;
        }
        self.kept.extend(&other.kept);
        self.is_changed |= other.is_changed;
        self.is_new &= other.is_new;
        self.is_pending &= other.is_pending;
        self.since = match (self.since, other.since) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// A column got a value.
    pub(super) fn assign(&mut self, name: Name, is_sql: bool) {
        self.is_changed = true;
        self.columns.remove(&name);
        if self.is_expired() {
            self.kept.insert(name);
        }
        self.assigned.insert(name, is_sql);
    }

    /// Something was changed that no column names.
    pub(super) fn change(&mut self) {
        self.is_changed = true;
    }

    /// The session flushes.
    pub(super) fn flush(&mut self, model: Option<&Model>, step: StepId) {
        let Some(model) = model else { return };
        let is_insert = self.is_pending;
        let mut expired: Vec<Name> = Vec::new();
        if self.is_changed && !is_insert {
            let by_update = model.columns.iter().filter(|(_, column)| column.on_update_by_sql);
            expired.extend(by_update.map(|(name, _)| *name).filter(|name| !self.assigned.contains_key(name)));
        }
        for (name, is_sql) in &self.assigned {
            let is_returned = is_insert && model.columns.get(name).is_some_and(|c| c.server_default);
            if *is_sql && !is_returned {
                expired.push(*name);
            }
        }
        if !expired.is_empty() {
            self.since.get_or_insert(step);
        }
        self.columns.extend(expired);
        self.assigned.clear();
        self.is_changed = false;
        self.is_pending = false;
    }

    /// The transaction is rolled back, or over for a row that lives longer than it.
    pub(super) fn expire(&mut self, reload: Reload, step: StepId) {
        if self.is_new {
            return;
        }
        let state = match reload {
            Reload::Silent => States::LAZY,
            Reload::Awaited => States::EXPIRED,
        };
        // What is detached already is out of the session's reach.
        let beyond = States(self.states.0 & States::DETACHED.0);
        self.states = state.and(beyond);
        self.kept.clear();
        self.since = Some(self.since.map_or(step, |since| since.min(step)));
    }

    /// The transaction is committed: the row is there for good.
    pub(super) fn persist(&mut self) {
        self.is_new = false;
    }

    /// The session lets go of the row.
    pub(super) fn detach(&mut self) {
        let expired = States::EXPIRED.and(States::LAZY);
        if self.states.has(expired) {
            self.states = self.states.without(expired).and(States::DETACHED);
        }
    }

    /// The row is loaded again.
    pub(super) fn refresh(&mut self) {
        self.states = States::FRESH;
        self.columns.clear();
        self.kept.clear();
        self.since = None;
    }

    /// One attribute of the row is loaded again.
    pub(super) fn refresh_one(&mut self, name: Name) {
        self.columns.remove(&name);
        if self.is_expired() {
            self.kept.insert(name);
        }
    }

    /// What reading a column comes to, where it comes to no good.
    pub(super) fn read(&self, name: Name, reading: Reading) -> Option<Loss> {
        if self.columns.contains(&name) {
            return Some(reading.loss());
        }
        let gone = match reading {
            Reading::Attribute => States::EXPIRED.and(States::DETACHED),
            Reading::Dictionary => States::EXPIRED.and(States::DETACHED).and(States::LAZY),
        };
        (self.states.has(gone) && !self.kept.contains(&name)).then_some(reading.loss())
    }

    /// A path goes on behind a read: what raised has not come this far.
    pub(super) fn survive(&mut self, name: Name) {
        self.states = self.states.without(States::EXPIRED.and(States::DETACHED));
        if self.states == States::default() {
            self.states = States::FRESH;
        }
        self.columns.remove(&name);
    }

    /// The row was returned by a callee, at a step of the caller.
    pub(super) fn brought(&mut self, step: StepId) {
        self.since = self.since.map(|_| step);
    }

    /// What a callee did to the row happens to it, at a step of the caller.
    pub(super) fn undergo(&mut self, callee: &Life, step: StepId) {
        let before = self.clone();
        *self = callee.clone();
        self.since = callee.since.map(|_| step).or(before.since);
        if callee.states.has(States::HANDED) {
            self.states = self.states.without(States::HANDED).and(before.states);
            self.columns.extend(&before.columns);
            self.kept.extend(&before.kept);
            for (name, is_sql) in &before.assigned {
                self.assigned.entry(*name).or_insert(*is_sql);
            }
            self.is_changed |= before.is_changed;
        }
        self.is_new = before.is_new;
        self.is_pending = before.is_pending;
        if before.is_new {
            // What the callee took for a row of old is new, and a rollback leaves it alone.
            self.states = before.states;
            self.since = before.since;
        }
        if before.is_pending {
            // What the callee took for an UPDATE was the INSERT.
            self.columns = before.columns;
        }
    }
}
