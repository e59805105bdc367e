//! flow: what each function does, over the whole program.
//!
//! Every function is followed over all its paths (`trace`) and leaves a summary: which rows it changes and how far it
//! discharges their duties, whether it logs, rolls back, commits, always raises, what it returns. What is called is
//! followed before who calls it (`schedule`), and who has asked for something that has changed since is followed again,
//! all of a level in parallel against what was known before it, so the result does not depend on the number of threads.
//! What comes out are writes with the standing of each duty, and observations in the words of the vocabulary. No rule is
//! known here, and no language.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::duty::Operation;
use crate::facts::StepId;
use crate::project::{ByFunction, ClassId, FunctionId, Project};

pub use django::{Api, Written};
pub use enqueue::Enqueued;
pub use observe::{Naming, Telling, observe, telling};
pub use outcome::Outcome;
pub use partial::Partial;
pub use trail::Failing;
pub use verdict::{Judgement, Subject};
pub use worker::Worker;

use schedule::Schedule;
use summary::Knowledge;
use value::Value;

mod actor;
mod ambient;
mod call;
mod callback;
mod catch;
mod clause;
mod cleaned;
mod clock;
mod collection;
mod comprehension;
mod coverage;
mod cow;
mod declared;
mod dependency;
mod django;
mod each;
mod early;
mod emission;
mod ending;
mod enqueue;
mod exception;
mod execute;
mod external;
mod flag;
mod form;
mod ground;
mod guard;
mod handing;
mod handler;
mod hearing;
mod held;
mod hook;
mod keys;
mod lean;
mod leave;
mod library;
mod life;
mod limit;
mod listener;
mod locals;
mod login;
mod maker;
mod manager;
mod migration;
mod name_use;
mod named;
mod nothing;
mod object;
mod observe;
mod outcome;
mod partial;
mod queryset;
mod reach;
mod read;
mod repeated;
mod row;
mod rust;
mod schedule;
mod session;
mod shared;
mod sql;
mod stamp;
mod state;
mod step;
mod summary;
mod taken;
mod trace;
mod trail;
mod transaction;
mod translate;
mod trigger;
mod typed;
mod value;
mod variant;
mod verdict;
mod view;
mod waiting;
mod worker;
mod wrapper;

/// How often the program is gone over; what still changes then is oscillating, not growing.
const MOST_ROUNDS: usize = 24;

/// How often what callers hand over is told anew.
const MOST_HANDINGS: usize = 3;

/// From this round on a summary may only grow.
const PATIENT_ROUNDS: usize = 4;

/// What is known of all functions once nothing changes any more.
#[derive(Debug)]
pub struct Flow {
    /// By function.
    pub outcomes: ByFunction<Box<Outcome>>,
    /// By function: who calls it, itself left out.
    pub callers: FxHashMap<FunctionId, BTreeSet<FunctionId>>,
    /// Mapper listeners that stamp rows.
    pub(crate) listeners: Vec<listener::Listener>,
    /// Session hooks that stamp rows or statements.
    pub(crate) hooks: Vec<hook::Hook>,
    /// What migrations say of the columns of tables.
    pub(crate) migrated: migration::Migrated,
    /// Triggers that fill columns.
    pub(crate) triggers: Vec<trigger::Trigger>,
    /// Functions that a worker runs, and for which task.
    pub worker: worker::Worker,
    /// In whose transactions functions may run.
    pub(crate) reach: reach::Reach,
    /// By model: the functions in which an audit event tells of a change by name, of which kind, and where it does.
    pub(crate) told: BTreeMap<ClassId, BTreeMap<(FunctionId, Operation), StepId>>,
    /// Whether some audit event tells of a login.
    pub(crate) tells_of_logins: bool,
    /// Functions that were still changing when the last round ended, in order.
    pub unsettled: Vec<FunctionId>,
}

/// Follows all functions until nothing changes.
pub fn follow(project: &Project) -> Flow {
    let grounds = ground::grounds(project);
    let mut knowledge = Knowledge {
        stamping: held::Stamping::of(project, &grounds),
        ways_back: held::ways_back(project),
        grounds,
        summaries: ByFunction::new(project),
        attributes: FxHashMap::default(),
        handed: FxHashMap::default(),
        row_classes: row_classes(project),
        expires_on_commit: maker::expires_on_commit(project),
    };
    let mut outcomes = ByFunction::new(project);
    let mut schedule = Schedule::of(project);
    let mut handings = 0;
    loop {
        let unsettled = settle(project, &mut knowledge, &mut outcomes, &mut schedule);
        // Nothing changes any more: now what callers hand over can be told, and may tell more in turn.
        let handed = variant::handed(project, &outcomes);
        if handings == MOST_HANDINGS || handed == knowledge.handed || !unsettled.is_empty() {
            return told(project, knowledge, outcomes, unsettled);
        }
        receivers(&knowledge.handed, &handed).into_iter().for_each(|id| schedule.call_up(id));
        knowledge.handed = handed;
        handings += 1;
    }
}

/// Follows functions until none is due; answers those that were still changing when that was given up.
fn settle(
    project: &Project,
    knowledge: &mut Knowledge,
    outcomes: &mut ByFunction<Box<Outcome>>,
    schedule: &mut Schedule,
) -> Vec<FunctionId> {
    for round in 0..MOST_ROUNDS {
        let mut is_done = true;
        for level in 0..schedule.levels() {
            let due = schedule.take(level);
            is_done &= due.is_empty();
            let mut news: Vec<(FunctionId, Box<Outcome>)> =
                due.par_iter().map(|&id| (id, trace::trace(project, knowledge, id))).collect();
            // First all that was asked for, then what is new: those of a level may ask for one another.
            for (id, outcome) in &mut news {
                schedule.note(*id, std::mem::take(&mut outcome.sought));
            }
            for (id, outcome) in news {
                learn(knowledge, outcomes, schedule, (id, outcome), round);
            }
        }
        if is_done {
            break;
        }
    }
    schedule.left()
}

/// Takes up what following a function has told, and calls up those to whom it is news.
fn learn(
    knowledge: &mut Knowledge,
    outcomes: &mut ByFunction<Box<Outcome>>,
    schedule: &mut Schedule,
    (id, mut outcome): (FunctionId, Box<Outcome>),
    round: usize,
) {
    if round >= PATIENT_ROUNDS
        && let Some(before) = knowledge.summaries.get(id)
    {
        outcome.summary.settle_with(before);
    }
    // Until all is told, summaries are kept in one place only.
    let summary = std::mem::take(&mut outcome.summary);
    if knowledge.summaries.get(id) != Some(&summary) {
        knowledge.summaries.insert(id, summary);
        schedule.tell_dependants(id);
    }
    for ((class, name), value) in &outcome.attributes {
        let known = knowledge.attributes.get(&(*class, *name));
        let joined = match known {
            // Too many kinds of things are told apart no more, or they would be counted anew for ever.
            Some(Value::Plain) if round >= PATIENT_ROUNDS => continue,
            Some(known) => joined_attribute(known, value),
            None => value.clone(),
        };
        if known != Some(&joined) {
            knowledge.attributes.insert((*class, *name), joined);
            schedule.tell_readers((*class, *name));
        }
    }
    outcomes.insert(id, outcome);
}

/// What is known of the whole program, once all functions are followed.
fn told(
    project: &Project,
    knowledge: Knowledge,
    mut outcomes: ByFunction<Box<Outcome>>,
    unsettled: Vec<FunctionId>,
) -> Flow {
    let mut callers: FxHashMap<FunctionId, BTreeSet<FunctionId>> = FxHashMap::default();
    for (caller, outcome) in outcomes.iter() {
        for &callee in outcome.calls.iter().filter(|&&callee| callee != caller) {
            callers.entry(callee).or_default().insert(caller);
        }
    }
    let reach = reach::reach(project, &outcomes, &callers);
    let mut told: BTreeMap<ClassId, BTreeMap<(FunctionId, Operation), StepId>> = BTreeMap::new();
    for (id, outcome) in outcomes.iter() {
        for (&(model, operation), &step) in &outcome.told {
            told.entry(model).or_default().insert((id, operation), step);
        }
    }
    let tells_of_logins = outcomes.values().any(|outcome| outcome.tells_of_logins)
        || login::told_by_receivers(project, &knowledge);
    let listeners = listener::listeners(project, &knowledge);
    let hooks = hook::hooks(project, &knowledge);
    let (migrated, triggers) = (migration::migrated(project), trigger::triggers(project));
    let worker = worker::worker(project, &outcomes);
    for (id, summary) in knowledge.summaries.into_all() {
        if let Some(outcome) = outcomes.get_mut(id) {
            outcome.summary = summary;
        }
    }
    Flow {
        reach,
        told,
        tells_of_logins,
        outcomes,
        callers,
        listeners,
        hooks,
        migrated,
        triggers,
        worker,
        unsettled,
    }
}

/// Functions that are handed something else than was thought.
fn receivers(
    before: &FxHashMap<(FunctionId, u32), Value>,
    now: &FxHashMap<(FunctionId, u32), Value>,
) -> Vec<FunctionId> {
    let news = now.iter().filter(|(place, value)| before.get(place) != Some(value));
    let gone = before.keys().filter(|place| !now.contains_key(place));
    let all: BTreeSet<FunctionId> = news.map(|(place, _)| place.0).chain(gone.map(|place| place.0)).collect();
    all.into_iter().collect()
}

/// An attribute that is stored twice is what it is for certain; vague values do not blur it.
fn joined_attribute(known: &Value, value: &Value) -> Value {
    match (known.is_vague(), value.is_vague()) {
        (true, false) => value.clone(),
        (false, true) => known.clone(),
        _ => match known.clone().join(value.clone()).limited() {
            // Too many kinds of things to tell apart stay so, whatever comes later.
            Value::Unknown => Value::Plain,
            joined => joined,
        },
    }
}

fn row_classes(project: &Project) -> FxHashSet<ClassId> {
    let mut found = FxHashSet::default();
    for class in project.class_ids() {
        if project.model(class).is_some() {
            found.extend(project.hierarchy(class).classes());
        }
    }
    found
}
