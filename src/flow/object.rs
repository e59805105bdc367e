//! flow/object: names, attributes and stores: what values are made of.

use crate::duty::Duty;
use crate::facts::{StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Mapping, Symbol};

use super::clock;
use super::cow::Shared;
use super::each::{COLUMN, NAMES_OF_COLUMN};
use super::keys::{Dump, dumped};
use super::library;
use super::outcome::Phantom;
use super::queryset::RowSet;
use super::read::DICTIONARY;
use super::row::{Base, Change, Level, Touch};
use super::state::State;
use super::trace::Trace;
use super::typed::Type;
use super::value::{Keys, ModelRef, SessionKey, SessionKind, Value, texts};

/// How deep declared values are followed.
const DEEPEST: usize = 8;

impl Trace<'_> {
    /// The value a symbol stands for.
    pub(super) fn symbol(&self, symbol: Symbol) -> Value {
        self.symbol_at(symbol, 0)
    }

    fn symbol_at(&self, symbol: Symbol, depth: usize) -> Value {
        match symbol {
            Symbol::Variable(file, name) => self.variable(file, name, depth),
            Symbol::External(path) if path.as_str() == "loguru.logger" => Value::Logger,
            other => Value::Symbol(other),
        }
    }

    fn variable(&self, file: FileId, name: Name, depth: usize) -> Value {
        let value = self.project.value_of(file, name).map(|term| self.declared_value(file, term, depth + 1));
        match value {
            Some(known) if !matches!(known, Value::Unknown | Value::None) => known,
            // `_client: Client | None = None`, which some function fills.
            other => {
                let declared = &self.project.file(file).facts.declared;
                let annotations = declared.iter().filter(|field| field.name == name);
                let annotation = annotations.filter_map(|field| field.annotation.as_ref()).next_back();
                match annotation.map(|term| self.type_of(file, term, 0)) {
                    Some(Type::Instance(class)) if !self.is_row_class(class) => {
                        Value::Object(class, SessionKey::Outer)
                    }
                    _ => match other {
                        Some(Value::None) => Value::None,
                        _ => Value::Symbol(Symbol::Variable(file, name)),
                    },
                }
            }
        }
    }

    /// The value of a declaring expression at the top level of a module or class.
    pub(super) fn declared_value(&self, file: FileId, term: &Term, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Unknown;
        }
        match term {
            Term::Path(path) => match self.project.resolve_path(file, *path) {
                Some(symbol) => self.symbol_at(symbol, depth),
                None => Value::Unknown,
            },
            Term::Call { callee, arguments, keywords } => {
                let callee = match &**callee {
                    Term::Generic { base, .. } => base,
                    callee => callee,
                };
                let Term::Path(path) = callee else { return Value::Unknown };
                match self.project.resolve_path(file, *path) {
                    Some(Symbol::External(path)) => {
                        if let Some(model) = self.user_model_behind(path) {
                            return model;
                        }
                        if let Some(sql) = self.declared_sql(file, path, arguments, depth) {
                            return sql;
                        }
                        if let (true, Some(Term::Path(function))) =
                            (library::makes_manager(path), arguments.first())
                            && let Some(Symbol::Function(function)) =
                                self.project.resolve_path(file, *function)
                        {
                            return Value::Manager(function);
                        }
                        let zone = arguments.first().or(keywords.first().map(|(_, term)| term));
                        let zone = zone.map(|term| self.declared_value(file, term, depth + 1));
                        if let Some(reading) = clock::read(path, zone.as_ref()) {
                            return reading;
                        }
                        match keywords.iter().find(|(name, _)| &**name == "class_") {
                            Some((_, Term::Path(class))) => match self.project.resolve_path(file, *class) {
                                Some(Symbol::External(class)) => library::made_of(path, class),
                                _ => library::made_by(path),
                            },
                            _ => library::made_by(path),
                        }
                    }
                    Some(Symbol::Class(class)) if !self.is_row_class(class) => {
                        Value::Object(class, SessionKey::Outer)
                    }
                    Some(Symbol::Function(function)) => {
                        match self.summary(function).and_then(|known| known.returns.clone()) {
                            Some(
                                value @ (Value::Logger
                                | Value::Clock(_)
                                | Value::SessionMaker(_)
                                | Value::External(_)
                                | Value::Object(..)),
                            ) => value,
                            _ => Value::Unknown,
                        }
                    }
                    _ => Value::Unknown,
                }
            }
            Term::Text(text) => Value::Text(*text),
            Term::List(items)
                if !items.is_empty() && items.iter().all(|item| matches!(item, Term::Text(_))) =>
            {
                Value::Tuple(items.iter().map(|item| self.declared_value(file, item, depth + 1)).collect())
            }
            Term::None => Value::None,
            Term::Switch(on) => Value::Switch(*on),
            _ => Value::Unknown,
        }
    }

    /// What a name of a value nothing is known of suggests it is.
    pub(super) fn by_name(&mut self, name: Name, value: Value) -> Value {
        // What a thing is its type says in Rust, and no name.
        if matches!(value, Value::None) || self.is_rust() {
            return value;
        }
        if library::names_session(&name) {
            self.outcome.sees_session = true;
            return Value::Session(SessionKey::Outer, SessionKind::Unknown);
        }
        if library::names_connection(&name) {
            return Value::Connection;
        }
        if library::names_logger(&name) { Value::Logger } else { value }
    }

    /// The value of an attribute.
    pub(super) fn attribute(&mut self, state: &mut State, of: Value, name: Name) -> Value {
        if let Some(age) = self.age(&of, name) {
            return age;
        }
        let all = of.alternatives();
        let values: Vec<Value> = all.into_iter().map(|of| self.attribute_of(state, of, name)).collect();
        Value::one_of(values)
    }

    fn attribute_of(&mut self, state: &mut State, of: Value, name: Name) -> Value {
        if &*name == DICTIONARY
            && let Some(fields) = self.instance_fields(&of)
        {
            return fields;
        }
        let value = match &of {
            Value::Symbol(symbol) => self.symbol_attribute(*symbol, name, &of),
            Value::Own(class) => self.symbol_attribute(Symbol::Class(*class), name, &of),
            Value::Row(key) => {
                let info = self.rows[key.0 as usize];
                if let ModelRef::Class(class) = info.model {
                    if let Some(method) = self.project.method(class, name) {
                        return self.method_or_property(of, method);
                    }
                    if let (Base::Param(number), Some(model)) = (info.base, self.project.model(class))
                        && model.columns.contains_key(&name)
                        // Django's rows keep what they hold, whatever becomes of the transaction.
                        && model.mapping == Mapping::UnitOfWork
                    {
                        return Value::Read(number, name);
                    }
                }
                if let Some(related) = self.related(state, *key, name) {
                    return related;
                }
                if let Some(rows) = self.reversed(state, *key, name) {
                    return rows;
                }
                if self.is_saved_by_call(*key) {
                    return Value::Attribute(Shared::new(of), name);
                }
                // A class method of a base makes rows of the class it was called on, which has the base's methods.
                if let (ModelRef::Param(0), Some(class)) = (info.model, self.project.class_of(self.id))
                    && let Some(method) = self.project.method(class, name)
                {
                    return self.method_or_property(of, method);
                }
                // Columns are plain.
                return match info.model {
                    _ if &*name == DICTIONARY => Value::Attribute(Shared::new(of), name),
                    ModelRef::Unknown => Value::Attribute(Shared::new(of), name),
                    ModelRef::Class(class)
                        if self
                            .project
                            .model(class)
                            .is_some_and(|model| model.other_names.contains(&name)) =>
                    {
                        Value::Attribute(Shared::new(of), name)
                    }
                    _ if matches!(&*name, "sqlmodel_update" | "model_dump" | "dict") => {
                        Value::Attribute(Shared::new(of), name)
                    }
                    _ => Value::Unknown,
                };
            }
            Value::Form(_, key) if &*name == "instance" => return Value::Row(*key),
            Value::Form(class, _) => self.object_attribute(state, *class, name, &of),
            Value::Object(class, session) => match self.object_attribute(state, *class, name, &of) {
                // The session an object holds is the one it was made with.
                Value::Session(_, kind) => Value::Session(*session, kind),
                Value::Object(inner, _) => Value::Object(inner, *session),
                other => other,
            },
            Value::Super(class) => match self
                .project
                .inherited_method(*class, name)
                .or_else(|| self.project.following_method(*class, name))
            {
                Some(method) => {
                    let receiver =
                        self.function.params.first().and_then(|p| state.locals.get(p.name).cloned());
                    return Value::Method(
                        Shared::new(receiver.unwrap_or(Value::Object(*class, SessionKey::Outer))),
                        method,
                    );
                }
                None => Value::Attribute(Shared::new(of.clone()), name),
            },
            Value::Caught(handler) => return Value::Caught(*handler),
            Value::Attribute(names, column)
                if &**column == COLUMN
                    && NAMES_OF_COLUMN.contains(&&*name)
                    && matches!(**names, Value::KeyOf(_)) =>
            {
                return (**names).clone();
            }
            Value::External(path) if library::holds_session(path, &name) => {
                self.outcome.sees_session = true;
                return Value::Session(SessionKey::Outer, SessionKind::Sync);
            }
            Value::Rows(rows) => return self.rows_attribute(rows, name),
            Value::Logger | Value::Session(..) | Value::Query(_) | Value::Statement(_) => {
                return Value::Attribute(Shared::new(of), name);
            }
            held => {
                self.hold_by_way_back(held, name);
                Value::Attribute(Shared::new(of.clone()), name)
            }
        };
        if !value.is_vague() {
            return value;
        }
        // `request.session` is a dictionary of the client's, no database session.
        let is_request = matches!(&of, Value::Param(number)
            if library::names_request(&self.function.params[*number as usize].name));
        if is_request { value } else { self.by_name(name, value) }
    }

    /// What `vars(x)` and `x.__dict__` hold.
    fn instance_fields(&self, of: &Value) -> Option<Value> {
        let keys = match of {
            Value::Object(class, _) => {
                let keys = dumped(self.project, *class, &Dump::default());
                // Methods of a plain class may give it any attribute.
                Keys {
                    is_open: keys.is_open
                        || self.project.class(*class).methods.iter().any(|(name, _)| &**name == "__init__"),
                    ..keys
                }
            }
            _ => return None,
        };
        Some(Value::Dictionary(Shared::new(keys)))
    }

    fn symbol_attribute(&self, symbol: Symbol, name: Name, of: &Value) -> Value {
        if let Symbol::Class(class) = symbol {
            if let Some(method) = self.project.method(class, name) {
                return Value::Method(Shared::new(of.clone()), method);
            }
            if let Some(manager) = self.manager(class, name) {
                return manager;
            }
            // An abstract base knows no rows but those of the class it is called on.
            if let (Value::Own(_), "objects") = (of, &*name) {
                return Value::Rows(Shared::new(RowSet::of(ModelRef::Param(0), Vec::new())));
            }
            if &*name == "query" && self.project.model(class).is_some_and(|model| model.django.is_none()) {
                return Value::Query(Some(ModelRef::Class(class)));
            }
        }
        match self.project.member(symbol, name) {
            Some(symbol) => self.symbol(symbol),
            None => Value::Attribute(Shared::new(of.clone()), name),
        }
    }

    fn object_attribute(&mut self, state: &mut State, class: ClassId, name: Name, of: &Value) -> Value {
        if let Some(method) = self.project.method(class, name) {
            return self.method_or_property(of.clone(), method);
        }
        let project = self.project;
        for ancestor in project.hierarchy(class).classes() {
            if let Some(value) = self.attribute_of_objects(ancestor, name)
                && !value.is_vague()
            {
                if matches!(value, Value::Session(..)) {
                    self.outcome.sees_session = true;
                }
                if let Value::Object(model, _) = *value
                    && self.project.django(model).is_some()
                {
                    let row = self.held_row(state, (class, name), model);
                    return row.unwrap_or_else(|| Value::Attribute(Shared::new(of.clone()), name));
                }
                return value.clone();
            }
        }
        if let Some((class, field)) = self.project.class_field(class, name) {
            if let Some(value) = &field.value {
                let value = self.declared_value(class.file, value, 0);
                if !value.is_vague() {
                    return value;
                }
            }
            if let Some(annotation) = &field.annotation {
                match self.type_of(class.file, annotation, 0) {
                    Type::External(path) => return library::instance_of(path),
                    Type::Instance(class) if !self.is_row_class(class) => {
                        return Value::Object(class, SessionKey::Outer);
                    }
                    // A field's type says what it holds.
                    Type::Instance(model) if self.is_rust() && self.project.model(model).is_some() => {
                        if let Some(row) = self.held_row(state, (class, name), model) {
                            return row;
                        }
                    }
                    Type::Many(_) | Type::OneOf(_) | Type::Tuple(_) | Type::Plain if self.is_rust() => {
                        let declared = self.type_of(class.file, annotation, 0);
                        return self.held_by_type(state, (class, name), &declared);
                    }
                    _ => {}
                }
            }
        }
        Value::Attribute(Shared::new(of.clone()), name)
    }

    fn method_or_property(&self, of: Value, method: FunctionId) -> Value {
        let function = self.project.function(method);
        let is_property =
            decorated(&function.decorators, "property") || decorated(&function.decorators, "cached_property");
        if !is_property {
            return Value::Method(Shared::new(of), method);
        }
        let known = self.summary(method).and_then(|summary| summary.returns.clone());
        match known {
            Some(
                value @ (Value::Session(..)
                | Value::Logger
                | Value::Clock(_)
                | Value::Object(..)
                | Value::External(_)),
            ) => value,
            _ => Value::Unknown,
        }
    }

    /// Stores an attribute.
    pub(super) fn store(&mut self, state: &mut State, step: StepId, of: Value, name: Name, value: Value) {
        self.stamp(state, step, &of, name, &value);
        for target in of.alternatives() {
            match target {
                Value::Row(key) => self.store_column(state, step, key, name, &value),
                Value::Object(class, _) | Value::Form(class, _) if self.telling && !self.is_rust() => {
                    let outer = match &value {
                        Value::Session(_, kind) => Value::Session(SessionKey::Outer, *kind),
                        Value::Object(inner, _) => Value::Object(*inner, SessionKey::Outer),
                        // What another function's parameters and rows are means nothing elsewhere.
                        Value::Row(_) | Value::Many(_) | Value::Param(_) | Value::Caught(_) => continue,
                        other if other.rows().is_empty() => other.clone(),
                        _ => continue,
                    };
                    self.outcome.attributes.push(((class, name), outer));
                }
                _ => {}
            }
        }
    }

    /// Stores a column of a row.
    pub(super) fn store_column(
        &mut self,
        state: &mut State,
        step: StepId,
        key: super::value::RowKey,
        name: Name,
        value: &Value,
    ) {
        if self.leaves_alone(value) {
            return;
        }
        let info = self.rows[key.0 as usize];
        let class = match info.model {
            ModelRef::Class(class) => Some(class),
            _ => None,
        };
        let model = class.and_then(|class| self.project.model(class));
        let duty = self.project.roles.of_field(&name);
        let is_defined = model.is_none_or(|model| model.is_open || model.defines(name));
        let touch = Touch { step, within: None };
        self.replace_collection(state, step, key, (name, value));
        // A collection stands in the rows of others: this row stays as it was.
        let relation = model.and_then(|model| model.relations.get(&name));
        let is_many = relation.is_some_and(|relation| relation.is_many == Some(true));
        if duty.is_none() && (is_many || value.is_list() && !value.rows().is_empty()) {
            return;
        }
        let Some(row) = state.rows.get_mut(&key) else { return };
        if is_defined {
            row.life.assign(name, library::is_sql_expression(value));
        }
        if let (Some(class), Some(duty), false) = (class, self.project.roles.suggested_by(&name), is_defined)
        {
            row.discharge(duty, Level::Misplaced);
            self.outcome.phantoms.insert(step, Phantom { model: class, field: name, duty, by: "attribute" });
            return;
        }
        if !is_defined {
            // A plain attribute of the object: nothing is written.
            return;
        }
        let is_none = *value == Value::None;
        let is_gone = self.says_gone(step, class, name, value);
        self.note_store(state, key, name);
        let Some(row) = state.rows.get_mut(&key) else { return };
        if let Some(class) = class {
            self.tell_clock(step, class, name, value, "attribute");
        }
        match duty {
            Some(Duty::DeletedAt | Duty::DeletedBy) if is_none => row.change(Change::Changed, touch),
            Some(duty @ (Duty::DeletedAt | Duty::DeletedBy)) => {
                row.change(Change::Deleted, touch);
                row.discharge(duty, Level::Set);
            }
            // That it is NULL now is a fault of its own.
            Some(duty) if is_none && info.base == Base::Loaded => row.discharge(duty, Level::Misplaced),
            Some(_) if is_none => {}
            Some(duty) => row.discharge(duty, Level::Set),
            None => {
                row.change(if is_gone { Change::Deleted } else { Change::Changed }, touch);
            }
        }
    }

    /// Stores `of[key]`: a dictionary at hand learns the key.
    pub(super) fn store_key(&mut self, state: &mut State, of: StepId, key: Value, value: &Value) {
        if let StepKind::Name(name) = self.function.steps[of as usize].kind
            && let Some(local) = state.locals.get_mut(name)
        {
            let before = std::mem::replace(local, Value::Unknown);
            *local = Value::one_of(before.alternatives().into_iter().map(|one| with_key(one, &key, value)));
        }
    }
}

/// What a value is once something is stored under a key.
fn with_key(of: Value, key: &Value, value: &Value) -> Value {
    let mut keys = match of {
        Value::Dictionary(keys) => keys,
        // Whatever it is, the key is there from now on.
        Value::Unknown if matches!(key, Value::Text(_)) => Shared::new(Keys::open()),
        other => return other,
    };
    match key {
        Value::Text(key) => keys.give(*key, value),
        Value::KeyOf(other) => keys.extend(&other.thinned()),
        // One of several texts.
        Value::OneOf(all) if let Some(sure) = texts(all) => {
            keys.extend(&Keys { sure, ..Keys::default() }.thinned());
        }
        _ => keys.hold(value),
    }
    Value::Dictionary(keys)
}

/// Whether one of the decorators has this name, whatever it is an attribute of, called or not.
pub(super) fn decorated(decorators: &[Term], name: &str) -> bool {
    decorators.iter().any(|decorator| {
        let path = match decorator {
            Term::Call { callee, .. } => callee,
            other => other,
        };
        matches!(path, Term::Path(path) if path.last() == name)
    })
}
