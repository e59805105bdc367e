//! flow/state: everything known at one point of a function, on the paths that lead there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

use crate::facts::HandlerId;
use crate::name::Name;
use crate::project::FunctionId;

use super::catch::Errors;
use super::cow::Shared;
use super::locals::Locals;
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

/// Everything known at one point. What is not about variables and rows seldom changes, and is read as the state's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Local variables.
    pub locals: Locals,
    /// Rows.
    pub rows: Rows,
    rest: Shared<Rest>,
}

/// What else is known at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
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
    /// See [`Rest::logged`].
    pub rolled_back: bool,
    /// See [`Rest::logged`].
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

impl Deref for State {
    type Target = Rest;

    fn deref(&self) -> &Rest {
        &self.rest
    }
}

// What is shared is copied for whoever asks to change it: where nothing would change, nobody should ask.
impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

impl State {
    /// A state of which nothing but its rows is known.
    pub(super) fn of(rows: Rows) -> State {
        State { rows, ..State::default() }
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

    /// The state after either of two paths; answers whether anything new came with the other.
    pub(super) fn join(&mut self, other: &State) -> bool {
        let is_new = self.locals.join(&other.locals) | self.join_rows(other);
        if self.rest == other.rest {
            return is_new;
        }
        self.rest.join(&other.rest) | is_new
    }

    fn join_rows(&mut self, other: &State) -> bool {
        let mut is_new = false;
        if self.rows.is_same(&other.rows) {
            return false;
        }
        for (key, row) in &other.rows {
            let joined = match self.rows.get(key) {
                Some(known) if known == row => continue,
                Some(known) => {
                    let mut joined = known.clone();
                    joined.join(row);
                    if joined == *known {
                        continue;
                    }
                    joined
                }
                None => row.clone(),
            };
            self.rows.insert(*key, joined);
            is_new = true;
        }
        is_new
    }
}

impl Rest {
    /// What is known after either of two paths; answers whether anything new came with the other.
    fn join(&mut self, other: &Rest) -> bool {
        let mut is_new = false;
        for (owner, rows) in &other.brings {
            is_new |= match self.brings.get_mut(owner) {
                Some(known) => grow(known, rows),
                None => self.brings.insert(*owner, rows.clone()).is_none(),
            };
        }
        is_new |= grow(&mut self.failures, &other.failures);
        is_new |= merge(&mut self.erring, &other.erring, Errors::and);
        is_new |= merge(&mut self.handling, &other.handling, |a, b| HandlerPaths(a.0 | b.0));
        if self.returned != other.returned {
            let joined = match (self.returned.clone(), other.returned.clone()) {
                (Some(a), Some(b)) => Some(a.join(b)),
                (a, b) => a.or(b),
            };
            is_new |= joined != self.returned;
            self.returned = joined;
        }
        for (known, other) in [
            (&mut self.logged, other.logged),
            (&mut self.rolled_back, other.rolled_back),
            (&mut self.committed, other.committed),
        ] {
            is_new |= *known && !other;
            *known &= other;
        }
        if self.last_session.is_some() && self.last_session != other.last_session {
            self.last_session = None;
            is_new = true;
        }
        let idle = self.idle.len();
        self.idle.retain(|session| other.idle.contains(session));
        is_new |= self.idle.len() < idle;
        is_new |= merge(&mut self.defining, &other.defining, |a, b| a && b);
        if self.untold != other.untold {
            let before = self.untold.clone();
            self.untold.join(&other.untold);
            is_new |= self.untold != before;
        }
        is_new
    }
}

/// Adds what another set has; answers whether that was new.
fn grow<T: Copy + Ord>(known: &mut BTreeSet<T>, other: &BTreeSet<T>) -> bool {
    let before = known.len();
    known.extend(other);
    known.len() > before
}

/// Joins what another map says; answers whether anything of it was new.
fn merge<K: Copy + Ord, V: Copy + PartialEq>(
    known: &mut BTreeMap<K, V>,
    other: &BTreeMap<K, V>,
    join: impl Fn(V, V) -> V,
) -> bool {
    let mut is_new = false;
    for (&key, &value) in other {
        let joined = known.get(&key).map_or(value, |&known| join(known, value));
        is_new |= known.insert(key, joined) != Some(joined);
    }
    is_new
}

/// The flags a state is told apart by: local variables that are `True`, `False` or `None` for certain.
type Flags = Vec<Option<Value>>;

/// The states at the beginning of a block, told apart by their flags.
#[derive(Clone, Debug, Default)]
pub(super) struct States(Vec<Told>);

/// One of them.
#[derive(Clone, Debug)]
struct Told {
    flags: Flags,
    state: State,
    /// Whether it has come, or has changed, since the block was gone through from it.
    is_due: bool,
}

impl States {
    /// The states.
    pub(super) fn all(&self) -> impl Iterator<Item = &State> {
        self.0.iter().map(|told| &told.state)
    }

    /// The states, handed over.
    pub(super) fn into_all(self) -> impl Iterator<Item = State> {
        self.0.into_iter().map(|told| told.state)
    }

    /// The states from which the block is to be gone through; they are not due any longer.
    pub(super) fn take_due(&mut self) -> Vec<State> {
        let due =
            self.0.iter_mut().filter_map(|told| std::mem::take(&mut told.is_due).then(|| told.state.clone()));
        due.collect()
    }

    /// Adds a state; answers whether anything new came with it.
    pub(super) fn add(&mut self, state: State, flag_names: &[Name]) -> bool {
        let flag = |name: &Name| match state.locals.get(*name) {
            Some(value @ (Value::Switch(_) | Value::None)) => Some(value),
            _ => None,
        };
        let is_like =
            |told: &Told| told.flags.iter().zip(flag_names).all(|(known, name)| known.as_ref() == flag(name));
        let like = match self.0.iter().position(is_like) {
            // Too many to keep apart: from here on one state stands for all.
            None if self.0.len() >= MOST_STATES => Some(0),
            like => like,
        };
        match like {
            Some(like) => {
                let told = &mut self.0[like];
                let is_new = told.state.join(&state);
                told.is_due |= is_new;
                is_new
            }
            None => {
                let flags = flag_names.iter().map(|name| flag(name).cloned()).collect();
                self.0.push(Told { flags, state, is_due: true });
                true
            }
        }
    }
}
