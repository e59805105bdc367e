//! flow/comprehension: which keys the dictionary of a comprehension has, given those it goes over and what it asks of them.
//!
//! `{key: value for key, value in data.items() if key in COLUMNS and value is not None}` keeps what the code put into
//! `data` under the name of a column. What is asked otherwise may leave out any of it.

use crate::facts::{Comparison, StepId, StepKind};

use super::trace::Trace;
use super::value::{Keys, Value, texts};

impl Trace<'_> {
    /// The keys that a dictionary gets where it is written with one key for several of them.
    pub(super) fn turned(&self, key: Option<StepId>, value: StepId, all: &Keys) -> Keys {
        let turns = key.map(|key| &self.function.steps[key as usize].kind);
        let Some(StepKind::Turns { of, tests }) = turns else {
            // One turn of a loop, which has one of them.
            return all.thinned();
        };
        let mut keys = if self.is_value_of(*of, value) {
            all.unheld()
        } else if self.is_none(value) {
            Keys { none: all.sure.clone(), ..all.revalued() }
        } else {
            all.revalued()
        };
        for test in tests {
            match self.passing(*of, *test, &keys) {
                Some(passing) => keys = passing,
                None => keys = keys.thinned(),
            }
        }
        keys
    }

    /// The keys that pass a test, where it asks for something that is known of them.
    fn passing(&self, key: StepId, test: StepId, keys: &Keys) -> Option<Keys> {
        let StepKind::Compare { comparison, negated, left, right } = self.function.steps[test as usize].kind
        else {
            return None;
        };
        match comparison {
            Comparison::In if left == key => {
                let names = self.keys_in(self.value(right))?;
                let mut passing = keys.clone();
                if negated {
                    // Of what may be among them nothing is known.
                    passing.retain(|key| !names.sure.contains(key));
                    passing.loosen(|key| names.is_open || names.perhaps.contains(key));
                } else {
                    passing.retain(|key| {
                        names.is_open || names.sure.contains(key) || names.perhaps.contains(key)
                    });
                    passing.loosen(|key| !names.sure.contains(key));
                    passing.is_open &= names.is_open;
                }
                Some(passing)
            }
            Comparison::Equal if negated && left == key => {
                let Value::Text(name) = *self.value(right) else { return None };
                let mut passing = keys.clone();
                passing.forget(name);
                Some(passing)
            }
            Comparison::Is if negated && self.is_value_of(key, left) && self.is_none(right) => {
                let mut passing = keys.clone();
                passing.retain(|key| !keys.none.contains(key));
                // What the code gives is there; what somebody sends may be missing.
                passing.loosen(|key| keys.sent.contains(key));
                passing.none_by_default.clear();
                Some(passing)
            }
            _ => None,
        }
    }

    /// The names that a collection holds, where it is one of names.
    fn keys_in(&self, all: &Value) -> Option<Keys> {
        match all {
            Value::Tuple(parts) => Some(Keys { sure: texts(parts)?, ..Keys::default() }),
            Value::Dictionary(keys) => Some(keys.unheld()),
            Value::Many(one) => match &**one {
                Value::KeyOf(keys) => Some(keys.unheld()),
                Value::Text(name) => Some(Keys { sure: [*name].into(), ..Keys::default() }),
                _ => None,
            },
            table => self.column_names(table),
        }
    }

    /// Whether a step is the value that stands under the key of the same turn.
    fn is_value_of(&self, key: StepId, value: StepId) -> bool {
        let part = |step: StepId| match self.function.steps[step as usize].kind {
            StepKind::Part { of, index: Some(index) } => Some((of, index)),
            _ => None,
        };
        matches!((part(key), part(value)), (Some((pair, 0)), Some((same, 1))) if pair == same)
    }
}
