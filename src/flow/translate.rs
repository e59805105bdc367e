//! flow/translate: what a callee says of its values, in the terms of its caller.

use crate::facts::StepId;
use crate::project::Symbol;

use super::cow::Shared;
use super::queryset::RowSet;
use super::row::{Base, RowInfo, Touch};
use super::state::State;
use super::summary::Summary;
use super::trace::Trace;
use super::value::{Keys, ModelRef, SessionKey, Value};

impl Trace<'_> {
    /// A value of the callee in the terms of the caller.
    pub(super) fn translate(
        &mut self,
        state: &mut State,
        step: StepId,
        value: &Value,
        summary: &Summary,
        binding: &[Value],
    ) -> Value {
        match value {
            Value::Param(number) => binding.get(*number as usize).cloned().unwrap_or(Value::Unknown),
            Value::Own(_) => binding.first().cloned().unwrap_or(Value::Unknown),
            Value::Session(_, kind) => Value::Session(session_among(binding), *kind),
            Value::Object(class, _) => Value::Object(*class, session_among(binding)),
            Value::Row(key) => {
                let Some(effect) = summary.rows.get(key) else { return Value::Unknown };
                if let Base::Param(number) = effect.info.base {
                    let mut handed = binding.get(number as usize).cloned().unwrap_or(Value::Unknown);
                    if matches!(handed, Value::Tuple(_)) {
                        let mut rows = handed.rows();
                        rows.retain(|row| !self.is_another_part(&handed, *row, effect.info.model));
                        if let [only] = rows[..] {
                            handed = Value::Row(only);
                        }
                    }
                    // A callee that was handed a form answers its row.
                    return handed.map(|one| match one {
                        Value::Form(_, key) => Value::Row(key),
                        other => other,
                    });
                }
                let model = self.translate_model(effect.info.model, binding);
                // A session that the callee opened is its own.
                let session = match effect.info.session {
                    Some(SessionKey::Outer) => Some(session_among(binding)),
                    _ => None,
                };
                let origin = effect.info.origin;
                let info = RowInfo { base: effect.info.base, model, origin, at: step, session };
                let here = self.new_row(state, step, key.0 + 1, info, effect.life.clone());
                if let Some(row) = state.rows.get_mut(&here) {
                    let touch = Touch { step, within: effect.touch };
                    row.undergo((&effect.open, &Default::default()), info.base, touch);
                    row.stored.extend(&effect.stored);
                    row.marks.inherit(&effect.marks);
                    row.life.brought(step);
                }
                Value::Row(here)
            }
            Value::Query(Some(model)) => Value::Query(Some(self.translate_model(*model, binding))),
            Value::Rows(rows) => {
                if let ModelRef::Param(number) = rows.model
                    && let Some(Value::Rows(handed)) = binding.get(number as usize)
                {
                    let loads = rows.loads.clone();
                    return Value::Rows(Shared::new(RowSet { loads, ..(**handed).clone() }));
                }
                let model = self.translate_model(rows.model, binding);
                Value::Rows(Shared::new(RowSet { model, ..(**rows).clone() }))
            }
            Value::Statement(statement) => {
                let mut statement = statement.clone();
                statement.model = self.translate_model(statement.model, binding);
                // Where the callee built it means nothing here.
                statement.begun = step;
                let rows = std::mem::take(&mut statement.rows);
                statement.rows = rows
                    .into_iter()
                    .flat_map(|key| self.translate(state, step, &Value::Row(key), summary, binding).rows())
                    .collect();
                statement.on_conflict.iter_mut().for_each(|(_, begun)| *begun = step);
                Value::Statement(statement)
            }
            Value::Dictionary(keys) if keys.holds.is_some() => {
                let held = keys.held().unwrap_or(Value::Unknown);
                let held = self.translate(state, step, &held, summary, binding);
                let holds = Some(Shared::new(held)).filter(|held| !held.rows().is_empty());
                Value::Dictionary(Shared::new(Keys { holds, ..(**keys).clone() }))
            }
            Value::Form(_, key) => match summary.rows.get(key).map(|effect| effect.info.base) {
                Some(Base::Param(number)) => binding.get(number as usize).cloned().unwrap_or(Value::Unknown),
                _ => Value::Unknown,
            },
            Value::Many(inner) => {
                Value::Many(Shared::new(self.translate(state, step, inner, summary, binding)))
            }
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
                Value::Method(Shared::new(receiver), *function)
            }
            Value::Attribute(of, name) => {
                let of = self.translate(state, step, of, summary, binding);
                self.attribute(state, of, *name)
            }
            Value::Seeker(_) => Value::Seeker(step),
            Value::Caught(_) | Value::Decision(_) | Value::Read(..) | Value::Inserted(..) => Value::Plain,
            other => other.clone(),
        }
    }

    pub(super) fn translate_model(&mut self, model: ModelRef, binding: &[Value]) -> ModelRef {
        match model {
            ModelRef::Param(number) => binding.get(number as usize).map_or(ModelRef::Unknown, model_of),
            ModelRef::Own(name) => match binding.first() {
                Some(object @ Value::Object(..)) => {
                    let value = self.attribute(&mut State::default(), object.clone(), name);
                    model_of(&value)
                }
                _ => ModelRef::Unknown,
            },
            other => other,
        }
    }
}

/// The session that a callee works on: one that was opened here and is handed over, alone or in an object.
pub(super) fn session_among(values: &[Value]) -> SessionKey {
    let opened = values.iter().flat_map(Value::each).find_map(|value| match value {
        Value::Session(key @ SessionKey::Opened(_), _) | Value::Object(_, key @ SessionKey::Opened(_)) => {
            Some(*key)
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
        Value::Rows(rows) => rows.model,
        // The table of a model stands for the model.
        Value::Attribute(of, name) if &**name == "__table__" => model_of(of),
        Value::Own(_) => ModelRef::Param(0),
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
