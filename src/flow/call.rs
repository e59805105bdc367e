//! flow/call: what calls do: project functions by their summaries, constructors, changes of lists and dictionaries.

use crate::duty::Duty;
use crate::facts::{Argument, ArgumentKind, ParamKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol};

use super::actor;
use super::cow::Shared;
use super::external::is_harmless;
use super::form;
use super::keys::{Dump, dumped};
use super::object::decorated;
use super::outcome::Phantom;
use super::row::{Base, Level, Touch};
use super::state::{Deeds, Failure, State};
use super::summary::{DatabaseUse, Summary};
use super::trace::Trace;
use super::translate::session_among;
use super::value::{Keys, ModelRef, RowKey, SessionKey, Value};
use super::variant::{self, is_data};

impl Trace<'_> {
    /// A call.
    pub(super) fn call(
        &mut self,
        state: &mut State,
        step: StepId,
        callee_step: StepId,
        callee: Value,
        arguments: &[Argument],
    ) -> Value {
        if let Some(known) = self.collection_method(state, step, callee_step, arguments) {
            return known;
        }
        if let Some(known) = self.mutation(state, callee_step, arguments) {
            return known;
        }
        let mut all = callee.alternatives();
        if self.is_rust() && all.len() > 1 {
            all = self.rows_meant(all);
        }
        let results: Vec<Value> = all
            .into_iter()
            .map(|callee| self.call_one(state, step, callee_step, callee, arguments))
            .collect();
        Value::one_of(results)
    }

    fn call_one(
        &mut self,
        state: &mut State,
        step: StepId,
        callee_step: StepId,
        callee: Value,
        arguments: &[Argument],
    ) -> Value {
        let values: Vec<Value> =
            arguments.iter().map(|argument| self.value(argument.value).clone()).collect();
        let error = values.iter().find_map(Value::caught);
        if self.is_rust() {
            let receiver = match &callee {
                Value::Attribute(receiver, _) | Value::Method(receiver, _) => Some(&**receiver),
                _ => None,
            };
            self.note_connection(receiver, arguments);
        }
        match callee {
            Value::Symbol(Symbol::Class(class)) => {
                let class = self.project.completed(class);
                self.construct(state, step, class, ModelRef::Class(class), arguments)
            }
            Value::Own(class) => self.construct(state, step, class, ModelRef::Param(0), arguments),
            Value::Symbol(Symbol::Function(function)) => {
                let answer = self.apply(state, step, None, function, arguments);
                match error {
                    // `Err(error) => error_page(&error)`: what is made of an error goes on telling of it.
                    Some(handler) if self.is_rust() && answer.is_vague() => Value::Caught(handler),
                    _ => answer,
                }
            }
            Value::Method(receiver, function)
                if let Some(known) = self.conversion(state, step, &receiver, function, arguments) =>
            {
                known
            }
            Value::Method(receiver, function) => {
                match self.call_override(state, step, &receiver, function, arguments) {
                    Some(known) => known,
                    None => self.apply_any(state, step, receiver.into_inner(), function, arguments),
                }
            }
            Value::Symbol(Symbol::External(path)) if self.is_rust() => {
                self.rust_function(state, step, path, &values)
            }
            Value::Symbol(Symbol::External(path)) => {
                self.tell_enqueue(step, &Value::Unknown, path.last(), &values);
                self.external(state, step, path, arguments, &values)
            }
            // `asynccontextmanager(function)()`
            Value::Manager(function) => Value::Manager(function),
            Value::SessionMaker(kind) => Value::Session(SessionKey::Opened(step), kind),
            Value::Attribute(receiver, method) if self.is_rust() => {
                self.rust_method(state, step, receiver.into_inner(), method, &values)
            }
            Value::Attribute(receiver, method) => {
                if matches!(&*receiver, Value::Unknown | Value::Param(_) | Value::External(_))
                    || receiver.is_vague()
                {
                    self.trail_of_unknown(state, callee_step);
                }
                self.tell_enqueue(step, &receiver, &method, &values);
                let handed: Vec<StepId> = arguments.iter().map(|argument| argument.value).collect();
                self.tell_early(state, step, &handed);
                self.library_method(state, step, receiver.into_inner(), method, arguments, &values)
            }
            // `error.to_string()`
            Value::Caught(handler) if self.is_rust() => Value::Caught(handler),
            other => {
                if let Value::Param(number) = other {
                    self.outcome.summary.invokes.insert(number);
                }
                if error.is_some() {
                    self.deed(state, Deeds::RECORDED);
                }
                self.trail_of_unknown(state, callee_step);
                self.unresolved(state, callee_step, &values);
                self.used.hidden = true;
                error.map_or(Value::Unknown, Value::Caught)
            }
        }
    }

    /// Changes to a list or dictionary that a local variable holds.
    fn mutation(&mut self, state: &mut State, callee: StepId, arguments: &[Argument]) -> Option<Value> {
        let StepKind::Attribute { of, name: method } = self.function.steps[callee as usize].kind else {
            return None;
        };
        let name = match self.function.steps[of as usize].kind {
            StepKind::Name(name) => name,
            // `builder.push(…).push_bind(…)` goes on with the same text.
            StepKind::Call { .. } if self.is_rust() => self.grown(state, of)?,
            _ => return None,
        };
        let argument = arguments.first().map(|argument| self.value(argument.value).clone());
        match (state.locals.get(name)?, &*method) {
            (_, _) if self.is_rust() => self.rust_mutation(state, name, &method, arguments),
            (list, "append" | "add" | "extend" | "insert") if list.is_list() => {
                self.deed(state, Deeds::RECORDED);
                let last = arguments.last().map(|argument| self.value(argument.value).clone())?;
                if let Some(longer) = state.locals.get(name)?.with_texts(&last) {
                    state.locals.insert(name, longer);
                    return Some(Value::None);
                }
                let added = if &*method == "extend" { last.element() } else { last };
                let old = state.locals.get(name).cloned()?.element();
                let element = if old == Value::Unknown { added } else { old.join(added) };
                state.locals.insert(name, Value::Many(Shared::new(element)));
                Some(Value::None)
            }
            (Value::Dictionary(_), "update") => {
                let keys = self.gathered(arguments);
                if let Some(Value::Dictionary(known)) = state.locals.get_mut(name) {
                    known.extend(&keys);
                }
                Some(Value::None)
            }
            (Value::Dictionary(keys), "pop" | "setdefault") => {
                let mut keys = keys.clone();
                for key in argument.unwrap_or(Value::Unknown).alternatives() {
                    match (key, &*method) {
                        (Value::Text(key), "pop") => keys.forget(key),
                        (Value::Text(key), _) => {
                            let value = arguments.get(1).map_or(Value::None, |a| self.value(a.value).clone());
                            keys.give_if_absent(key, &value);
                        }
                        (_, "pop") => keys = Shared::new(keys.thinned()),
                        _ => keys.is_open = true,
                    }
                }
                let held = keys.held();
                state.locals.insert(name, Value::Dictionary(keys));
                Some(held.unwrap_or(Value::Unknown))
            }
            _ => None,
        }
    }

    /// The keys of `dict(a, key=value)` and `a.update(b, key=value)`.
    pub(super) fn gathered(&self, arguments: &[Argument]) -> Keys {
        let mut keys = Keys::default();
        for argument in arguments {
            match (argument.kind, self.value(argument.value)) {
                (ArgumentKind::Keyword(key), value) => keys.give(key, value),
                (_, Value::Dictionary(other)) => keys.extend(other),
                _ => keys.is_open = true,
            }
        }
        keys
    }

    /// A call of something nothing is known of: a row handed to it may get any stamp.
    pub(super) fn unresolved(&mut self, state: &mut State, callee: StepId, values: &[Value]) {
        let harmless = match self.function.steps[callee as usize].kind {
            StepKind::Attribute { name, .. } | StepKind::Name(name) => is_harmless(&name),
            _ => false,
        };
        if harmless {
            return;
        }
        for key in values.iter().flat_map(Value::rows) {
            if let Some(row) = state.rows.get_mut(&key) {
                for duty in Duty::ALL {
                    row.discharge(duty, Level::Perhaps);
                }
            }
        }
    }

    fn construct(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        model: ModelRef,
        arguments: &[Argument],
    ) -> Value {
        let init = self.project.method(class, Name::new("__init__"));
        if let Some(changes) = self.made_changes(class, arguments) {
            return changes;
        }
        if let Some(row) = self.made_partial_row(state, step, class, arguments) {
            return row;
        }
        if model == ModelRef::Class(class) && self.project.model(class).is_none() {
            let values: Vec<Value> =
                arguments.iter().map(|argument| self.value(argument.value).clone()).collect();
            let form = self.make_form(state, step, class, arguments);
            let object = form.unwrap_or_else(|| Value::Object(class, session_among(&values)));
            if let Some(init) = init {
                self.apply(state, step, Some(object.clone()), init, arguments);
            }
            return values.iter().find_map(Value::caught).map_or(object, Value::Caught);
        }
        let key = self.make(state, step, model, 0);
        for argument in arguments {
            let value = self.value(argument.value).clone();
            match argument.kind {
                ArgumentKind::Keyword(name) => {
                    self.tell_clock(argument.value, class, name, &value, "keyword");
                    self.initialize(state, step, key, class, name, &value);
                    self.initial_stamp(key, name, argument.value);
                    self.filled_with(state, key, name, &value);
                }
                // `..Default::default()`: what that has set.
                ArgumentKind::SpreadKeywords if self.is_rust() => self.take_defaults(state, key, &value),
                ArgumentKind::SpreadKeywords => {
                    let keys = self.keys_of(&value);
                    self.initialize_from(state, key, &keys);
                }
                ArgumentKind::Plain | ArgumentKind::Spread => {}
            }
        }
        if let Some(init) = init {
            self.apply(state, step, Some(Value::Row(key)), init, arguments);
        }
        Value::Row(key)
    }

    pub(super) fn initialize(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        class: ClassId,
        name: Name,
        value: &Value,
    ) {
        let model = self.project.model(class);
        if model.is_some_and(|model| !model.is_open && !model.defines(name)) {
            // The constructor raises by itself; the duty stays what it is.
            if let (Some(duty), None) =
                (self.project.roles.suggested_by(&name), self.project.method(class, Name::new("__init__")))
            {
                self.outcome
                    .phantoms
                    .insert(step, Phantom { model: class, field: name, duty, by: "keyword" });
            }
            return;
        }
        if self.leaves_alone(value) {
            return;
        }
        self.take_for(class, name, value);
        self.hold_for(class, name, value);
        if let (Some(duty), Some(row)) = (self.project.roles.of_field(&name), state.rows.get_mut(&key))
            && *value != Value::None
        {
            row.discharge(duty, Level::Set);
        }
    }

    pub(super) fn initialize_from(&mut self, state: &mut State, key: RowKey, keys: &Keys) {
        let Some(row) = state.rows.get_mut(&key) else { return };
        for duty in Duty::ALL {
            let plays = |name: &Name| self.project.roles.of_field(name) == Some(duty);
            // A `None` is left out of the INSERT.
            if keys.sure.iter().filter(|key| !keys.none.contains(*key)).any(plays) {
                row.discharge(duty, Level::Set);
            } else if keys.is_open || keys.perhaps.iter().any(plays) {
                row.discharge(duty, Level::Perhaps);
            }
        }
    }

    /// The keys of a value that is spread into keywords.
    pub(super) fn keys_of(&self, value: &Value) -> Keys {
        match value {
            Value::Dictionary(keys) => (**keys).clone(),
            Value::Object(class, _) if !self.is_row_class(*class) => {
                dumped(self.project, *class, &Dump::default())
            }
            _ => Keys::open(),
        }
    }

    /// Callees learn which dictionaries and schemas they are handed.
    fn hand_over(&mut self, callee: FunctionId, binding: &[Value]) {
        if !self.telling {
            return;
        }
        for (value, number) in binding.iter().zip(0..) {
            let data = match self.django_row_handed(value) {
                Some(class) => Value::Object(class, SessionKey::Outer),
                None if is_data(&form::handed(value)) => form::handed(value),
                None => Value::Unknown,
            };
            let known = self.outcome.handed.entry((callee, number)).or_insert_with(|| data.clone());
            let before = std::mem::replace(known, Value::Unknown);
            *known = if before == Value::Unknown || data == Value::Unknown {
                Value::Unknown
            } else {
                before.join(data)
            };
        }
    }

    /// A method is called: the one that is named, or where that only stands for others, any of those.
    fn apply_any(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Value,
        method: FunctionId,
        arguments: &[Argument],
    ) -> Value {
        let candidates = self.implementations(&receiver, method);
        if candidates.is_empty() {
            return self.apply(state, step, Some(receiver), method, arguments);
        }
        let before = state.clone();
        let mut after: Option<State> = None;
        let mut results = Vec::new();
        for method in candidates {
            let mut here = before.clone();
            self.never_returns = false;
            let result = self.apply(&mut here, step, Some(receiver.clone()), method, arguments);
            if !self.never_returns {
                results.push(result);
                match &mut after {
                    Some(after) => {
                        after.join(&here);
                    }
                    None => after = Some(here),
                }
            }
        }
        self.never_returns = after.is_none();
        *state = after.unwrap_or(before);
        Value::one_of(results)
    }

    /// What runs in the place of an abstract method.
    fn implementations(&self, receiver: &Value, method: FunctionId) -> Vec<FunctionId> {
        let class = match receiver {
            Value::Object(class, _) => class,
            // A trait's own method works on rows that other methods of the trait know.
            Value::Row(key) if self.is_rust() => match &self.rows[key.0 as usize].model {
                ModelRef::Class(class) => class,
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let function = self.project.function(method);
        let raises_only = || {
            let names_it = |step: &crate::facts::Step| matches!(step.kind, StepKind::Name(name) if &*name == "NotImplementedError");
            self.summary(method).is_some_and(Summary::always_raises) && function.steps.iter().any(names_it)
        };
        if !decorated(&function.decorators, "abstractmethod") && !raises_only() {
            return Vec::new();
        }
        self.project.overrides(*class, function.name)
    }

    /// A function of the project is called.
    pub(super) fn apply(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Option<Value>,
        callee: FunctionId,
        arguments: &[Argument],
    ) -> Value {
        let function = self.project.function(callee);
        let is_static = decorated(&function.decorators, "staticmethod");
        let binding = self.bind(callee, receiver.filter(|_| !is_static), arguments);
        self.apply_bound(state, step, callee, arguments, binding)
    }

    /// A function is called whose parameters hold these values.
    pub(super) fn apply_bound(
        &mut self,
        state: &mut State,
        step: StepId,
        callee: FunctionId,
        arguments: &[Argument],
        binding: Vec<Value>,
    ) -> Value {
        self.outcome.calls.insert(callee);
        self.tell_bond(callee);
        if self.telling {
            self.outcome.called.insert((step, callee));
        }
        let project = self.project;
        let function = project.function(callee);
        let is_manager = decorated(&function.decorators, "contextmanager")
            || decorated(&function.decorators, "asynccontextmanager");
        if is_manager {
            return Value::Manager(callee);
        }
        let Some(summary) = self.summary(callee) else {
            self.used.hidden = true;
            return self.declared_result(state, step, callee);
        };
        self.hand_over(callee, &binding);
        self.lean_on(step, callee, summary, (arguments, &binding));
        let summary = summary.for_arguments(&binding);
        self.effects(state, step, callee, summary, &binding);
        self.wrapped(state, step, callee, session_among(&binding));
        if summary.stamps_actor {
            let seeds = arguments.iter().map(|argument| argument.value).collect();
            self.actors.extend(actor::made_from(self.function, seeds));
        }
        if function.is_generator {
            // Its code runs when it is iterated over; what it yields is what its elements are.
            let element = summary.yields.clone().unwrap_or(Value::Unknown);
            let element = self.translate(state, step, &element, summary, &binding);
            return Value::Many(Shared::new(element));
        }
        match &summary.returns {
            None => {
                self.never_returns = true;
                Value::Unknown
            }
            Some(returned) => {
                let value = self.translate(state, step, returned, summary, &binding);
                if value.is_vague() && value != Value::None {
                    let declared = self.declared_result(state, step, callee);
                    if declared == Value::Unknown { value } else { declared }
                } else {
                    value
                }
            }
        }
    }

    fn bind(&self, callee: FunctionId, receiver: Option<Value>, arguments: &[Argument]) -> Vec<Value> {
        let function = self.project.function(callee);
        let mut binding = vec![Value::Unknown; function.params.len()];
        let mut is_given = vec![false; function.params.len()];
        let mut rest = Keys::default();
        let mut next = 0;
        if let Some(receiver) = receiver
            && function.class.is_some()
            && !binding.is_empty()
        {
            binding[0] = receiver;
            is_given[0] = true;
            next = 1;
        }
        for argument in arguments {
            let value = self.value(argument.value).clone();
            match argument.kind {
                ArgumentKind::Plain => {
                    if next < binding.len() && function.params[next].kind == ParamKind::Plain {
                        binding[next] = value;
                        is_given[next] = true;
                        next += 1;
                    }
                }
                ArgumentKind::Keyword(name) => {
                    if let Some(index) = function.params.iter().position(|param| param.name == name) {
                        binding[index] = value;
                        is_given[index] = true;
                    } else {
                        rest.give(name, &value);
                    }
                }
                ArgumentKind::Spread | ArgumentKind::SpreadKeywords => {
                    is_given.fill(true);
                    if argument.kind == ArgumentKind::Spread {
                        next = usize::MAX - 1;
                    } else {
                        rest.extend(&self.keys_of(&value));
                    }
                }
            }
        }
        let switches = self.summary(callee).map(|summary| summary.variants.as_slice());
        for (index, param) in function.params.iter().enumerate() {
            if param.kind == ParamKind::RestKeywords {
                rest.retain(|key| !function.params.iter().any(|param| param.name == *key));
                binding[index] = Value::Dictionary(Shared::new(std::mem::take(&mut rest)));
            } else if !is_given[index]
                && let Some(default) = variant::default_of(&param.default)
                && switches
                    .into_iter()
                    .flatten()
                    .any(|(choice, _)| choice.iter().any(|(number, _)| *number as usize == index))
            {
                binding[index] = default;
            }
        }
        binding
    }

    /// What a callee does happens here.
    fn effects(
        &mut self,
        state: &mut State,
        step: StepId,
        callee: FunctionId,
        summary: &Summary,
        binding: &[Value],
    ) {
        let session = match session_among(binding) {
            SessionKey::Outer => self.session_around(state, callee).unwrap_or(SessionKey::Outer),
            handed => handed,
        };
        self.read_by_callee(state, step, summary, binding);
        self.used.merge(DatabaseUse { outer: false, ..summary.database });
        if summary.throws_rolled_back {
            self.rolled_back.insert(session);
        }
        if summary.rolls_back || summary.returns_rolled_back {
            // The transaction that the callee ended was open while it ran.
            state.idle.remove(&session);
            self.roll_back(state, session, step);
        }
        if summary.rolls_back {
            self.used.outer |= summary.database.outer && session == SessionKey::Outer;
        } else if summary.database.outer {
            let failing = std::mem::take(&mut self.may_fail);
            self.use_session(state, session);
            self.fails_itself = false;
            self.may_fail = failing;
            if !summary.throws_failed.is_none() {
                self.may_fail.insert(session, summary.throws_failed);
            }
        }
        if !summary.throws_broken.is_none() {
            self.may_fail.insert(SessionKey::Connection, summary.throws_broken);
        }
        if summary.logs {
            self.deed(state, Deeds::LOGGED);
        } else if summary.database.writes {
            self.deed(state, Deeds::RECORDED);
        }
        for effect in summary.rows.values() {
            let Base::Param(number) = effect.info.base else { continue };
            let Some(value) = binding.get(number as usize) else { continue };
            for key in value.rows() {
                if self.is_another_part(value, key, effect.info.model) {
                    continue;
                }
                let base = self.rows[key.0 as usize].base;
                if let Some(row) = state.rows.get_mut(&key) {
                    if effect.is_saved {
                        // Every path saves it: what was saved before is written anew.
                        row.done = Default::default();
                        row.is_saved = true;
                        row.published.get_or_insert(step);
                    }
                    let touch = Touch { step, within: effect.touch };
                    row.undergo((&effect.open, &effect.done), base, touch);
                    row.stored.extend(&effect.stored);
                    row.life.undergo(&effect.life, step);
                }
            }
            if effect.is_saved && effect.info.model == ModelRef::Unknown {
                for key in value.rows() {
                    self.saved_by_trait(state, step, key);
                }
            }
            self.stamp_by_call(state, step, &value.clone(), effect);
        }
        self.cascade(state);
        self.trail_of_callee(state, step, callee, summary, binding);
        for failure in &summary.failures {
            let session = match failure.session {
                SessionKey::Connection => SessionKey::Connection,
                _ => session,
            };
            state.failures.insert(Failure { session, ..*failure });
        }
        if summary.commits {
            self.commit(state, session, step);
        }
        self.execute_for(step, summary, binding);
        self.invoke_for(summary, binding);
        for &model in &summary.loads {
            let model = self.translate_model(model, binding);
            self.load_again(state, model);
        }
    }

    /// Whether a row in a tuple that is handed over is of another model than the one that something is said of.
    pub(super) fn is_another_part(&self, handed: &Value, key: RowKey, model: ModelRef) -> bool {
        let (true, ModelRef::Class(said)) = (matches!(handed, Value::Tuple(_)), model) else { return false };
        matches!(self.rows[key.0 as usize].model, ModelRef::Class(own) if own != said)
    }

    /// The session that a function defined in this one finds in a variable of this one.
    fn session_around(&self, state: &State, callee: FunctionId) -> Option<SessionKey> {
        let inner = self.project.function(callee);
        if callee.file != self.id.file || inner.parent != Some(self.id.index as usize) {
            return None;
        }
        let names = inner.steps.iter().filter_map(|step| match step.kind {
            StepKind::Name(name) => Some(name),
            _ => None,
        });
        let is_own = |name: &Name| inner.bound.iter().any(|bound| bound.name == *name);
        let mut sessions =
            names.filter(|name| !is_own(name)).filter_map(|name| match state.locals.get(name) {
                Some(Value::Session(session, _)) => Some(*session),
                _ => None,
            });
        let first = sessions.next()?;
        sessions.all(|session| session == first).then_some(first)
    }

    /// A callee runs statements that it is handed.
    fn execute_for(&mut self, step: StepId, summary: &Summary, binding: &[Value]) {
        for &number in &summary.executes {
            for one in binding.get(number as usize).cloned().unwrap_or(Value::Unknown).alternatives() {
                match one {
                    Value::Statement(statement) => self.execute(step, &statement, None),
                    Value::Text(text) => self.execute_text(step, &text),
                    Value::Param(number) => {
                        self.outcome.summary.executes.insert(number);
                    }
                    _ => {}
                }
            }
        }
    }
}
