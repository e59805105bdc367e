//! flow/trace: follows one function over all its paths, until nothing new is learned, and once more to tell of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::duty::Duty;
use crate::facts::{
    BlockId, Comparison, Function, FunctionKind, HandlerId, Literal, Next, RegionId, RegionKind, StepId,
    StepKind,
};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

use super::catch::{Errors, Landings};
use super::cow::Shared;
use super::ground::Ground;
use super::life::Life;
use super::outcome::{End, Outcome, Way};
use super::queryset::Loads;
use super::row::{Base, Level, RowInfo, RowState};
use super::rust::transaction::Connection;
use super::state::{Deeds, Failure, HandlerPaths, Rows, State, States};
use super::summary::{DatabaseUse, Knowledge, Sought, Summary};
use super::trail::Altered;
use super::value::{ModelRef, RowKey, SessionKey, Value};
use super::variant::{self, Choice};
use super::{actor, lean};

/// How often one block may be looked at before the paths are taken for settled.
const MOST_VISITS: u32 = 40;

/// What following one function needs at hand.
pub(super) struct Trace<'p> {
    pub(super) project: &'p Project,
    pub(super) knowledge: &'p Knowledge,
    /// What of that was asked for.
    sought: RefCell<Sought>,
    pub(super) id: FunctionId,
    pub(super) function: &'p Function,
    pub(super) outcome: Box<Outcome>,
    pub(super) rows: Vec<RowInfo>,
    /// Dotted paths of values that an actor is made from; a test of one tests the actor.
    pub(super) actors: BTreeSet<Name>,
    /// Parameters that the caller leaves out, as far as this pass is told.
    left_out: Vec<Name>,
    /// Whether this pass tells what it sees; the passes before only learn.
    pub(super) telling: bool,
    /// Where the step at hand lies.
    pub(super) region: Option<RegionId>,
    /// What the step at hand did to the database, and on which sessions it may fail.
    pub(super) used: DatabaseUse,
    pub(super) may_fail: BTreeMap<SessionKey, Errors>,
    /// Whether that is its own statement, not one of a callee.
    pub(super) fails_itself: bool,
    /// Whether the step at hand never comes back.
    pub(super) never_returns: bool,
    /// Sessions that the step at hand may have rolled back before it raised.
    pub(super) rolled_back: BTreeSet<SessionKey>,
    /// On which connection the step at hand works, in code that hands its connections on.
    pub(super) connection: Option<Connection>,
    /// What the step at hand writes by statements.
    pub(super) altered: Vec<Altered>,
    /// What the facts alone say of the function.
    pub(super) ground: &'p Ground,
    /// Whether the step at hand commits, and so starts anew with every duty.
    pub(super) has_committed: bool,
    /// By step: what it has computed.
    pub(super) values: Vec<Value>,
    /// By name that is bound outside of the function: what it means.
    pub(super) outer_names: FxHashMap<Name, Value>,
    row_keys: FxHashMap<(StepId, u32), RowKey>,
    /// By row and relationship: the rows it leads to.
    relatives: FxHashMap<(RowKey, Name), RowKey>,
    /// By attribute of `self`: the row that it holds.
    pub(super) held: FxHashMap<Name, RowKey>,
    /// By new row that a form's field may have made: the row that it has found otherwise.
    pub(super) cleaned: BTreeMap<RowKey, RowKey>,
    /// Rows of which only some columns were loaded.
    pub(super) parts: FxHashMap<RowKey, Loads>,
    /// By row of a form: where that is saved first.
    pub(super) saved_forms: FxHashMap<RowKey, StepId>,
}

/// Follows a function, and once more for each choice of its switches.
pub(super) fn trace(project: &Project, knowledge: &Knowledge, id: FunctionId) -> Box<Outcome> {
    let function = project.function(id);
    let (mut outcome, actors) = trace_choice(project, knowledge, id, &Choice::new());
    let optional = lean::optional_actors(function, &actors);
    for choice in variant::choices(function, &outcome.summary, &optional) {
        let (without, _) = trace_choice(project, knowledge, id, &choice);
        if choice.iter().all(|(number, value)| optional.contains(number) && *value == Value::None) {
            let leans = lean::leans(id, &outcome, &without);
            if !leans.is_empty() {
                outcome.summary.leans.insert(choice.iter().map(|(number, _)| *number).collect(), leans);
            }
        }
        outcome.summary.variants.push((choice, without.summary));
        outcome.sought.functions.extend(without.sought.functions);
        outcome.sought.attributes.extend(without.sought.attributes);
    }
    outcome.summary.takes_actor = !optional.is_empty();
    outcome
}

fn trace_choice(
    project: &Project,
    knowledge: &Knowledge,
    id: FunctionId,
    choice: &Choice,
) -> (Box<Outcome>, BTreeSet<Name>) {
    let ground = &knowledge.grounds[id];
    if ground.is_straight {
        let mut trace = Trace::of(project, knowledge, id);
        let start = trace.start(choice);
        trace.go_through(start);
        if !trace.knows_better() {
            return trace.end();
        }
    }
    let mut trace = Trace::of(project, knowledge, id);
    let start = trace.start(choice);
    let mut states = trace.settle(start.clone());
    if trace.actors.len() > ground.actors.len() {
        states = trace.settle(start);
    }
    trace.tell(&states);
    trace.end()
}

/// Leaves of the errors on their way those that come along.
fn restrict(erring: &mut BTreeMap<SessionKey, Errors>, errors: Errors) {
    erring.retain(|_, known| {
        *known = known.among(errors);
        !known.is_none()
    });
}

impl<'p> Trace<'p> {
    fn of(project: &'p Project, knowledge: &'p Knowledge, id: FunctionId) -> Trace<'p> {
        let function = project.function(id);
        let ground = &knowledge.grounds[id];
        Trace {
            project,
            knowledge,
            sought: RefCell::default(),
            id,
            function,
            outcome: Box::default(),
            rows: Vec::new(),
            actors: ground.actors.clone(),
            left_out: Vec::new(),
            telling: false,
            region: None,
            used: DatabaseUse::default(),
            may_fail: BTreeMap::new(),
            fails_itself: false,
            never_returns: false,
            rolled_back: BTreeSet::new(),
            connection: None,
            altered: Vec::new(),
            ground,
            has_committed: false,
            values: vec![Value::Unknown; function.steps.len()],
            outer_names: FxHashMap::default(),
            row_keys: FxHashMap::default(),
            relatives: FxHashMap::default(),
            held: FxHashMap::default(),
            cleaned: BTreeMap::new(),
            parts: FxHashMap::default(),
            saved_forms: FxHashMap::default(),
        }
    }

    /// Whether what was learned on the way would have been good to know before: that a callee stamps an actor, so that
    /// what was tested reads differently; where a form is saved that was made above; which row a field of one has found.
    fn knows_better(&self) -> bool {
        self.actors.len() > self.ground.actors.len()
            || !self.saved_forms.is_empty()
            || !self.cleaned.is_empty()
    }

    /// What was told.
    fn end(mut self) -> (Box<Outcome>, BTreeSet<Name>) {
        self.tell_declared_clocks();
        self.finish();
        self.outcome.sought = self.sought.into_inner();
        (self.outcome, self.actors)
    }

    /// The state in which it begins, where some parameters are known to have certain values.
    fn start(&mut self, choice: &Choice) -> State {
        let mut state = State::default();
        if self.function.kind == FunctionKind::Lambda || self.function.kind == FunctionKind::Function {
            for index in 0..self.function.params.len() {
                let value = self.parameter(&mut state, index);
                state.locals.insert(self.function.params[index].name, value);
            }
        }
        for (number, value) in choice {
            let name = self.function.params[*number as usize].name;
            state.locals.insert(name, value.clone());
            if *value == Value::None {
                self.left_out.push(name);
            }
        }
        state
    }

    /// Follows code without loops: in an order in which every path has come to a block before it is looked at, once is
    /// enough to learn and to tell.
    fn go_through(&mut self, start: State) {
        self.telling = true;
        let ground = self.ground;
        let mut states = vec![States::default(); self.function.blocks.len()];
        if let Some(first) = states.first_mut() {
            first.add(start, &ground.flags);
        }
        for &block in &ground.sequence {
            for state in std::mem::take(&mut states[block as usize]).into_all() {
                for (target, state) in self.block(block, state) {
                    states[target as usize].add(state, &ground.flags);
                }
            }
        }
    }

    fn settle(&mut self, start: State) -> Vec<States> {
        let count = self.function.blocks.len();
        let mut states = vec![States::default(); count];
        let mut visits = vec![0; count];

        let mut waiting: BTreeSet<(u32, BlockId)> = BTreeSet::new();
        if count > 0 {
            states[0].add(start, &self.ground.flags);
            waiting.insert((self.ground.order[0], 0));
        }
        while let Some((_, block)) = waiting.pop_first() {
            visits[block as usize] += 1;
            if visits[block as usize] > MOST_VISITS {
                continue;
            }
            for state in states[block as usize].take_due() {
                for (target, state) in self.block(block, state) {
                    if states[target as usize].add(state, &self.ground.flags) {
                        waiting.insert((self.ground.order[target as usize], target));
                    }
                }
            }
        }
        states
    }

    fn tell(&mut self, states: &[States]) {
        self.telling = true;
        for (block, states) in states.iter().enumerate() {
            for state in states.all() {
                self.block(block as BlockId, state.clone());
            }
        }
    }

    /// The body and the way out of a loop over rows that are at hand. Such a loop runs at least once, as far as those
    /// rows are concerned: when it does not, there are none.
    fn loop_over_rows(&self, head: BlockId) -> Option<(BlockId, BlockId)> {
        let block = &self.function.blocks[head as usize];
        let Next::Any(ways) = &block.next else { return None };
        let &[inside, exhausted] = ways.as_slice() else { return None };
        let first = self.function.blocks[inside as usize].start;
        let StepKind::Element(of) = self.function.steps.get(first as usize)?.kind else { return None };
        let is_at_hand = match self.value(of) {
            // What a row had is as good as the row.
            Value::Many(inner) if matches!((**inner).clone().part(Some(0)), Value::KeyOf(keys) if keys.changes_nothing()) => {
                true
            }
            list @ (Value::Many(_) | Value::Tuple(_)) => !list.rows().is_empty(),
            _ => false,
        };
        is_at_hand.then_some((inside, exhausted))
    }

    /// Runs a block from a state; answers where control may go, in which state.
    fn block(&mut self, id: BlockId, mut state: State) -> Vec<(BlockId, State)> {
        let function = self.function;
        let block = &function.blocks[id as usize];
        self.region = block.region;
        let landings = self.ground.landings(block.region);
        let escapes = landings.escapes;
        let mut out: Vec<(BlockId, State)> = Vec::new();
        let mut thrown: Option<State> = None;
        for step in block.start..block.end {
            let kind = &function.steps[step as usize].kind;
            let may_raise = match kind {
                StepKind::Call { .. } | StepKind::Yield(_) => true,
                // An awaited call raises what the call was said to raise.
                StepKind::Await(of) => !matches!(function.steps[*of as usize].kind, StepKind::Call { .. }),
                _ => false,
            };
            let before = (may_raise && (!landings.blocks.is_empty() || escapes && self.telling))
                .then(|| state.clone());
            self.used = DatabaseUse::default();
            self.may_fail.clear();
            self.never_returns = false;
            self.fails_itself = false;
            self.has_committed = false;
            self.rolled_back.clear();
            self.connection = None;
            let rows_before = self.telling.then(|| state.rows.clone());
            let value = self.step(&mut state, step).limited();
            self.values[step as usize] = value;
            if self.used.hidden && state.defining.values().any(|defines| *defines) {
                // Code that is not known may have used any session.
                state.defining.values_mut().for_each(|defines| *defines = false);
            }
            self.follow_trail(&mut state);
            // A handler that writes does something about what it caught.
            if self.used.writes {
                self.deed(&mut state, Deeds::RECORDED);
            }
            if let Some(rows_before) = rows_before {
                self.tell_use(step, block.region);
                self.tell_discharged(&state, step, &rows_before);
            }
            if let Some(mut before) = before {
                if state.failures.len() < before.failures.len() {
                    // A rollback that fails itself is beyond mending; what it rolled back is not failed any more.
                    before.failures = state.failures.clone();
                }
                if self.fails_itself && self.used.writes {
                    self.may_fail.values_mut().for_each(|errors| *errors = errors.and(Errors::OF_WRITE));
                }
                if before.erring != self.may_fail {
                    before.erring = self.may_fail.clone();
                }
                if self.never_returns {
                    // What the callee did before it raised has happened.
                    before.failures = state.failures.clone();
                    before.handling = state.handling.clone();
                    before.logged = state.logged;
                    before.rolled_back = state.rolled_back;
                }
                for session in self.rolled_back.clone() {
                    // On some of its ways out the callee has rolled back before it raised.
                    let mut after = before.clone();
                    self.roll_back(&mut after, session, step);
                    self.throw(&mut out, landings, after);
                }
                // Most that fails in a block fails in the same state as what failed before it.
                if thrown.as_ref() != Some(&before) {
                    self.throw(&mut out, landings, before.clone());
                    thrown = Some(before);
                }
            }
            if self.never_returns {
                if self.telling {
                    self.tell_raise(&state, step, block.region);
                    if escapes {
                        self.outcome.always(&state, Way::Raises);
                    }
                }
                return out;
            }
        }
        match &block.next {
            Next::Goto(next) => {
                // The way back to the head of such a loop is also the way out of it.
                if let Some((_, exhausted)) = self.loop_over_rows(*next)
                    && self.ground.order[id as usize] > self.ground.order[*next as usize]
                {
                    self.go(&mut out, exhausted, state.clone());
                }
                self.go(&mut out, *next, state);
            }
            Next::Any(_) if let Some((inside, _)) = self.loop_over_rows(id) => {
                self.go(&mut out, inside, state)
            }
            Next::Any(all) => {
                for next in all {
                    let mut state = state.clone();
                    self.after_all_turns(&mut state, id, *next);
                    self.go(&mut out, *next, state);
                }
            }
            Next::Branch { test, yes, no } => {
                if let Some(state) = self.assume(state.clone(), *test, true) {
                    self.go(&mut out, *yes, state);
                }
                if let Some(state) = self.assume(state, *test, false) {
                    self.go(&mut out, *no, state);
                }
            }
            Next::Leave => {
                if self.telling {
                    self.leave(state);
                }
            }
            Next::Throw => {
                if self.telling && block.end > block.start {
                    self.tell_raise(&state, block.end - 1, block.region);
                    if escapes {
                        self.outcome.always(&state, Way::Raises);
                    }
                }
                let sessions: Vec<SessionKey> =
                    state.failures.iter().map(|failure| failure.session).collect();
                if !sessions.is_empty() {
                    state.erring.extend(sessions.into_iter().map(|session| (session, Errors::ALL)));
                }
                self.throw(&mut out, landings, state);
            }
            Next::Resume { swallowed } => {
                if let Some((enter, after)) = swallowed
                    && self.swallows(*enter)
                {
                    let mut state = state.clone();
                    state.erring.clear();
                    self.go(&mut out, *after, state);
                }
                self.throw(&mut out, landings, state);
            }
        }
        out
    }

    /// An exception goes to wherever it may land.
    fn throw(&mut self, out: &mut Vec<(BlockId, State)>, landings: &Landings, mut state: State) {
        for &(landing, errors) in &landings.blocks {
            let mut state = state.clone();
            if !state.erring.is_empty() {
                restrict(&mut state.erring, errors);
            }
            // What the failing code was about to write is not judged: no path from here completes it.
            state.change_rows(RowState::is_open, RowState::roll_back);
            if state.untold.has_changes() {
                state.untold.forget();
            }
            // A handler that an exception leaves has not come to an end of its own.
            let region = self.function.blocks[landing as usize].region;
            if !state.handling.is_empty() {
                state.handling.retain(|&handler, _| self.lies_in_handler(region, handler));
            }
            if let Some(&handler) = self.ground.entries.get(&landing) {
                state.handling.insert(handler, HandlerPaths::start());
                for (session, errors) in std::mem::take(&mut state.erring) {
                    if self.telling {
                        let report = self.outcome.handlers.entry(handler).or_default();
                        report.failed_by_write |= errors.are_of_write();
                        report.breaks_connection |= session == SessionKey::Connection;
                    }
                    state.failures.insert(Failure { function: self.id, handler, session });
                }
            }
            self.go(out, landing, state);
        }
        if landings.escapes && self.telling {
            if !state.erring.is_empty() {
                restrict(&mut state.erring, landings.escaping);
            }
            if self.ground.is_atomic && !state.erring.is_empty() {
                state.erring.remove(&SessionKey::Connection);
            }
            self.outcome.throws(&state);
        }
    }

    /// Control goes to a block; handlers that it leaves on the way are done.
    fn go(&mut self, out: &mut Vec<(BlockId, State)>, target: BlockId, mut state: State) {
        let region = self.function.blocks[target as usize].region;
        let left: Vec<HandlerId> = state
            .handling
            .keys()
            .copied()
            .filter(|&handler| {
                self.function.handlers[handler as usize].entry != target
                    && !self.lies_in_handler(region, handler)
            })
            .collect();
        for handler in left {
            if self.telling && state.returned.is_none() && self.lies_in_handler(self.region, handler) {
                let end = if self.is_tried_again(handler, target) { End::TriesAgain } else { End::Falls };
                self.tell_end(&state, handler, end);
            }
            state.handling.remove(&handler);
        }
        out.push((target, state));
    }

    fn lies_in_handler(&self, region: Option<RegionId>, handler: HandlerId) -> bool {
        self.enclosing(region).any(|(_, kind)| kind == RegionKind::Handler(handler))
    }

    /// The regions around a place, innermost first.
    pub(super) fn enclosing(
        &self,
        region: Option<RegionId>,
    ) -> impl Iterator<Item = (RegionId, RegionKind)> + use<'p> {
        let regions = &self.function.regions;
        std::iter::successors(region, move |id| regions[*id as usize].parent)
            .map(move |id| (id, regions[id as usize].kind))
    }

    /// The state on the side of a branch where a value is true, or is not; nothing when that side is never taken.
    fn assume(&mut self, mut state: State, test: StepId, holds: bool) -> Option<State> {
        let (subject, is_there) = match self.function.steps[test as usize].kind {
            StepKind::Compare { comparison: Comparison::Is | Comparison::Equal, negated, left, right }
                if matches!(self.function.steps[right as usize].kind, StepKind::Literal(Literal::None)) =>
            {
                (left, holds == negated)
            }
            _ => (test, holds),
        };
        let value = self.values[subject as usize].clone();
        if let Value::Inserted(new, old) = value {
            // On either side one of the two rows is not there.
            state.rows.remove(if is_there { &old } else { &new });
        }
        let by_truth = subject == test;
        if matches!(value, Value::Seeker(_)) {
            self.refuse(&mut state, subject, is_there);
        }
        let possible = |value: &Value| match value {
            Value::None => !is_there,
            Value::Switch(on) if by_truth => *on == is_there,
            Value::Symbol(Symbol::Class(_) | Symbol::Function(_) | Symbol::Module(_)) => is_there,
            Value::Object(..) | Value::Form(..) | Value::Logger if by_truth => is_there,
            _ => true,
        };
        // The variable may have been told apart by its flag since the test read it.
        let name = match self.function.steps[subject as usize].kind {
            StepKind::Name(name) => Some(name),
            StepKind::Bind { name, .. } => Some(name),
            _ => None,
        };
        let current = name.and_then(|name| state.locals.get(name).cloned()).unwrap_or(value);
        let left: Vec<Value> = current.each().iter().filter(|one| possible(one)).cloned().collect();
        if left.is_empty() {
            return None;
        }
        if let Some(name) = name
            && state.locals.get(name).is_some()
        {
            if !is_there {
                // On this side there is no such row, so nothing is owed for it.
                for key in left.iter().flat_map(Value::rows) {
                    if self.rows[key.0 as usize].base == Base::Loaded {
                        state.rows.remove(&key);
                    }
                }
            }
            let row_is_missing = !is_there && left.iter().all(|v| matches!(v, Value::Row(_) | Value::None));
            let narrowed = if row_is_missing { Value::None } else { Value::one_of(left) };
            state.locals.insert(name, narrowed);
        }
        self.assume_given(&mut state, subject, is_there);
        self.assume_age(&mut state, subject, is_there);
        self.assume_part(&mut state, subject, is_there);
        if is_there {
            self.is_filled(&mut state, subject);
        }
        // Where the caller has left the actor out, a guard that finds none excuses nobody.
        let is_left_out = |path: &Name| self.left_out.iter().any(|name| path.split('.').next() == Some(name));
        if self
            .absent(subject, is_there)
            .is_some_and(|path| self.actors.contains(&path) && !is_left_out(&path))
        {
            for row in state.rows.values_mut() {
                for duty in Duty::ALL.into_iter().filter(|duty| duty.is_actor()) {
                    row.discharge(duty, Level::Excused);
                }
            }
        }
        Some(state)
    }

    /// The dotted path a step reads, as `a.b.c`.
    pub(super) fn path(&self, step: StepId) -> Option<Name> {
        actor::path(self.function, step)
    }

    /// Whether a `with` swallows an exception that reaches its exit.
    fn swallows(&self, enter: StepId) -> bool {
        let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return false };
        matches!(&self.values[context as usize], Value::External(path) if path.last() == "suppress")
    }

    /// What is known of a function so far; following this one depends on it from now on.
    pub(super) fn summary(&self, function: FunctionId) -> Option<&'p Summary> {
        self.sought.borrow_mut().functions.insert(function);
        self.knowledge.summaries.get(function)
    }

    /// What methods store in an attribute of objects of a class; following this function depends on it from now on.
    pub(super) fn attribute_of_objects(&self, class: ClassId, name: Name) -> Option<&'p Value> {
        self.sought.borrow_mut().attributes.insert((class, name));
        self.knowledge.attributes.get(&(class, name))
    }

    /// The value a step has computed.
    pub(super) fn value(&self, step: StepId) -> &Value {
        &self.values[step as usize]
    }

    /// Makes a row, or begins it again when a loop makes another one at the same place.
    pub(super) fn new_row(
        &mut self,
        state: &mut State,
        step: StepId,
        nth: u32,
        info: RowInfo,
        life: Life,
    ) -> RowKey {
        let rows = &mut self.rows;
        let key = *self.row_keys.entry((step, nth)).or_insert_with(|| {
            rows.push(info);
            RowKey((rows.len() - 1) as u32)
        });
        let session = info.session.or(self.rows[key.0 as usize].session);
        self.rows[key.0 as usize] = RowInfo { session, ..info };
        let is_saved_by_call = self.is_saved_by_call(key);
        if state.rows.contains_key(&key) {
            self.leave_behind(state, key);
        }
        match state.rows.get_mut(&key) {
            Some(row) => {
                let saved = row.done;
                row.begin_again(life);
                if is_saved_by_call {
                    // What the turn before has changed and not saved was written nowhere.
                    row.done = saved;
                }
            }
            None => {
                state.rows.insert(key, Shared::new(RowState::start(life)));
            }
        }
        key
    }

    /// The rows that a relationship of a row leads to.
    ///
    /// However often it is read, it leads to the same rows; one that the function fills itself is not followed.
    pub(super) fn related(&mut self, state: &mut State, of: RowKey, name: Name) -> Option<Value> {
        let info = self.rows[of.0 as usize];
        let ModelRef::Class(class) = info.model else { return None };
        let relation = *self.project.model(class)?.relations.get(&name)?;
        if self.ground.stores(name) || info.base == Base::New {
            return None;
        }
        let key = self.related_row(state, of, name, relation.target);
        Some(match relation.is_many {
            Some(true) => Value::Many(Shared::new(Value::Row(key))),
            Some(false) => Value::Row(key),
            None => Value::OneOf(vec![Value::Row(key), Value::Many(Shared::new(Value::Row(key)))]),
        })
    }

    /// The row that a row is known to lead to under a name.
    pub(super) fn known_relative(&self, of: RowKey, name: Name) -> Option<RowKey> {
        self.relatives.get(&(of, name)).copied()
    }

    /// The one row of a model that a row leads to under a name.
    pub(super) fn relative(
        &mut self,
        state: &mut State,
        of: RowKey,
        name: Name,
        target: ClassId,
    ) -> Option<Value> {
        let is_new = self.rows[of.0 as usize].base == Base::New;
        (!is_new).then(|| Value::Row(self.related_row(state, of, name, target)))
    }

    fn related_row(&mut self, state: &mut State, of: RowKey, name: Name, target: ClassId) -> RowKey {
        let info = self.rows[of.0 as usize];
        let next = self.rows.len() as u32;
        let key = *self.relatives.entry((of, name)).or_insert(RowKey(next));
        if key.0 == next {
            let model = ModelRef::Class(target);
            let origin = (self.id, info.at);
            self.rows.push(RowInfo { base: Base::Loaded, model, origin, at: info.at, ..info });
        }
        let life = state.rows.get(&of).map(|row| row.life.clone()).filter(|life| !life.is_handed());
        state
            .rows
            .entry(key)
            .or_insert_with(|| Shared::new(RowState::start(life.unwrap_or_else(Life::loaded))));
        key
    }

    /// A row that a step loads.
    pub(super) fn loaded_row(&mut self, state: &mut State, step: StepId, model: ModelRef) -> RowKey {
        self.loaded_part(state, step, 0, model)
    }

    /// The nth of several rows that a step loads at once.
    pub(super) fn loaded_part(
        &mut self,
        state: &mut State,
        step: StepId,
        nth: u32,
        model: ModelRef,
    ) -> RowKey {
        let session = state.last_session;
        let info = RowInfo { base: Base::Loaded, model, origin: (self.id, step), at: step, session };
        self.load_again(state, model);
        self.new_row(state, step, nth, info, Life::loaded())
    }

    /// A step has discharged duties that were lacking before it.
    fn tell_discharged(&mut self, state: &State, step: StepId, before: &Rows) {
        if self.has_committed || state.rows.is_same(before) {
            return;
        }
        for (key, row) in &state.rows {
            let Some(before) = before.get(key).filter(|before| !before.is_same(row)) else { continue };
            for duty in Duty::ALL.into_iter().filter(|duty| !before.has(*duty) && row.has(*duty)) {
                let known = self.outcome.discharged.entry((*key, duty)).or_insert(step);
                *known = step.min(*known);
            }
        }
    }

    /// The step at hand uses a session in a way that a failed one does not survive.
    pub(super) fn use_session(&mut self, state: &mut State, session: SessionKey) {
        state.last_session = Some(session);
        state.idle.remove(&session);
        state.defining.insert(session, false);
        self.used.any = true;
        self.used.outer |= session == SessionKey::Outer;
        if !self.in_savepoint() {
            self.may_fail.insert(session, Errors::ALL);
        }
        self.fails_itself = true;
        self.fail_again(state, session);
    }

    fn in_savepoint(&self) -> bool {
        self.enclosing(self.region).any(|(_, kind)| match kind {
            RegionKind::With(enter) => match self.function.steps[enter as usize].kind {
                StepKind::Enter(context) => matches!(self.values[context as usize], Value::Savepoint),
                _ => false,
            },
            _ => false,
        })
    }

    /// A step opens a session: what was wrong with the one it opened in an earlier turn is over.
    pub(super) fn fresh_session(&mut self, state: &mut State, step: StepId) {
        let session = SessionKey::Opened(step);
        if state.failures.iter().any(|failure| failure.session == session) {
            state.failures.retain(|failure| failure.session != session);
        }
        if state.erring.contains_key(&session) {
            state.erring.remove(&session);
        }
        self.outcome.sees_session = true;
    }
}
