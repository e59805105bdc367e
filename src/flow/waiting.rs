//! flow/waiting: calls that answer a coroutine nobody awaits, and awaits of calls that answer none.

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, Symbol};

use super::library;
use super::trace::Trace;
use super::value::{SessionKind, Value};

/// What is wrong with how a call is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It answers a coroutine, and nothing takes that.
    Missing,
    /// It answers nothing to wait for, and is awaited.
    Needless,
}

impl Trace<'_> {
    /// Whether a call of a session's method answers a coroutine that nothing takes.
    pub(super) fn is_unawaited(&self, step: StepId, kind: SessionKind, method: &str) -> bool {
        kind == SessionKind::Async && library::is_coroutine(method) && self.stands_alone(step)
    }

    /// A call, whose value something may take or not.
    pub(super) fn tell_call(&mut self, step: StepId, callee: StepId) {
        if self.telling && self.stands_alone(step) {
            let is_certain = self.is_asynchronous(callee, library::is_coroutine) || self.is_of_model(callee);
            self.tell_waiting(step, is_certain.then_some(Waiting::Missing));
        }
    }

    /// An `await`, and what it answers.
    pub(super) fn awaits(&mut self, step: StepId, of: StepId) -> Value {
        // What is awaited later was called elsewhere; nobody sees here what that does.
        self.used.hidden |= !matches!(self.function.steps[of as usize].kind, StepKind::Call { .. });
        if let StepKind::Call { callee, .. } = self.function.steps[of as usize].kind
            && self.telling
        {
            let is_certain = self.is_asynchronous(callee, library::answers_at_once);
            self.tell_waiting(step, is_certain.then_some(Waiting::Needless));
        }
        self.value(of).clone()
    }

    /// What is true on every path is told, and nothing else.
    fn tell_waiting(&mut self, step: StepId, waiting: Option<Waiting>) {
        let known = self.outcome.waiting.entry(step).or_insert(waiting);
        if *known != waiting {
            *known = None;
        }
    }

    fn stands_alone(&self, step: StepId) -> bool {
        self.function.is_async && self.function.bare.binary_search(&step).is_ok()
    }

    /// Whether a callee is such a method of a session that is asynchronous for certain.
    fn is_asynchronous(&self, callee: StepId, is_such: fn(&str) -> bool) -> bool {
        let mut receivers = 0;
        let all_are = self.value(callee).each().iter().all(|callee| match callee {
            Value::Attribute(of, method) => match **of {
                Value::Session(_, kind) => {
                    receivers += 1;
                    kind == SessionKind::Async && is_such(method)
                }
                // Where there is no session there is no call either.
                Value::None => true,
                _ => false,
            },
            _ => false,
        });
        all_are && receivers > 0
    }

    /// Whether a callee is a coroutine method that writes a row of a Django model, or rows through its manager.
    fn is_of_model(&self, callee: StepId) -> bool {
        let StepKind::Attribute { of, name } = self.function.steps[callee as usize].kind else {
            return false;
        };
        if !matches!(self.value(callee), Value::Attribute(..)) {
            return false;
        }
        match self.value(of) {
            Value::Object(class, _) => library::saves_in_a_coroutine(&name) && self.is_django_model(*class),
            _ => library::writes_in_a_coroutine(&name) && self.is_queried_from_model(of),
        }
    }

    /// Whether a chain of calls and attributes begins with `Model.objects`.
    fn is_queried_from_model(&self, mut at: StepId) -> bool {
        loop {
            at = match self.function.steps[at as usize].kind {
                StepKind::Call { callee, .. } => callee,
                StepKind::Attribute { of, name } if name == Name::new("objects") => {
                    return matches!(self.value(of), Value::Symbol(Symbol::Class(class))
                        if self.is_django_model(*class));
                }
                StepKind::Attribute { of, .. } => of,
                _ => return false,
            }
        }
    }

    pub(super) fn is_django_model(&self, class: ClassId) -> bool {
        let mut above = self.project.hierarchy(class).externals();
        above.any(|path| path.starts_with("django.") && path.last() == "Model")
    }
}
