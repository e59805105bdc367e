//! flow/outcome: what following one function has told: its summary, its writes, its handlers, its stores and reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use crate::duty::{Duty, Operation};
use crate::facts::{HandlerId, RegionId, StepId};
use crate::name::Name;
use crate::project::{ClassId, FunctionId};

use super::clock::{ClockStore, Frozen};
use super::django::Written;
use super::early::Early;
use super::enqueue::Enqueued;
use super::lean::Lean;
use super::life::Loss;
use super::partial::Partial;
use super::row::{Paths, RowInfo, Touch};
use super::stamp::Stamp;
use super::state::{Deeds, State};
use super::summary::{DatabaseUse, Sought, Summary};
use super::trail::{Alteration, Emission};
use super::value::{Form, Keys, RowKey, SessionKey, Value};
use super::waiting::Waiting;

/// How a path through a handler ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// It goes on behind the `try`, or returns nothing worth the name.
    Falls,
    /// It returns something that tells of the failure.
    Answers,
    /// It raises something else.
    Raises,
    /// It raises what it caught.
    RaisesOriginal,
    /// It comes back to what failed, and raises when that was tried often enough.
    TriesAgain,
}

/// How a path leaves a function by its own doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It returns.
    Returns,
    /// It raises.
    Raises,
}

/// How the paths through one handler end.
#[derive(Clone, Debug, Default)]
pub struct HandlerReport {
    /// Some path goes on with the session still failed.
    pub leaves_failed: bool,
    /// What failed on some path was a statement that writes.
    pub failed_by_write: bool,
    /// What failed on some path broke Django's transaction, if there is one.
    pub breaks_connection: bool,
    /// How paths through it end.
    pub(super) ends: BTreeSet<End>,
    /// The words for the ends of paths that neither log nor raise the original.
    pub silent_ends: BTreeSet<&'static str>,
    /// Where what it does instead fails as well, it raises what it caught.
    told_in_the_end: bool,
}

impl HandlerReport {
    /// Where what it does instead fails as well, it raises what it caught: going on is no silence then.
    pub(super) fn tells_in_the_end(&mut self) {
        self.told_in_the_end = true;
        self.silent_ends.remove("swallows");
    }

    pub(super) fn end(&mut self, end: End, deeds: Deeds) {
        self.ends.insert(end);
        if deeds.has(Deeds::LOGGED) {
            return;
        }
        let word = match end {
            End::RaisesOriginal | End::TriesAgain => return,
            End::Raises => "raises",
            End::Answers => "answers",
            End::Falls if deeds.has(Deeds::RECORDED) || self.told_in_the_end => return,
            End::Falls if deeds.has(Deeds::PRINTED) => "prints",
            End::Falls => "swallows",
        };
        self.silent_ends.insert(word);
    }
}

/// What happened to one row in one function, over all paths that end here.
#[derive(Clone, Debug)]
pub struct RowReport {
    /// Which row.
    pub info: RowInfo,
    /// By duty, all paths that this function answers for.
    pub judged: [Paths; 6],
    /// By duty, all paths a caller answers for, if there is one.
    pub deferred: [Paths; 6],
    /// By duty: where it was changed on paths that do not discharge the duty.
    pub touches: [Vec<Touch>; 6],
    /// Where it was changed first.
    pub first: Option<Touch>,
    /// Where it became visible.
    pub published: Option<StepId>,
    /// The columns that some path has given values.
    pub stored: BTreeSet<Name>,
}

/// A row that was deleted for good, or a statement that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// What it does.
    pub operation: Operation,
    /// The model.
    pub model: ClassId,
    /// Whether rows are removed for good.
    pub removes: bool,
    /// The columns it gives values; for an upsert, of its conflict branch.
    pub keys: Option<Keys>,
    /// What can still fill the columns it does not name.
    pub form: Form,
}

/// A store to an audit name that the model does not define.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phantom {
    /// The model.
    pub model: ClassId,
    /// The name stored.
    pub field: Name,
    /// The duty it was meant for.
    pub duty: Duty,
    /// The word for how it is written.
    pub by: &'static str,
}

/// A read of a value that is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiredRead {
    /// The model.
    pub model: ClassId,
    /// The column, or the row's own dictionary.
    pub name: Name,
    /// What the read comes to.
    pub loss: Loss,
    /// The step that expired the row.
    pub since: Option<StepId>,
    /// Where a callee reads, when a call does.
    pub within: Option<(FunctionId, StepId)>,
    /// Whether the row surely belongs to that session.
    pub is_certain: bool,
}

/// What following one function has told. What only some functions tell is read as the outcome's own.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What callers need.
    pub summary: Summary,
    /// Stores to attributes of `self`.
    pub attributes: Vec<((ClassId, Name), Value)>,
    /// Dictionaries and schemas it hands to functions, by parameter.
    pub handed: BTreeMap<(FunctionId, u32), Value>,
    /// Functions it calls.
    pub calls: BTreeSet<FunctionId>,
    /// The same, with the step that calls.
    pub called: BTreeSet<(StepId, FunctionId)>,
    /// Whether a session is at hand in the function.
    pub sees_session: bool,
    /// What it was followed with.
    pub(super) sought: Sought,
    /// Functions that it calls outside of any transaction block of its own.
    pub calls_loose: BTreeSet<FunctionId>,
    /// Functions that it calls inside of one.
    pub calls_bound: BTreeSet<FunctionId>,
    /// Whether any exit was seen yet.
    seen_exit: bool,
    /// Calls and awaits, by step: what is wrong with the waiting on every path, or nothing.
    pub waiting: BTreeMap<StepId, Option<Waiting>>,
    seldom: Option<Box<Seldom>>,
}

/// What only those functions tell that have to do with rows, errors, workers or audit events.
#[derive(Clone, Debug, Default)]
pub struct Seldom {
    /// Rows that its own parameters must be, by parameter: nothing where they would have to be of several models.
    pub taken_for: BTreeMap<(FunctionId, u32), Option<ClassId>>,
    /// Rows.
    pub rows: BTreeMap<RowKey, RowReport>,
    /// Calls that leave out an actor, by step: the writes of the callee that lack it.
    pub left_out: BTreeMap<StepId, BTreeSet<Lean>>,
    /// Where a duty of a row is discharged, by row and duty, be it on some paths only.
    pub discharged: BTreeMap<(RowKey, Duty), StepId>,
    /// Deletes and statements, by step.
    pub executed: BTreeMap<StepId, Vec<Executed>>,
    /// Rows that were handed to `bulk_save_objects`, which tells no listener.
    pub unheard: BTreeSet<RowKey>,
    /// Stores to columns that play a role, by step and column.
    pub stamps: BTreeMap<(StepId, Name), Stamp>,
    /// Phantom stores, by step.
    pub phantoms: BTreeMap<StepId, Phantom>,
    /// Readings of clocks that are stored in columns, by step and column.
    pub clock_stores: BTreeMap<(StepId, Name), ClockStore>,
    /// Times taken once, at import, by step.
    pub frozen: BTreeMap<StepId, Frozen>,
    /// Writes by Django's ways, by step.
    pub written: BTreeMap<StepId, Vec<Written>>,
    /// Saves whose override may empty what was stamped before.
    pub resets: BTreeSet<StepId>,
    /// Saves that leave out what was stamped, by step.
    pub partial: BTreeMap<StepId, Vec<Partial>>,
    /// Handlers.
    pub handlers: BTreeMap<HandlerId, HandlerReport>,
    /// What the bodies of `try` do to the database, by region.
    pub body_use: BTreeMap<RegionId, DatabaseUse>,
    /// Steps that run SQL.
    pub sql: BTreeSet<StepId>,
    /// Steps that write, be it with the next flush only.
    pub writing: BTreeSet<StepId>,
    /// Handlers whose failed session is used again here.
    pub used_after: BTreeSet<(FunctionId, HandlerId)>,
    /// Handlers whose failed session is committed by the block that owns it.
    pub owner_commits: BTreeSet<(FunctionId, HandlerId)>,
    /// Handlers in a transaction block that was left in the normal way with their session still failed.
    pub lost_blocks: BTreeSet<(FunctionId, HandlerId)>,
    /// Comparisons of a column of a row that is a parameter, by step: which parameter, which column.
    pub reads: BTreeMap<StepId, (u32, Name)>,
    /// Reads of values that have expired, by step.
    pub expired: BTreeMap<StepId, ExpiredRead>,
    /// Those among them that decide what is returned or raised.
    pub decisions: BTreeSet<StepId>,
    /// Calls that hand a task to a worker, by step.
    pub enqueued: BTreeMap<StepId, Enqueued>,
    /// Tasks that it hands to a worker while a transaction may be open, by step.
    pub early: BTreeMap<StepId, Early>,
    /// Changes that some path leaves without an audit event, and where it makes them.
    pub left: BTreeMap<Alteration, StepId>,
    /// Audit events, by step.
    pub emissions: BTreeMap<StepId, Emission>,
    /// Kinds of changes of models that audit events here tell of by name, and where one does.
    pub told: BTreeMap<(ClassId, Operation), StepId>,
    /// Rows of which audit models it writes, by step.
    pub audit_rows: BTreeMap<StepId, ClassId>,
    /// Whether an audit event here tells of a login.
    pub tells_of_logins: bool,
    /// Audit events that tell of a change behind them and are not part of its transaction, with that change.
    pub foretold: BTreeMap<StepId, (Alteration, StepId)>,
}

/// What all others tell of that.
static NOTHING: LazyLock<Seldom> = LazyLock::new(Seldom::default);

impl Deref for Outcome {
    type Target = Seldom;

    fn deref(&self) -> &Seldom {
        self.seldom.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Outcome {
    fn deref_mut(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }
}

impl Outcome {
    /// An exception may leave the function in this state.
    pub(super) fn throws(&mut self, state: &State) {
        let of = |session: SessionKey| state.erring.get(&session).copied().unwrap_or_default();
        self.summary.throws_failed = self.summary.throws_failed.and(of(SessionKey::Outer));
        self.summary.throws_broken = self.summary.throws_broken.and(of(SessionKey::Connection));
        self.summary.throws_rolled_back |= state.rolled_back;
    }

    /// Every path so far, and now this one, does what the state says it did.
    pub(super) fn always(&mut self, state: &State, way: Way) {
        let first = !self.seen_exit;
        self.seen_exit = true;
        let summary = &mut self.summary;
        summary.logs = state.logged && (first || summary.logs);
        summary.rolls_back = state.rolled_back && (first || summary.rolls_back);
        if way == Way::Returns {
            let first = summary.returns.is_none();
            summary.commits = state.committed && (first || summary.commits);
            summary.returns_rolled_back = state.rolled_back && (first || summary.returns_rolled_back);
        }
    }
}
