//! flow/summary: what a caller needs to know of a function.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::StepId;
use crate::name::Name;
use crate::project::{ByFunction, ClassId, FunctionId};

use super::catch::Errors;
use super::ground::Ground;
use super::held::Stamping;
use super::lean::Lean;
use super::life::{Life, Reading};
use super::row::{Base, Paths, RowInfo};
use super::stamp::Marks;
use super::state::Failure;
use super::trail::TrailSummary;
use super::value::{ModelRef, RowKey, Value};
use super::variant::{self, Choice};

/// What a function did to a row, or with which past it returns one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowEffect {
    /// Which row.
    pub info: RowInfo,
    /// By duty: what the open write did.
    pub open: [Paths; 6],
    /// By duty: what was committed.
    pub done: [Paths; 6],
    /// Where it was changed first.
    pub touch: Option<(FunctionId, StepId)>,
    /// What every path gave its audit columns.
    pub marks: Marks,
    /// The columns that some path has given values.
    pub stored: BTreeSet<Name>,
    /// Whether every path has saved it, where it is Django's.
    pub is_saved: bool,
    /// What can be read of it afterwards.
    pub life: Life,
}

/// What a function does, as its callers need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What it returns, in its own terms; `None` when no path returns.
    pub returns: Option<Value>,
    /// What it yields, in its own terms.
    pub yields: Option<Value>,
    /// Rows it was handed and changed, or returns.
    pub rows: BTreeMap<RowKey, RowEffect>,
    /// Whether it yields inside a transaction block of Django that it opens.
    pub yields_in_block: bool,
    /// What it does to the database.
    pub database: DatabaseUse,
    /// Every path logs, those that raise included.
    pub logs: bool,
    /// Every path rolls back or closes, those that raise included.
    pub rolls_back: bool,
    /// Every path that returns commits.
    pub commits: bool,
    /// Some path commits the outer session.
    pub may_commit: bool,
    /// Some path rolls the outer session back or closes it.
    pub may_roll_back: bool,
    /// Parameters that it calls.
    pub invokes: BTreeSet<u32>,
    /// Handlers that return with the outer session still failed, or with Django's transaction broken.
    pub failures: BTreeSet<Failure>,
    /// Errors that may leave it with the outer session still failed.
    pub throws_failed: Errors,
    /// Errors that may leave it with Django's transaction broken.
    pub throws_broken: Errors,
    /// Every path that returns has rolled back before.
    pub returns_rolled_back: bool,
    /// An exception may leave it after it has rolled back.
    pub throws_rolled_back: bool,
    /// Columns it reads of rows it was handed, as they came, and where.
    pub reads: BTreeMap<(u32, Name, Reading), (FunctionId, StepId)>,
    /// Models it loads whole rows of.
    pub loads: BTreeSet<ModelRef>,
    /// Parameters that hold a statement or query it runs.
    pub executes: BTreeSet<u32>,
    /// Actor duties it may discharge on rows it was handed.
    pub stamps_actor: bool,
    /// Its changes of state and audit events.
    pub trail: TrailSummary,
    /// Whether a parameter that may be left out brings the actor.
    pub takes_actor: bool,
    /// By such parameters: the writes that have their actor from them.
    pub leans: BTreeMap<Vec<u32>, BTreeSet<Lean>>,
    /// What it does for certain values of its switches.
    pub(super) variants: Vec<(Choice, Summary)>,
}

/// What a piece of code may do to the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseUse {
    /// It runs SQL on a session from outside.
    pub outer: bool,
    /// It writes, on whatever session.
    pub writes: bool,
    /// It runs SQL, on whatever session.
    pub any: bool,
    /// It may do so out of sight, in code that is not known.
    pub hidden: bool,
}

impl DatabaseUse {
    /// What either of two pieces does.
    pub fn merge(&mut self, other: DatabaseUse) {
        self.outer |= other.outer;
        self.writes |= other.writes;
        self.any |= other.any;
        self.hidden |= other.hidden;
    }
}

impl Summary {
    /// The effect on a parameter.
    pub fn param(&self, index: u32) -> Option<&RowEffect> {
        self.rows.values().find(|effect| effect.info.base == Base::Param(index))
    }

    /// Gives up on what still differs from the summary before, and keeps what both say: recursion can swing for ever.
    pub fn settle_with(&mut self, before: &Summary) {
        let undecided = |now: &mut Option<Value>, before: &Option<Value>| {
            if *now != *before {
                *now = Some(Value::Unknown);
            }
        };
        undecided(&mut self.returns, &before.returns);
        undecided(&mut self.yields, &before.yields);
        for (key, effect) in &before.rows {
            let now = self.rows.entry(*key).or_insert_with(|| effect.clone());
            for (at, paths) in now.open.iter_mut().enumerate() {
                *paths = paths.union(effect.open[at]);
            }
            for (at, paths) in now.done.iter_mut().enumerate() {
                *paths = paths.union(effect.done[at]);
            }
            now.touch = effect.touch.or(now.touch);
            now.marks.meet(&effect.marks);
            now.stored.extend(&effect.stored);
            now.is_saved &= effect.is_saved;
            now.life.join(&effect.life);
        }
        self.database.merge(before.database);
        self.failures.extend(&before.failures);
        self.logs &= before.logs;
        self.rolls_back &= before.rolls_back;
        self.commits &= before.commits;
        self.may_commit |= before.may_commit;
        self.may_roll_back |= before.may_roll_back;
        self.invokes.extend(&before.invokes);
        self.throws_failed = self.throws_failed.and(before.throws_failed);
        self.throws_broken = self.throws_broken.and(before.throws_broken);
        self.yields_in_block |= before.yields_in_block;
        self.returns_rolled_back &= before.returns_rolled_back;
        self.throws_rolled_back |= before.throws_rolled_back;
        self.reads.extend(&before.reads);
        self.loads.extend(&before.loads);
        self.executes.extend(&before.executes);
        self.stamps_actor |= before.stamps_actor;
        self.trail.settle_with(&before.trail);
        for (numbers, leans) in &before.leans {
            self.leans.entry(numbers.clone()).or_default().extend(leans);
        }
        variant::settle(self, before);
    }

    /// Whether it never returns.
    pub fn always_raises(&self) -> bool {
        self.returns.is_none()
    }
}

/// What following a function has asked for: when that changes, it has to be followed again.
#[derive(Clone, Debug, Default)]
pub(super) struct Sought {
    /// Functions, whether they were known already or not.
    pub functions: FxHashSet<FunctionId>,
    /// Attributes of objects, whether anything was known of them or not.
    pub attributes: FxHashSet<(ClassId, Name)>,
}

/// What is known of all functions and of the attributes that methods give their objects.
#[derive(Debug)]
pub(super) struct Knowledge {
    /// By function: what its facts alone say.
    pub grounds: ByFunction<Ground>,
    /// By function; a function that was not looked at yet has none.
    pub summaries: ByFunction<Summary>,
    /// By class and attribute: what its methods store there.
    pub attributes: FxHashMap<(ClassId, Name), Value>,
    /// By function and parameter: the dictionary or schema that its callers hand over.
    pub handed: FxHashMap<(FunctionId, u32), Value>,
    /// By class: the duties that are discharged around its objects.
    pub stamping: Stamping,
    /// By name that Django gives the way back of a foreign key: the one model that has it.
    pub ways_back: FxHashMap<Name, Option<ClassId>>,
    /// Classes whose instances are rows: mapped classes and what they derive from.
    pub row_classes: FxHashSet<ClassId>,
    /// Whether sessions expire their rows when they commit; nothing where the program's sessions differ, or none is made.
    pub expires_on_commit: Option<bool>,
}
