//! flow/call: what calls do: project functions by their summaries, constructors, sessions, queries and statements.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, ParamKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol};

use super::actor;
use super::library::{self, Answers, Begins};
use super::object::decorated;
use super::outcome::{Executed, Phantom};
use super::row::{Base, Change, Level, RowInfo, Touch};
use super::state::{Deeds, Failure, State};
use super::summary::{DatabaseUse, Summary};
use super::trace::Trace;
use super::value::{Keys, ModelRef, RowKey, SessionKey, Statement, Value};

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
        if let Some(known) = self.mutation(state, callee_step, arguments) {
            return known;
        }
        let all = callee.alternatives();
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
        match callee {
            Value::Symbol(Symbol::Class(class)) => self.construct(state, step, class, arguments),
            Value::Symbol(Symbol::Function(function)) => self.apply(state, step, None, function, arguments),
            Value::Method(receiver, function) => {
                self.apply(state, step, Some(*receiver), function, arguments)
            }
            Value::Symbol(Symbol::External(path)) => self.external(state, step, path, arguments, &values),
            Value::SessionMaker => Value::Session(SessionKey::Opened(step)),
            Value::Attribute(receiver, method) => {
                self.library_method(state, step, *receiver, method, arguments, &values)
            }
            _ => {
                if error.is_some() {
                    self.deed(state, Deeds::RECORDED);
                }
                self.unresolved(state, callee_step, &values);
                error.map_or(Value::Unknown, Value::Caught)
            }
        }
    }

    /// Changes to a list or dictionary that a local variable holds.
    fn mutation(&mut self, state: &mut State, callee: StepId, arguments: &[Argument]) -> Option<Value> {
        let StepKind::Attribute { of, name: method } = self.function.steps[callee as usize].kind else {
            return None;
        };
        let StepKind::Name(name) = self.function.steps[of as usize].kind else { return None };
        let argument = arguments.first().map(|argument| self.value(argument.value).clone());
        match (state.locals.get(&name)?, &*method) {
            (Value::Tuple(_) | Value::Many(_), "append" | "add" | "extend" | "insert") => {
                self.deed(state, Deeds::RECORDED);
                let last = arguments.last().map(|argument| self.value(argument.value).clone())?;
                let added = if &*method == "extend" { last.element() } else { last };
                let old = state.locals.get(&name).cloned()?.element();
                let element = if old == Value::Unknown { added } else { old.join(added) };
                state.locals.insert(name, Value::Many(Box::new(element)));
                Some(Value::None)
            }
            (Value::Dictionary(_), "update") => {
                let mut keys = Keys::default();
                for argument in arguments {
                    match (argument.kind, self.value(argument.value)) {
                        (ArgumentKind::Keyword(key), _) => drop(keys.sure.insert(key)),
                        (_, Value::Dictionary(other)) => keys.extend(other),
                        _ => keys.is_open = true,
                    }
                }
                if let Some(Value::Dictionary(known)) = state.locals.get_mut(&name) {
                    known.extend(&keys);
                }
                Some(Value::None)
            }
            (Value::Dictionary(keys), "pop") => {
                let mut keys = keys.clone();
                if let Some(Value::Text(key)) = argument {
                    keys.sure.remove(&key);
                    keys.perhaps.remove(&key);
                }
                state.locals.insert(name, Value::Dictionary(keys));
                Some(Value::Unknown)
            }
            (Value::Dictionary(keys), "items") => {
                let pair = Value::Tuple(vec![Value::KeyOf(keys.clone()), Value::Unknown]);
                Some(Value::Many(Box::new(pair)))
            }
            (Value::Dictionary(keys), "keys") => Some(Value::Many(Box::new(Value::KeyOf(keys.clone())))),
            (Value::Dictionary(keys), "copy") => Some(Value::Dictionary(keys.clone())),
            _ => None,
        }
    }

    /// A call of something nothing is known of: a row handed to it may get any stamp.
    fn unresolved(&mut self, state: &mut State, callee: StepId, values: &[Value]) {
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
        arguments: &[Argument],
    ) -> Value {
        let init = self.project.method(class, Name::new("__init__"));
        if self.project.model(class).is_none() {
            let values: Vec<Value> =
                arguments.iter().map(|argument| self.value(argument.value).clone()).collect();
            let object = Value::Object(class, session_among(&values));
            if let Some(init) = init {
                self.apply(state, step, Some(object.clone()), init, arguments);
            }
            return values.iter().find_map(Value::caught).map_or(object, Value::Caught);
        }
        let info =
            RowInfo { base: Base::New, model: ModelRef::Class(class), origin: (self.id, step), at: step };
        let key = self.new_row(state, step, 0, info);
        for argument in arguments {
            let value = self.value(argument.value).clone();
            match argument.kind {
                ArgumentKind::Keyword(name) => self.initialize(state, step, key, class, name, &value),
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

    fn initialize(
        &mut self,
        state: &mut State,
        step: StepId,
        key: RowKey,
        class: ClassId,
        name: Name,
        value: &Value,
    ) {
        let Some(model) = self.project.model(class) else { return };
        if !model.is_open && !model.defines(name) {
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
        if let (Some(duty), Some(row)) = (self.project.roles.of_field(&name), state.rows.get_mut(&key))
            && *value != Value::None
        {
            row.discharge(duty, Level::Set);
        }
    }

    fn initialize_from(&mut self, state: &mut State, key: RowKey, keys: &Keys) {
        let Some(row) = state.rows.get_mut(&key) else { return };
        for duty in Duty::ALL {
            let plays = |name: &Name| self.project.roles.of_field(name) == Some(duty);
            if keys.sure.iter().any(plays) {
                row.discharge(duty, Level::Set);
            } else if keys.is_open || keys.perhaps.iter().any(plays) {
                row.discharge(duty, Level::Perhaps);
            }
        }
    }

    /// The keys of a value that is spread into keywords.
    fn keys_of(&self, value: &Value) -> Keys {
        match value {
            Value::Dictionary(keys) => (**keys).clone(),
            _ => Keys { is_open: true, ..Keys::default() },
        }
    }

    /// A function of the project is called.
    fn apply(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Option<Value>,
        callee: FunctionId,
        arguments: &[Argument],
    ) -> Value {
        self.outcome.calls.insert(callee);
        let project = self.project;
        let function = project.function(callee);
        let is_manager = decorated(&function.decorators, "contextmanager")
            || decorated(&function.decorators, "asynccontextmanager");
        if is_manager {
            return Value::Manager(callee);
        }
        let knowledge = self.knowledge;
        let Some(summary) = knowledge.summaries.get(&callee) else {
            return self.declared_result(state, step, callee);
        };
        let is_static = decorated(&function.decorators, "staticmethod");
        let binding = self.bind(callee, receiver.filter(|_| !is_static), arguments);
        self.effects(state, step, summary, &binding);
        if summary.stamps_actor {
            let seeds = arguments.iter().map(|argument| argument.value).collect();
            self.actors.extend(actor::made_from(self.function, seeds));
        }
        if function.is_generator {
            // Its code runs when it is iterated over; what it yields is what its elements are.
            let element = summary.yields.clone().unwrap_or(Value::Unknown);
            let element = self.translate(state, step, &element, summary, &binding);
            return Value::Many(Box::new(element));
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
        let mut next = 0;
        if let Some(receiver) = receiver
            && function.class.is_some()
            && !binding.is_empty()
        {
            binding[0] = receiver;
            next = 1;
        }
        for argument in arguments {
            let value = self.value(argument.value).clone();
            match argument.kind {
                ArgumentKind::Plain => {
                    if next < binding.len() && function.params[next].kind == ParamKind::Plain {
                        binding[next] = value;
                        next += 1;
                    }
                }
                ArgumentKind::Keyword(name) => {
                    if let Some(index) = function.params.iter().position(|param| param.name == name) {
                        binding[index] = value;
                    }
                }
                ArgumentKind::Spread => next = usize::MAX - 1,
                ArgumentKind::SpreadKeywords => {}
            }
        }
        binding
    }

    /// What a callee does happens here.
    fn effects(&mut self, state: &mut State, step: StepId, summary: &Summary, binding: &[Value]) {
        let session = session_among(binding);
        self.used.merge(DatabaseUse { outer: false, ..summary.database });
        if summary.rolls_back {
            self.used.outer |= summary.database.outer && session == SessionKey::Outer;
            self.roll_back(state, session);
        } else if summary.database.outer {
            let failing = std::mem::take(&mut self.may_fail);
            self.use_session(state, session);
            if !summary.throws_failed {
                self.may_fail = failing;
            }
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
                if let Some(row) = state.rows.get_mut(&key) {
                    row.undergo(&effect.open, &effect.done, Touch { step, within: effect.touch });
                }
            }
        }
        for failure in &summary.failures {
            state.failures.insert(Failure { session, ..*failure });
        }
        if summary.commits {
            self.commit(state, step);
        }
    }

    /// A value of the callee in the terms of the caller.
    fn translate(
        &mut self,
        state: &mut State,
        step: StepId,
        value: &Value,
        summary: &Summary,
        binding: &[Value],
    ) -> Value {
        match value {
            Value::Param(number) => binding.get(*number as usize).cloned().unwrap_or(Value::Unknown),
            Value::Session(_) => Value::Session(session_among(binding)),
            Value::Object(class, _) => Value::Object(*class, session_among(binding)),
            Value::Row(key) => {
                let Some(effect) = summary.rows.get(key) else { return Value::Unknown };
                if let Base::Param(number) = effect.info.base {
                    return binding.get(number as usize).cloned().unwrap_or(Value::Unknown);
                }
                let model = self.translate_model(effect.info.model, binding);
                let info = RowInfo { base: effect.info.base, model, origin: effect.info.origin, at: step };
                let here = self.new_row(state, step, key.0 + 1, info);
                if let Some(row) = state.rows.get_mut(&here) {
                    row.undergo(&effect.open, &Default::default(), Touch { step, within: effect.touch });
                }
                Value::Row(here)
            }
            Value::Query(Some(model)) => Value::Query(Some(self.translate_model(*model, binding))),
            Value::Statement(statement) => {
                let mut statement = statement.clone();
                statement.model = self.translate_model(statement.model, binding);
                Value::Statement(statement)
            }
            Value::Many(inner) => Value::Many(Box::new(self.translate(state, step, inner, summary, binding))),
            Value::Tuple(parts) => Value::Tuple(
                parts.iter().map(|part| self.translate(state, step, part, summary, binding)).collect(),
            ),
            Value::OneOf(parts) => {
                let parts: Vec<Value> =
                    parts.iter().map(|part| self.translate(state, step, part, summary, binding)).collect();
                Value::one_of(parts)
            }
            Value::Method(receiver, function) => {
                let receiver = self.translate(state, step, receiver, summary, binding);
                Value::Method(Box::new(receiver), *function)
            }
            Value::Attribute(of, name) => {
                let of = self.translate(state, step, of, summary, binding);
                self.attribute(state, of, *name)
            }
            Value::Caught(_) | Value::Decision(_) | Value::Read(..) => Value::Plain,
            other => other.clone(),
        }
    }

    fn translate_model(&mut self, model: ModelRef, binding: &[Value]) -> ModelRef {
        match model {
            ModelRef::Param(number) => binding.get(number as usize).map_or(ModelRef::Unknown, model_of),
            ModelRef::Own(name) => match binding.first() {
                Some(object @ Value::Object(..)) => {
                    let value = self.attribute(&State::default(), object.clone(), name);
                    model_of(&value)
                }
                _ => ModelRef::Unknown,
            },
            other => other,
        }
    }

    fn external(
        &mut self,
        state: &mut State,
        step: StepId,
        path: Name,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        let error = values.iter().find_map(Value::caught);
        if let Some(begins) = library::begins(path) {
            let model = values.first().map_or(ModelRef::Unknown, model_of);
            let operation = match begins {
                Begins::Query => {
                    return Value::Query(Some(model).filter(|model| *model != ModelRef::Unknown));
                }
                Begins::Text => return Value::External(path),
                Begins::Insert => Operation::Create,
                Begins::Update => Operation::Update,
                Begins::Delete => Operation::Delete,
            };
            let statement = Statement { operation, model, keys: Keys::default(), on_conflict: None };
            return Value::Statement(Box::new(statement));
        }
        if library::shows(&path) {
            self.deed(state, Deeds::PRINTED);
            return Value::None;
        }
        if library::reports(&path) {
            self.deed(state, Deeds::LOGGED);
            return Value::Plain;
        }
        match &*path {
            "builtins.setattr" => {
                self.set_attribute(state, step, values);
                return Value::None;
            }
            "builtins.getattr" => {
                return match values {
                    [of, Value::Text(name), ..] => self.attribute(state, of.clone(), *name),
                    _ => Value::Unknown,
                };
            }
            "builtins.super" => {
                return self.project.class_of(self.id).map_or(Value::Unknown, Value::Super);
            }
            "builtins.dict" => {
                let mut keys = Keys::default();
                for argument in arguments {
                    match (argument.kind, self.value(argument.value)) {
                        (ArgumentKind::Keyword(name), _) => drop(keys.sure.insert(name)),
                        (_, Value::Dictionary(inner)) => keys.extend(inner),
                        _ => keys.is_open = true,
                    }
                }
                return Value::Dictionary(Box::new(keys));
            }
            "builtins.list" | "builtins.tuple" | "builtins.set" | "builtins.sorted" | "builtins.reversed" => {
                return match values.first() {
                    Some(Value::Query(Some(model))) => {
                        Value::Many(Box::new(Value::Row(self.loaded_row(state, step, *model))))
                    }
                    Some(Value::Many(inner)) => Value::Many(inner.clone()),
                    Some(Value::Tuple(parts)) => Value::Tuple(parts.clone()),
                    None => Value::Tuple(Vec::new()),
                    _ => error.map_or(Value::Unknown, Value::Caught),
                };
            }
            "builtins.next" | "builtins.enumerate" | "builtins.zip" => {
                let first = values.first().cloned().unwrap_or(Value::Unknown);
                return match &*path {
                    "builtins.next" => first.element(),
                    "builtins.enumerate" => {
                        Value::Many(Box::new(Value::Tuple(vec![Value::Plain, first.element()])))
                    }
                    _ => Value::Many(Box::new(Value::Tuple(
                        values.iter().map(|value| value.clone().element()).collect(),
                    ))),
                };
            }
            "copy.copy" | "copy.deepcopy" => return values.first().cloned().unwrap_or(Value::Unknown),
            _ => {}
        }
        if let Some(handler) = error {
            return Value::Caught(handler);
        }
        match library::made_by(path) {
            Value::Session(_) => Value::Session(SessionKey::Opened(step)),
            other => other,
        }
    }

    fn set_attribute(&mut self, state: &mut State, step: StepId, values: &[Value]) {
        let [of, name, value] = values else { return };
        let name = match name {
            Value::Text(name) => {
                self.store(state, step, of.clone(), *name, value.clone());
                return;
            }
            other => other.clone(),
        };
        let keys = match &name {
            Value::KeyOf(keys) => (**keys).clone(),
            _ => Keys::default(),
        };
        for key in of.rows() {
            let Some(row) = state.rows.get_mut(&key) else { continue };
            row.change(Change::Changed, Touch { step, within: None });
            for duty in Duty::ALL {
                let all = keys.sure.iter().chain(&keys.perhaps);
                if all.into_iter().any(|name| self.project.roles.of_field(name) == Some(duty)) {
                    row.discharge(duty, Level::Perhaps);
                }
            }
        }
    }

    fn library_method(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: Value,
        method: Name,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        let error = values.iter().find_map(Value::caught);
        match receiver {
            Value::Session(session) => self.session_method(state, step, session, &method, arguments, values),
            Value::Query(model) => self.query_method(state, step, model, &method, arguments, values),
            Value::Statement(statement) => self.statement_method(*statement, &method, arguments, values),
            Value::Logger => {
                if library::logs(&method) {
                    self.deed(state, Deeds::LOGGED);
                    return Value::None;
                }
                Value::Logger
            }
            Value::SessionMaker => match &*method {
                "begin" => Value::Transaction(SessionKey::Opened(step)),
                _ => Value::Unknown,
            },
            Value::External(path) | Value::Symbol(Symbol::External(path)) => {
                if let Some(handler) = error {
                    self.deed(state, Deeds::RECORDED);
                    return Value::Caught(handler);
                }
                library::made_by(path.join(&method))
            }
            // A method a mapped or pydantic class inherits from outside the project: it stamps nothing.
            Value::Symbol(Symbol::Class(class)) => match &*method {
                "model_validate" | "from_orm" | "parse_obj" | "construct" | "model_construct"
                    if self.project.model(class).is_none() =>
                {
                    Value::Object(class, SessionKey::Outer)
                }
                _ => error.map_or(Value::Unknown, Value::Caught),
            },
            Value::Object(class, _) => match &*method {
                "model_dump" | "dict" | "model_dump_json" => {
                    let mut keys = Keys::default();
                    let hierarchy = self.project.hierarchy(class);
                    for class in hierarchy.classes() {
                        let annotated =
                            self.project.class(class).fields.iter().filter(|f| f.annotation.is_some());
                        keys.perhaps.extend(annotated.map(|field| field.name));
                    }
                    Value::Dictionary(Box::new(keys))
                }
                _ => {
                    if error.is_some() {
                        self.deed(state, Deeds::RECORDED);
                    }
                    error.map_or(Value::Unknown, Value::Caught)
                }
            },
            Value::Row(key) => {
                // A row of an unknown model: what its setter is called is all there is to go by.
                if let Some(duty) = self.project.roles.of_setter(&method)
                    && let Some(row) = state.rows.get_mut(&key)
                {
                    if duty == Duty::DeletedBy {
                        row.change(Change::Deleted, Touch { step, within: None });
                    }
                    row.discharge(duty, Level::Set);
                }
                if &*method == "sqlmodel_update"
                    && let Some(row) = state.rows.get_mut(&key)
                {
                    row.change(Change::Changed, Touch { step, within: None });
                }
                Value::Unknown
            }
            Value::Dictionary(_) | Value::KeyOf(_) => Value::Unknown,
            Value::Param(_) | Value::Unknown | Value::Attribute(..) => {
                if matches!(&*method, "model_dump" | "dict") {
                    return Value::Dictionary(Box::new(Keys { is_open: true, ..Keys::default() }));
                }
                if error.is_some() || matches!(&*method, "append" | "add") {
                    self.deed(state, Deeds::RECORDED);
                }
                if matches!(&receiver, Value::Attribute(of, _) if matches!(**of, Value::Row(_)))
                    && matches!(&*method, "append" | "add" | "extend")
                {
                    // A row put into a relationship of another row is saved with that one.
                    for key in values.iter().flat_map(Value::rows) {
                        if let Some(row) = state.rows.get_mut(&key) {
                            row.add();
                        }
                    }
                }
                if !is_harmless(&method) && !matches!(receiver, Value::Param(_)) {
                    for key in values.iter().flat_map(Value::rows) {
                        if let Some(row) = state.rows.get_mut(&key) {
                            for duty in Duty::ALL {
                                row.discharge(duty, Level::Perhaps);
                            }
                        }
                    }
                }
                error.map_or(Value::Unknown, Value::Caught)
            }
            _ => error.map_or(Value::Unknown, Value::Caught),
        }
    }

    fn session_method(
        &mut self,
        state: &mut State,
        step: StepId,
        session: SessionKey,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        self.outcome.sees_session = true;
        let first = values.first().cloned().unwrap_or(Value::Unknown);
        match method {
            "add" | "add_all" | "merge" | "bulk_save_objects" => {
                self.used.writes = true;
                for key in values.iter().flat_map(Value::rows) {
                    if let Some(row) = state.rows.get_mut(&key) {
                        row.add();
                    }
                }
                if method == "add" || method == "add_all" {
                    return Value::None;
                }
                self.use_session(state, session);
                first
            }
            "delete" => {
                self.used.writes = true;
                self.use_session(state, session);
                for key in first.rows() {
                    self.remove_row(state, step, key);
                }
                Value::None
            }
            "flush" => {
                self.used.writes = true;
                self.use_session(state, session);
                for row in state.rows.values_mut() {
                    row.published.get_or_insert(step);
                }
                Value::None
            }
            "commit" => {
                self.used.writes = true;
                self.use_session(state, session);
                self.commit(state, step);
                Value::None
            }
            "rollback" | "close" | "aclose" | "reset" | "invalidate" => {
                self.roll_back(state, session);
                Value::None
            }
            "begin" => Value::Transaction(session),
            "begin_nested" => Value::Savepoint,
            "get" | "get_one" => {
                let model = model_of(&first);
                if model == ModelRef::Unknown {
                    return Value::Unknown;
                }
                self.use_session(state, session);
                Value::Row(self.loaded_row(state, step, model))
            }
            "query" => Value::Query(match model_of(&first) {
                ModelRef::Unknown => None,
                model => Some(model),
            }),
            "execute" | "scalars" | "exec" | "stream" | "stream_scalars" | "scalar" => {
                self.use_session(state, session);
                if let Value::Statement(statement) = &first {
                    self.execute(step, statement, values.get(1), arguments);
                    return Value::Query(None);
                }
                if method == "scalar" {
                    return match first {
                        Value::Query(Some(model)) => Value::Row(self.loaded_row(state, step, model)),
                        _ => Value::Plain,
                    };
                }
                match first {
                    query @ Value::Query(_) => query,
                    _ => Value::Query(None),
                }
            }
            "refresh" | "run_sync" | "expire" | "expire_all" | "connection" => {
                self.use_session(state, session);
                Value::Unknown
            }
            "bulk_insert_mappings" | "bulk_update_mappings" => {
                self.used.writes = true;
                self.use_session(state, session);
                Value::None
            }
            // Flask-SQLAlchemy: the session hangs on the extension object of the same name.
            _ => Value::Unknown,
        }
    }

    fn remove_row(&mut self, state: &mut State, step: StepId, key: RowKey) {
        if let Some(row) = state.rows.get_mut(&key) {
            // A row that is removed owes nothing else.
            row.roll_back();
            for duty in Duty::ALL {
                row.discharge(duty, Level::Set);
            }
        }
        if let ModelRef::Class(model) = self.rows[key.0 as usize].model
            && self.project.model(model).is_some()
        {
            self.tell_executed(
                step,
                Executed {
                    operation: Operation::Delete,
                    model,
                    removes: true,
                    keys: None,
                    is_conflict: false,
                },
            );
        }
    }

    fn query_method(
        &mut self,
        state: &mut State,
        step: StepId,
        model: Option<ModelRef>,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        match (library::answers(method), model) {
            (Answers::Same, model) => Value::Query(model),
            (Answers::Plain, _) => Value::Plain,
            (Answers::Writes, Some(model)) => {
                self.used.writes = true;
                self.use_session(state, SessionKey::Outer);
                let mut statement = Statement {
                    operation: Operation::Update,
                    model,
                    keys: Keys::default(),
                    on_conflict: None,
                };
                if method == "delete" {
                    statement.operation = Operation::Delete;
                } else if let Some(value) = values.first() {
                    statement.keys = self.keys_of(value);
                }
                self.execute(step, &statement, None, arguments);
                Value::Plain
            }
            (Answers::One, Some(model)) => Value::Row(self.loaded_row(state, step, model)),
            (Answers::Many, Some(model)) => {
                Value::Many(Box::new(Value::Row(self.loaded_row(state, step, model))))
            }
            (_, None) => Value::Unknown,
        }
    }

    fn statement_method(
        &mut self,
        mut statement: Statement,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        match method {
            "values" | "ordered_values" => {
                for (argument, value) in arguments.iter().zip(values) {
                    match argument.kind {
                        ArgumentKind::Keyword(name) => drop(statement.keys.sure.insert(name)),
                        _ => {
                            let value = match value {
                                Value::Many(inner) => (**inner).clone(),
                                Value::Tuple(_) => value.clone().element(),
                                other => other.clone(),
                            };
                            let keys = self.keys_of(&value);
                            statement.keys.extend(&keys);
                        }
                    }
                }
            }
            "on_conflict_do_update" | "on_duplicate_key_update" => {
                let mut keys = Keys::default();
                for (argument, value) in arguments.iter().zip(values) {
                    match argument.kind {
                        ArgumentKind::Keyword(name) if &*name == "set_" => keys.extend(&self.keys_of(value)),
                        ArgumentKind::Keyword(name) if method == "on_duplicate_key_update" => {
                            keys.sure.insert(name);
                        }
                        _ => {}
                    }
                }
                statement.on_conflict = Some(keys);
            }
            "on_conflict_do_nothing" => statement.on_conflict = None,
            _ => {}
        }
        Value::Statement(Box::new(statement))
    }

    fn execute(
        &mut self,
        step: StepId,
        statement: &Statement,
        rows: Option<&Value>,
        _arguments: &[Argument],
    ) {
        self.used.writes = true;
        let ModelRef::Class(model) = statement.model else { return };
        if self.project.model(model).is_none() {
            return;
        }
        let mut keys = statement.keys.clone();
        if let Some(rows) = rows {
            let row = match rows {
                Value::Many(_) | Value::Tuple(_) => rows.clone().element(),
                other => other.clone(),
            };
            keys.extend(&self.keys_of(&row));
        }
        let removes = statement.operation == Operation::Delete;
        let keys = (!removes).then_some(keys);
        let operation = statement.operation;
        self.tell_executed(step, Executed { operation, model, removes, keys, is_conflict: false });
        if let Some(keys) = &statement.on_conflict {
            let keys = Some(keys.clone());
            let operation = Operation::Update;
            self.tell_executed(step, Executed { operation, model, removes: false, keys, is_conflict: true });
        }
    }

    fn tell_executed(&mut self, step: StepId, executed: Executed) {
        if !self.telling {
            return;
        }
        let all = self.outcome.executed.entry(step).or_default();
        if !all.contains(&executed) {
            all.push(executed);
        }
    }

    /// A `with` begins.
    pub(super) fn enter(&mut self, state: &mut State, step: StepId, context: Value) -> Value {
        match context {
            Value::Session(_) => {
                // `with maker() as session` and `with existing_session` both close it in the end.
                Value::Session(SessionKey::Opened(step))
            }
            Value::Transaction(SessionKey::Opened(_)) => Value::Session(SessionKey::Opened(step)),
            Value::Transaction(session) => Value::Session(session),
            Value::Savepoint => Value::Savepoint,
            Value::Manager(function) => {
                self.outcome.calls.insert(function);
                let Some(summary) = self.knowledge.summaries.get(&function) else { return Value::Unknown };
                match summary.yields.clone() {
                    Some(Value::Session(_)) => Value::Session(SessionKey::Opened(step)),
                    Some(value) if value.rows().is_empty() => value,
                    _ => Value::Unknown,
                }
            }
            Value::OneOf(all) => {
                let values: Vec<Value> = all.into_iter().map(|one| self.enter(state, step, one)).collect();
                Value::one_of(values)
            }
            other => other,
        }
    }

    /// A `with` ends.
    pub(super) fn exit(&mut self, state: &mut State, enter: StepId, raising: bool) {
        let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return };
        let session = match self.value(enter) {
            Value::Session(session) => Some(*session),
            _ => None,
        };
        for context in self.value(context).clone().alternatives() {
            match context {
                Value::Transaction(_) | Value::Manager(_) => {
                    let commits = match context {
                        Value::Manager(function) => {
                            self.knowledge.summaries.get(&function).is_some_and(|summary| summary.commits)
                        }
                        _ => true,
                    };
                    if commits && !raising {
                        let lost = state.failures.iter().filter(|failure| Some(failure.session) == session);
                        if self.telling {
                            self.outcome.owner_commits.extend(lost.map(|f| (f.function, f.handler)));
                        }
                        self.commit(state, enter);
                    }
                }
                // The savepoint is rolled back, the transaction around it lives on.
                Value::Savepoint if raising => state.erring.clear(),
                _ => {}
            }
        }
        if let Some(session @ SessionKey::Opened(_)) = session {
            state.failures.retain(|failure| failure.session != session);
            state.erring.remove(&session);
        }
    }

    /// The function yields a value.
    pub(super) fn yields(&mut self, state: &mut State, value: Value) {
        // Whoever gets the value may commit in between: what it is handed is out of this function's hands.
        for key in value.rows() {
            if let Some(row) = state.rows.get_mut(&key) {
                for duty in Duty::ALL {
                    row.discharge(duty, Level::Perhaps);
                }
            }
        }
        state.committed = false;
        let yields = self.outcome.summary.yields.take();
        self.outcome.summary.yields = Some(match yields {
            Some(known) => known.join(value),
            None => value,
        });
    }
}

/// The session that a callee works on: one that was opened here and is handed over, alone or in an object.
fn session_among(values: &[Value]) -> SessionKey {
    let opened = values.iter().flat_map(|value| value.clone().alternatives()).find_map(|value| match value {
        Value::Session(key @ SessionKey::Opened(_)) | Value::Object(_, key @ SessionKey::Opened(_)) => {
            Some(key)
        }
        _ => None,
    });
    opened.unwrap_or(SessionKey::Outer)
}

/// The model a class value is of.
pub(super) fn model_of(value: &Value) -> ModelRef {
    match value {
        Value::Symbol(Symbol::Class(class)) => ModelRef::Class(*class),
        Value::Param(number) => ModelRef::Param(*number),
        Value::Attribute(of, name) => match **of {
            Value::Object(..) => ModelRef::Own(*name),
            _ => ModelRef::Unknown,
        },
        Value::OneOf(all) => {
            all.iter().map(model_of).find(|model| *model != ModelRef::Unknown).unwrap_or(ModelRef::Unknown)
        }
        _ => ModelRef::Unknown,
    }
}

/// Methods and functions so common that a row handed to them is surely not stamped.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "append"
            | "add"
            | "extend"
            | "insert"
            | "format"
            | "get"
            | "join"
            | "index"
            | "remove"
            | "update"
            | "pop"
            | "setdefault"
            | "model_validate"
            | "from_orm"
            | "validate"
            | "serialize"
            | "to_dict"
            | "to_response"
            | "refresh"
            | "send"
            | "publish"
            | "dump"
            | "encode"
            | "render"
            | "TemplateResponse"
    )
}
