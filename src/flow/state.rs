//! flow/state: everything known at one point of a function, on the paths that lead there.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::facts::HandlerId;
use crate::name::Name;
use crate::project::FunctionId;

use super::catch::Errors;
use super::cow::Shared;
use super::row::RowState;
use super::trail::Untold;
use super::value::{RowKey, SessionKey, Value};

/// How many states that differ in their flags are kept apart at one point.
const MOST_STATES: usize = 8;

/// A handler that let go of a session in the failed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Failure {
    /// The function of the handler.
    pub function: FunctionId,
    /// The handler.
    pub handler: HandlerId,
    /// The session, as the function that looks knows it.
    pub session: SessionKey,
}

/// What the paths through a handler have done so far: a set of combinations of [`Deeds`], one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandlerPaths(u16);

/// What one path through a handler has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deeds(u16);

impl Deeds {
    /// It logged.
    pub(super) const LOGGED: Deeds = Deeds(1);
    /// It recorded the error somewhere.
    pub(super) const RECORDED: Deeds = Deeds(2);
    /// It printed, flashed or counted.
    pub(super) const PRINTED: Deeds = Deeds(4);

    /// Whether it did all of these.
    pub(super) fn has(self, other: Deeds) -> bool {
        self.0 & other.0 == other.0
    }
}

impl HandlerPaths {
    /// One path that has done nothing yet.
    pub(super) fn start() -> HandlerPaths {
        HandlerPaths(1)
    }

    /// Every path does this.
    pub(super) fn all_do(self, deed: Deeds) -> HandlerPaths {
        HandlerPaths(self.deeds().fold(0, |all, deeds| all | 1 << (deeds.0 | deed.0)))
    }

    /// What the paths have done.
    pub(super) fn deeds(self) -> impl Iterator<Item = Deeds> {
        (0..8).filter(move |deeds| self.0 & (1 << deeds) != 0).map(Deeds)
    }
}

/// What happened to each row.
pub(super) type Rows = Shared<BTreeMap<RowKey, Shared<RowState>>>;

/// Everything known at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Local variables.
    pub locals: Shared<FxHashMap<Name, Value>>,
    /// Rows.
    pub rows: Rows,
    /// By row: the rows that its relationships hand to a session along with it.
    pub brings: BTreeMap<RowKey, BTreeSet<RowKey>>,
    /// Sessions that a handler has let go in the failed state.
    pub failures: BTreeSet<Failure>,
    /// Sessions that the exception on its way has left in the failed state.
    pub erring: BTreeMap<SessionKey, Errors>,
    /// The handlers that control is in.
    pub handling: BTreeMap<HandlerId, HandlerPaths>,
    /// What is being returned, once that is decided.
    pub returned: Option<Value>,
    /// Whether every path so far has logged, rolled back, committed.
    pub logged: bool,
    /// See [`State::logged`].
    pub rolled_back: bool,
    /// See [`State::logged`].
    pub committed: bool,
    /// The session that ran the last statement, where every path agrees.
    pub last_session: Option<SessionKey>,
    /// Sessions that no path has used since they ended their last transaction.
    pub idle: BTreeSet<SessionKey>,
    /// Sessions that were used in this transaction: whether every use defines tables, triggers and kin.
    pub defining: BTreeMap<SessionKey, bool>,
    /// Changes of state that no audit event tells of yet.
    pub untold: Untold,
}

impl State {
    /// Joins another state; answers whether anything new came with it.
    fn learn(&mut self, other: &State) -> bool {
        // Most paths that come here again come as they came before.
        if self == other {
            return false;
        }
        let before = self.clone();
        self.join(other);
        *self != before
    }

    /// Changes the rows that a change concerns; the others go on being shared.
    pub(super) fn change_rows(
        &mut self,
        concerns: impl Fn(&RowState) -> bool,
        change: impl Fn(&mut RowState),
    ) {
        if self.rows.values().any(|row| concerns(row)) {
            self.rows.values_mut().filter(|row| concerns(row)).for_each(|row| change(row));
        }
    }

    /// The state after either of two paths.
    pub(super) fn join(&mut self, other: &State) {
        if !self.locals.is_same(&other.locals) {
            for (name, value) in &other.locals {
                let joined = match self.locals.get(name) {
                    Some(known) if known == value => continue,
                    Some(known) => known.clone().join(value.clone()),
                    None => value.clone(),
                };
                self.locals.insert(*name, joined);
            }
        }
        if !self.rows.is_same(&other.rows) {
            for (key, row) in &other.rows {
                let joined = match self.rows.get(key) {
                    Some(known) if known == row => continue,
                    Some(known) => {
                        let mut joined = known.clone();
                        joined.join(row);
                        joined
                    }
                    None => row.clone(),
                };
                self.rows.insert(*key, joined);
            }
        }
        for (owner, rows) in &other.brings {
            self.brings.entry(*owner).or_default().extend(rows);
        }
        self.failures.extend(&other.failures);
        for (session, errors) in &other.erring {
            let known = self.erring.entry(*session).or_default();
            *known = known.and(*errors);
        }
        for (handler, paths) in &other.handling {
            let known = self.handling.entry(*handler).or_insert(*paths);
            known.0 |= paths.0;
        }
        self.returned = match (self.returned.take(), other.returned.clone()) {
            (Some(a), Some(b)) => Some(a.join(b)),
            (a, b) => a.or(b),
        };
        self.logged &= other.logged;
        self.rolled_back &= other.rolled_back;
        self.committed &= other.committed;
        if self.last_session != other.last_session {
            self.last_session = None;
        }
        self.idle.retain(|session| other.idle.contains(session));
        for (session, defines) in &other.defining {
            *self.defining.entry(*session).or_insert(true) &= *defines;
        }
        self.untold.join(&other.untold);
    }
}

/// The flags a state is told apart by: local variables that are `True`, `False` or `None` for certain.
type Flags = Vec<(Name, Option<Value>)>;

/// The states at the beginning of a block, told apart by their flags.
#[derive(Clone, Debug, Default)]
pub(super) struct States(Vec<(Flags, State)>);

impl States {
    /// The states.
    pub(super) fn all(&self) -> impl Iterator<Item = &State> {
        self.0.iter().map(|(_, state)| state)
    }

    /// The states, handed over.
    pub(super) fn into_all(self) -> impl Iterator<Item = State> {
        self.0.into_iter().map(|(_, state)| state)
    }

    /// Adds a state; answers whether anything new came with it.
    pub(super) fn add(&mut self, state: State, flag_names: &[Name]) -> bool {
        let flag = |name: &Name| match state.locals.get(name) {
            Some(value @ (Value::Switch(_) | Value::None)) => (*name, Some(value.clone())),
            _ => (*name, None),
        };
        let flags: Flags = flag_names.iter().map(flag).collect();
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == flags) {
            return known.learn(&state);
        }
        if self.0.len() >= MOST_STATES {
            // Too many to keep apart: from here on one state stands for all.
            return self.0[0].1.learn(&state);
        }
        self.0.push((flags, state));
        true
    }
}
