//! flow/manager: context managers that the project has written: classes with `__enter__` and `__exit__`, and generators.

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId};

use super::state::State;
use super::trace::Trace;
use super::value::{SessionKey, Value};

impl Trace<'_> {
    /// What an object of a project's class hands over when a `with` enters it; nothing where its class has no say.
    pub(super) fn enter_object(&mut self, state: &mut State, step: StepId, object: &Value) -> Option<Value> {
        let Value::Object(class, _) = object else { return None };
        let enters = self.manager_method(*class, ["__aenter__", "__enter__"])?;
        let handed = self.apply(state, step, Some(object.clone()), enters, &[]);
        self.never_returns = false;
        (!handed.is_vague()).then_some(handed)
    }

    /// A `with` ends whose context manager the project has written: it may commit what went well, and roll back or close
    /// what did not.
    pub(super) fn leave_manager(
        &mut self,
        state: &mut State,
        enter: StepId,
        context: &Value,
        entered: Option<SessionKey>,
        raising: bool,
    ) {
        let (ends, session) = match context {
            Value::Manager(function) => (Some(*function), entered.unwrap_or(SessionKey::Outer)),
            Value::Object(class, session) => {
                (self.manager_method(*class, ["__aexit__", "__exit__"]), entered.unwrap_or(*session))
            }
            _ => return,
        };
        let Some(summary) = ends.and_then(|function| self.summary(function)) else { return };
        if raising && summary.may_roll_back {
            self.roll_back(state, session, enter);
        } else if !raising && summary.may_commit && matches!(context, Value::Object(..)) {
            // Without an error there is but one thing to do.
            self.used.any = true;
            self.used.writes = true;
            self.commit(state, session, enter);
        }
    }

    /// What a generator hands out at the `with` that enters it, in the terms of the function that writes the `with`: an
    /// object that works on a session which the generator opens has one of its own here, too.
    pub(super) fn handed_out(&self, enter: StepId, yielded: Value) -> Value {
        let is_opened = |one: &Value| matches!(one, Value::Object(_, SessionKey::Opened(_)));
        let opens = yielded.each().iter().any(is_opened);
        let handed = self.session_handed_to(enter);
        yielded.map(|one| match (one, handed) {
            (Value::Object(class, _), Some(session)) => Value::Object(class, session),
            // Where the generator could have been handed a session it was not, so it has opened one.
            (Value::Object(class, _), None) if opens => Value::Object(class, SessionKey::Opened(enter)),
            (other, _) => other,
        })
    }

    /// The session that is among the arguments of the call which a `with` enters.
    fn session_handed_to(&self, enter: StepId) -> Option<SessionKey> {
        let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return None };
        let StepKind::Call { arguments, .. } = &self.function.steps[context as usize].kind else {
            return None;
        };
        let values = arguments.iter().flat_map(|argument| self.value(argument.value).each());
        values.into_iter().find_map(|value| match value {
            Value::Session(session, _) => Some(*session),
            _ => None,
        })
    }

    fn manager_method(&mut self, class: ClassId, names: [&str; 2]) -> Option<FunctionId> {
        let found = names.iter().find_map(|name| self.project.method(class, Name::new(name)))?;
        self.outcome.calls.insert(found);
        Some(found)
    }
}
