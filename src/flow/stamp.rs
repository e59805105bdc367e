//! flow/stamp: stores to columns that play a role: what is stored, onto which kind of row, and what stays stored.
//!
//! That a duty is discharged says nothing of how. Here each store to an audit column is looked at by itself: an actor
//! put in by hand, a creation stamp written onto a row that was there before, a `None` that reaches the table.

use std::collections::BTreeMap;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, Comparison, Function, Next, Step, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project};

use super::actor;
use super::library;
use super::outcome::Executed;
use super::row::Base;
use super::state::State;
use super::summary::RowEffect;
use super::trace::Trace;
use super::value::{Form, Keys, ModelRef, RowKey, Value};

/// How many steps are followed back to see what a value is made from.
const MOST_STEPS: usize = 64;

/// What the paths so far have stored in the audit columns of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Duties that every path gave a value, one bit each.
    given: u8,
    /// Columns that hold an explicit `None` on some path, and where it was stored.
    pub(super) nulls: BTreeMap<Name, StepId>,
    /// Whether only an annotation says that this is a row that was there before.
    is_presumed: bool,
}

impl Marks {
    /// What is known after either of two paths.
    pub(super) fn join(&mut self, other: &Marks) {
        self.given &= other.given;
        for (name, step) in &other.nulls {
            let known = self.nulls.entry(*name).or_insert(*step);
            *known = (*known).min(*step);
        }
        self.is_presumed |= other.is_presumed;
    }

    /// What callers may rely on after either of two paths: only what both do.
    pub(super) fn meet(&mut self, other: &Marks) {
        self.given &= other.given;
        self.nulls.retain(|name, _| other.nulls.contains_key(name));
        self.is_presumed |= other.is_presumed;
    }

    /// Nobody but an annotation says that the row was there before.
    pub(super) fn presume(&mut self) {
        self.is_presumed = true;
    }

    /// Takes over how a callee came by the row.
    pub(super) fn inherit(&mut self, other: &Marks) {
        self.is_presumed |= other.is_presumed;
    }

    /// Whether nothing is there that could be taken back.
    pub(super) fn are_none(&self) -> bool {
        self.given == 0 && self.nulls.is_empty()
    }

    /// What was stored is taken back.
    pub(super) fn take_back(&mut self) {
        self.given = 0;
        self.nulls.clear();
    }

    fn gives(&self, duty: Duty) -> bool {
        self.given & (1 << duty.index()) != 0
    }

    pub(super) fn give(&mut self, duty: Duty) {
        self.given |= 1 << duty.index();
    }
}

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    /// `None`.
    None,
    /// Something made from an attribute of a user.
    Actor,
    /// The column's own value.
    Itself,
    /// The same column of another row.
    Copy,
    /// Anything else.
    Other,
}

impl Stored {
    /// The word for it in rule pages.
    pub fn word(self) -> &'static str {
        match self {
            Stored::None => "none",
            Stored::Actor => "actor",
            Stored::Itself => "itself",
            Stored::Copy => "copy",
            Stored::Other => "other",
        }
    }
}

/// Which kind of row it is stored onto; the later ones say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Onto {
    /// One that was made here.
    New,
    /// One that may be of several kinds.
    Unknown,
    /// One that callers hand in.
    HandedIn,
    /// One that was there before.
    Loaded,
}

impl Onto {
    /// The word for it in rule pages.
    pub fn word(self) -> &'static str {
        match self {
            Onto::New => "new",
            Onto::Unknown => "unknown",
            Onto::HandedIn => "handed-in",
            Onto::Loaded => "loaded",
        }
    }
}

/// One store to a column that plays a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The row, where it is one.
    pub row: Option<RowKey>,
    /// The model.
    pub model: ClassId,
    /// The column.
    pub field: Name,
    /// Its duty.
    pub duty: Duty,
    /// The word for how it is written.
    pub by: &'static str,
    /// What is stored.
    pub stored: Stored,
    /// Onto which kind of row.
    pub onto: Onto,
    /// Whether the code has looked at the column first.
    pub fills_empty: bool,
    /// What the write does.
    pub operation: Operation,
    /// The place in the callee, when a call stores it.
    pub within: Option<(FunctionId, StepId)>,
}

impl Trace<'_> {
    /// `row.field = value`, or `setattr(row, "field", value)`.
    pub(super) fn stamp(&mut self, state: &mut State, step: StepId, of: &Value, field: Name, value: &Value) {
        let Some(duty) = self.project.roles.of_field(&field) else { return };
        let function = self.function;
        let (of_step, value_step) = match &function.steps[step as usize].kind {
            StepKind::Store { of, value, .. } => (*of, self.unwrapped(*value)),
            StepKind::Call { arguments, .. } if arguments.len() > 2 => {
                (arguments[0].value, arguments[2].value)
            }
            _ => return,
        };
        let own = self.path(of_step).map(|path| path.join(&field));
        let fills_empty = own.is_some_and(|own| self.is_tested(own));
        let stored = self.stored(value_step, own, value);
        let onto = onto(self, state, of);
        for key in of.rows() {
            let Some(row) = state.rows.get_mut(&key) else { continue };
            row.marks.nulls.remove(&field);
            match stored {
                Stored::None if onto != Onto::Unknown => drop(row.marks.nulls.insert(field, step)),
                Stored::Actor | Stored::Other if !fills_empty => row.marks.give(duty),
                _ => {}
            }
            if stored != Stored::None {
                self.tell_stamp(step, key, field, |stamp| Stamp { stored, onto, fills_empty, ..stamp });
            }
        }
    }

    /// `Model(field=value)`.
    pub(super) fn initial_stamp(&mut self, key: RowKey, field: Name, value_step: StepId) {
        if !self.telling || self.project.roles.of_field(&field).is_none() {
            return;
        }
        let value = self.value(value_step).clone();
        let stored = self.stored(self.unwrapped(value_step), None, &value);
        self.tell_stamp(value_step, key, field, |stamp| Stamp { by: "keyword", stored, ..stamp });
    }

    /// The keys of a dictionary are stored one by one.
    pub(super) fn stamp_from(&mut self, state: &mut State, step: StepId, of: &Value, keys: &Keys) {
        let onto = onto(self, state, of);
        for key in of.rows() {
            for field in keys.written() {
                let dictionary = |stamp| Stamp { by: "dictionary", stored: Stored::Other, onto, ..stamp };
                self.tell_stamp(step, key, field, dictionary);
            }
            if onto != Onto::Unknown
                && let Some(row) = state.rows.get_mut(&key)
            {
                let roles = &self.project.roles;
                let nulls = keys.nulls().filter(|field| roles.of_field(field).is_some());
                row.marks.nulls.extend(nulls.map(|field| (field, step)));
            }
        }
    }

    /// A callee stores stamps on a row it is handed.
    pub(super) fn stamp_by_call(&mut self, state: &mut State, step: StepId, of: &Value, effect: &RowEffect) {
        let onto = onto(self, state, of);
        for key in of.rows() {
            let ModelRef::Class(model) = self.rows[key.0 as usize].model else { continue };
            for duty in Duty::ALL.into_iter().filter(|duty| effect.marks.gives(*duty)) {
                if let Some(row) = state.rows.get_mut(&key) {
                    row.marks.give(duty);
                    row.marks.nulls.retain(|name, _| self.project.roles.of_field(name) != Some(duty));
                }
                let fields = self.project.model(model).map(|model| model.fields_of(self.project, duty));
                if let Some(&field) = fields.as_ref().and_then(|fields| fields.first()) {
                    let within = effect.touch;
                    self.tell_stamp(step, key, field, |stamp| Stamp {
                        by: "call",
                        stored: Stored::Other,
                        onto,
                        within,
                        ..stamp
                    });
                }
            }
            if onto != Onto::Unknown
                && let Some(row) = state.rows.get_mut(&key)
            {
                row.marks.nulls.extend(effect.marks.nulls.keys().map(|name| (*name, step)));
            }
        }
    }

    /// What the rows hold now goes to the table.
    pub(super) fn tell_nulls(&mut self, state: &mut State) {
        for (&key, row) in &mut state.rows {
            let onto = match self.rows[key.0 as usize].base {
                Base::Loaded if !row.marks.is_presumed => Onto::Loaded,
                Base::Loaded => Onto::Unknown,
                Base::New => Onto::New,
                // The callers know.
                Base::Param(_) => continue,
            };
            for (field, step) in std::mem::take(&mut row.marks.nulls) {
                // Django has inserted the row by then, and a save changes what is there.
                let is_there = row.is_saved && row.published.is_some_and(|saved| saved < step);
                self.tell_stamp(step, key, field, |stamp| match onto {
                    Onto::New if is_there => Stamp {
                        stored: Stored::None,
                        onto: Onto::Loaded,
                        operation: Operation::Update,
                        ..stamp
                    },
                    _ => Stamp { stored: Stored::None, onto, ..stamp },
                });
            }
        }
    }

    pub(super) fn tell_stamp(
        &mut self,
        step: StepId,
        key: RowKey,
        field: Name,
        say: impl Fn(Stamp) -> Stamp,
    ) {
        if !self.telling {
            return;
        }
        let info = self.rows[key.0 as usize];
        let (ModelRef::Class(model), Some(duty)) = (info.model, self.project.roles.of_field(&field)) else {
            return;
        };
        if !self.project.model(model).is_some_and(|model| model.columns.contains_key(&field)) {
            return;
        }
        let operation = match (info.base, duty) {
            (Base::New, _) => Operation::Create,
            (_, Duty::DeletedAt | Duty::DeletedBy) => Operation::Delete,
            _ => Operation::Update,
        };
        let stamp = say(Stamp {
            row: Some(key),
            model,
            field,
            duty,
            by: "attribute",
            stored: Stored::Other,
            onto: Onto::New,
            fills_empty: false,
            operation,
            within: None,
        });
        // Of several states that reach the step, the one in which the row was there before says most.
        let known = self.outcome.stamps.entry((step, field)).or_insert_with(|| stamp.clone());
        if (stamp.stored == Stored::None, stamp.onto) > (known.stored == Stored::None, known.onto) {
            *known = stamp;
        }
    }

    fn stored(&self, step: StepId, own: Option<Name>, value: &Value) -> Stored {
        if *value == Value::None {
            return Stored::None;
        }
        let sources = actor::made_from(self.function, vec![step]);
        if own.is_some_and(|own| sources.contains(&own)) {
            return Stored::Itself;
        }
        if let StepKind::Attribute { of, name } = self.function.steps[step as usize].kind
            && self.project.roles.of_field(&name).is_some()
        {
            // A schema is no row: what it carries comes from outside.
            let is_payload = self
                .value(of)
                .clone()
                .alternatives()
                .iter()
                .any(|of| matches!(of, Value::Object(class, _) if !self.is_row_class(*class)));
            return if is_payload { Stored::Other } else { Stored::Copy };
        }
        if self.is_made_from_actor(step) { Stored::Actor } else { Stored::Other }
    }

    /// Whether a value is made from an attribute of a user, as far as its own expression and local variables tell.
    fn is_made_from_actor(&self, step: StepId) -> bool {
        let steps = &self.function.steps;
        let mut waiting = vec![step];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(step) = waiting.pop() {
            if !seen.insert(step) || seen.len() > MOST_STEPS {
                continue;
            }
            match &steps[step as usize].kind {
                StepKind::Attribute { of, name }
                    if self.project.roles.of_field(name).is_none() && self.is_actor(*of) =>
                {
                    return true;
                }
                StepKind::Name(name) => waiting.extend(self.function.bindings(*name)),
                StepKind::Either(all) | StepKind::Format(all) | StepKind::Compute(all) => waiting.extend(all),
                StepKind::Call { callee, arguments } => {
                    let StepKind::Name(callee) = steps[*callee as usize].kind else { continue };
                    match (&*callee, arguments.first()) {
                        ("str", Some(first)) => waiting.push(first.value),
                        ("getattr", Some(first)) if self.is_actor(first.value) => return true,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a value is a user, or the context that says who acts: by its class, or by what it is called.
    fn is_actor(&self, step: StepId) -> bool {
        let class_of = |value: &Value| match value {
            Value::Object(class, _) => Some(*class),
            Value::Row(key) => match self.rows[key.0 as usize].model {
                ModelRef::Class(class) => Some(class),
                _ => None,
            },
            _ => None,
        };
        let classes: Vec<ClassId> = self.value(step).each().iter().filter_map(class_of).collect();
        if classes.iter().any(|class| library::is_actor_class(&self.project.class(*class).name)) {
            return true;
        }
        let called = match self.function.steps[step as usize].kind {
            StepKind::Name(name) | StepKind::Attribute { name, .. } => name,
            _ => return false,
        };
        classes.is_empty() && library::names_actor(&called)
    }

    /// Whether some branch of the function looks at a value of this dotted path.
    fn is_tested(&self, path: Name) -> bool {
        let tests = self.function.blocks.iter().filter_map(|block| match block.next {
            Next::Branch { test, .. } => Some(test),
            _ => None,
        });
        let mut seeds: Vec<StepId> = Vec::new();
        for test in tests {
            match self.function.steps[test as usize].kind {
                StepKind::Compare { left, right, .. } => seeds.extend([left, right]),
                _ => seeds.push(test),
            }
        }
        actor::made_from(self.function, seeds).contains(&path)
    }

    /// Whether the code looks at the name it stores under before it does: then it picks, and what it picks is not known.
    pub(super) fn picks_its_keys(&self, step: StepId) -> bool {
        let StepKind::Call { arguments, .. } = &self.function.steps[step as usize].kind else { return false };
        let Some(StepKind::Name(name)) =
            arguments.get(1).map(|argument| &self.function.steps[argument.value as usize].kind)
        else {
            return false;
        };
        let is_name = |step: StepId| match self.function.steps[step as usize].kind {
            StepKind::Name(other) => other == *name,
            _ => false,
        };
        self.function.steps.iter().any(|step| match step.kind {
            StepKind::Compare { comparison: Comparison::In | Comparison::Equal, left, right, .. } => {
                is_name(left) || is_name(right)
            }
            _ => false,
        })
    }
}

fn onto(trace: &Trace, state: &State, of: &Value) -> Onto {
    let mut all: Vec<Onto> = Vec::new();
    let mut is_param = false;
    for value in of.each() {
        match value {
            Value::Row(key) => {
                let is_presumed = state.rows.get(key).is_some_and(|row| row.marks.is_presumed);
                all.push(match trace.rows[key.0 as usize].base {
                    Base::New => Onto::New,
                    Base::Loaded if is_presumed => Onto::Unknown,
                    Base::Loaded => Onto::Loaded,
                    Base::Param(_) => Onto::HandedIn,
                });
            }
            Value::None => {}
            // Whatever is handed in may be a row, too.
            Value::Param(_) => is_param = true,
            _ => all.push(Onto::Unknown),
        }
    }
    if is_param && !all.contains(&Onto::HandedIn) {
        return Onto::Unknown;
    }
    all.sort();
    all.dedup();
    match all[..] {
        [one] => one,
        _ => Onto::Unknown,
    }
}

/// The stamps a statement writes.
pub(super) fn of_statement(project: &Project, function: &Function, executed: &Executed) -> Vec<Stamp> {
    let Some(keys) = &executed.keys else { return Vec::new() };
    let onto = if executed.operation == Operation::Create { Onto::New } else { Onto::Loaded };
    let stamp = |field: Name, stored: Stored| {
        let duty = project.roles.of_field(&field)?;
        project.model(executed.model)?.columns.get(&field)?;
        // A condition on the column picks the rows that lack it.
        let is_read = |step: &Step| matches!(step.kind, StepKind::Attribute { name, .. } if name == field);
        Some(Stamp {
            row: None,
            model: executed.model,
            field,
            duty,
            by: "statement",
            stored,
            onto,
            fills_empty: executed.form != Form::Bare && function.steps.iter().any(is_read)
                || function.steps.iter().any(|step| asks_for_null(function, step, field)),
            operation: executed.operation,
            within: None,
        })
    };
    let nulls: Vec<Name> = keys.nulls().collect();
    let written = keys.written().filter(|field| !nulls.contains(field));
    let mut all: Vec<Stamp> = written.filter_map(|field| stamp(field, Stored::Other)).collect();
    all.extend(nulls.iter().filter_map(|field| stamp(*field, Stored::None)));
    all
}

/// `Column::Field.is_null()`.
fn asks_for_null(function: &Function, step: &Step, field: Name) -> bool {
    let StepKind::Attribute { of, name } = step.kind else { return false };
    &*name == "is_null"
        && matches!(function.steps[of as usize].kind, StepKind::Attribute { name, .. } if name == field)
}

/// What the arguments of `model_dump` and kin say.
pub(super) fn dump_of(trace: &Trace, arguments: &[Argument]) -> super::keys::Dump {
    let mut dump = super::keys::Dump::default();
    for argument in arguments {
        let value = trace.value(argument.value);
        let ArgumentKind::Keyword(name) = argument.kind else { continue };
        let is_on = *value != Value::Switch(false);
        match &*name {
            "exclude_unset" | "exclude_defaults" => dump.without_unset |= is_on,
            "exclude_none" => dump.without_none |= is_on,
            "exclude" | "include" => {
                let names = match value {
                    Value::None => continue,
                    Value::Tuple(parts) => {
                        let named: Vec<Option<Name>> = parts
                            .iter()
                            .map(|part| match part {
                                Value::Text(name) => Some(*name),
                                _ => None,
                            })
                            .collect();
                        named.into_iter().collect()
                    }
                    Value::Dictionary(keys) if !keys.is_open && keys.perhaps.is_empty() => {
                        Some(keys.sure.clone())
                    }
                    _ => None,
                };
                match (names, &*name) {
                    (None, _) => dump.is_vague = true,
                    (names, "exclude") => dump.exclude = names,
                    (names, _) => dump.include = names,
                }
            }
            _ => {}
        }
    }
    dump
}
