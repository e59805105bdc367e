//! flow/value: what the flow engine knows of a value.

use std::collections::BTreeSet;

use crate::duty::Operation;
use crate::facts::{HandlerId, StepId};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol};

use super::clock::Clock;
use super::cow::Shared;
pub(super) use super::keys::Keys;
use super::queryset::RowSet;

/// How many alternatives of one value are kept apart.
const MOST_ALTERNATIVES: usize = 8;

/// How many texts of one list are told apart.
const MOST_TEXTS: usize = 64;

/// How deep values nest.
const DEEPEST: usize = 5;

/// A row as one function sees it; the number is the function's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub u32);

/// Which session: one that came from outside the function, or one opened by a step of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKey {
    /// A parameter, an attribute of `self`, a module's variable: all taken for the same.
    Outer,
    /// Opened here.
    Opened(StepId),
    /// The connection that Django keeps for a thread: no variable holds it.
    Connection,
}

/// Whether the methods of a session that reach the database have to be awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// They do their work at once.
    Sync,
    /// They answer coroutines.
    Async,
    /// Nothing says so.
    Unknown,
}

impl SessionKind {
    /// The kind of one of two sessions.
    fn either(self, other: SessionKind) -> SessionKind {
        if self == other { self } else { SessionKind::Unknown }
    }
}

/// Which model a query or row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelRef {
    /// This class.
    Class(ClassId),
    /// The class that a parameter holds.
    Param(u32),
    /// The class that an attribute of `self` holds.
    Own(Name),
    /// Not known.
    Unknown,
}

/// In which form a statement reaches the database: what fills the columns that it does not name depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Built by SQLAlchemy and run by a session.
    Session,
    /// Built by SQLAlchemy and run on a connection or by a bulk method: nothing of the session sees it.
    Core,
    /// The conflict branch of an upsert, or text: what it does not say, only the database can add.
    Bare,
    /// `session.delete(row)`: a flush removes the row.
    Flush,
}

/// A statement that is being built: `insert(M).values(…)` and kin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// What it does.
    pub operation: Operation,
    /// To rows of which model.
    pub model: ModelRef,
    /// The columns it gives values.
    pub keys: Keys,
    /// The columns that the conflict branch of an upsert gives values, and where that is said.
    pub on_conflict: Option<(Keys, StepId)>,
    /// What can still fill the columns it does not name.
    pub form: Form,
    /// The rows it writes, where it is made of rows.
    pub rows: Vec<RowKey>,
    /// Where it was begun.
    pub begun: StepId,
}

impl Statement {
    /// A statement of which nothing is known yet but what it does to which model.
    pub fn begun(operation: Operation, model: ModelRef, step: StepId) -> Statement {
        let (keys, on_conflict) = (Keys::default(), None);
        Statement { operation, model, keys, on_conflict, form: Form::Session, rows: Vec::new(), begun: step }
    }
}

/// What the flow engine knows of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing.
    Unknown,
    /// `None`.
    None,
    /// `True` or `False`.
    Switch(bool),
    /// This string.
    Text(Name),
    /// Plain data: a number, some string, a response.
    Plain,
    /// A class, function, module or external name.
    Symbol(Symbol),
    /// A function bound to a receiver.
    Method(Shared<Value>, FunctionId),
    /// An attribute of a value that says nothing more of it.
    Attribute(Shared<Value>, Name),
    /// An instance of a class that is no row, and the session it was made with.
    Object(ClassId, SessionKey),
    /// An instance or result of something external, by the path that was called.
    External(Name),
    /// A parameter of which nothing is known but its number.
    Param(u32),
    /// The class that a class method was called on: this one, or one that derives from it.
    Own(ClassId),
    /// What `super()` answers in a method of this class.
    Super(ClassId),
    /// A database session.
    Session(SessionKey, SessionKind),
    /// What makes sessions when called.
    SessionMaker(SessionKind),
    /// A connection: it runs statements and knows no rows.
    Connection,
    /// A transaction block of a session; leaving it commits.
    Transaction(SessionKey, SessionKind),
    /// A savepoint block.
    Savepoint,
    /// What a context manager written as a generator function answers.
    Manager(FunctionId),
    /// A row.
    Row(RowKey),
    /// A form or serializer of Django's, and the row it is about.
    Form(ClassId, RowKey),
    /// Many values of one kind.
    Many(Shared<Value>),
    /// A list or tuple with known parts.
    Tuple(Vec<Value>),
    /// A query, or the result of running one: whole rows of a model, or parts of rows when `None`.
    Query(Option<ModelRef>),
    /// Rows that Django hands out: a manager or a query set.
    Rows(Shared<RowSet>),
    /// Whether a call has inserted the first of two rows, or has found the second.
    Inserted(RowKey, RowKey),
    /// Who wants to be let in and was asked for credentials at a step, or nobody.
    Seeker(StepId),
    /// A statement that writes.
    Statement(Shared<Statement>),
    /// A dictionary.
    Dictionary(Shared<Keys>),
    /// A key of a dictionary.
    KeyOf(Shared<Keys>),
    /// The exception a handler has caught, or something made from it.
    Caught(HandlerId),
    /// Something that logs.
    Logger,
    /// What a clock read.
    Clock(Clock),
    /// The outcome of comparing a column of a row that is a parameter.
    Decision(StepId),
    /// The value of a column of a row that is a parameter.
    Read(u32, Name),
    /// One of these.
    OneOf(Vec<Value>),
}

impl Value {
    /// One of two values.
    pub fn join(self, other: Value) -> Value {
        if self == other {
            return self;
        }
        if let (Value::Dictionary(a), Value::Dictionary(b)) = (&self, &other) {
            return Value::Dictionary(Shared::new(a.either(b)));
        }
        let mut all = self.alternatives();
        all.extend(other.alternatives());
        all.sort();
        all.dedup_by(|later, earlier| later == earlier || earlier.takes_in(later));
        match all.len() {
            1 => all.swap_remove(0),
            n if n > MOST_ALTERNATIVES => Value::Unknown,
            _ => Value::OneOf(all),
        }
    }

    /// Becomes what this and another value are together, where they differ in the kind of a session alone.
    fn takes_in(&mut self, other: &Value) -> bool {
        match (self, other) {
            (Value::Session(key, kind), Value::Session(other, another))
            | (Value::Transaction(key, kind), Value::Transaction(other, another))
                if key == other =>
            {
                *kind = kind.either(*another);
                true
            }
            (Value::SessionMaker(kind), Value::SessionMaker(another)) => {
                *kind = kind.either(*another);
                true
            }
            _ => false,
        }
    }

    /// The value, or nothing when it has grown too deep: a loop can wrap a value again in every turn.
    pub fn limited(self) -> Value {
        if self.is_deeper_than(DEEPEST) { Value::Unknown } else { self }
    }

    fn is_deeper_than(&self, depth: usize) -> bool {
        match self {
            Value::Many(inner) | Value::Attribute(inner, _) | Value::Method(inner, _) => {
                depth == 0 || inner.is_deeper_than(depth - 1)
            }
            Value::Dictionary(keys) => {
                keys.holds.as_ref().is_some_and(|held| depth == 0 || held.is_deeper_than(depth - 1))
            }
            Value::Tuple(all) | Value::OneOf(all) => {
                depth == 0 || all.iter().any(|one| one.is_deeper_than(depth - 1))
            }
            _ => false,
        }
    }

    /// One of many values.
    pub fn one_of(values: impl IntoIterator<Item = Value>) -> Value {
        values.into_iter().reduce(Value::join).unwrap_or(Value::Unknown)
    }

    /// The values it may be, as they stand.
    pub fn each(&self) -> &[Value] {
        match self {
            Value::OneOf(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    /// The values it may be.
    pub fn alternatives(self) -> Vec<Value> {
        match self {
            Value::OneOf(all) => all,
            one => vec![one],
        }
    }

    /// Applies a function to each value it may be.
    pub fn map(self, f: impl FnMut(Value) -> Value) -> Value {
        Value::one_of(self.alternatives().into_iter().map(f))
    }

    /// The rows in it, at any depth of lists.
    pub fn rows(&self) -> Vec<RowKey> {
        match self {
            Value::Row(key) | Value::Form(_, key) => vec![*key],
            Value::Statement(statement) => statement.rows.clone(),
            Value::Many(inner) => inner.rows(),
            Value::Tuple(all) | Value::OneOf(all) => all.iter().flat_map(Value::rows).collect(),
            Value::Dictionary(keys) => keys.holds.as_ref().map_or(Vec::new(), |held| held.rows()),
            _ => Vec::new(),
        }
    }

    /// One element of it, when it is iterated over.
    pub fn element(self) -> Value {
        match self {
            Value::Many(inner) => inner.into_inner(),
            // More texts than are kept apart still are the keys of something.
            Value::Tuple(all) if all.len() > MOST_ALTERNATIVES => match texts(&all) {
                Some(sure) => Value::KeyOf(Shared::new(Keys { sure, ..Keys::default() })),
                None => Value::one_of(all),
            },
            Value::Tuple(all) => Value::one_of(all),
            Value::OneOf(all) => Value::one_of(all.into_iter().map(Value::element)),
            Value::Dictionary(keys) => Value::KeyOf(Shared::new(keys.unheld())),
            // The caught error stays known in whatever is made from it.
            Value::Caught(handler) => Value::Caught(handler),
            _ => Value::Unknown,
        }
    }

    /// A part of it, when it is unpacked.
    pub fn part(self, index: Option<u32>) -> Value {
        match (self, index) {
            (Value::Tuple(parts), Some(index)) => {
                parts.into_iter().nth(index as usize).unwrap_or(Value::Unknown)
            }
            (Value::KeyOf(keys), Some(0)) => Value::KeyOf(keys),
            (Value::Row(row), Some(0)) => Value::Row(row),
            (Value::Caught(handler), _) => Value::Caught(handler),
            (Value::Many(inner), _) => inner.into_inner(),
            _ => Value::Unknown,
        }
    }

    /// A list of texts with more of them: which are in it counts, and neither how often nor where.
    pub fn with_texts(&self, more: &Value) -> Option<Value> {
        let is_text = |part: &Value| matches!(part, Value::Text(_));
        match (self, more) {
            (Value::Tuple(parts), Value::Tuple(others)) => {
                if !parts.iter().chain(others).all(is_text) {
                    return None;
                }
                let mut all = parts.clone();
                all.extend(others.iter().filter(|other| !parts.contains(other)).cloned());
                (all.len() <= MOST_TEXTS).then_some(Value::Tuple(all))
            }
            (Value::Tuple(_), text @ Value::Text(_)) => self.with_texts(&Value::Tuple(vec![text.clone()])),
            (Value::OneOf(all), more) => {
                let longer: Option<Vec<Value>> = all.iter().map(|one| one.with_texts(more)).collect();
                longer.map(Value::one_of)
            }
            _ => None,
        }
    }

    /// Whether it is a list or tuple, whichever of its values it is.
    pub fn is_list(&self) -> bool {
        match self {
            Value::Tuple(_) | Value::Many(_) => true,
            Value::OneOf(all) => all.iter().all(Value::is_list),
            _ => false,
        }
    }

    /// The handler whose error it was made from.
    pub fn caught(&self) -> Option<HandlerId> {
        match self {
            Value::Caught(handler) => Some(*handler),
            Value::Many(inner) | Value::Attribute(inner, _) | Value::Method(inner, _) => inner.caught(),
            Value::Tuple(all) | Value::OneOf(all) => all.iter().find_map(Value::caught),
            _ => None,
        }
    }

    /// The place where a decision over a row's column was made.
    pub fn decision(&self) -> Option<StepId> {
        match self {
            Value::Decision(step) => Some(*step),
            Value::OneOf(all) | Value::Tuple(all) => all.iter().find_map(Value::decision),
            _ => None,
        }
    }

    /// Whether nothing useful is known of it.
    pub fn is_vague(&self) -> bool {
        match self {
            Value::Unknown | Value::Param(_) | Value::None => true,
            Value::Attribute(of, _) => {
                of.is_vague() || matches!(**of, Value::Object(..) | Value::Row(_) | Value::Form(..))
            }
            Value::Symbol(Symbol::Variable(..)) => true,
            Value::OneOf(all) => all.iter().all(Value::is_vague),
            _ => false,
        }
    }
}

/// The texts that values are, where all are texts.
pub(super) fn texts(values: &[Value]) -> Option<BTreeSet<Name>> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(*text),
        _ => None,
    };
    values.iter().map(text).collect()
}
