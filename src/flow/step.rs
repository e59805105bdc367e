//! flow/step: what a single step computes, and what it does to the state.

use crate::facts::{Comparison, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Lookup, Symbol};

use super::clock;
use super::cow::Shared;
use super::each::COLUMN;
use super::library;
use super::state::{Deeds, State};
use super::trace::Trace;
use super::translate::model_of;
use super::value::{Keys, ModelRef, SessionKey, SessionKind, Value};

impl Trace<'_> {
    /// A key of a dictionary: `{Order.status: …}` has the name of the column.
    fn column_key(&self, key: Value) -> Value {
        if let Value::Attribute(of, name) = &key
            && let Value::Symbol(Symbol::Class(class)) = **of
            && self.project.model(class).is_some_and(|model| model.columns.contains_key(name))
        {
            return Value::Text(*name);
        }
        // `{orders.c.status: …}` of a table.
        if let Value::Attribute(of, name) = &key
            && matches!(&**of, Value::Attribute(table, columns)
                if matches!(&**columns, "c" | "columns") && model_of(table) != ModelRef::Unknown)
        {
            return Value::Text(*name);
        }
        key
    }

    /// What a step computes, and what it does to the state.
    pub(super) fn step(&mut self, state: &mut State, step: StepId) -> Value {
        let function = self.function;
        let value = |of: &StepId| self.values[*of as usize].clone();
        match &function.steps[step as usize].kind {
            StepKind::Literal(literal) => match literal {
                Literal::None => Value::None,
                Literal::Switch(on) => Value::Switch(*on),
                Literal::Text(text) => Value::Text(*text),
                Literal::Other => Value::Plain,
            },
            StepKind::Name(name) => self.name(state, *name),
            StepKind::Attribute { of, name } => {
                let of = value(of);
                self.read(state, step, &of, *name);
                self.attribute(state, of, *name)
            }
            StepKind::Index { of, key } => match value(of) {
                Value::Rows(rows) => self.indexed(state, step, rows.into_inner(), *key),
                // One row of a result that holds whole rows.
                Value::Row(row) => Value::Row(row),
                Value::Caught(handler) => Value::Caught(handler),
                Value::Symbol(symbol) => Value::Symbol(symbol),
                Value::Dictionary(keys) => keys.held().unwrap_or(Value::Unknown),
                of @ Value::Attribute(..) => {
                    let key = value(key);
                    self.cleaned_row(state, step, &of, &key).unwrap_or(Value::Unknown)
                }
                list => list.element(),
            },
            StepKind::Call { callee, arguments } => {
                let callee_value = value(callee);
                self.tell_call(step, *callee);
                self.call(state, step, *callee, callee_value, arguments)
            }
            StepKind::Await(of) => self.awaits(step, *of),
            StepKind::Yield(of) => {
                let yielded = of.as_ref().map_or(Value::None, value);
                self.yields(state, yielded);
                Value::Unknown
            }
            StepKind::List(items) => Value::Tuple(items.iter().map(value).collect()),
            StepKind::Dictionary(entries) => {
                let mut keys = Keys::default();
                let mut caught = None;
                for (key, part) in entries {
                    caught = caught.or(value(part).caught());
                    match key.as_ref().map(value).map(|key| self.column_key(key)) {
                        Some(Value::Text(key)) => keys.give(key, &value(part)),
                        Some(Value::KeyOf(others)) => keys.extend(&self.turned(*key, *part, &others)),
                        // `{column: row.__dict__[column] for column in …}`
                        Some(_) if self.is_dictionary_of_row(*part) => keys.is_snapshot = true,
                        Some(_) => keys.hold(&value(part)),
                        None => match value(part) {
                            Value::Dictionary(inner) => keys.extend(&inner),
                            _ => keys.is_open = true,
                        },
                    }
                }
                caught.map_or(Value::Dictionary(Shared::new(keys)), Value::Caught)
            }
            StepKind::Format(parts) | StepKind::Compute(parts) => {
                let parts: Vec<Value> = parts.iter().map(value).collect();
                if let Some(union) = Keys::union(&parts) {
                    return union;
                }
                if self.is_rust()
                    && let StepKind::Format(_) = function.steps[step as usize].kind
                    && let Some(text) = joined(&parts)
                {
                    return Value::Text(text);
                }
                let caught = parts.iter().find_map(Value::caught).map(Value::Caught);
                let decision = parts.iter().find_map(Value::decision).map(Value::Decision);
                let moved = || clock::moved(&function.steps[step as usize].kind, &parts);
                caught.or(decision).or_else(moved).unwrap_or(Value::Plain)
            }
            StepKind::Compare { left, right, comparison, .. } => {
                let read = [value(left), value(right)].into_iter().find_map(|side| match side {
                    Value::Read(param, name) => Some((param, name)),
                    _ => None,
                });
                match read {
                    Some((param, name))
                        if *comparison != Comparison::Is && *comparison != Comparison::Order =>
                    {
                        self.outcome.reads.insert(step, (param, name));
                        Value::Decision(step)
                    }
                    _ => Value::Plain,
                }
            }
            StepKind::Not(of) => match value(of) {
                // Not the one, so the other.
                Value::Inserted(one, other) => Value::Inserted(other, one),
                of => of.decision().map_or(Value::Plain, Value::Decision),
            },
            StepKind::Either(parts) => Value::one_of(parts.iter().map(value)),
            StepKind::Gather(of) => Value::Many(Shared::new(value(of))),
            StepKind::Turns { of, .. } => value(of),
            StepKind::Element(of) => {
                let of = value(of);
                self.iterated(state, step, of)
            }
            StepKind::Part { of, index } => value(of).map(|whole| whole.part(*index)),
            StepKind::Function(index) => {
                Value::Symbol(Symbol::Function(FunctionId { file: self.id.file, index: *index as u32 }))
            }
            StepKind::Class(index) => {
                Value::Symbol(Symbol::Class(ClassId { file: self.id.file, index: *index as u32 }))
            }
            StepKind::Import(index) => match self.project.imported(self.id.file, *index) {
                Some(symbol) => self.symbol(symbol),
                None => Value::Unknown,
            },
            StepKind::Bind { name, value: bound, annotation } => {
                let mut bound_value = value(bound).limited();
                if bound_value.is_vague()
                    && !matches!(bound_value, Value::None)
                    && let Some(term) = annotation
                {
                    bound_value = self.annotated(state, step, term);
                }
                match function.steps[*bound as usize].kind {
                    // `Err(error) => format!("{error}")`: the answer goes on with the error in it.
                    _ if name.is_temporary() && bound_value.caught().is_some() => {
                        self.deed(state, Deeds::RECORDED);
                    }
                    StepKind::Compute(_) => self.deed(state, Deeds::PRINTED),
                    // What is opened under the name of a session is one of its own, wherever it comes from.
                    StepKind::Enter(_) | StepKind::Call { .. } | StepKind::Await(_)
                        if bound_value.is_vague() && library::names_session(name) =>
                    {
                        bound_value = Value::Session(SessionKey::Opened(*bound), SessionKind::Unknown);
                        self.values[*bound as usize] = bound_value.clone();
                        self.fresh_session(state, *bound);
                    }
                    _ => {}
                }
                state.locals.insert(*name, bound_value);
                Value::Unknown
            }
            StepKind::Unbind(name) => {
                state.locals.remove(*name);
                Value::Unknown
            }
            StepKind::Store { of, name, value: stored } => {
                let (target, stored) = (value(of), value(stored));
                self.deed(state, Deeds::RECORDED);
                if self.is_rust() {
                    self.store_on_changes(state, *of, *name, &stored);
                }
                self.store(state, step, target, *name, stored);
                Value::Unknown
            }
            StepKind::StoreIndex { of, key, value: stored } => {
                let (key, stored) = (self.named_here(step, *key, value(key)), value(stored));
                if stored.caught().is_some() || !state.handling.is_empty() {
                    self.deed(state, Deeds::RECORDED);
                }
                self.store_key(state, *of, key, &stored);
                Value::Unknown
            }
            StepKind::Enter(of) => {
                let of = value(of);
                self.fresh_session(state, step);
                self.enter(state, step, of)
            }
            StepKind::Exit { enter, raising } => {
                self.exit(state, *enter, *raising);
                Value::Unknown
            }
            StepKind::Caught(handler) => Value::Caught(*handler),
            StepKind::Raise { .. } => Value::Unknown,
            StepKind::Return(of) => {
                let returned = of.as_ref().map_or(Value::None, value);
                if self.telling {
                    self.tell_return(state, *of);
                }
                state.returned = Some(returned);
                Value::Unknown
            }
            StepKind::Assert(_) => Value::Unknown,
        }
    }

    fn name(&mut self, state: &State, name: Name) -> Value {
        if let Some(value) = state.locals.get(name) {
            return if value.is_vague() { self.by_name(name, value.clone()) } else { value.clone() };
        }
        if let Some(value) = self.outer_names.get(&name) {
            return value.clone();
        }
        let value = self.outer_name(name);
        self.outer_names.insert(name, value.clone());
        value
    }

    /// A name that is not bound here, which means the same wherever the function reads it.
    fn outer_name(&mut self, name: Name) -> Value {
        let value = match self.project.lookup(self.id, name) {
            Lookup::Global(symbol) => self.symbol(symbol),
            Lookup::Builtin => Value::Symbol(Symbol::External(Name::new(&format!("builtins.{name}")))),
            // A variable of a function around this one.
            Lookup::Local => self.closed_over(name),
            Lookup::Perhaps | Lookup::Nowhere => Value::Unknown,
        };
        if value.is_vague() { self.by_name(name, value) } else { value }
    }

    fn iterated(&mut self, state: &mut State, step: StepId, of: Value) -> Value {
        match of {
            Value::Query(Some(model)) => Value::Row(self.loaded_row(state, step, model)),
            Value::Query(None) => Value::Unknown,
            Value::Rows(rows) => self.row_of(state, step, &rows),
            Value::OneOf(all) => {
                let elements: Vec<Value> =
                    all.into_iter().map(|one| self.iterated(state, step, one)).collect();
                Value::one_of(elements)
            }
            other => match self.column_names(&other) {
                Some(keys) => {
                    Value::Attribute(Shared::new(Value::KeyOf(Shared::new(keys))), Name::new(COLUMN))
                }
                None => other.element(),
            },
        }
    }

    fn closed_over(&self, name: Name) -> Value {
        // The outer function's parameters say what they are; its other variables are not followed.
        let mut at = self.function.parent;
        while let Some(index) = at {
            let id = FunctionId { file: self.id.file, index: index as u32 };
            let outer = self.project.function(id);
            if let Some(param) = outer.params.iter().find(|param| param.name == name) {
                return self.outer_parameter(id.file, param);
            }
            at = outer.parent;
        }
        Value::Unknown
    }
}

/// Words of SQL behind which a value may stand whose text is not known: it is no name of a table or a column.
const BEFORE_VALUES: &[&str] = &[" where ", "values", " limit ", " returning "];

/// The text that pieces make together. A piece that is not known is taken for a value, where only values stand.
fn joined(parts: &[Value]) -> Option<Name> {
    let mut all = String::new();
    for part in parts {
        match part {
            Value::Text(text) => all.push_str(text),
            _ => {
                let before = all.to_ascii_lowercase();
                if !BEFORE_VALUES.iter().any(|word| before.contains(word)) {
                    return None;
                }
                all.push('0');
            }
        }
    }
    (!parts.is_empty()).then(|| Name::new(&all))
}
